//! The inbox of webhooks: the list, an event, what a replay would change, and deliveries that were refused.

use askama::Template;
use time::OffsetDateTime;
use url::form_urlencoded;

use super::filters;
use super::shell::Shell;
use super::table::Table;

/// How far an event has come, as a page shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventStatus(
    /// The state's word.
    pub &'static str,
);

impl EventStatus {
    /// The words, in the order of the filter.
    pub const ALL: [&'static str; 7] = [
        "received",
        "applied",
        "ignored",
        "parked",
        "conflict",
        "unreadable",
        "failed",
    ];

    /// The status in words.
    pub fn label(self) -> &'static str {
        match self.0 {
            "received" => "To be applied",
            "applied" => "Applied",
            "ignored" => "Ignored",
            "parked" => "Waiting for a document",
            "conflict" => "Conflict",
            "unreadable" => "Not understood",
            _ => "Failed",
        }
    }

    /// The icon beside the words.
    pub fn icon(self) -> &'static str {
        match self.0 {
            "received" | "parked" => "clock",
            "applied" => "check",
            "ignored" => "close",
            _ => "alert",
        }
    }

    /// The class that colours it.
    pub fn class(self) -> &'static str {
        match self.0 {
            "received" | "parked" => "status-processing",
            "applied" => "status-ready",
            "ignored" => "status-off",
            _ => "status-failed",
        }
    }
}

/// What the list is filtered by, as it was typed.
#[derive(Debug, Clone, Default)]
pub struct EventFilters {
    /// Action.
    pub action: String,
    /// State.
    pub state: String,
    /// From when.
    pub since: String,
    /// Until when.
    pub until: String,
    /// About which file.
    pub handle: String,
}

impl EventFilters {
    /// Name and value of those that are set.
    pub fn pairs(&self) -> Vec<(&'static str, &str)> {
        let all = [
            ("action", self.action.as_str()),
            ("state", &self.state),
            ("since", &self.since),
            ("until", &self.until),
            ("handle", &self.handle),
        ];
        all.into_iter().filter(|(_, value)| !value.is_empty()).collect()
    }

    /// This place, with these filters.
    pub fn href(&self, path: &str) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(self.pairs());
        match query.finish() {
            none if none.is_empty() => path.to_owned(),
            some => format!("{path}?{some}"),
        }
    }
}

/// An event in the list.
#[derive(Debug, Clone)]
pub struct EventRow {
    /// Our id.
    pub id: String,
    /// Filestack's number.
    pub number: Option<i64>,
    /// Action; empty when it was not understood.
    pub action: String,
    /// How far it has come.
    pub status: EventStatus,
    /// What was done, or why nothing was.
    pub reason: Option<String>,
    /// About which file.
    pub handle: Option<String>,
    /// Signed longer ago than is usual.
    pub late: bool,
    /// Made by an administrator.
    pub sample: bool,
    /// When it came first.
    pub received_at: OffsetDateTime,
    /// How often it came.
    pub deliveries: i32,
}

impl EventRow {
    /// What the link to it says.
    pub fn title(&self) -> &str {
        if self.action.is_empty() {
            "(no action)"
        } else {
            &self.action
        }
    }
}

/// `GET /admin/webhooks`.
#[derive(Debug, Clone, Template)]
#[template(path = "admin/webhooks.html")]
pub struct EventIndexPage {
    /// What surrounds the page.
    pub shell: Shell,
    /// How many events need somebody's eyes.
    pub troubled: i64,
    /// The samples there are.
    pub samples: Vec<&'static str>,
    /// The events.
    pub table: Table,
    /// What replaying all of these would change.
    pub replay_href: String,
}

/// A delivery on an event's page.
#[derive(Debug, Clone)]
pub struct DeliveryRow {
    /// The first is 1.
    pub number: i32,
    /// When it came.
    pub received_at: OffsetDateTime,
    /// When it was signed.
    pub signed_at: OffsetDateTime,
    /// What was made of it.
    pub verdict: String,
    /// How long it took to arrive and be checked.
    pub took_micros: i64,
    /// Its headers.
    pub headers: Vec<(String, String)>,
}

/// `GET /admin/webhooks/{id}`.
#[derive(Debug, Clone, Template)]
#[template(path = "admin/webhook.html")]
pub struct EventShowPage {
    /// What surrounds the page.
    pub shell: Shell,
    /// The time that "3 hours ago" is counted from.
    pub now: OffsetDateTime,
    /// The event.
    pub event: EventRow,
    /// When it came to its state.
    pub settled_at: Option<OffsetDateTime>,
    /// How often it was tried to be applied.
    pub attempts: i32,
    /// Id and name of its document, and whose it is.
    pub document: Option<(String, String, String)>,
    /// SHA-256 of the body.
    pub digest: String,
    /// The body as text, made legible.
    pub body: String,
    /// Its deliveries.
    pub deliveries: Vec<DeliveryRow>,
    /// Whether it can be applied again.
    pub can_be_replayed: bool,
}

impl EventShowPage {
    /// Whether this is the address of whoever looks: an administrator sees that others have documents, and not what is in them.
    pub fn is_own(&self, owner: &str) -> bool {
        self.shell.user.as_ref().is_some_and(|user| user.email == owner)
    }
}

/// What applying an event anew would change.
#[derive(Debug, Clone)]
pub struct PreviewRow {
    /// The event's id.
    pub id: String,
    /// Where it is.
    pub from: EventStatus,
    /// Where it would be.
    pub to: EventStatus,
    /// What would be done, or why nothing would.
    pub reason: String,
    /// What would be other than now.
    pub changes: Vec<String>,
}

