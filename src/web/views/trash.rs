//! The trash, and the two questions before something in it goes for good.

use askama::Template;
use time::OffsetDateTime;
use url::form_urlencoded;

use super::filters;
use super::kind::Kind;
use super::shell::Shell;

/// A document in the trash.
#[derive(Debug, Clone)]
pub struct TrashRow {
    /// The id in its URLs.
    pub id: String,
    /// The name shown; any text.
    pub name: String,
    /// The sniffed media type.
    pub content_type: String,
    /// Bytes.
    pub size: i64,
    /// When it was put there.
    pub trashed_at: OffsetDateTime,
    /// When it goes by itself.
    pub purged_at: OffsetDateTime,
}

impl TrashRow {
    /// What sort of file it is.
    pub fn kind(&self) -> Kind {
        Kind::of(&self.content_type)
    }
}

/// `GET /trash`: one page of it.
#[derive(Debug, Clone, Template)]
#[template(path = "trash/index.html")]
pub struct TrashIndexPage {
    /// What surrounds the page.
    pub shell: Shell,
    /// The time that "3 hours ago" is counted from.
    pub now: OffsetDateTime,
    /// How long a document stays.
    pub days: u64,
    /// How many documents are there.
    pub total: i64,
    /// The documents of this page.
    pub rows: Vec<TrashRow>,
    /// The cursor for `before`, if there is a previous page.
    pub previous: Option<String>,
    /// The cursor for `after`, if there is a next page.
    pub next: Option<String>,
}

impl TrashIndexPage {
    /// The page before or after this one: `key` is `before` or `after`.
    pub fn page_href(&self, key: &str, cursor: &str) -> String {
        let pair = form_urlencoded::Serializer::new(String::new())
            .append_pair(key, cursor)
            .finish();
        format!("/trash?{pair}")
    }
}

/// `GET /trash/{id}/purge`: asks before a document goes for good.
#[derive(Debug, Clone, Template)]
#[template(path = "trash/purge.html")]
pub struct TrashPurgePage {
    /// What surrounds the page.
    pub shell: Shell,
    /// The id in its URLs.
    pub id: String,
    /// The name shown.
    pub name: String,
    /// The sniffed media type.
    pub content_type: String,
    /// Bytes.
    pub size: i64,
}

impl TrashPurgePage {
    /// What sort of file it is.
    pub fn kind(&self) -> Kind {
        Kind::of(&self.content_type)
    }
}

/// `GET /trash/emptying`: asks before all of it goes for good.
#[derive(Debug, Clone, Template)]
#[template(path = "trash/empty.html")]
pub struct TrashEmptyPage {
    /// What surrounds the page.
    pub shell: Shell,
    /// How many documents are there.
    pub total: i64,
    /// The names of some of them.
    pub names: Vec<String>,
    /// How many more there are.
    pub more: i64,
}

#[cfg(test)]
mod samples {
    use time::Duration;
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-03-12 14:05 UTC);

    impl TrashIndexPage {
        pub(in super::super) fn sample() -> Self {
            let row = |n: i64, name: &str, content_type: &str| TrashRow {
                id: format!("0195-sample-{n}"),
                name: name.into(),
                content_type: content_type.into(),
                size: 381_220 * n,
                trashed_at: NOW - Duration::days(n),
                purged_at: NOW + Duration::days(30 - n),
            };
            TrashIndexPage {
                shell: Shell::sample("/trash"),
                now: NOW,
                days: 30,
                total: 3,
                rows: vec![
                    row(1, "Contract Nordlicht 2026.pdf", "application/pdf"),
                    row(3, "<img src=x onerror=alert(1)>.png", "image/png"),
                    row(
                        29,
                        "Minutes of the extraordinary general meeting with all annexes, signed.pdf",
                        "application/pdf",
                    ),
                ],
                previous: None,
                next: Some("cursor-after".into()),
            }
        }

        pub(in super::super) fn sample_empty() -> Self {
            TrashIndexPage {
                total: 0,
                rows: Vec::new(),
                next: None,
                ..TrashIndexPage::sample()
            }
        }
    }

    impl TrashPurgePage {
        pub(in super::super) fn sample() -> Self {
            TrashPurgePage {
                shell: Shell::sample("/trash/0195-sample-2/purge"),
                id: "0195-sample-2".into(),
                name: "Contract Nordlicht 2026.pdf".into(),
                content_type: "application/pdf".into(),
                size: 381_220,
            }
        }
    }

    impl TrashEmptyPage {
        pub(in super::super) fn sample() -> Self {
            TrashEmptyPage {
                shell: Shell::sample("/trash/emptying"),
                total: 12,
                names: vec!["Contract Nordlicht 2026.pdf".into(), "<b>.png".into()],
                more: 10,
            }
        }
    }
}
