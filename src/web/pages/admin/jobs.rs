//! `/admin/jobs`: background work of everybody, listed, tried again, called off.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::Value;

use super::table::{self, Listing, Look, Turn, time_cursor, time_place, word_filter};
use crate::clock::UtcTime;
use crate::db::keyset::{Part, Slice};
use crate::db::models::jobs::{Job, JobState};
use crate::error::AppError;
use crate::ids::JobId;
use crate::queue::Kind;
use crate::services::Services;
use crate::services::events::inbox::legible;
use crate::services::jobs::{self, JobFilter, Place, Revivals};
use crate::web::AppState;
use crate::web::extract::{Admin, CsrfForm, JobPath, Query};
use crate::web::pages::sessions::NoFields;
use crate::web::pages::shell::{Said, dress};
use crate::web::pages::{page, see_other, with_cookies};
use crate::web::views::{
    Cell, ColumnKind, JobAttemptRow, JobAttemptsPage, JobIndexPage, JobStatus, RowAction, TableColumn,
    TableFilter, TableRow, dress_time,
};

const USUAL_SORT: &str = "-created";
const COLUMNS: &[TableColumn] = &[
    TableColumn::new("Kind", ColumnKind::Short),
    TableColumn::new("State", ColumnKind::Short).sorted("-state"),
    TableColumn::new("Attempts", ColumnKind::Short),
    TableColumn::new("Made", ColumnKind::Short).sorted(USUAL_SORT),
    TableColumn::new("What it says", ColumnKind::Wide),
    TableColumn::new("Actions", ColumnKind::Actions),
];

/// Failed jobs that are named before they are tried again; further ones are counted.
const NAMED: usize = 100;

/// The filters, in the address.
#[derive(Deserialize)]
pub struct Wanted {
    #[serde(default)]
    state: String,
    #[serde(default)]
    kind: String,
    #[serde(flatten)]
    turn: Turn,
}

/// Jobs, as filtered.
struct Jobs(JobFilter);

impl Jobs {
    fn of(wanted: &Wanted) -> Result<Self, AppError> {
        let state = match wanted.state.as_str() {
            "" => None,
            word => Some(word.parse::<JobState>().map_err(|_| unknown_filter())?),
        };
        if !wanted.kind.is_empty() && wanted.kind.parse::<Kind>().is_err() {
            return Err(unknown_filter());
        }
        let order = wanted.turn.order(&Jobs::LOOK)?;
        Ok(Jobs(JobFilter {
            state,
            kind: word_filter(&wanted.kind),
            by_state: order.ends_with("state"),
            oldest_first: !order.starts_with('-'),
        }))
    }
}

impl Listing for Jobs {
    type Row = Job;
    type Place = Place;
    const NAME: &'static str = "jobs";
    const FIELDS: &'static [&'static str] = &[
        "id",
        "kind",
        "state",
        "attempts",
        "max_attempts",
        "progress",
        "priority",
        "run_at",
        "created_at",
        "started_at",
        "finished_at",
        "reason",
        "document_id",
        "worker",
    ];
    const LOOK: Look = Look {
        path: "/admin/jobs",
        noun: "jobs",
        columns: COLUMNS,
        usual_sort: USUAL_SORT,
        nothing_yet: "Jobs are made when somebody uploads with processing.",
    };

    async fn read(&self, services: &Services, part: Part<Place>, limit: i64) -> Result<Slice<Job>, AppError> {
        jobs::list(services, self.0.clone(), part, limit).await
    }

    fn cursor(&self, row: &Job) -> String {
        format!("{}.{}", row.state, time_cursor(row.created_at, row.id))
    }

    fn place(&self, text: &str) -> Option<Place> {
        let (state, rest) = text.split_once('.')?;
        let place = time_place(rest)?;
        Some(Place {
            state: state.parse().ok()?,
            created_at: place.at,
            id: place.id,
        })
    }

    fn record(&self, row: &Job) -> Vec<Value> {
        let values = jobs::to_json(row);
        Self::FIELDS.iter().map(|field| values[*field].clone()).collect()
    }

    fn row(&self, job: &Job, now: UtcTime) -> TableRow {
        let status = status(job.state);
        let mut actions = Vec::new();
        if let Some(label) = status.attempt() {
            actions.push(RowAction {
                label,
                href: format!("/admin/jobs/{}/attempt", job.id),
                posts: true,
            });
        }
        if status.can_be_cancelled() {
            actions.push(RowAction {
                label: "Cancel",
                href: format!("/admin/jobs/{}/cancellation", job.id),
                posts: true,
            });
        }
        let progress = if (1..100).contains(&job.progress) {
            format!("{} %", job.progress)
        } else {
            String::new()
        };
        let is_delayed = job.state == JobState::Waiting && job.run_at > now;
        let due = if is_delayed {
            format!("due {}", dress_time(job.run_at.calendar()))
        } else {
            String::new()
        };
        TableRow {
            id: format!("job-{}", job.id),
            cells: vec![
                Cell::Text(job.kind.clone()),
                Cell::Mark {
                    label: status.label().to_owned(),
                    icon: status.icon(),
                    class: status.class(),
                    note: progress,
                },
                Cell::Text(format!("{} of {}", job.attempts, job.max_attempts)),
                Cell::Time(job.created_at.calendar(), due),
                job.reason
                    .as_ref()
                    .map_or(Cell::Nothing, |reason| Cell::Text(legible(reason.as_bytes()))),
                if actions.is_empty() {
                    Cell::Nothing
                } else {
                    Cell::Actions(actions)
                },
            ],
        }
    }
}

