//! The tags of chosen documents, asked for again when they were wrong.

use askama::Template;

use super::filters;
use super::shell::{Field, Shell};

/// `POST /tags` after an error.
#[derive(Debug, Clone, Template)]
#[template(path = "tags.html")]
pub struct TagsPage {
    /// What surrounds the page.
    pub shell: Shell,
    /// The documents that were chosen.
    pub ids: Vec<String>,
    /// Where to go on.
    pub back: String,
    /// The field `tags`.
    pub tags: Field,
}

impl TagsPage {
    /// How many were chosen.
    pub fn count(&self) -> i64 {
        self.ids.len() as i64
    }
}

#[cfg(test)]
mod samples {
    use super::*;

    impl TagsPage {
        pub(in super::super) fn sample() -> Self {
            TagsPage {
                shell: Shell::sample("/tags"),
                ids: vec!["0195-sample-1".into(), "\"><b>".into()],
                back: "/documents?q=a".into(),
                tags: Field {
                    value: "</input><b>".into(),
                    error: Some("A tag has at most 40 characters.".into()),
                },
            }
        }

        pub(in super::super) fn sample_of_nothing() -> Self {
            TagsPage {
                ids: Vec::new(),
                ..Self::sample()
            }
        }
    }
}
