//! What can go wrong, sorted by what the caller may do about it.
//!
//! Messages come from other hosts and end up in logs, so they are scrubbed here: anything long enough to be a signature,
//! a policy or a secret is replaced, and addresses (which carry policies) never get in.

use std::error::Error;
use std::time::Duration;

/// A failed call to Filestack.
#[derive(Debug, thiserror::Error)]
pub enum FilestackError {
    /// The request or the credentials are wrong (400, 401, 403 …). Repeating it changes nothing: fix the settings or the call.
    #[error("Filestack refused the request ({status}): {message}")]
    Rejected {
        /// The HTTP status; 200 when Filestack hid the refusal in the body of a success.
        status: u16,
        /// What Filestack said, scrubbed and shortened.
        message: String,
    },
    /// There is no such file, or there is none any more.
    #[error("Filestack has no such file")]
    NotFound,
    /// The file is larger than the account, or the policy, allows. A smaller one may pass.
    #[error("Filestack refused the file because it is too large")]
    TooLarge,
    /// Too many requests, and retrying for as long as the options allow did not help. Try again later.
    #[error("Filestack asks to slow down")]
    RateLimited {
        /// How long Filestack asks to wait, when it said so.
        retry_after: Option<Duration>,
    },
    /// The network, a timeout or Filestack itself (5xx), after all retries. Try again later.
    ///
    /// After `complete` it is unknown whether the file is stored.
    #[error("Filestack cannot be reached: {reason}")]
    Unavailable {
        /// What happened, without any address.
        reason: String,
        /// How long Filestack asks to wait, when it said so.
        retry_after: Option<Duration>,
    },
    /// The reply was not what the protocol says. Not the caller's fault, and repeating will hardly help.
    #[error("Filestack's reply was not understood: {0}")]
    Protocol(String),
    /// The caller's own body failed before its end; nothing was stored.
    #[error("the body of the upload broke off")]
    Interrupted(#[source] Box<dyn Error + Send + Sync>),
    /// The call itself made no sense and was not sent.
    #[error("{0}")]
    Invalid(String),
}

impl FilestackError {
    /// Whether the same call may succeed later without any change.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::RateLimited { .. } | Self::Unavailable { .. })
    }

    /// How long Filestack asks to wait before the next try, when it said so.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after } | Self::Unavailable { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    pub(super) fn unavailable(reason: impl Into<String>) -> Self {
        Self::Unavailable {
            reason: reason.into(),
            retry_after: None,
        }
    }

    pub(super) fn protocol(what: impl Into<String>) -> Self {
        Self::Protocol(what.into())
    }

    pub(super) fn invalid(what: impl Into<String>) -> Self {
        Self::Invalid(what.into())
    }

    /// In calls that name no file, a 404 is about the call: "no such file" would mislead.
    pub(super) fn about_call(self) -> Self {
        match self {
            Self::NotFound => Self::Rejected {
                status: 404,
                message: "no such address or upload".into(),
            },
            other => other,
        }
    }
}

impl From<reqwest::Error> for FilestackError {
    fn from(error: reqwest::Error) -> Self {
        // The address carries policy and signature.
        let error = error.without_url();
        if error.is_builder() {
            return Self::invalid(format!(
                "the request could not be built: {}",
                scrub(&root(&error).to_string())
            ));
        }
        let what = if error.is_timeout() {
            "no answer in time"
        } else if error.is_connect() {
            "no connection"
        } else {
            "the connection broke"
        };
        Self::unavailable(format!("{what} ({})", scrub(&root(&error).to_string())))
    }
}

fn root<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause
}

/// A handle has 20 characters and an API key about 22; app secrets have 26, signatures 64, policies more.
const LONGEST_HARMLESS_WORD: usize = 23;
const LONGEST_MESSAGE: usize = 200;

/// Makes foreign text fit for a log line: one line, short, and nothing in it that could be a credential.
pub(super) fn scrub(text: &str) -> String {
    let mut out = String::new();
    let mut word = String::new();
    for c in text.chars().take(8 * LONGEST_MESSAGE).chain([' ']) {
        if c.is_ascii_alphanumeric() || "+/_=-%.".contains(c) {
            word.push(c);
            continue;
        }
        out.push_str(if word.len() > LONGEST_HARMLESS_WORD {
            "[removed]"
        } else {
            &word
        });
        word.clear();
        out.push(if c.is_control() { ' ' } else { c });
        if out.len() > LONGEST_MESSAGE {
            break;
        }
    }
    out.trim().chars().take(LONGEST_MESSAGE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p7_scrub_removes_signatures_policies_and_secrets() {
        let text = "policy error: (signature: \"4de8b7441b3daf0d68b4f8ebcf7e015d07aef43a1295476a1dde1aed327abc01\"; \
                    policy \"eyJleHBpcnkiOiAxMjN9eyJleHBpcnki\") Z3IYZSH2UJA7VN3QYFVSVCF7PI";
        let scrubbed = scrub(text);
        assert_eq!(
            scrubbed,
            "policy error: (signature: \"[removed]\"; policy \"[removed]\") [removed]"
        );
    }

    #[test]
    fn scrub_keeps_words_and_makes_one_short_line() {
        assert_eq!(
            scrub("Invalid\r\nApp policy\u{1b}[31m"),
            "Invalid  App policy [31m"
        );
        assert!(scrub(&"word ".repeat(1000)).len() <= LONGEST_MESSAGE);
    }
}
