//! What background work is told by the configuration.

use std::time::Duration;

use url::Url;

use crate::services::mail::Mailer;

/// Looking for viruses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scan {
    /// The workflow that does it.
    pub workflow: String,
    /// Whether every upload is looked at, or only those whose uploader asks for everything.
    pub every_upload: bool,
    /// Whether a file that could not be looked at is let out all the same.
    pub fails_open: bool,
}

/// What background work is told by the configuration.
#[derive(Default)]
pub struct Background {
    /// How long a document stays in the trash before it is purged.
    pub trash_kept: Duration,
    /// Looking for viruses; not at all if none.
    pub scan: Option<Scan>,
    /// Sends mail; none is sent if none.
    pub mail: Option<Mailer>,
    /// Where people find us, for links in mail.
    pub public_url: Option<Url>,
}

impl Background {
    /// A link that works outside our pages; the path alone when nobody said where people find us.
    pub fn link(&self, path: &str) -> String {
        match &self.public_url {
            Some(url) => url.join(path).map_or_else(|_| path.to_owned(), String::from),
            None => path.to_owned(),
        }
    }
}