/// `GET /admin/webhooks/replay` and `GET /admin/webhooks/{id}/replay`: the difference, before anything is changed.
#[derive(Debug, Clone, Template)]
#[template(path = "admin/replay.html")]
pub struct EventReplayPage {
    /// What surrounds the page.
    pub shell: Shell,
    /// Where the form goes.
    pub action: String,
    /// What it carries.
    pub filters: EventFilters,
    /// Each event.
    pub rows: Vec<PreviewRow>,
    /// Whether any of them can be.
    pub can_be_applied: bool,
}

/// A delivery that was refused.
#[derive(Debug, Clone)]
pub struct RefusalRow {
    /// When it came.
    pub received_at: OffsetDateTime,
    /// Why it was refused.
    pub reason: String,
    /// From which address.
    pub ip: String,
    /// Its headers.
    pub headers: Vec<(String, String)>,
    /// The beginning of its body, made legible.
    pub body: String,
    /// Bytes of the body.
    pub body_bytes: i64,
}

/// `GET /admin/webhooks/refusals`.
#[derive(Debug, Clone, Template)]
#[template(path = "admin/refusals.html")]
pub struct EventRefusalsPage {
    /// What surrounds the page.
    pub shell: Shell,
    /// The time that "3 hours ago" is counted from.
    pub now: OffsetDateTime,
    /// The newest first.
    pub rows: Vec<RefusalRow>,
}

#[cfg(test)]
mod samples {
    use time::macros::datetime;

    use super::super::table::{Cell, TableFilter, TableRow};
    use super::*;

    const HOSTILE: &str = "</script><img src=x onerror=alert(1)>";

    fn row(word: &'static str) -> EventRow {
        EventRow {
            id: "0195a3c2-0000-7000-8000-000000000000".into(),
            number: Some(90_000_001),
            action: "fp.upload".into(),
            status: EventStatus(word),
            reason: Some(HOSTILE.into()),
            handle: Some("AbCdEfGhIjKlMnOpQrSt".into()),
            late: true,
            sample: true,
            received_at: datetime!(2026-03-12 13:05 UTC),
            deliveries: 3,
        }
    }

    impl EventIndexPage {
        pub(in super::super) fn sample() -> Self {
            let line = |word: &'static str| TableRow {
                id: format!("event-{word}"),
                cells: vec![
                    Cell::Link {
                        text: HOSTILE.into(),
                        href: "/admin/webhooks/1".into(),
                        note: "90000001".into(),
                    },
                    Cell::Text(HOSTILE.into()),
                ],
            };
            EventIndexPage {
                shell: Shell::sample("/admin/webhooks"),
                troubled: 2,
                samples: vec!["fp.upload", "video"],
                table: Table {
                    rows: EventStatus::ALL.into_iter().map(line).collect(),
                    next: Some("1.x".into()),
                    ..Table::sample("/admin/webhooks")
                },
                replay_href: "/admin/webhooks/replay".into(),
            }
        }

        pub(in super::super) fn sample_empty() -> Self {
            EventIndexPage {
                troubled: 0,
                table: Table {
                    filters: vec![TableFilter::text("action", "Action", HOSTILE, "")],
                    ..Table::sample("/admin/webhooks")
                },
                ..Self::sample()
            }
        }
    }

    impl EventShowPage {
        pub(in super::super) fn sample() -> Self {
            EventShowPage {
                shell: Shell::sample("/admin/webhooks/1"),
                now: datetime!(2026-03-12 14:05 UTC),
                event: row("applied"),
                settled_at: Some(datetime!(2026-03-12 13:05 UTC)),
                attempts: 1,
                document: Some(("1".into(), HOSTILE.into(), "ana@example.org".into())),
                digest: "0".repeat(64),
                body: HOSTILE.into(),
                deliveries: vec![DeliveryRow {
                    number: 1,
                    received_at: datetime!(2026-03-12 13:05 UTC),
                    signed_at: datetime!(2026-03-12 13:05 UTC),
                    verdict: "late".into(),
                    took_micros: 812,
                    headers: vec![("user-agent".into(), HOSTILE.into())],
                }],
                can_be_replayed: true,
            }
        }
    }

    impl EventReplayPage {
        pub(in super::super) fn sample() -> Self {
            EventReplayPage {
                shell: Shell::sample("/admin/webhooks/replay"),
                action: "/admin/webhooks/replay".into(),
                filters: EventFilters {
                    since: "2h".into(),
                    ..EventFilters::default()
                },
                rows: vec![PreviewRow {
                    id: "1".into(),
                    from: EventStatus("parked"),
                    to: EventStatus("applied"),
                    reason: HOSTILE.into(),
                    changes: vec![format!("status: {HOSTILE}")],
                }],
                can_be_applied: true,
            }
        }
    }

    impl EventRefusalsPage {
        pub(in super::super) fn sample() -> Self {
            EventRefusalsPage {
                shell: Shell::sample("/admin/webhooks/refusals"),
                now: datetime!(2026-03-12 14:05 UTC),
                rows: vec![RefusalRow {
                    received_at: datetime!(2026-03-12 13:05 UTC),
                    reason: "the signature is wrong".into(),
                    ip: "203.0.113.5".into(),
                    headers: vec![("user-agent".into(), HOSTILE.into())],
                    body: HOSTILE.into(),
                    body_bytes: 37,
                }],
            }
        }
    }
}
