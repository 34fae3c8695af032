//! Removing files at Filestack: tried at once, and by a job until Filestack has said that they are gone.
//!
//! What is to go is written down in a table of its own, which says of a file whether it is still to go; jobs come and go.

use std::time::Duration;

use serde_json::json;

use crate::clock::UtcTime;
use crate::db::models::file_removals::{self, FileRemoval};
use crate::db::{DbConn, DbError};
use crate::error::AppError;
use crate::failpoints;
use crate::filestack::{FilestackError, Handle, Purpose};
use crate::queue::{self, Kind, NewJob};
use crate::services::audit::{Action, Actor, Entry};
use crate::services::processing::Outcome;
use crate::services::{Services, audit, upstream};

/// The first try by a job comes so long after one that failed.
const AGAIN: Duration = Duration::from_secs(30);
/// A removal whose job died is given another after so long: Filestack refused it, and somebody may have put that right.
const LOOKED_AFTER: Duration = Duration::from_secs(24 * 3_600);
/// A removal that was just written is being tried by whoever wrote it.
const HEAD_START: Duration = Duration::from_secs(60);
/// How long a policy to remove one file lives.
const GRANT: Duration = Duration::from_secs(60);
/// Removals looked after in one transaction.
const ROUND: i64 = 50;

/// Writes down that a file is to go, in the transaction that lets go of it.
pub fn enter(c: &mut DbConn, handle: &str, reason: &str, now: UtcTime) -> Result<(), DbError> {
    let removal = FileRemoval {
        handle: handle.to_owned(),
        reason: reason.to_owned(),
        attempts: 0,
        next_try_at: now.plus(HEAD_START),
        created_at: now,
    };
    file_removals::insert(c, removal)
}

/// The same for a file that may have been let go before.
pub fn enter_once(c: &mut DbConn, handle: &str, reason: &str, now: UtcTime) -> Result<(), DbError> {
    if is_entered(c, handle)? {
        return Ok(());
    }
    enter(c, handle, reason, now)
}

/// The same for one that nobody tries at once: a job does it next.
pub fn enter_with_job(c: &mut DbConn, handle: &str, reason: &str, now: UtcTime) -> Result<(), DbError> {
    enter_once(c, handle, reason, now)?;
    enqueue(c, handle, now, now)
}

/// Waits for whoever decides what becomes of a file, its document or its removal, and is the only one to until the transaction ends.
/// Comes before what is asked about the file and, but for a request's key, before whatever else the transaction locks.
pub fn lock_file(c: &mut DbConn, handle: &str) -> Result<(), DbError> {
    crate::db::lock_for_transaction(c, &format!("file:{handle}"))
}

/// Whether a file was let go and may still be there.
pub fn is_entered(c: &mut DbConn, handle: &str) -> Result<bool, DbError> {
    file_removals::exists(c, handle)
}

/// Tries to remove a file that was entered; `false` when Filestack could not be made to, and a job will try again.
pub async fn attempt(services: &Services, handle: &str) -> Result<bool, AppError> {
    failpoints::reach("removal.before-delete");
    let outcome = remove(services, handle).await;
    failpoints::reach("removal.after-delete");
    let now = services.clock.now();
    let done = outcome.is_ok();
    if let Err(error) = &outcome {
        log::warn!(event = "file-removal-failed"; "a file could not be removed at Filestack: {error}");
    }
    let handle = handle.to_owned();
    services
        .db
        .write(move |c| {
            if done {
                settle(c, &handle, now)
            } else {
                enqueue(c, &handle, now.plus(AGAIN), now)
            }
        })
        .await?;
    Ok(done)
}

/// Puts the jobs of removals into the queue that nobody tries any more: whoever wrote them down has died, or their job has. Gives how
/// many; there may be more.
pub async fn enqueue_due(services: &Services) -> Result<usize, AppError> {
    let now = services.clock.now();
    let count = services
        .db
        .write(move |c| {
            let due = file_removals::list_due(c, now, ROUND)?;
            for removal in &due {
                enqueue(c, &removal.handle, now, now)?;
            }
            Ok(due.len())
        })
        .await?;
    if count > 0 {
        services.bell.ring();
    }
    Ok(count)
}

/// The job that removes this file; looked after again a day later, should it die.
fn enqueue(c: &mut DbConn, handle: &str, run_at: UtcTime, now: UtcTime) -> Result<(), DbError> {
    let job = NewJob {
        payload: json!({"handle": handle}),
        unique_key: Some(format!("{}:{handle}", Kind::RemoveFile)),
        run_at: Some(run_at),
        ..NewJob::new(Kind::RemoveFile)
    };
    queue::enqueue(c, job, now)?;
    file_removals::put_off(c, handle, now.plus(LOOKED_AFTER))
}

/// Does the job of a removal: a file that is gone is gone, so that a second time does no harm.
pub async fn run(services: &Services, handle: String) -> Result<Outcome, AppError> {
    let known = handle.clone();
    if !services.db.run(move |c| is_entered(c, &known)).await? {
        return Ok(Outcome::done("The file was removed already."));
    }
    remove(services, &handle).await.map_err(upstream)?;
    let now = services.clock.now();
    Ok(Outcome::with("The file is removed at Filestack.", move |c| {
        settle(c, &handle, now)
    }))
}

/// Strikes out a removal that is done: whoever is first writes it into the trail.
fn settle(c: &mut DbConn, handle: &str, now: UtcTime) -> Result<(), DbError> {
    let Some(reason) = file_removals::take(c, handle)? else {
        return Ok(());
    };
    let entry = Entry::new(Action::FileRemoved, handle).because(&reason);
    audit::record(c, &Actor::server(), entry, now)
}

/// A file that is not there counts as removed.
async fn remove(services: &Services, handle: &str) -> Result<(), FilestackError> {
    let handle = Handle::new(handle)?;
    let grant = services.filestack.grant(
        Purpose::Remove { handle: &handle },
        services.clock.now().system(),
        GRANT,
    );
    match services.filestack.delete(&handle, grant).await {
        Ok(()) | Err(FilestackError::NotFound) => Ok(()),
        Err(error) => Err(error),
    }
}
