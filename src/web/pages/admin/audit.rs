//! `/admin/audit`: who did what, and when.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::table::{
    self, Listing, Look, Turn, time_cursor, time_field, time_filter, time_place, word_filter,
};
use crate::clock::UtcTime;
use crate::db::keyset::{Part, Slice};
use crate::db::models::audit_entries::{AuditEntry, EntryFilter, Place};
use crate::error::AppError;
use crate::services::Services;
use crate::services::audit::{self, Action};
use crate::services::events::inbox::legible;
use crate::web::AppState;
use crate::web::extract::{Admin, Query};
use crate::web::views::{
    AuditIndexPage, Cell, Change, ColumnKind, HistoryRow, TableColumn, TableFilter, TableRow,
};

const USUAL_SORT: &str = "-time";
const COLUMNS: &[TableColumn] = &[
    TableColumn::new("What", ColumnKind::Short),
    TableColumn::new("When", ColumnKind::Short).sorted(USUAL_SORT),
    TableColumn::new("Who", ColumnKind::Short),
    TableColumn::new("To what", ColumnKind::Wide),
    TableColumn::new("Change and reason", ColumnKind::Wide),
];

/// The filters, in the address.
#[derive(Deserialize)]
pub struct Wanted {
    #[serde(default)]
    actor: String,
    #[serde(default)]
    action: String,
    #[serde(default)]
    subject: String,
    #[serde(default)]
    since: String,
    #[serde(default)]
    until: String,
    #[serde(flatten)]
    turn: Turn,
}

/// The trail, as filtered.
struct Trail(EntryFilter);

impl Trail {
    fn of(wanted: &Wanted, now: UtcTime) -> Result<Self, AppError> {
        let action = word_filter(&wanted.action);
        if let Some(word) = &action
            && !Action::ALL.iter().any(|action| action.as_str() == word)
        {
            return Err(AppError::invalid(
                "invalid-filter",
                "There is no such action. Choose one from the list.",
            ));
        }
        let address = |name: String| {
            // Addresses of accounts are kept in lower case.
            if name.contains('@') {
                name.to_lowercase()
            } else {
                name
            }
        };
        Ok(Trail(EntryFilter {
            actor: word_filter(&wanted.actor).map(address),
            action,
            subject: word_filter(&wanted.subject),
            since: time_filter(&wanted.since, now)?,
            until: time_filter(&wanted.until, now)?,
            oldest_first: wanted.turn.is_turned(&Trail::LOOK)?,
        }))
    }
}

impl Listing for Trail {
    type Row = AuditEntry;
    type Place = Place;
    const NAME: &'static str = "audit";
    const FIELDS: &'static [&'static str] = &[
        "id",
        "at",
        "actor",
        "actor_id",
        "means",
        "ip",
        "action",
        "subject",
        "subject_name",
        "document_id",
        "before",
        "after",
        "reason",
    ];
    const LOOK: Look = Look {
        path: "/admin/audit",
        noun: "entries",
        columns: COLUMNS,
        usual_sort: USUAL_SORT,
        nothing_yet: "Whatever people and programs change is written down here.",
    };

    async fn read(
        &self,
        services: &Services,
        part: Part<Place>,
        limit: i64,
    ) -> Result<Slice<AuditEntry>, AppError> {
        audit::list(services, self.0.clone(), part, limit).await
    }

    fn cursor(&self, row: &AuditEntry) -> String {
        time_cursor(row.at, row.id)
    }

    fn place(&self, text: &str) -> Option<Place> {
        time_place(text)
    }

    fn record(&self, row: &AuditEntry) -> Vec<Value> {
        let object = |text: &str| serde_json::from_str(text).unwrap_or(Value::Null);
        vec![
            json!(row.id),
            json!(row.at.rfc3339()),
            json!(row.actor),
            json!(row.actor_id),
            json!(row.means),
            json!(row.ip),
            json!(row.action),
            json!(row.subject),
            json!(row.subject_name),
            json!(row.document_id),
            object(&row.before),
            object(&row.after),
            json!(row.reason),
        ]
    }

    fn row(&self, entry: &AuditEntry, _: UtcTime) -> TableRow {
        let subject = match (&entry.document_id, entry.subject_name.is_empty()) {
            (Some(id), _) => Cell::Link {
                text: legible(entry.subject_name.as_bytes()),
                href: format!("/admin/documents/{id}"),
                note: String::new(),
            },
            (None, true) => Cell::Text(legible(entry.subject.as_bytes())),
            (None, false) => Cell::Lines(vec![
                legible(entry.subject_name.as_bytes()),
                legible(entry.subject.as_bytes()),
            ]),
        };
        let who = [legible(entry.actor.as_bytes()), from(entry)];
        let said = said(entry);
        TableRow {
            id: format!("entry-{}", entry.id),
            cells: vec![
                Cell::Text(label(&entry.action).to_owned()),
                Cell::Time(entry.at.calendar(), String::new()),
                Cell::Lines(who.into_iter().filter(|line| !line.is_empty()).collect()),
                subject,
                if said.is_empty() {
                    Cell::Nothing
                } else {
                    Cell::Lines(said)
                },
            ],
        }
    }
}

