//! Filestack's name of a file.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::error::FilestackError;

const LONGEST: usize = 64;

/// A file's handle: letters, digits, `_` and `-` only, so that none can carry a path, a task or a query into a URL.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Handle(String);

impl Handle {
    /// Takes 1 to 64 letters, digits, `_` and `-`; real handles have 20 letters and digits.
    ///
    /// # Errors
    /// [`FilestackError::Invalid`] for anything else.
    pub fn new(text: impl Into<String>) -> Result<Self, FilestackError> {
        let text = text.into();
        let fits = (1..=LONGEST).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        if fits {
            Ok(Self(text))
        } else {
            Err(FilestackError::invalid("this is not a Filestack handle"))
        }
    }

    /// The last path segment of a file's URL, which is how replies without a `handle` name it.
    pub fn from_url(url: &str) -> Option<Self> {
        let path = url.split(['?', '#']).next()?;
        Self::new(path.rsplit('/').next()?).ok()
    }

    /// The handle as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for Handle {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl FromStr for Handle {
    type Err = FilestackError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text)
    }
}

impl TryFrom<String> for Handle {
    type Error = FilestackError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::new(text)
    }
}

impl From<Handle> for String {
    fn from(handle: Handle) -> Self {
        handle.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_what_filestack_gives() {
        for good in ["KW9EJhYtS6y48Whm2S6D", "a", "with_and-dash", &"x".repeat(64)] {
            assert_eq!(Handle::new(good).unwrap().as_str(), good);
        }
    }

    #[test]
    fn u17_refuses_anything_that_means_something_in_a_url() {
        let long = "x".repeat(65);
        for bad in [
            "", "a/b", "..", "a.b", "a b", "a%2fb", "a?b", "a#b", "a,b", "a:b", "[a]", "\"a\"", "é", "a\n",
            &long,
        ] {
            assert!(Handle::new(bad).is_err(), "{bad:?}");
        }
        assert!(serde_json::from_str::<Handle>("\"../x\"").is_err());
    }

    #[test]
    fn is_the_last_segment_of_a_file_url() {
        let of = |url| Handle::from_url(url).map(String::from);
        assert_eq!(
            of("https://cdn.filestackcontent.com/AbC_1").as_deref(),
            Some("AbC_1")
        );
        assert_eq!(
            of("https://www.filestackapi.com/api/file/AbC?dl=true").as_deref(),
            Some("AbC")
        );
        assert_eq!(of("https://cdn.filestackcontent.com/"), None);
        assert_eq!(of("https://cdn.filestackcontent.com/a.b"), None);
    }
}
