//! Random names: handles, upload ids, storage keys, request ids.

use getrandom::fill;

const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// Length of a handle (§11.2).
pub(super) const HANDLE_LENGTH: usize = 20;
/// Length of an upload id: long enough that nobody guesses somebody else's upload.
pub(super) const UPLOAD_LENGTH: usize = 40;

/// `length` random letters and digits, every one equally likely.
pub(super) fn alphanumeric(length: usize) -> String {
    let mut text = String::with_capacity(length);
    let mut bytes = [0_u8; 64];
    while text.len() < length {
        fill(&mut bytes).expect("the operating system always has random bytes");
        // 248 is the largest multiple of 62 in a byte: taking more would favour the first letters.
        let fair = bytes.iter().filter(|byte| **byte < 248);
        text.extend(
            fair.map(|byte| char::from(ALPHABET[usize::from(*byte) % 62]))
                .take(length - text.len()),
        );
    }
    text
}

/// A random UUID, for the places of the protocol that show one.
pub(super) fn uuid() -> String {
    let mut bytes = [0_u8; 16];
    fill(&mut bytes).expect("the operating system always has random bytes");
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}

/// Whether the text could be a handle of ours. Only such text ever becomes part of a path on disk.
pub(super) fn is_handle(text: &str) -> bool {
    is_name(text, HANDLE_LENGTH)
}

/// Whether the text could be an upload id of ours.
pub(super) fn is_upload(text: &str) -> bool {
    is_name(text, UPLOAD_LENGTH)
}

fn is_name(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_random_letters_and_digits_of_the_asked_length() {
        let handle = alphanumeric(HANDLE_LENGTH);
        assert!(is_handle(&handle));
        assert_ne!(handle, alphanumeric(HANDLE_LENGTH));
        assert_eq!(alphanumeric(200).len(), 200);
    }

    #[test]
    fn nothing_that_could_leave_the_directory_is_a_handle() {
        for text in [
            "",
            "../../../../etc/pass",
            "AAAAAAAAAAAAAAAAAAA/",
            "AAAAAAAAAAAAAAAAAAAé",
            "short",
        ] {
            assert!(!is_handle(text), "{text}");
        }
    }
}
