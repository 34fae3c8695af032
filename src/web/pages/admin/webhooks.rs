//! `/admin/webhooks`: the inbox. A replay is always shown before it is done.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use crate::clock::UtcTime;
use crate::db::models::events::EventState;
use crate::db::models::events::listing::{EventFilter, EventLine};
use crate::error::AppError;
use crate::ids::EventId;
use crate::services::accounts;
use crate::services::events::inbox::{self, Which, legible};
use crate::services::events::{Preview, samples};
use crate::web::AppState;
use crate::web::extract::{Admin, CsrfForm, EventPath, Query};
use crate::web::pages::sessions::NoFields;
use crate::web::pages::shell::{Said, dress};
use crate::web::pages::{page, see_other, with_cookies};
use crate::web::views::{
    DeliveryRow, EventFilters, EventIndexPage, EventRefusalsPage, EventReplayPage, EventRow, EventShowPage,
    EventStatus, PreviewRow, RefusalRow,
};

/// Events on a page of the list.
const PAGE: i64 = 50;

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
    after: Option<String>,
}

/// The form that sends a sample.
#[derive(Deserialize)]
pub struct SampleForm {
    #[serde(default)]
    action: String,
}

impl Wanted {
    fn filter(&self, now: UtcTime) -> Result<EventFilter, AppError> {
        let word = |text: &String| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let time = |text: &String| match word(text) {
            None => Ok(None),
            Some(text) => inbox::parse_time(&text, now).map(Some).map_err(|wrong| {
                AppError::invalid("invalid-filter", format!("“{text}” cannot be used: {wrong}."))
            }),
        };
        let state = match word(&self.state) {
            None => None,
            Some(text) => Some(text.parse::<EventState>().map_err(|wrong| {
                AppError::invalid("invalid-filter", format!("A filter cannot be used: {wrong}."))
            })?),
        };
        Ok(EventFilter {
            action: word(&self.action),
            state,
            since: time(&self.since)?,
            until: time(&self.until)?,
            handle: word(&self.handle),
            document: None,
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

/// `GET /admin/webhooks`.
pub async fn index(
    state: web::Data<AppState>,
    request: HttpRequest,
    admin: Admin,
    query: Query<Wanted>,
) -> Result<HttpResponse, AppError> {
    let now = state.services.clock.now();
    let after = query.0.after.as_deref().map(place).transpose()?;
    let listed = inbox::list(&state.services, query.0.filter(now)?, after, PAGE).await?;
    let troubled = inbox::count_troubled(&state.services).await?;
    let dressed = dress(&request, &state, Some(admin.user()));
    let index = EventIndexPage {
        shell: dressed.shell,
        now: now.calendar(),
        filters: query.0.shown(),
        troubled,
        samples: samples::KINDS.to_vec(),
        is_later: after.is_some(),
        next: listed
            .has_next
            .then(|| listed.events.last().map(cursor))
            .flatten(),
        rows: listed.events.into_iter().map(row).collect(),
    };
    Ok(with_cookies(page(StatusCode::OK, &index)?, dressed.cookies))
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
        can_be_replayed: !matches!(
            event.state,
            EventState::Received | EventState::Conflict | EventState::Unreadable
        ),
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
    let previews = inbox::dry_run(&state.services, Which::One(id.0)).await?;
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
    let previews = inbox::dry_run(&state.services, Which::All(filter)).await?;
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

/// A place in the list as text: microseconds, a dot, the id.
fn cursor(event: &EventLine) -> String {
    format!("{}.{}", event.received_at.micros(), event.id)
}

fn place(text: &str) -> Result<(UtcTime, EventId), AppError> {
    let read = || {
        let (micros, id) = text.split_once('.')?;
        Some((UtcTime::from_micros(micros.parse().ok()?), id.parse().ok()?))
    };
    read().ok_or_else(|| {
        AppError::invalid(
            "invalid-cursor",
            "The cursor is not one that this list gave out. Begin again without a cursor.",
        )
    })
}
