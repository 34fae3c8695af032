//! Where webhooks go: an address, the secret that its owner checks signatures with, and whose events it hears.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use url::Url;

/// Longest address.
const MAX_URL: usize = 2_000;
/// Longest secret, and longest id.
const MAX_SECRET: usize = 200;
const MAX_ID: usize = 32;
const FORM: &str =
    "write URL=SECRET, for example http://127.0.0.1:8000/webhooks/filestack=Y5cWb1rdRDSTSqEjF5pv";

/// A receiver of webhooks, as one registers it in Filestack's portal (§7.1).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Its name in lists, and what webhooks that wait for it remember of it.
    pub id: String,
    /// Where it is reached, by http or https.
    pub url: String,
    /// What webhooks to it are signed with.
    pub secret: String,
    /// The application whose events it hears; every one's when unset.
    pub app: Option<String>,
}

impl Endpoint {
    /// A receiver of every application's events. The same address gets the same id, so what waits for it when the emulator
    /// ends is sent when it is registered again.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the address or the secret; it never repeats the secret.
    pub fn new(url: &str, secret: &str) -> Result<Self, String> {
        let url = address(url)?;
        if secret.is_empty() || secret.len() > MAX_SECRET {
            return Err(format!(
                "a webhook's secret has 1 to {MAX_SECRET} characters: {FORM}"
            ));
        }
        let sum = Sha256::digest(url.as_bytes());
        let id = sum.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        Ok(Self {
            id,
            url,
            secret: secret.to_owned(),
            app: None,
        })
    }

    /// Reads `URL=SECRET`; the secret is what follows the last `=`.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the text; it never repeats the secret.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text.rsplit_once('=') {
            Some((url, secret)) => Self::new(url, secret),
            None => Err(format!("a webhook has an address and a secret: {FORM}")),
        }
    }

    /// The same with an id of the caller's choice: 1 to 32 letters, digits, `-` and `_`.
    ///
    /// # Errors
    /// A sentence, when it is no id.
    pub fn named(self, id: &str) -> Result<Self, String> {
        if is_id(id) {
            Ok(Self {
                id: id.to_owned(),
                ..self
            })
        } else {
            Err(format!(
                "a webhook's id has 1 to {MAX_ID} letters, digits, `-` and `_`"
            ))
        }
    }

    /// The same for one application's events only.
    #[must_use]
    pub fn of_app(self, key: &str) -> Self {
        Self {
            app: Some(key.to_owned()),
            ..self
        }
    }

    pub(super) fn hears(&self, app: &str) -> bool {
        self.app.as_deref().is_none_or(|own| own == app)
    }
}

// By hand, so that a logged endpoint does not give its secret away.
impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("id", &self.id)
            .field("url", &self.url)
            .field("app", &self.app)
            .finish_non_exhaustive()
    }
}

/// Whether the text could be an id; only such text becomes part of a file's name.
pub(super) fn is_id(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    (1..=MAX_ID).contains(&text.len()) && text.bytes().all(plain)
}

fn address(text: &str) -> Result<String, String> {
    let wrong = |what: &str| Err(format!("{what}: {FORM}"));
    if text.len() > MAX_URL {
        return wrong("a webhook's address is longer than 2000 characters");
    }
    let Ok(url) = Url::parse(text) else {
        return wrong("a webhook's address is a whole URL");
    };
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return wrong("a webhook's address begins with http:// or https://");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return wrong("a webhook's address has no user and no password");
    }
    if url.fragment().is_some() || url.port() == Some(0) {
        return wrong("a webhook's address has no part after # and no port 0");
    }
    Ok(url.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_an_address_and_what_follows_the_last_equals_sign() {
        let endpoint = Endpoint::parse("http://[::1]:3000/hooks?from=here=S3cret").unwrap();
        assert_eq!(endpoint.url, "http://[::1]:3000/hooks?from=here");
        assert_eq!((endpoint.secret.as_str(), &endpoint.app), ("S3cret", &None));
        let again = Endpoint::parse("http://[::1]:3000/hooks?from=here=OTHER").unwrap();
        assert_eq!(again.id, endpoint.id);
        assert!(!format!("{endpoint:?}").contains("S3cret"));
        let own = again.of_app("AKeyz").named("mine").unwrap();
        assert!(own.hears("AKeyz") && !own.hears("BKeyz") && endpoint.hears("BKeyz"));
        assert!(own.named("../x").is_err());
    }

    #[test]
    fn what_is_no_endpoint_is_refused_with_an_example_and_without_the_secret() {
        for wrong in [
            "",
            "http://127.0.0.1:8000/hook",
            "http://127.0.0.1:8000/hook=",
            "127.0.0.1:8000/hook=TOPSECRET",
            "ftp://127.0.0.1/hook=TOPSECRET",
            "http://user:pass@127.0.0.1/=TOPSECRET",
            "http://127.0.0.1/#here=TOPSECRET",
            "http://127.0.0.1:0/=TOPSECRET",
            &format!("http://127.0.0.1/{}=TOPSECRET", "x".repeat(2_001)),
            &format!("http://127.0.0.1/={}", "s".repeat(201)),
        ] {
            let sentence = Endpoint::parse(wrong).unwrap_err();
            assert!(sentence.contains("for example http://"), "{wrong}: {sentence}");
            assert!(!sentence.contains("TOPSECRET"), "{sentence}");
        }
    }
}
