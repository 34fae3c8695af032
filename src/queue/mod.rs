//! The queue: background work as rows, put in by whoever makes it necessary and taken out by workers.
//!
//! May use `db`. [`enqueue`] works inside the caller's transaction: the job is there if and only if what it is about is. A worker
//! [`claim`]s one job at a time for a lease, which [`heartbeat`] makes longer; every step after that is fenced (R5): whoever has
//! slept past its lease, or whose job was cancelled, changes nothing and is told so by `false`. What a job changes in the database
//! goes into the transaction that ends it, [`finish_with`]. [`Bell`] wakes the workers of this process; those of others look by
//! themselves once a second.

mod backoff;
mod bell;
mod breaker;
mod kind;
mod progress;

use std::time::Duration;

use serde_json::Value;

use crate::clock::UtcTime;
use crate::db::models::jobs::{self, Hold, Job, JobState};
use crate::db::{DbConn, DbError};
use crate::ids::{DocumentId, JobId};

pub use backoff::backoff;
pub use bell::{Bell, Ear};
pub use breaker::{Breaker, Gate, Opened};
pub use kind::{Kind, Priority, Traits};
pub use progress::Progress;

/// How long a claim holds without a sign of life.
pub const LEASE: Duration = Duration::from_secs(60);
/// Jobs taken back from the dead in one go.
const RECLAIMED_AT_ONCE: i64 = 100;
/// Tries at adding a job whose unique key was another's a moment ago.
const TRIES: usize = 3;
/// Longer reasons are cut: they may come from other hosts.
const LONGEST_REASON: usize = 500;

/// A job to be.
#[derive(Clone, Debug)]
pub struct NewJob {
    /// What is to be done.
    pub kind: Kind,
    /// With what: as the kind's file under `jobs/` reads it.
    pub payload: Value,
    /// The document it is about.
    pub document: Option<DocumentId>,
    /// While a job with this key waits or runs, no other is added.
    pub unique_key: Option<String>,
    /// What is done first.
    pub priority: Priority,
    /// Not before then; at once if that is past or none.
    pub run_at: Option<UtcTime>,
    /// Attempts before it is dead; the kind's own number if none.
    pub max_attempts: Option<i32>,
}

impl NewJob {
    /// A job of this kind: at once, of normal priority, with nothing to say.
    pub fn new(kind: Kind) -> Self {
        NewJob {
            kind,
            payload: Value::Null,
            document: None,
            unique_key: None,
            priority: Priority::Normal,
            run_at: None,
            max_attempts: None,
        }
    }

    /// A job about a document, of which one at a time is enough.
    pub fn about(kind: Kind, document: DocumentId) -> Self {
        NewJob {
            document: Some(document),
            unique_key: Some(format!("{kind}:{document}")),
            ..NewJob::new(kind)
        }
    }

    /// The row that it becomes, which whoever makes one statement of it and of what makes it necessary adds without [`enqueue`].
    pub fn into_row(self, now: UtcTime) -> Job {
        Job {
            id: JobId::new(now),
            kind: self.kind.as_str().to_owned(),
            state: JobState::Waiting,
            priority: self.priority.number(),
            payload: self.payload.to_string(),
            document_id: self.document,
            unique_key: self.unique_key,
            run_at: self.run_at.unwrap_or(now),
            attempts: 0,
            max_attempts: self
                .max_attempts
                .unwrap_or(self.kind.traits().max_attempts)
                .max(1),
            progress: 0,
            reason: None,
            fence: 0,
            lease_until: None,
            worker: None,
            created_at: now,
            started_at: None,
            finished_at: None,
        }
    }
}

/// A job that is in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Enqueued {
    /// Its id.
    pub id: JobId,
    /// Whether it was added now; if not, it has the unique key and waits or runs already.
    pub is_new: bool,
}

/// Puts a job into the queue, in the caller's transaction. Ring [`Bell`] once that is committed.
pub fn enqueue(c: &mut DbConn, new: NewJob, now: UtcTime) -> Result<Enqueued, DbError> {
    let job = new.into_row(now);
    for _ in 0..TRIES {
        if jobs::insert(c, &job)? {
            return Ok(Enqueued {
                id: job.id,
                is_new: true,
            });
        }
        let Some(key) = &job.unique_key else {
            break;
        };
        if let Some(active) = jobs::find_active(c, key)? {
            return Ok(Enqueued {
                id: active.id,
                is_new: false,
            });
        }
        // On PostgreSQL the one in the way may have ended between the two questions: there is room now.
    }
    Err(DbError::Conflict)
}

