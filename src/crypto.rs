//! Randomness, keyed hashes, tokens and passwords.
//!
//! Tokens are 256 random bits and are kept as their SHA-256: too long to guess, so no slow hash is needed. Passwords are
//! Argon2id at 19 MiB and two passes, which is why [`hash_password`] and [`verify_password`] must run off the async threads.

use std::fmt::Write as _;
use std::sync::OnceLock;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256, Sha384};
use subtle::ConstantTimeEq;

/// The longest password taken, in bytes: more would only buy an attacker our time (A7).
pub const MAX_PASSWORD_BYTES: usize = 1_024;

/// Fills the buffer from the system's generator.
pub fn fill_random(buffer: &mut [u8]) {
    getrandom::fill(buffer).expect("the operating system has a random generator");
}

/// A new secret token: 256 random bits, URL-safe, 43 characters.
pub fn new_token() -> String {
    let mut bytes = [0_u8; 32];
    fill_random(&mut bytes);
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// What is kept of a token: its SHA-256 in hex.
pub fn token_hash(token: &str) -> String {
    hex(&Sha256::digest(token.as_bytes()))
}

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// HMAC-SHA256 of a purpose and a message, URL-safe: one key serves many purposes without any of them speaking for another.
pub fn keyed_token(key: &[u8; 32], purpose: &str, message: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(purpose.as_bytes());
    mac.update(b"\0");
    mac.update(message.as_bytes());
    BASE64_URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
}

/// The digest of a script, as the attribute `integrity` has it.
pub fn integrity(script: &[u8]) -> String {
    format!("sha384-{}", BASE64_STANDARD.encode(Sha384::digest(script)))
}

/// Whether two texts are equal, in a time that depends on their lengths alone.
pub fn same(left: &str, right: &str) -> bool {
    left.as_bytes().ct_eq(right.as_bytes()).into()
}

/// Argon2id in the PHC string format. Takes about 40 ms of one core and 19 MiB: call it off the async threads.
pub fn hash_password(password: &str) -> String {
    Argon2::default()
        .hash_password(password.as_bytes())
        .expect("Argon2's default parameters are valid")
        .to_string()
}

/// Whether the password is the one that was hashed. Costs the same as hashing it.
pub fn verify_password(password: &str, hash: &str) -> bool {
    let Ok(parsed) = PasswordHash::new(hash) else {
        return false;
    };
    Argon2::default()
        .verify_password(password.as_bytes(), &parsed)
        .is_ok()
}

/// A hash of no password anybody has: verified when there is no such account, so that both answers take as long (A6).
pub fn nobodys_hash() -> &'static str {
    static HASH: OnceLock<String> = OnceLock::new();
    HASH.get_or_init(|| hash_password(&new_token()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_by_its_hash_and_no_other() {
        let hash = hash_password("correct horse battery");
        assert!(hash.starts_with("$argon2id$"), "{hash}");
        assert!(verify_password("correct horse battery", &hash));
        assert!(!verify_password("correct horse", &hash));
        assert!(!verify_password("correct horse battery", "nonsense"));
    }

    #[test]
    fn a_keyed_token_depends_on_key_purpose_and_message() {
        let token = keyed_token(&[1; 32], "csrf", "session");
        assert_eq!(token, keyed_token(&[1; 32], "csrf", "session"));
        assert_ne!(token, keyed_token(&[2; 32], "csrf", "session"));
        assert_ne!(token, keyed_token(&[1; 32], "cursor", "session"));
        assert_ne!(token, keyed_token(&[1; 32], "csrf", "other"));
    }

    #[test]
    fn tokens_are_long_and_never_the_same() {
        let (one, two) = (new_token(), new_token());
        assert_eq!(one.len(), 43);
        assert_ne!(one, two);
        assert_eq!(
            token_hash("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
