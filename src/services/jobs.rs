//! Jobs as people steer them: listed, shown, tried again, called off.

use serde_json::{Value, json};

use crate::db::keyset::{Part, Slice};
use crate::db::models::jobs::{self, Job, listing};
use crate::error::AppError;
use crate::ids::{DocumentId, JobId};
use crate::queue::{self, Revival};
use crate::services::audit::{Action, Actor, Entry};
use crate::services::{Services, audit};

pub use listing::{JobFilter, Place};

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
