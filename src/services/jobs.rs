//! Jobs as people steer them: listed, shown, tried again, called off.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::db::keyset::{Part, Slice};
use crate::db::models::jobs::{self, Job, JobState, listing};
use crate::db::{DbConn, DbError};
use crate::error::AppError;
use crate::ids::{DocumentId, JobId};
use crate::queue::{self, Kind, Revival};
use crate::services::audit::{Action, Actor, Entry};
use crate::services::{Services, audit};

pub use listing::{JobFilter, Place};

/// Failed jobs that are tried again at once.
pub const MOST_RETRIED: i64 = 1_000;
/// Jobs of one document that are shown: a chain has about ten, and may have been asked for a few times.
const OF_DOCUMENT: i64 = 100;

/// A part of all jobs.
pub async fn list(
    services: &Services,
    filter: JobFilter,
    part: Part<Place>,
    limit: i64,
) -> Result<Slice<Job>, AppError> {
    let read = services.db.run(move |c| {
        let rows = listing::list(c, &filter, &part, limit + 1)?;
        Ok(Slice::cut(rows, &part, limit))
    });
    Ok(read.await?)
}

/// The jobs of a document, in the order of its steps. Whose it is, the caller has made sure.
pub async fn list_of_document(services: &Services, document: DocumentId) -> Result<Vec<Job>, AppError> {
    Ok(services
        .db
        .run(move |c| listing::list_of_document(c, document, OF_DOCUMENT))
        .await?)
}

/// The job of this id.
///
/// # Errors
///
/// [`AppError::NotFound`] when there is none.
pub async fn get(services: &Services, id: JobId) -> Result<Job, AppError> {
    services
        .db
        .run(move |c| jobs::find(c, id))
        .await?
        .ok_or(AppError::NotFound)
}

/// Lets a dead or cancelled job wait anew, and a waiting one run now.
///
/// # Errors
///
/// [`AppError::Conflict`] with the reason when there is nothing to try again, [`AppError::NotFound`] when there is no such job.
pub async fn retry(services: &Services, actor: &Actor, id: JobId) -> Result<(), AppError> {
    let (now, actor) = (services.clock.now(), actor.clone());
    let revived = services
        .db
        .write(move |c| {
            let revival = queue::retry(c, id, now)?;
            if matches!(revival, Revival::Waits) {
                audit::record(c, &actor, Entry::new(Action::JobRetried, id), now)?;
            }
            Ok(revival)
        })
        .await?;
    let detail = match revived {
        Revival::Waits => {
            services.bell.ring();
            return Ok(());
        }
        Revival::Missing => return Err(AppError::NotFound),
        Revival::Runs => "This job is running. Wait until it has ended.".to_owned(),
        Revival::Succeeded => "This job is done: there is nothing to try again.".to_owned(),
        Revival::Replaced(other) => {
            format!("Job {other} does the same and has not ended. Look at that one instead.")
        }
    };
    Err(AppError::Conflict {
        code: "job-not-retryable",
        detail,
    })
}

/// What trying failed jobs again would come to.
#[derive(Debug)]
pub struct Revivals {
    /// Each job, the oldest first, and the one that does the same and has not ended, which keeps it from being tried.
    pub jobs: Vec<(Job, Option<JobId>)>,
    /// Whether there are more, for another time.
    pub has_more: bool,
}

/// Says what trying the failed jobs of this kind again, or of any, would come to: the oldest [`MOST_RETRIED`]. Nothing is changed.
pub async fn preview_retry(services: &Services, kind: Option<Kind>) -> Result<Revivals, AppError> {
    let found = services.db.run(move |c| {
        let dead = dead_jobs(c, kind)?;
        let keys: Vec<&str> = dead
            .rows
            .iter()
            .filter_map(|job| job.unique_key.as_deref())
            .collect();
        let mut active: HashMap<String, JobId> = listing::list_active(c, &keys)?.into_iter().collect();
        let mut jobs = Vec::with_capacity(dead.rows.len());
        for job in dead.rows {
            let other = job.unique_key.as_ref().and_then(|key| active.get(key).copied());
            if let (Some(key), None) = (&job.unique_key, other) {
                // It would be the one that does so, for those that come after it.
                active.insert(key.clone(), job.id);
            }
            jobs.push((job, other));
        }
        Ok(Revivals {
            jobs,
            has_more: dead.has_next,
        })
    });
    Ok(found.await?)
}

/// Tries the failed jobs of this kind again, or of any: the oldest [`MOST_RETRIED`]. Gives those that wait anew.
pub async fn retry_failed(
    services: &Services,
    actor: &Actor,
    kind: Option<Kind>,
) -> Result<Vec<JobId>, AppError> {
    let (now, actor) = (services.clock.now(), actor.clone());
    let revived = services
        .db
        .write(move |c| {
            let mut revived = Vec::new();
            for job in dead_jobs(c, kind)?.rows {
                // Somebody may have tried it or called it off since it was found.
                let is_dead =
                    jobs::find_for_update(c, job.id)?.is_some_and(|job| job.state == JobState::Dead);
                if is_dead && matches!(queue::retry(c, job.id, now)?, Revival::Waits) {
                    audit::record(c, &actor, Entry::new(Action::JobRetried, job.id), now)?;
                    revived.push(job.id);
                }
            }
            Ok(revived)
        })
        .await?;
    services.bell.ring();
    Ok(revived)
}

fn dead_jobs(c: &mut DbConn, kind: Option<Kind>) -> Result<Slice<Job>, DbError> {
    let filter = JobFilter {
        state: Some(JobState::Dead),
        kind: kind.map(|kind| kind.as_str().to_owned()),
        oldest_first: true,
        ..JobFilter::default()
    };
    let rows = listing::list(c, &filter, &Part::First, MOST_RETRIED + 1)?;
    Ok(Slice::cut(rows, &Part::First::<Place>, MOST_RETRIED))
}

/// Calls off a job that waits or runs. What a running one would have changed here is not changed; what it has asked of Filestack is.
///
/// # Errors
///
/// [`AppError::Conflict`] when it has ended, [`AppError::NotFound`] when there is no such job.
pub async fn cancel(services: &Services, actor: &Actor, id: JobId) -> Result<(), AppError> {
    let (now, actor) = (services.clock.now(), actor.clone());
    let reason = format!("Called off by {}.", actor.name());
    let cancelled = services
        .db
        .write(move |c| {
            if queue::cancel(c, id, &reason, now)? {
                audit::record(c, &actor, Entry::new(Action::JobCancelled, id), now)?;
                return Ok(Some(true));
            }
            Ok(jobs::find(c, id)?.map(|_| false))
        })
        .await?;
    match cancelled {
        Some(true) => Ok(()),
        Some(false) => Err(AppError::Conflict {
            code: "job-ended",
            detail: "This job has ended: there is nothing to call off.".to_owned(),
        }),
        None => Err(AppError::NotFound),
    }
}

/// A job as programs read it.
pub fn to_json(job: &Job) -> Value {
    json!({
        "id": job.id,
        "kind": job.kind,
        "state": job.state.as_str(),
        "attempts": job.attempts,
        "max_attempts": job.max_attempts,
        "progress": job.progress,
        "priority": job.priority,
        "run_at": job.run_at.rfc3339(),
        "created_at": job.created_at.rfc3339(),
        "started_at": job.started_at.map(|at| at.rfc3339()),
        "finished_at": job.finished_at.map(|at| at.rfc3339()),
        "reason": job.reason,
        "document_id": job.document_id,
        "worker": job.worker,
    })
}
