//! Storage paths that stay where they point (§11.4).

/// Whether a storage path stays where it points: no steps up, nothing that some storage or proxy takes for one, not even
/// percent-encoded. A leading `/` is what the documentation's own examples have.
pub(in crate::emulator) fn is_plain_path(path: &str) -> bool {
    let mut text = path.to_owned();
    // Encoded more than once is decoded more than once somewhere.
    for _ in 0..4 {
        let steps = text.split('/').any(|segment| segment == "." || segment == "..");
        if steps || text.contains("//") || text.contains('\\') || text.chars().any(char::is_control) {
            return false;
        }
        let decoded = percent_decoded(&text);
        if decoded == text {
            return true;
        }
        text = decoded;
    }
    false
}

/// Decodes percent-escapes and nothing else; what is not UTF-8 then becomes U+FFFD.
pub(super) fn percent_decoded(text: &str) -> String {
    // A `+` is a plus in a path; the form decoder takes it for a space unless it is encoded.
    let pair = format!("={}", text.replace('+', "%2B").replace('&', "%26"));
    url::form_urlencoded::parse(pair.as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p9_paths_that_step_out_are_not_plain() {
        for path in [
            "../x",
            "a/../b",
            "a/./b",
            "a//b",
            "a\\b",
            "%2e%2e/x",
            "a%2f..%2fb",
            "%252e%252e/x",
            "a\0b",
            "..",
        ] {
            assert!(!is_plain_path(path), "{path:?}");
        }
        for path in [
            "a/b/",
            "/a/b.txt",
            "a..b/c",
            "50%/x",
            "ü/a b+c&d=e",
            "user-uploads/1/2/",
        ] {
            assert!(is_plain_path(path), "{path:?}");
        }
    }
}