/// What a worker takes.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    /// Kinds that it can do, and that are not to be left alone just now.
    pub kinds: &'a [Kind],
    /// Its name, for whoever looks at the list.
    pub worker: &'a str,
    /// How long it is trusted without a sign of life.
    pub lease: Duration,
}

/// Takes the most urgent job that is due, in a transaction of its own.
///
/// It is the first entry of an index, however many wait. Only when that one is of a kind that is not wanted, or of which enough
/// are running, each of the other kinds is asked for its own first.
pub fn claim(c: &mut DbConn, wanted: &Wanted<'_>, now: UtcTime) -> Result<Option<Job>, DbError> {
    let known = |job: &Job| {
        wanted
            .kinds
            .iter()
            .find(|kind| kind.as_str() == job.kind)
            .copied()
    };
    let mut free: Option<Vec<Kind>> = None;
    for priority in Priority::ALL {
        let Some(first) = jobs::next_due(c, None, priority.number(), now)? else {
            continue;
        };
        match known(&first) {
            Some(kind) if kind.traits().at_once.is_none() => return take(c, first, wanted, now).map(Some),
            _ => {}
        }
        if free.is_none() {
            free = Some(with_room(c, wanted.kinds)?);
        }
        let free = free.as_deref().unwrap_or_default();
        if known(&first).is_some_and(|kind| free.contains(&kind)) {
            return take(c, first, wanted, now).map(Some);
        }
        let mut best: Option<Job> = None;
        for kind in free {
            if let Some(job) = jobs::next_due(c, Some(kind.as_str()), priority.number(), now)?
                && best
                    .as_ref()
                    .is_none_or(|best| (job.run_at, job.id) < (best.run_at, best.id))
            {
                best = Some(job);
            }
        }
        if let Some(job) = best {
            return take(c, job, wanted, now).map(Some);
        }
    }
    Ok(None)
}

/// The kinds of which another may run. Those with a bound are counted under a lock that ends with the transaction, so that two
/// workers do not both take the last place.
fn with_room(c: &mut DbConn, kinds: &[Kind]) -> Result<Vec<Kind>, DbError> {
    let bounded: Vec<&str> = kinds
        .iter()
        .filter(|kind| kind.traits().at_once.is_some())
        .map(Kind::as_str)
        .collect();
    crate::db::lock_for_transaction(c, "jobs.at_once")?;
    let running = jobs::count_running(c, &bounded)?;
    let has_room = |kind: &Kind| {
        let Some(most) = kind.traits().at_once else {
            return true;
        };
        let count = running.iter().find(|(word, _)| word == kind.as_str());
        count.is_none_or(|(_, count)| *count < i64::from(most))
    };
    Ok(kinds.iter().copied().filter(has_room).collect())
}

fn take(c: &mut DbConn, mut job: Job, wanted: &Wanted<'_>, now: UtcTime) -> Result<Job, DbError> {
    let lease_until = now.plus(wanted.lease);
    if !jobs::claim(c, job.id, wanted.worker, lease_until, now)? {
        // Cannot be: the row is locked on PostgreSQL, and on SQLite nobody else writes.
        return Err(DbError::Conflict);
    }
    job.state = JobState::Running;
    job.fence += 1;
    job.attempts += 1;
    job.worker = Some(wanted.worker.to_owned());
    job.lease_until = Some(lease_until);
    job.started_at = Some(now);
    Ok(job)
}

/// Makes the lease longer, and says how far the job is in per cent; `false` when the worker has lost it and must stop.
pub fn heartbeat(
    c: &mut DbConn,
    hold: Hold,
    lease: Duration,
    progress: Option<i32>,
    now: UtcTime,
) -> Result<bool, DbError> {
    jobs::heartbeat(c, hold, now.plus(lease), progress)
}

/// Ends a job as done and does what it changes, all or nothing; `false`, with nothing done, when the worker has lost it.
pub fn finish_with(
    c: &mut DbConn,
    hold: Hold,
    result: Option<&str>,
    now: UtcTime,
    effects: impl FnOnce(&mut DbConn) -> Result<(), DbError>,
) -> Result<bool, DbError> {
    // First, so that the row is locked before anything else is touched.
    if !jobs::end(c, hold, JobState::Done, result.map(cut), now)? {
        return Ok(false);
    }
    effects(c)?;
    Ok(true)
}

/// Ends a job as done; `false` when the worker has lost it.
pub fn finish(c: &mut DbConn, hold: Hold, result: Option<&str>, now: UtcTime) -> Result<bool, DbError> {
    finish_with(c, hold, result, now, |_| Ok(()))
}

