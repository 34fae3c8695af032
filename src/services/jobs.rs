//! Jobs as people steer them: listed, shown, tried again, called off.

use serde_json::{Value, json};

use crate::db::models::jobs::{self, Job, listing};
use crate::error::AppError;
use crate::ids::{DocumentId, JobId};
use crate::queue::{self, Revival};
use crate::services::audit::{Action, Actor, Entry};
use crate::services::{Services, audit};

pub use listing::{ListQuery, Part, Place};

/// Jobs of one document that are shown: a chain has about ten, and may have been asked for a few times.
const OF_DOCUMENT: i64 = 100;

/// A part of a list.
#[derive(Debug)]
pub struct JobPage {
    /// The rows, the newest first.
    pub jobs: Vec<Job>,
    /// Whether there are newer ones.
    pub has_previous: bool,
    /// Whether there are older ones.
    pub has_next: bool,
}

/// Lists jobs, the newest first.
pub async fn list(services: &Services, mut query: ListQuery) -> Result<JobPage, AppError> {
    let limit = query.limit;
    query.limit += 1;
    let part = query.part;
    let mut jobs = services.db.run(move |c| listing::list(c, &query)).await?;
    let more = jobs.len() as i64 > limit;
    let (has_previous, has_next) = match part {
        Part::First => (false, more),
        Part::After(_) => (true, more),
        Part::Before(_) => (more, true),
    };
    if more {
        match part {
            Part::Before(_) => drop(jobs.remove(0)),
            _ => drop(jobs.pop()),
        }
    }
    Ok(JobPage {
        jobs,
        has_previous,
        has_next,
    })
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
