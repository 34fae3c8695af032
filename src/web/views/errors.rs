//! The page that stands in for any page that could not be shown.

use askama::Template;

use super::filters;
use super::shell::Shell;

/// Any failure, for a browser. It needs nothing but its own fields: `Shell::default()` is enough.
#[derive(Debug, Clone, Template)]
#[template(path = "error.html")]
pub struct ErrorPage {
    /// What surrounds the page.
    pub shell: Shell,
    /// The HTTP status.
    pub status: u16,
    /// A few words, such as "Page not found".
    pub title: String,
    /// A sentence that says what happened.
    pub detail: String,
    /// A sentence that says what to do now; may be empty.
    pub next_step: String,
    /// The id by which the logs know this request.
    pub request_id: String,
}

impl ErrorPage {
    /// Whether waiting and asking again may help.
    pub fn may_retry(&self) -> bool {
        matches!(self.status, 408 | 429 | 502..=504)
    }
}

#[cfg(test)]
impl ErrorPage {
    pub(super) fn sample() -> Self {
        ErrorPage {
            shell: Shell::default(),
            status: 404,
            title: "Page not found".into(),
            detail: "There is nothing at this address, or it is not yours to see.".into(),
            next_step: "Check the address, or start again from your documents.".into(),
            request_id: "0195a3c2-7d1e-7c55-9b0f-3c1a2b4d5e6f".into(),
        }
    }

    pub(super) fn sample_unavailable() -> Self {
        ErrorPage {
            shell: Shell::sample("/documents"),
            status: 503,
            title: "The database is busy".into(),
            detail: "Satchel could not read your documents just now.".into(),
            next_step: "Wait a few seconds, then try again.".into(),
            ..ErrorPage::sample()
        }
    }
}
