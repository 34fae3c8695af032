//! Checking that a webhook comes from Filestack.
//!
//! Over the raw body and in constant time; a refusal has no reason in it, so that it teaches a forger nothing.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::encode::unhex_32;
use super::error::FilestackError;

/// Digits of the largest timestamp that is read.
const MOST_DIGITS: usize = 18;

/// A webhook's own secret, from the developer portal. It is not the app secret.
#[derive(Clone)]
pub struct WebhookSecret(String);

impl WebhookSecret {
    /// Takes any text but none.
    ///
    /// # Errors
    /// [`FilestackError::Invalid`] when it is empty: anybody can sign under an empty key.
    pub fn new(secret: impl Into<String>) -> Result<Self, FilestackError> {
        let secret = secret.into();
        if secret.is_empty() {
            return Err(FilestackError::invalid("the webhook secret is empty"));
        }
        Ok(Self(secret))
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(…)")
    }
}

/// The message is not Filestack's, or not what Filestack sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the webhook signature is not valid")]
pub struct InvalidSignature;

/// Checks a message against each secret (two during a rotation) and gives its `FS-Timestamp` in seconds.
///
/// The signature is 64 lower-case hex digits and the timestamp plain digits, as Filestack sends them. How old a message
/// may be is the caller's decision.
///
/// # Errors
/// [`InvalidSignature`], whatever is wrong.
pub fn verify(
    secrets: &[&WebhookSecret],
    timestamp: &str,
    body: &[u8],
    signature: &str,
) -> Result<u64, InvalidSignature> {
    let seconds = plain_digits(timestamp).ok_or(InvalidSignature)?;
    let signature = unhex_32(signature.as_bytes()).ok_or(InvalidSignature)?;
    // All secrets are tried, so that the time says nothing about which one fits.
    let fits = secrets.iter().fold(false, |fits, secret| {
        fits | is_signed(secret, timestamp, body, &signature)
    });
    if fits { Ok(seconds) } else { Err(InvalidSignature) }
}

fn is_signed(secret: &WebhookSecret, timestamp: &str, body: &[u8], signature: &[u8; 32]) -> bool {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.0.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(timestamp.as_bytes());
    mac.update(b".");
    mac.update(body);
    mac.verify_slice(signature).is_ok()
}

/// Digits only: a `.` in the timestamp would let bytes move between it and the body under the same signature.
fn plain_digits(text: &str) -> Option<u64> {
    let fits = (1..=MOST_DIGITS).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if fits { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = r#"{"text": {"filename": "filename.jpg", "key": "kGaeljnga9wkysK6Z_filename.jpg"}}"#;
    const TIME: &str = "123456789999";
    const SIGNATURE: &str = "57cbb25386c3d6ff758a7a75cf52ba02cf2b0a1a2d6d5dfb9c886553ca6011cb";

    fn secret(text: &str) -> WebhookSecret {
        WebhookSecret::new(text).unwrap()
    }

    #[test]
    fn published_vectors_verify() {
        assert_eq!(
            verify(&[&secret("webhook-secret")], TIME, BODY.as_bytes(), SIGNATURE),
            Ok(123_456_789_999)
        );
        let body = "{\"id\": 6844, \"action\": \"fp.upload\", \"timestamp\": 1559199901, \"text\": {\"url\": \
                    \"http://cdn.filestackapi.dev/xK88QArxRiyVvFzo4p33\", \"client\": \"Computer\", \"data\": \
                    {\"filename\": \"01 (1).png\", \"type\": \"image/png\", \"size\": 881855}}}";
        let signature = "14495b54b246e1352bb69cd91c5c1bfe2221f2d0330414b3df8f5fb2903db730";
        let secret = secret("Y5cWb1rdRDSTSqEjF5pv");
        assert_eq!(
            verify(&[&secret], "1559199901", body.as_bytes(), signature),
            Ok(1_559_199_901)
        );
    }

    #[test]
    fn w8_any_change_is_refused() {
        let secret = secret("webhook-secret");
        for body in [
            format!("{BODY}\n"),
            BODY.replace(' ', ""),
            format!("\u{feff}{BODY}"),
            BODY.replace("jpg", "jpe"),
        ] {
            assert_eq!(
                verify(&[&secret], TIME, body.as_bytes(), SIGNATURE),
                Err(InvalidSignature)
            );
        }
        assert!(verify(&[&secret], "123456789998", BODY.as_bytes(), SIGNATURE).is_err());
    }

    #[test]
    fn w5_odd_timestamps_are_refused() {
        let secret = secret("webhook-secret");
        for time in [
            "",
            "+1",
            "-1",
            "1e9",
            " 1",
            "1.2",
            "0x1",
            "99999999999999999999999",
            "١",
        ] {
            assert!(
                verify(&[&secret], time, BODY.as_bytes(), SIGNATURE).is_err(),
                "{time}"
            );
        }
    }

    #[test]
    fn w7_odd_signatures_are_refused() {
        let secret = secret("webhook-secret");
        let longer = format!("{SIGNATURE}00");
        for odd in [
            "",
            "57",
            &SIGNATURE.to_uppercase(),
            &format!(" {SIGNATURE}"),
            &longer,
            &"g".repeat(64),
        ] {
            assert!(verify(&[&secret], TIME, BODY.as_bytes(), odd).is_err(), "{odd}");
        }
    }

    #[test]
    fn w17_either_of_two_secrets_will_do_during_a_rotation() {
        let (old, new) = (secret("webhook-secret"), secret("new"));
        assert!(verify(&[&new, &old], TIME, BODY.as_bytes(), SIGNATURE).is_ok());
        assert!(verify(&[&old, &new], TIME, BODY.as_bytes(), SIGNATURE).is_ok());
        assert!(verify(&[&new], TIME, BODY.as_bytes(), SIGNATURE).is_err());
    }

    #[test]
    fn w18_no_secret_verifies_nothing_and_an_empty_one_cannot_exist() {
        assert!(verify(&[], TIME, BODY.as_bytes(), SIGNATURE).is_err());
        assert!(WebhookSecret::new("").is_err());
        assert!(!format!("{:?}", secret("CANARY")).contains("CANARY"));
    }
}
