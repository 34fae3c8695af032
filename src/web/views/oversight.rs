//! Other people's documents, as administrators see them.

use askama::Template;
use time::OffsetDateTime;

use super::audit::HistoryRow;
use super::documents::DocumentStatus;
use super::filters;
use super::shell::{Field, Shell};
use super::table::Table;

/// `GET /admin/documents`.
#[derive(Debug, Clone, Template)]
#[template(path = "admin/documents.html")]
pub struct AdminDocumentsPage {
    /// What surrounds the page.
    pub shell: Shell,
    /// The documents.
    pub table: Table,
}

/// `GET /admin/documents/{id}`.
#[derive(Debug, Clone, Template)]
#[template(path = "admin/document.html")]
pub struct AdminDocumentPage {
    /// What surrounds the page.
    pub shell: Shell,
    /// The time that "3 hours ago" is counted from.
    pub now: OffsetDateTime,
    /// The id in its URLs.
    pub id: String,
    /// The name shown.
    pub name: String,
    /// Whose.
    pub owner: String,
    /// The sniffed media type.
    pub content_type: String,
    /// Bytes.
    pub size: i64,
    /// SHA-256 of the bytes, in hex.
    pub sha256: String,
    /// Filestack's id of the file.
    pub handle: String,
    /// When it was added.
    pub created_at: OffsetDateTime,
    /// How far it has come.
    pub status: DocumentStatus,
    /// Whether a reason was given.
    pub is_open: bool,
    /// The field `reason`; after an error, what was typed.
    pub reason: Field,
    /// What has happened to it.
    pub history: Vec<HistoryRow>,
}

#[cfg(test)]
mod samples {
    use time::macros::datetime;

    use super::*;

    const HOSTILE: &str = "</script><img src=x onerror=alert(1)>";

    impl AdminDocumentsPage {
        pub(in super::super) fn sample() -> Self {
            AdminDocumentsPage {
                shell: Shell::sample("/admin/documents"),
                table: Table::sample("/admin/documents"),
            }
        }
    }

    impl AdminDocumentPage {
        pub(in super::super) fn sample() -> Self {
            AdminDocumentPage {
                shell: Shell::sample("/admin/documents/1"),
                now: datetime!(2026-03-12 14:05 UTC),
                id: "1".into(),
                name: HOSTILE.into(),
                owner: "ana@example.org".into(),
                content_type: "image/png".into(),
                size: 1_234,
                sha256: "0".repeat(64),
                handle: "AbCdEfGhIjKlMnOpQrSt".into(),
                created_at: datetime!(2026-03-12 13:05 UTC),
                status: DocumentStatus::Ready,
                is_open: true,
                reason: Field::of(""),
                history: vec![HistoryRow::sample()],
            }
        }

        pub(in super::super) fn sample_open_with_error() -> Self {
            AdminDocumentPage {
                reason: Field {
                    value: HOSTILE.into(),
                    error: Some("Say it shorter: a reason has at most 500 characters.".into()),
                },
                ..Self::sample()
            }
        }

        pub(in super::super) fn sample_closed() -> Self {
            AdminDocumentPage {
                is_open: false,
                reason: Field {
                    value: HOSTILE.into(),
                    error: Some("Say in a few words why you open it.".into()),
                },
                history: Vec::new(),
                ..Self::sample()
            }
        }
    }
}
