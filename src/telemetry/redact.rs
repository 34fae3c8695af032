//! Secrets taken out of log lines (P7, P8): whoever reads a log may not act for those it tells of.
//!
//! Nothing of ours logs a secret on purpose. What others say (Filestack's replies, addresses in errors of the layers below) may have one in
//! it: a signed policy, a token, a password in an address. They are known by what stands before them.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

const HIDDEN: &str = "[hidden]";

/// Words before a value that nobody may have, as in queries, forms, JSON and Filestack's paths; the value is a word of at least six
/// characters.
static NAMED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"(?i)\b(signature|policy|(?:[a-z_-]*)token|secret|[a-z_-]*secret|password|authorization|cookie|__Host-satchel)("?\s*(?:=|:|%3[Dd]|%3[Aa])\s*"?(?:bearer )?)([A-Za-z0-9_+/=.%~-]{6,})"#,
    )
    .expect("a constant expression")
});
/// Tokens that say themselves what they are.
static TOKENS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(bearer\s+|satchel_)([A-Za-z0-9_-]{20,})").expect("a constant expression")
});
/// Passwords in addresses.
static ADDRESSES: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(://[^\s/:@]*:)([^\s/@]+)@").expect("a constant expression"));

/// The text with every secret hidden.
pub(super) fn text(text: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(text);
    for (expression, by) in [
        (&NAMED, format!("${{1}}${{2}}{HIDDEN}")),
        (&TOKENS, format!("${{1}}{HIDDEN}")),
        (&ADDRESSES, format!("${{1}}{HIDDEN}@")),
    ] {
        if let Cow::Owned(hidden) = expression.replace_all(&text, by.as_str()) {
            text = Cow::Owned(hidden);
        }
    }
    text
}

/// The same for a value with texts in it.
pub(super) fn value(value: &mut Value) {
    match value {
        Value::String(inner) => {
            if let Cow::Owned(hidden) = text(inner) {
                *inner = hidden;
            }
        }
        Value::Array(values) => values.iter_mut().for_each(self::value),
        Value::Object(map) => map.values_mut().for_each(self::value),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn p8_what_signs_or_opens_something_is_hidden() {
        for (line, hidden) in [
            (
                "GET https://cdn.example/abc?policy=eyJleHBpcnkiOjF9&signature=0123abcdef failed",
                "GET https://cdn.example/abc?policy=[hidden]&signature=[hidden] failed",
            ),
            (
                "https://cdn.example/security=policy:eyJleHBpcnkiOjF9,signature:0123abcdef/h",
                "https://cdn.example/security=policy:[hidden],signature:[hidden]",
            ),
            (
                "Authorization: Bearer satchel_AbCdEfGhIjKlMnOpQrStUv",
                "Authorization: Bearer [hidden]",
            ),
            ("token satchel_AbCdEfGhIjKlMnOpQrStUv", "token satchel_[hidden]"),
            ("/setup?token=AbCdEfGhIjKl", "/setup?token=[hidden]"),
            (
                "{\"password\": \"correct-horse\"}",
                "{\"password\": \"[hidden]\"}",
            ),
            ("postgres://ana:pass@host/db", "postgres://ana:[hidden]@host/db"),
            ("smtp://u:p%40ss@mail:25", "smtp://u:[hidden]@mail:25"),
        ] {
            assert_eq!(text(line), hidden, "{line}");
        }
    }

    #[test]
    fn what_is_no_secret_stays() {
        for line in [
            "listening on http://127.0.0.1:8080",
            "the policy is too old",
            "a token of 8 characters: short",
            "document 0195a3c2-7d1e-7c55-9b0f-3c1a2b4d5e6f has lost its file",
            "at 2026-11-27T00:00:00Z",
        ] {
            assert!(matches!(text(line), Cow::Borrowed(_)), "{line}: {}", text(line));
        }
    }

    #[test]
    fn values_are_looked_through() {
        let mut fields = json!({"url": "https://x/?signature=0123abcdef", "list": ["secret=abcdefgh", 5]});
        value(&mut fields);
        assert_eq!(
            fields,
            json!({"url": "https://x/?signature=[hidden]", "list": ["secret=[hidden]", 5]})
        );
    }
}
