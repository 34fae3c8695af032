//! Randomness, keyed hashes, tokens and passwords.
//!
//! Tokens are 256 random bits and are kept as their SHA-256: too long to guess, so no slow hash is needed. Passwords are
//! Argon2id at 19 MiB and two passes, which is why [`Scratch`] must be used off the async threads.

use std::fmt::Write as _;
use std::sync::OnceLock;

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Block, Params, Version};
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

/// The memory that passwords are hashed in. Used again and again, because the allocator would keep such a block on every thread.
#[derive(Default)]
pub struct Scratch(Vec<Block>);

impl Scratch {
    /// Argon2id in the PHC string format. Takes about 40 ms of one core and 19 MiB: call it off the async threads.
    pub fn hash(&mut self, password: &str) -> String {
        const DEFAULTS: &str = "Argon2's default parameters are valid";
        let (mut salt, mut hash) = ([0; 16], [0; Params::DEFAULT_OUTPUT_LEN]);
        fill_random(&mut salt);
        self.digest(&Argon2::default(), password, &salt, &mut hash)
            .expect(DEFAULTS);
        let hash = PasswordHash {
            algorithm: ARGON2ID_IDENT,
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(&Params::DEFAULT).expect(DEFAULTS),
            salt: Some(Salt::new(&salt).expect("16 bytes are the usual salt")),
            hash: Some(Output::new(&hash).expect(DEFAULTS)),
        };
        hash.to_string()
    }

    /// Whether the password is the one that was hashed. Costs the same as hashing it.
    pub fn verify(&mut self, password: &str, hash: &str) -> bool {
        self.recomputed(password, hash).unwrap_or(false)
    }

    /// `None` when the hash is none.
    fn recomputed(&mut self, password: &str, hash: &str) -> Option<bool> {
        let parsed = PasswordHash::new(hash).ok()?;
        let (salt, expected) = (parsed.salt?, parsed.hash?);
        let algorithm = Algorithm::try_from(parsed.algorithm.as_str()).ok()?;
        let version = Version::try_from(parsed.version.unwrap_or_default()).ok()?;
        let argon2 = Argon2::new(algorithm, version, Params::try_from(&parsed).ok()?);
        let mut found = vec![0; expected.len()];
        self.digest(&argon2, password, &salt, &mut found).ok()?;
        Some(found.ct_eq(expected.as_bytes()).into())
    }

    fn digest(
        &mut self,
        argon2: &Argon2<'_>,
        password: &str,
        salt: &[u8],
        into: &mut [u8],
    ) -> Result<(), argon2::Error> {
        let blocks = argon2.params().block_count();
        if self.0.len() < blocks {
            self.0.resize(blocks, Block::default());
        }
        argon2.hash_password_into_with_memory(password.as_bytes(), salt, into, &mut self.0[..blocks])
    }

    /// A hash of no password anybody has: verified when there is no such account, so that both answers take as long (A6).
    pub fn nobodys_hash(&mut self) -> &'static str {
        static HASH: OnceLock<String> = OnceLock::new();
        HASH.get_or_init(|| self.hash(&new_token()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_by_its_hash_and_no_other() {
        let mut scratch = Scratch::default();
        let hash = scratch.hash("correct horse battery");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_ne!(hash, scratch.hash("correct horse battery"));
        assert!(scratch.verify("correct horse battery", &hash));
        assert!(!scratch.verify("correct horse", &hash));
        for none in [
            "nonsense",
            "",
            "$argon2id$v=19$m=19456,t=2,p=1$AAAA",
            "$argon2id$v=18$m=8,t=1,p=1$c2FsdHNhbHQ$aaaaaaaaaaaaaaaaaaaaaa",
        ] {
            assert!(!scratch.verify("correct horse battery", none), "{none}");
        }
    }

    #[test]
    fn what_is_left_in_the_memory_changes_no_hash() {
        use argon2::{PasswordHasher as _, PasswordVerifier as _};
        let (mut used, password) = (Scratch::default(), "four plain words here");
        let ours = used.hash(password);
        used.hash("something else");
        assert!(used.verify(password, &ours) && Scratch::default().verify(password, &ours));
        assert!(
            Argon2::default()
                .verify_password(password.as_bytes(), ours.as_str())
                .is_ok()
        );
        let theirs = Argon2::default()
            .hash_password(password.as_bytes())
            .expect("a hash");
        assert!(used.verify(password, &theirs.to_string()));
        let small = Argon2::new(
            Algorithm::Argon2i,
            Version::V0x10,
            Params::new(64, 1, 1, None).expect("parameters"),
        );
        let small = small.hash_password(password.as_bytes()).expect("a hash");
        assert!(used.verify(password, &small.to_string()));
        assert_eq!(used.0.len(), Params::DEFAULT.block_count());
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
