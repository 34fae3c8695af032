//! The audit trail: the administrators' list of all, and a document's own slice on its page.

use askama::Template;
use time::OffsetDateTime;

use super::filters;
use super::shell::Shell;
use super::table::Table;

/// One value that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What it is called.
    pub name: String,
    /// As it was; empty when there was none.
    pub before: String,
    /// As it has been since; empty when there is none.
    pub after: String,
}

impl Change {
    /// Both on one line.
    pub fn sentence(&self) -> String {
        match (self.before.is_empty(), self.after.is_empty()) {
            (false, false) => format!("{}: {} → {}", self.name, self.before, self.after),
            (false, true) => format!("{} was {}", self.name, self.before),
            (true, _) => format!("{}: {}", self.name, self.after),
        }
    }
}

/// Something that happened to a document, as its page tells it.
#[derive(Debug, Clone)]
pub struct HistoryRow {
    /// What.
    pub label: String,
    /// Who did it.
    pub actor: String,
    /// When.
    pub at: OffsetDateTime,
    /// What changed.
    pub changes: Vec<Change>,
    /// The reason that was given.
    pub reason: String,
}

/// `GET /admin/audit`.
#[derive(Debug, Clone, Template)]
#[template(path = "admin/audit.html")]
pub struct AuditIndexPage {
    /// What surrounds the page.
    pub shell: Shell,
    /// The entries.
    pub table: Table,
}

#[cfg(test)]
mod samples {
    use time::macros::datetime;

    use super::super::table::{Cell, TableFilter, TableRow};
    use super::*;

    const HOSTILE: &str = "</script><img src=x onerror=alert(1)>";

    impl HistoryRow {
        pub(in super::super) fn sample() -> Self {
            HistoryRow {
                label: "Renamed".into(),
                actor: "ana@example.org".into(),
                at: datetime!(2026-03-12 13:05 UTC),
                changes: vec![Change {
                    name: "name".into(),
                    before: HOSTILE.into(),
                    after: "Budget.xlsx".into(),
                }],
                reason: HOSTILE.into(),
            }
        }
    }

    impl AuditIndexPage {
        pub(in super::super) fn sample() -> Self {
            let row = |at: i32| TableRow {
                id: format!("entry-{at}"),
                cells: vec![
                    Cell::Link {
                        text: HOSTILE.into(),
                        href: "/admin/documents/1".into(),
                        note: HOSTILE.into(),
                    },
                    Cell::Lines(vec![HOSTILE.into(), HOSTILE.into()]),
                ],
            };
            AuditIndexPage {
                shell: Shell::sample("/admin/audit"),
                table: Table {
                    filters: vec![TableFilter::text("actor", "Who", HOSTILE, "ana@example.org")],
                    rows: (0..3).map(row).collect(),
                    previous: Some("b".into()),
                    next: Some("c".into()),
                    ..Table::sample("/admin/audit")
                },
            }
        }

        pub(in super::super) fn sample_empty() -> Self {
            AuditIndexPage {
                table: Table::sample("/admin/audit"),
                ..Self::sample()
            }
        }
    }
}