/// Why an attempt failed, as far as it decides what comes next.
#[derive(Clone, Debug)]
pub struct Failure {
    /// A sentence for whoever looks at the job.
    pub reason: String,
    /// Whether the same may succeed later.
    pub transient: bool,
    /// Not earlier than after this, if that was asked for.
    pub retry_after: Option<Duration>,
}

/// What became of a job whose attempt failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It waits for its next attempt.
    Again(UtcTime),
    /// It is dead.
    Dead,
    /// The worker had lost it.
    Lost,
}

/// Reports a failed attempt: the job waits for the next one, longer each time, or is dead.
pub fn fail(c: &mut DbConn, job: &Job, failure: &Failure, now: UtcTime) -> Result<Fate, DbError> {
    let reason = cut(&failure.reason);
    if !failure.transient || job.attempts >= job.max_attempts {
        let dead = jobs::end(c, job.hold(), JobState::Dead, Some(reason), now)?;
        return Ok(if dead { Fate::Dead } else { Fate::Lost });
    }
    let wait = backoff(job.attempts).max(failure.retry_after.unwrap_or_default());
    let run_at = now.plus(wait);
    let waits = jobs::put_back(c, job.hold(), run_at, Some(reason), true)?;
    Ok(if waits { Fate::Again(run_at) } else { Fate::Lost })
}

/// Lets a job wait until `run_at` without counting the attempt: it has not failed. `false` when the worker has lost it.
pub fn give_back(c: &mut DbConn, hold: Hold, run_at: UtcTime, reason: Option<&str>) -> Result<bool, DbError> {
    jobs::put_back(c, hold, run_at, reason.map(cut), false)
}

/// What was taken back from workers that had died.
#[derive(Debug, Default)]
pub struct Reclaimed {
    /// How many jobs.
    pub count: usize,
    /// Those among them that are dead now.
    pub dead: Vec<Job>,
}

/// Takes jobs back from workers that have not been heard of in time. The attempt counts: a job that kills its
/// workers must end.
pub fn reclaim(c: &mut DbConn, now: UtcTime) -> Result<Reclaimed, DbError> {
    let expired = jobs::list_expired(c, now, RECLAIMED_AT_ONCE)?;
    let mut reclaimed = Reclaimed {
        count: expired.len(),
        dead: Vec::new(),
    };
    for job in expired {
        let worker = job.worker.as_deref().unwrap_or("nobody");
        let failure = Failure {
            reason: format!("Its worker {worker} stopped without a word, or was cut off from the database."),
            transient: true,
            retry_after: None,
        };
        // What is left of the attempt is known: nothing. There is no reason to wait.
        if job.attempts < job.max_attempts {
            jobs::put_back(c, job.hold(), now, Some(&failure.reason), true)?;
        } else {
            fail(c, &job, &failure, now)?;
            reclaimed.dead.push(job);
        }
    }
    Ok(reclaimed)
}

/// What became of a wish to try a job again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revival {
    /// It waits and is due now.
    Waits,
    /// It runs already.
    Runs,
    /// It has succeeded: there is nothing to try again.
    Succeeded,
    /// Another job with the same unique key waits or runs.
    Replaced(JobId),
    /// There is no such job.
    Missing,
}

/// Lets a dead or cancelled job wait anew, and a waiting one run now.
pub fn retry(c: &mut DbConn, id: JobId, now: UtcTime) -> Result<Revival, DbError> {
    let Some(job) = jobs::find_for_update(c, id)? else {
        return Ok(Revival::Missing);
    };
    match job.state {
        JobState::Running => Ok(Revival::Runs),
        JobState::Done => Ok(Revival::Succeeded),
        JobState::Waiting => {
            jobs::hasten(c, id, now)?;
            Ok(Revival::Waits)
        }
        JobState::Dead | JobState::Cancelled => {
            if let Some(key) = &job.unique_key
                && let Some(other) = jobs::find_active(c, key)?
            {
                return Ok(Revival::Replaced(other.id));
            }
            jobs::revive(c, id, now)?;
            Ok(Revival::Waits)
        }
    }
}

/// Calls off a job that waits or runs; `false` when it has ended. A worker that has it loses it, and with it all that it would have
/// changed.
pub fn cancel(c: &mut DbConn, id: JobId, reason: &str, now: UtcTime) -> Result<bool, DbError> {
    jobs::cancel(c, id, cut(reason), now)
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(LONGEST_REASON)]
}

#[cfg(test)]
mod tests;
