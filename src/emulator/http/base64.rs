//! Base64 in pieces, for content that may be larger than memory (`base64decode`, §3.10, §5).

/// Base64 that arrives in pieces; white space between is skipped, both alphabets are read.
#[derive(Default)]
pub(super) struct Decoder {
    bits: u32,
    digits: u8,
    padding: u8,
}

impl Decoder {
    /// The bytes that the next letters complete; `None` when they are not base64.
    pub(super) fn decode(&mut self, text: &[u8]) -> Option<Vec<u8>> {
        let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 3);
        for letter in text {
            let value = match letter {
                b'A'..=b'Z' => letter - b'A',
                b'a'..=b'z' => letter - b'a' + 26,
                b'0'..=b'9' => letter - b'0' + 52,
                b'+' | b'-' => 62,
                b'/' | b'_' => 63,
                b'=' => {
                    self.padding += 1;
                    if self.padding > 2 {
                        return None;
                    }
                    continue;
                }
                _ if letter.is_ascii_whitespace() => continue,
                _ => return None,
            };
            if self.padding > 0 {
                return None;
            }
            self.bits = (self.bits << 6 | u32::from(value)) & 0xFF_FFFF;
            self.digits = (self.digits + 1) % 4;
            // The byte that each digit after the first of four completes.
            match self.digits {
                2 => bytes.push((self.bits >> 4) as u8),
                3 => bytes.push((self.bits >> 2) as u8),
                0 => bytes.push(self.bits as u8),
                _ => {}
            }
        }
        Some(bytes)
    }

    /// Whether it ends where base64 may end, with or without padding.
    pub(super) fn is_whole(&self) -> bool {
        match (self.digits, self.padding) {
            (digits, 0) => digits != 1,
            (digits, padding) => digits + padding == 4,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

    fn decoded(text: &str, step: usize) -> Option<Vec<u8>> {
        let mut decoder = Decoder::default();
        let mut bytes = Vec::new();
        for piece in text.as_bytes().chunks(step) {
            bytes.extend(decoder.decode(piece)?);
        }
        decoder.is_whole().then_some(bytes)
    }

    #[test]
    fn base64_is_decoded_in_pieces_of_any_size() {
        for length in 0..20_u8 {
            let bytes: Vec<u8> = (0..length).map(|at| at.wrapping_mul(97)).collect();
            for step in 1..7 {
                assert_eq!(decoded(&STANDARD.encode(&bytes), step).as_ref(), Some(&bytes));
                assert_eq!(
                    decoded(&URL_SAFE_NO_PAD.encode(&bytes), step).as_ref(),
                    Some(&bytes)
                );
            }
        }
    }

    #[test]
    fn what_is_not_base64_is_refused() {
        for text in ["a", "ab=", "ab===", "a=bc", "a*bc", "=", "abcd="] {
            assert_eq!(decoded(text, 2), None, "{text}");
        }
        assert_eq!(decoded("YW\nJj\r\n", 3).as_deref(), Some(b"abc".as_slice()));
    }
}
