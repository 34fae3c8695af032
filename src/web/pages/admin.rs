//! `/admin`: what administrators see and steer. For now jobs and webhooks; the dashboard comes later.

pub mod audit;
pub mod documents;
pub mod overview;
pub(in crate::web) mod table;
pub mod users;
pub mod webhooks;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use super::shell::{Said, dress};
use super::{page, see_other, with_cookies};
use crate::clock::UtcTime;
use crate::db::models::jobs::{Job, JobState};
use crate::error::AppError;
use crate::queue::Kind;
use crate::services::jobs::{self, ListQuery, Part, Place};
use crate::web::AppState;
use crate::web::extract::{Admin, CsrfForm, JobPath, Query};
use crate::web::pages::sessions::NoFields;
use crate::web::views::{JobIndexPage, JobRow, JobStatus};

/// Jobs on a page of the list.
const PAGE: i64 = 50;

/// `?state=&kind=&after=&before=`.
#[derive(Deserialize)]
pub struct IndexQuery {
    #[serde(default)]
    state: String,
    #[serde(default)]
    kind: String,
    after: Option<String>,
    before: Option<String>,
}

/// `GET /admin/jobs`.
pub async fn jobs(
    state: web::Data<AppState>,
    request: HttpRequest,
    admin: Admin,
    query: Query<IndexQuery>,
) -> Result<HttpResponse, AppError> {
    let IndexQuery {
        state: wanted,
        kind,
        after,
        before,
    } = query.0;
    let wanted = match wanted.as_str() {
        "" => None,
        word => Some(word.parse::<JobState>().map_err(|_| unknown_filter())?),
    };
    if !kind.is_empty() && kind.parse::<Kind>().is_err() {
        return Err(unknown_filter());
    }
    let part = match (after, before) {
        (Some(text), _) => Part::After(place(&text)?),
        (None, Some(text)) => Part::Before(place(&text)?),
        (None, None) => Part::First,
    };
    let query = ListQuery {
        state: wanted,
        kind: (!kind.is_empty()).then(|| kind.clone()),
        part,
        limit: PAGE,
    };
    let listed = jobs::list(&state.services, query).await?;
    let dressed = dress(&request, &state, Some(admin.user()));
    let index = JobIndexPage {
        shell: dressed.shell,
        now: state.services.clock.now().calendar(),
        state: wanted.map(status),
        kind,
        kinds: Kind::ALL.iter().map(Kind::as_str).collect(),
        breaker: state
            .services
            .breaker
            .opened()
            .map(|open| (open.reason, open.until.calendar())),
        previous: listed
            .has_previous
            .then(|| listed.jobs.first().map(cursor))
            .flatten(),
        next: listed.has_next.then(|| listed.jobs.last().map(cursor)).flatten(),
        rows: listed.jobs.iter().map(row).collect(),
    };
    Ok(with_cookies(page(StatusCode::OK, &index)?, dressed.cookies))
}

/// `POST /admin/jobs/{id}/attempt`: tries a job again, or now.
pub async fn attempt(
    state: web::Data<AppState>,
    admin: Admin,
    id: JobPath,
    _form: CsrfForm<NoFields>,
) -> Result<HttpResponse, AppError> {
    jobs::retry(&state.services, &admin.actor(), id.0).await?;
    Ok(with_cookies(
        see_other("/admin/jobs").finish(),
        [Some(Said::JobDue.cookie())],
    ))
}

/// `POST /admin/jobs/{id}/cancellation`: calls a job off.
pub async fn cancel(
    state: web::Data<AppState>,
    admin: Admin,
    id: JobPath,
    _form: CsrfForm<NoFields>,
) -> Result<HttpResponse, AppError> {
    jobs::cancel(&state.services, &admin.actor(), id.0).await?;
    Ok(with_cookies(
        see_other("/admin/jobs").finish(),
        [Some(Said::JobCancelled.cookie())],
    ))
}

/// How a state is shown.
pub(super) fn status(state: JobState) -> JobStatus {
    match state {
        JobState::Waiting => JobStatus::Waiting,
        JobState::Running => JobStatus::Running,
        JobState::Done => JobStatus::Done,
        JobState::Dead => JobStatus::Dead,
        JobState::Cancelled => JobStatus::Cancelled,
    }
}

fn row(job: &Job) -> JobRow {
    JobRow {
        id: job.id.to_string(),
        kind: job.kind.clone(),
        status: status(job.state),
        attempts: (job.attempts, job.max_attempts),
        progress: job.progress,
        reason: job.reason.clone(),
        created_at: job.created_at.calendar(),
        run_at: job.run_at.calendar(),
        finished_at: job.finished_at.map(UtcTime::calendar),
    }
}

/// A place in the list as text: microseconds, a dot, the id.
fn cursor(job: &Job) -> String {
    let Place { created_at, id } = job.place();
    format!("{}.{id}", created_at.micros())
}

fn place(text: &str) -> Result<Place, AppError> {
    let read = || {
        let (micros, id) = text.split_once('.')?;
        Some(Place {
            created_at: UtcTime::from_micros(micros.parse().ok()?),
            id: id.parse().ok()?,
        })
    };
    read().ok_or_else(|| {
        AppError::invalid(
            "invalid-cursor",
            "The cursor is not one that this list gave out. Begin again without a cursor.",
        )
    })
}

fn unknown_filter() -> AppError {
    AppError::invalid(
        "invalid-filter",
        "Jobs are filtered by one of their states and one of their kinds. Choose both from the lists.",
    )
}
