//! `/admin/webhooks`: the inbox. A replay is always shown before it is done.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::table::{
    self, Listing, Look, Turn, time_cursor, time_field, time_filter, time_place, word_filter,
};
use crate::clock::UtcTime;
use crate::db::keyset::{Part, Slice, TimePlace};
use crate::db::models::events::EventState;
use crate::db::models::events::listing::{EventFilter, EventLine};
use crate::error::AppError;
use crate::ids::EventId;
use crate::services::events::inbox::{self, Which, legible};
use crate::services::events::{Preview, samples};
use crate::services::{Services, accounts};
use crate::web::AppState;
use crate::web::extract::{Admin, CsrfForm, EventPath, Query};
use crate::web::pages::sessions::NoFields;
use crate::web::pages::shell::{Said, dress};
use crate::web::pages::{page, see_other, with_cookies};
use crate::web::views::{
    Cell, ColumnKind, DeliveryRow, EventFilters, EventIndexPage, EventRefusalsPage, EventReplayPage,
    EventRow, EventShowPage, EventStatus, PreviewRow, RefusalRow, TableColumn, TableFilter, TableRow,
};

const USUAL_SORT: &str = "-received";
const COLUMNS: &[TableColumn] = &[
    TableColumn::new("Event", ColumnKind::Short),
    TableColumn::new("State", ColumnKind::Short),
    TableColumn::new("Received", ColumnKind::Short).sorted(USUAL_SORT),
    TableColumn::new("Deliveries", ColumnKind::Number),
    TableColumn::new("File", ColumnKind::Short),
    TableColumn::new("What it came to", ColumnKind::Wide),
];

/// The filters of the list, in its address and in the form that replays what it shows.
#[derive(Deserialize)]
pub struct Wanted {
    #[serde(default)]
    action: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    since: String,
    #[serde(default)]
    until: String,
    #[serde(default)]
    handle: String,
    #[serde(flatten)]
    turn: Turn,
}

/// The form that sends a sample.
#[derive(Deserialize)]
pub struct SampleForm {
    #[serde(default)]
    action: String,
}

impl Wanted {
    fn filter(&self, now: UtcTime) -> Result<EventFilter, AppError> {
        let state = match word_filter(&self.state) {
            None => None,
            Some(text) => Some(text.parse::<EventState>().map_err(|wrong| {
                AppError::invalid("invalid-filter", format!("A filter cannot be used: {wrong}."))
            })?),
        };
        Ok(EventFilter {
            action: word_filter(&self.action),
            state,
            since: time_filter(&self.since, now)?,
            until: time_filter(&self.until, now)?,
            handle: word_filter(&self.handle),
            document: None,
            oldest_first: false,
        })
    }

    fn shown(self) -> EventFilters {
        EventFilters {
            action: self.action,
            state: self.state,
            since: self.since,
            until: self.until,
            handle: self.handle,
        }
    }
}

/// The inbox, as filtered.
struct Inbox(EventFilter);

impl Inbox {
    fn of(wanted: &Wanted, now: UtcTime) -> Result<Self, AppError> {
        Ok(Inbox(EventFilter {
            oldest_first: wanted.turn.is_turned(&Self::LOOK)?,
            ..wanted.filter(now)?
        }))
    }
}

impl Listing for Inbox {
    type Row = EventLine;
    type Place = TimePlace<EventId>;
    const NAME: &'static str = "webhooks";
    const FIELDS: &'static [&'static str] = &[
        "id",
        "filestack_id",
        "action",
        "state",
        "reason",
        "handle",
        "document_id",
        "late",
        "sample",
        "received_at",
        "settled_at",
        "deliveries",
        "attempts",
    ];
    const LOOK: Look = Look {
        path: "/admin/webhooks",
        noun: "events",
        columns: COLUMNS,
        usual_sort: USUAL_SORT,
        nothing_yet: "Filestack has reported nothing yet. Send a sample to see one arrive.",
    };

    async fn read(
        &self,
        services: &Services,
        part: Part<Self::Place>,
        limit: i64,
    ) -> Result<Slice<EventLine>, AppError> {
        inbox::list(services, self.0.clone(), part, limit).await
    }

    fn cursor(&self, row: &EventLine) -> String {
        time_cursor(row.received_at, row.id)
    }

    fn place(&self, text: &str) -> Option<Self::Place> {
        time_place(text)
    }

    fn record(&self, row: &EventLine) -> Vec<Value> {
        vec![
            json!(row.id),
            json!(row.filestack_id),
            json!(row.action),
            json!(row.state.as_str()),
            json!(row.reason),
            json!(row.handle),
            json!(row.document_id),
            json!(row.late),
            json!(row.sample),
            json!(row.received_at.rfc3339()),
            json!(row.settled_at.map(UtcTime::rfc3339)),
            json!(row.deliveries),
            json!(row.attempts),
        ]
    }

    fn row(&self, event: &EventLine, _: UtcTime) -> TableRow {
        let row = row(event.clone());
        let mut notes = Vec::new();
        if row.late {
            notes.push("late");
        }
        if row.sample {
            notes.push("sample");
        }
        TableRow {
            id: format!("event-{}", row.id),
            cells: vec![
                Cell::Link {
                    text: row.title().to_owned(),
                    href: format!("/admin/webhooks/{}", row.id),
                    note: row.number.map(|number| number.to_string()).unwrap_or_default(),
                },
                Cell::Mark {
                    label: row.status.label().to_owned(),
                    icon: row.status.icon(),
                    class: row.status.class(),
                    note: notes.join(", "),
                },
                Cell::Time(row.received_at, String::new()),
                Cell::Number(i64::from(row.deliveries)),
                row.handle.map_or(Cell::Nothing, Cell::Code),
                row.reason
                    .map_or(Cell::Nothing, |reason| Cell::Text(legible(reason.as_bytes()))),
            ],
        }
    }
}