/// `GET /admin/audit`.
pub async fn index(
    state: web::Data<AppState>,
    request: HttpRequest,
    admin: Admin,
    query: Query<Wanted>,
) -> Result<HttpResponse, AppError> {
    let wanted = query.0;
    let now = state.services.clock.now();
    let trail = Trail::of(&wanted, now);
    let actions = Action::ALL
        .iter()
        .map(|action| (action.as_str(), action.label()))
        .collect();
    let filters = vec![
        TableFilter::text("actor", "Who", &wanted.actor, "ana@example.org"),
        TableFilter::choice("action", "What", &wanted.action, actions),
        TableFilter::text("subject", "To what (id)", &wanted.subject, ""),
        time_field("since", "Since", &wanted.since, "2h, or 2026-11-24", now),
        time_field("until", "Until", &wanted.until, "1h, or 2026-11-24", now),
    ];
    let page_of = async |shell, table| Ok(AuditIndexPage { shell, table });
    table::answer(&state, &request, &admin, trail, wanted.turn, filters, page_of).await
}

/// How they had shown who they are, and from where.
fn from(entry: &AuditEntry) -> String {
    let means = match entry.means.as_str() {
        "token" => "API token",
        "nobody" => "not signed in",
        _ => "",
    };
    [means, &entry.ip]
        .into_iter()
        .filter(|text| !text.is_empty())
        .collect::<Vec<_>>()
        .join(", ")
}

/// What changed, and why.
fn said(entry: &AuditEntry) -> Vec<String> {
    let mut lines: Vec<String> = changes(entry)
        .into_iter()
        .map(|change| change.sentence())
        .collect();
    if !entry.reason.is_empty() {
        lines.push(format!("Reason: {}", legible(entry.reason.as_bytes())));
    }
    lines
}

/// An entry as the page of its document tells it.
pub(in crate::web::pages) fn history(entry: &AuditEntry) -> HistoryRow {
    HistoryRow {
        label: label(&entry.action).to_owned(),
        actor: legible(entry.actor.as_bytes()),
        at: entry.at.calendar(),
        changes: changes(entry),
        reason: legible(entry.reason.as_bytes()),
    }
}

/// The action in words; a word of a later version stands for itself.
pub(in crate::web::pages) fn label(action: &str) -> &str {
    Action::ALL
        .iter()
        .find(|known| known.as_str() == action)
        .map_or(action, |known| known.label())
}

/// What changed, value by value.
pub(in crate::web::pages) fn changes(entry: &AuditEntry) -> Vec<Change> {
    let object = |text: &str| match serde_json::from_str(text) {
        Ok(Value::Object(values)) => values,
        _ => serde_json::Map::new(),
    };
    let (before, after) = (object(&entry.before), object(&entry.after));
    let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
    names.sort_unstable();
    names.dedup();
    let shown = |value: Option<&Value>| match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => beginning(legible(text.as_bytes())),
        Some(other) => beginning(legible(other.to_string().as_bytes())),
    };
    names
        .into_iter()
        .map(|name| Change {
            name: name.replace('_', " "),
            before: shown(before.get(name)),
            after: shown(after.get(name)),
        })
        .collect()
}

/// A long value is cut: the trail has all of it.
fn beginning(mut text: String) -> String {
    const SHOWN: usize = 300;
    if text.len() > SHOWN {
        text.truncate(text.floor_char_boundary(SHOWN));
        text.push('…');
    }
    text
}
