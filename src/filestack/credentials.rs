//! The API key, which anybody may see, and the app secret, which nobody may.

use std::fmt;

use super::error::FilestackError;

/// An application's public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey(String);

impl ApiKey {
    /// Takes any text without blanks or control characters; real keys have about 22 letters and digits.
    ///
    /// # Errors
    /// [`FilestackError::Invalid`] when it is empty or holds blanks or control characters.
    pub fn new(key: impl Into<String>) -> Result<Self, FilestackError> {
        plain(key.into(), "the API key").map(Self)
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An application's secret, the key that signs policies. It is never sent and never printed.
#[derive(Clone)]
pub struct AppSecret(String);

impl AppSecret {
    /// Takes any text without blanks or control characters; real secrets have 26 capitals and digits.
    ///
    /// # Errors
    /// [`FilestackError::Invalid`] when it is empty: a signature under an empty key proves nothing.
    pub fn new(secret: impl Into<String>) -> Result<Self, FilestackError> {
        plain(secret.into(), "the app secret").map(Self)
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for AppSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AppSecret(…)")
    }
}

fn plain(text: String, what: &str) -> Result<String, FilestackError> {
    if text.is_empty() {
        return Err(FilestackError::invalid(format!("{what} is empty")));
    }
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(FilestackError::invalid(format!(
            "{what} holds blanks or control characters"
        )));
    }
    Ok(text)
}

/// What identifies an application to Filestack.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The public key, sent with every call.
    pub api_key: ApiKey,
    /// The secret that signs policies.
    pub secret: AppSecret,
}

impl Credentials {
    /// Both halves, checked.
    ///
    /// # Errors
    /// [`FilestackError::Invalid`] when one is empty or holds blanks.
    pub fn new(api_key: impl Into<String>, secret: impl Into<String>) -> Result<Self, FilestackError> {
        Ok(Self {
            api_key: ApiKey::new(api_key)?,
            secret: AppSecret::new(secret)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p7_the_secret_is_not_printed() {
        let credentials = Credentials::new("AKEYz", "CANARY").unwrap();
        assert!(!format!("{credentials:?}").contains("CANARY"));
        let error = AppSecret::new("CANARY WITH BLANKS").unwrap_err();
        assert!(!format!("{error} {error:?}").contains("CANARY"));
    }

    #[test]
    fn empty_halves_are_refused() {
        assert!(Credentials::new("", "secret").is_err());
        assert!(Credentials::new("key", "").is_err());
        assert!(Credentials::new("key", "two words").is_err());
    }
}