/// `GET /admin/webhooks`.
pub async fn index(
    state: web::Data<AppState>,
    request: HttpRequest,
    admin: Admin,
    query: Query<Wanted>,
) -> Result<HttpResponse, AppError> {
    let now = state.services.clock.now();
    let wanted = query.0;
    let list = Inbox::of(&wanted, now);
    let turn = wanted.turn.clone();
    let wanted = wanted.shown();
    let states = EventStatus::ALL
        .into_iter()
        .map(|word| (word, EventStatus(word).label()))
        .collect();
    let filters = vec![
        TableFilter::text("action", "Action", &wanted.action, "fp.upload"),
        TableFilter::choice("state", "State", &wanted.state, states),
        TableFilter::text("handle", "Handle", &wanted.handle, ""),
        time_field("since", "Since", &wanted.since, "2h, or 2026-11-24", now),
        time_field("until", "Until", &wanted.until, "1h, or 2026-11-24", now),
    ];
    let page_of = async |shell, table| {
        Ok(EventIndexPage {
            shell,
            troubled: inbox::count_troubled(&state.services).await?,
            samples: samples::KINDS.to_vec(),
            replay_href: wanted.href("/admin/webhooks/replay"),
            table,
        })
    };
    table::answer(&state, &request, &admin, list, turn, filters, page_of).await
}

/// `GET /admin/webhooks/{id}`.
pub async fn show(
    state: web::Data<AppState>,
    request: HttpRequest,
    admin: Admin,
    id: EventPath,
) -> Result<HttpResponse, AppError> {
    let shown = inbox::show(&state.services, id.0).await?;
    let document = match shown.document {
        Some(document) => {
            let owner = accounts::email_of(&state.services, document.owner_id).await?;
            Some((document.id.to_string(), document.name, owner))
        }
        None => None,
    };
    let dressed = dress(&request, &state, Some(admin.user()));
    let event = shown.event;
    let show = EventShowPage {
        shell: dressed.shell,
        now: state.services.clock.now().calendar(),
        settled_at: event.settled_at.map(UtcTime::calendar),
        attempts: event.attempts,
        document,
        digest: event.digest,
        body: legible(&event.body),
        deliveries: shown
            .deliveries
            .iter()
            .map(|delivery| DeliveryRow {
                number: delivery.number,
                received_at: delivery.received_at.calendar(),
                signed_at: delivery.signed_at.calendar(),
                verdict: delivery.verdict.clone(),
                took_micros: delivery.took_micros,
                headers: headers(&delivery.headers),
            })
            .collect(),
        can_be_replayed: event.state.can_be_applied(),
        event: EventRow {
            id: event.id.to_string(),
            number: event.filestack_id,
            action: event.action,
            status: EventStatus(event.state.as_str()),
            reason: event.reason,
            handle: event.handle,
            late: event.late,
            sample: event.sample,
            received_at: event.received_at.calendar(),
            deliveries: event.deliveries,
        },
    };
    Ok(with_cookies(page(StatusCode::OK, &show)?, dressed.cookies))
}

/// `GET /admin/webhooks/{id}/replay`: what applying this event again would change.
pub async fn preview_one(
    state: web::Data<AppState>,
    request: HttpRequest,
    admin: Admin,
    id: EventPath,
) -> Result<HttpResponse, AppError> {
    let action = format!("/admin/webhooks/{}/replay", id.0);
    let previews = inbox::dry_run(&state.services, Which::One(id.0), inbox::MOST_PREVIEWED).await?;
    preview_page(
        &state,
        &request,
        &admin,
        action,
        EventFilters::default(),
        previews,
    )
}

