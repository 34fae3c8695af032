//! Values that several commands take.

/// The longest address that mail can carry (RFC 5321).
const LONGEST_EMAIL_BYTES: usize = 254;

/// An e-mail address, checked just enough to catch a slip; whether it exists only mail can tell.
pub(super) fn email(text: &str) -> Result<String, String> {
    let text = text.trim();
    let plausible = text
        .split_once('@')
        .is_some_and(|(name, host)| !name.is_empty() && !host.is_empty());
    let clean = !text.contains(|c: char| c.is_whitespace() || c.is_control());
    if plausible && clean && text.len() <= LONGEST_EMAIL_BYTES {
        Ok(text.to_owned())
    } else {
        Err("it is not an e-mail address like ana@example.org".to_owned())
    }
}
