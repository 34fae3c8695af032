//! What goes with a body so that a receiver can trust it (§7.1).

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The headers of an attempt at a moment, in seconds since 1970: the signature is over the moment, a dot and the body.
pub(super) fn headers(secret: &str, seconds: u64, body: &str) -> Vec<(String, String)> {
    let timestamp = seconds.to_string();
    let signature = signature(secret, &timestamp, body);
    [
        ("Content-Type", "application/json"),
        ("User-Agent", "filestack-emulator"),
        ("FS-Timestamp", timestamp.as_str()),
        ("FS-Signature", signature.as_str()),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}

/// Lower-case hex.
pub(super) fn signature(secret: &str, timestamp: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(timestamp.as_bytes());
    mac.update(b".");
    mac.update(body.as_bytes());
    let bytes = mac.finalize().into_bytes();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// §7.5.
    #[test]
    fn the_public_vectors_come_out() {
        for (secret, timestamp, body, expected) in [
            (
                "webhook-secret",
                "123456789999",
                r#"{"text": {"filename": "filename.jpg", "key": "kGaeljnga9wkysK6Z_filename.jpg"}}"#,
                "57cbb25386c3d6ff758a7a75cf52ba02cf2b0a1a2d6d5dfb9c886553ca6011cb",
            ),
            (
                "Y5cWb1rdRDSTSqEjF5pv",
                "1559199901",
                r#"{"id": 6844, "action": "fp.upload", "timestamp": 1559199901, "text": {"url": "http://cdn.filestackapi.dev/xK88QArxRiyVvFzo4p33", "client": "Computer", "data": {"filename": "01 (1).png", "type": "image/png", "size": 881855}}}"#,
                "14495b54b246e1352bb69cd91c5c1bfe2221f2d0330414b3df8f5fb2903db730",
            ),
        ] {
            assert_eq!(signature(secret, timestamp, body), expected);
        }
    }
}