/// `GET /admin/webhooks/replay`: what applying all that the filters find would change.
pub async fn preview_many(
    state: web::Data<AppState>,
    request: HttpRequest,
    admin: Admin,
    query: Query<Wanted>,
) -> Result<HttpResponse, AppError> {
    let filter = query.0.filter(state.services.clock.now())?;
    let previews = inbox::dry_run(&state.services, Which::All(filter), inbox::MOST_PREVIEWED).await?;
    let action = "/admin/webhooks/replay".to_owned();
    preview_page(&state, &request, &admin, action, query.0.shown(), previews)
}

fn preview_page(
    state: &AppState,
    request: &HttpRequest,
    admin: &Admin,
    action: String,
    filters: EventFilters,
    previews: Vec<Preview>,
) -> Result<HttpResponse, AppError> {
    let dressed = dress(request, state, Some(admin.user()));
    let replay = EventReplayPage {
        shell: dressed.shell,
        action,
        filters,
        can_be_applied: previews.iter().any(|preview| preview.from.can_be_applied()),
        rows: previews
            .into_iter()
            .map(|preview| PreviewRow {
                id: preview.id.to_string(),
                from: EventStatus(preview.from.as_str()),
                to: EventStatus(preview.to.as_str()),
                reason: preview.reason,
                changes: preview.changes,
            })
            .collect(),
    };
    Ok(with_cookies(page(StatusCode::OK, &replay)?, dressed.cookies))
}

/// `POST /admin/webhooks/{id}/replay`.
pub async fn replay_one(
    state: web::Data<AppState>,
    admin: Admin,
    id: EventPath,
    _form: CsrfForm<NoFields>,
) -> Result<HttpResponse, AppError> {
    inbox::replay(&state.services, &admin.actor(), Which::One(id.0)).await?;
    log::info!(event = "webhook-replayed", by = admin.user().id.as_str(), id = id.0.as_str(); "an event is replayed");
    let back = see_other(&format!("/admin/webhooks/{}", id.0)).finish();
    Ok(with_cookies(back, [Some(Said::Replayed.cookie())]))
}

/// `POST /admin/webhooks/replay`.
pub async fn replay_many(
    state: web::Data<AppState>,
    admin: Admin,
    form: CsrfForm<Wanted>,
) -> Result<HttpResponse, AppError> {
    let filter = form.0.filter(state.services.clock.now())?;
    let sent = inbox::replay(&state.services, &admin.actor(), Which::All(filter)).await?;
    log::info!(event = "webhooks-replayed", by = admin.user().id.as_str(), count = sent.len(); "events are replayed");
    Ok(with_cookies(
        see_other("/admin/webhooks").finish(),
        [Some(Said::Replayed.cookie())],
    ))
}

/// `POST /admin/webhooks/samples`.
pub async fn send_sample(
    state: web::Data<AppState>,
    admin: Admin,
    form: CsrfForm<SampleForm>,
) -> Result<HttpResponse, AppError> {
    let id = samples::trigger(&state.services, &admin.actor(), &form.0.action).await?;
    let there = see_other(&format!("/admin/webhooks/{id}")).finish();
    Ok(with_cookies(there, [Some(Said::SampleSent.cookie())]))
}

/// `GET /admin/webhooks/refusals`.
pub async fn refusals(
    state: web::Data<AppState>,
    request: HttpRequest,
    admin: Admin,
) -> Result<HttpResponse, AppError> {
    let kept = inbox::rejections(&state.services).await?;
    let dressed = dress(&request, &state, Some(admin.user()));
    let refusals = EventRefusalsPage {
        shell: dressed.shell,
        now: state.services.clock.now().calendar(),
        rows: kept
            .iter()
            .map(|kept| RefusalRow {
                received_at: kept.received_at.calendar(),
                reason: kept.reason.clone(),
                ip: kept.ip.clone(),
                headers: headers(&kept.headers),
                body: legible(&kept.body),
                body_bytes: kept.body_bytes,
            })
            .collect(),
    };
    Ok(with_cookies(page(StatusCode::OK, &refusals)?, dressed.cookies))
}

fn row(event: EventLine) -> EventRow {
    EventRow {
        id: event.id.to_string(),
        number: event.filestack_id,
        action: event.action,
        status: EventStatus(event.state.as_str()),
        reason: event.reason,
        handle: event.handle,
        late: event.late,
        sample: event.sample,
        received_at: event.received_at.calendar(),
        deliveries: event.deliveries,
    }
}

/// Headers as they are kept: a JSON list of names and values.
fn headers(kept: &str) -> Vec<(String, String)> {
    let pairs: Vec<(String, String)> = serde_json::from_str(kept).unwrap_or_default();
    pairs
        .into_iter()
        .map(|(name, value)| (name, legible(value.as_bytes())))
        .collect()
}