/// `GET /admin/jobs`.
pub async fn index(
    state: web::Data<AppState>,
    request: HttpRequest,
    admin: Admin,
    query: Query<Wanted>,
) -> Result<HttpResponse, AppError> {
    let wanted = query.0;
    let list = Jobs::of(&wanted)?;
    let states = JobStatus::ALL
        .into_iter()
        .map(|one| (one.word(), one.label()))
        .collect();
    let kinds = Kind::ALL
        .iter()
        .map(|kind| (kind.as_str(), kind.as_str()))
        .collect();
    let filters = vec![
        TableFilter::choice("state", "State", &wanted.state, states),
        TableFilter::choice("kind", "Kind", &wanted.kind, kinds),
    ];
    let opened = state.services.breaker.opened();
    // Of those that can be seen here, if any of them can have failed.
    let attempts_href = match (wanted.state.as_str(), wanted.kind.as_str()) {
        ("" | "dead", "") => Some("/admin/jobs/attempts".to_owned()),
        ("" | "dead", kind) => Some(format!("/admin/jobs/attempts?kind={kind}")),
        _ => None,
    };
    let page_of = async |shell, table| {
        Ok(JobIndexPage {
            shell,
            breaker: opened.map(|open| (open.reason, open.until.calendar())),
            attempts_href,
            table,
        })
    };
    table::answer(&state, &request, &admin, Ok(list), wanted.turn, filters, page_of).await
}

/// The filter of failed jobs, in the address and in the form that tries them.
#[derive(Deserialize)]
pub struct Failed {
    #[serde(default)]
    kind: String,
}

impl Failed {
    fn kind(&self) -> Result<Option<Kind>, AppError> {
        match self.kind.as_str() {
            "" => Ok(None),
            word => Ok(Some(word.parse().map_err(|_| unknown_filter())?)),
        }
    }
}

/// `GET /admin/jobs/attempts`: which failed jobs would be tried again.
pub async fn preview_attempts(
    state: web::Data<AppState>,
    request: HttpRequest,
    admin: Admin,
    query: Query<Failed>,
) -> Result<HttpResponse, AppError> {
    let kind = query.0.kind()?;
    let Revivals { jobs, has_more } = jobs::preview_retry(&state.services, kind).await?;
    let mut kinds: BTreeMap<String, i64> = BTreeMap::new();
    for (job, other) in &jobs {
        *kinds.entry(job.kind.clone()).or_default() += i64::from(other.is_none());
    }
    kinds.retain(|_, count| *count > 0);
    let dressed = dress(&request, &state, Some(admin.user()));
    let attempts = JobAttemptsPage {
        shell: dressed.shell,
        now: state.services.clock.now().calendar(),
        kind: query.0.kind,
        count: kinds.values().sum(),
        kinds: kinds.into_iter().collect(),
        has_more,
        found: jobs.len() as i64,
        rows: jobs.iter().take(NAMED).map(attempt_row).collect(),
        unnamed: jobs.len().saturating_sub(NAMED) as i64,
    };
    Ok(with_cookies(page(StatusCode::OK, &attempts)?, dressed.cookies))
}

fn attempt_row((job, other): &(Job, Option<JobId>)) -> JobAttemptRow {
    JobAttemptRow {
        id: job.id.to_string(),
        kind: job.kind.clone(),
        created_at: job.created_at.calendar(),
        reason: legible(job.reason.as_deref().unwrap_or_default().as_bytes()),
        other: other.map(|other| other.to_string()),
    }
}

/// `POST /admin/jobs/attempts`: tries them.
pub async fn attempt_failed(
    state: web::Data<AppState>,
    admin: Admin,
    form: CsrfForm<Failed>,
) -> Result<HttpResponse, AppError> {
    let revived = jobs::retry_failed(&state.services, &admin.actor(), form.0.kind()?).await?;
    log::info!(event = "jobs-retried", by = admin.user().id.as_str(), count = revived.len(); "failed jobs are tried again");
    Ok(with_cookies(
        see_other("/admin/jobs").finish(),
        [Some(Said::JobsDue.cookie())],
    ))
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
pub(in crate::web::pages) fn status(state: JobState) -> JobStatus {
    match state {
        JobState::Waiting => JobStatus::Waiting,
        JobState::Running => JobStatus::Running,
        JobState::Done => JobStatus::Done,
        JobState::Dead => JobStatus::Dead,
        JobState::Cancelled => JobStatus::Cancelled,
    }
}

fn unknown_filter() -> AppError {
    AppError::invalid(
        "invalid-filter",
        "Jobs are filtered by one of their states and one of their kinds. Choose both from the lists.",
    )
}
