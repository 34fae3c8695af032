//! E-mail addresses as the names of accounts.

use unicode_normalization::UnicodeNormalization as _;

/// The longest address there can be (RFC 5321).
const MAX_BYTES: usize = 254;

/// The one spelling of an address that is kept, or what is wrong with it.
///
/// Lower case and compatibility-composed, so that two spellings of one address cannot become two accounts (I14).
pub fn normalise(text: &str) -> Result<String, String> {
    let email: String = text.trim().nfkc().collect::<String>().to_lowercase();
    let wrong = || Err("Enter an e-mail address like ana@example.org.".to_owned());
    if email.len() > MAX_BYTES {
        return Err(format!("An e-mail address has at most {MAX_BYTES} characters."));
    }
    let Some((name, host)) = email.split_once('@') else {
        return wrong();
    };
    let odd = |c: char| c.is_whitespace() || c.is_control() || "<>()[]\\,;:\"@".contains(c);
    if name.is_empty() || host.is_empty() || email.contains(char::is_whitespace) {
        return wrong();
    }
    if name.contains(odd) || host.contains(odd) || host.starts_with('.') || host.ends_with('.') {
        return wrong();
    }
    Ok(email)
}

/// The same for an account that is to be made: plain letters only, since letters that look alike make two people look like one (I14).
pub fn for_new_account(text: &str) -> Result<String, String> {
    let email = normalise(text)?;
    if email.is_ascii() {
        Ok(email)
    } else {
        Err(
            "An account's address has the letters a to z, digits and signs only, since other letters can look like these. \
             Enter another address."
                .to_owned(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i14_two_spellings_are_one_address() {
        assert_eq!(normalise(" Ana@Example.ORG ").as_deref(), Ok("ana@example.org"));
        assert_eq!(normalise("ａna@example.org").as_deref(), Ok("ana@example.org"));
    }

    #[test]
    fn i14_letters_that_look_alike_make_no_account() {
        assert_eq!(
            for_new_account("ａna@example.org").as_deref(),
            Ok("ana@example.org")
        );
        // A Cyrillic а, a Greek ο, a dotless ı.
        for alike in [
            "\u{430}na@example.org",
            "b\u{3bf}b@example.org",
            "ana@\u{131}ana.org",
        ] {
            assert!(for_new_account(alike).expect_err(alike).contains("look like"));
        }
    }

    #[test]
    fn what_is_no_address_is_refused_with_an_example() {
        for bad in [
            "",
            "ana",
            "@x",
            "ana@",
            "a b@x.org",
            "ana@x@y",
            "ana@.org",
            "a\u{0}@x.org",
            "<a>@x.org",
        ] {
            assert!(normalise(bad).expect_err(bad).contains("ana@example.org"));
        }
        assert!(normalise(&format!("{}@x.org", "a".repeat(260))).is_err());
    }
}
