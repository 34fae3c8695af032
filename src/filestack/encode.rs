//! Percent and hex encoding, the two text forms every other module needs.

use std::fmt::Write;

/// Percent-encodes everything but unreserved characters and those in `keep`.
pub(super) fn percent(text: &str, keep: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        let c = char::from(byte);
        if c.is_ascii_alphanumeric() || "-._~".contains(c) || (c.is_ascii() && keep.contains(c)) {
            out.push(c);
        } else {
            write!(out, "%{byte:02X}").expect("writing to a String cannot fail");
        }
    }
    out
}

/// Lower-case hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
            write!(out, "{byte:02x}").expect("writing to a String cannot fail");
            out
        })
}

/// Reads exactly 32 bytes of lower-case hex; anything else is `None`.
pub(super) fn unhex_32(text: &[u8]) -> Option<[u8; 32]> {
    let digits: &[u8; 64] = text.try_into().ok()?;
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
    }
    Some(bytes)
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_encodes_all_but_what_it_is_told_to_keep() {
        assert_eq!(percent("a/b c%é=", ""), "a%2Fb%20c%25%C3%A9%3D");
        assert_eq!(percent("a/b=", "/="), "a/b=");
    }

    #[test]
    fn unhex_takes_64_lower_case_digits_only() {
        let bytes: [u8; 32] = std::array::from_fn(|i| i as u8 * 7);
        let text = hex(&bytes);
        assert_eq!(unhex_32(text.as_bytes()), Some(bytes));
        assert_eq!(unhex_32(text.to_uppercase().as_bytes()), None);
        assert_eq!(unhex_32(&text.as_bytes()[1..]), None);
        assert_eq!(unhex_32(format!("{text} ").as_bytes()), None);
    }
}
