//! Removing files at Filestack: tried at once, and again until Filestack has said that they are gone.

use std::time::Duration;

use crate::clock::UtcTime;
use crate::db::models::file_removals::{self, FileRemoval};
use crate::db::{DbConn, DbError};
use crate::error::AppError;
use crate::failpoints;
use crate::filestack::{FilestackError, Handle, Purpose};
use crate::services::Services;

/// The longest time between two tries.
const LONGEST_WAIT: Duration = Duration::from_secs(6 * 3_600);
/// A removal that was just written is being tried by whoever wrote it.
const HEAD_START: Duration = Duration::from_secs(60);
/// How long a policy to remove one file lives.
const GRANT: Duration = Duration::from_secs(60);
/// Removals tried in one round.
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

/// Whether a file was let go and may still be there.
pub fn is_entered(c: &mut DbConn, handle: &str) -> Result<bool, DbError> {
    file_removals::exists(c, handle)
}

/// Tries to remove a file that was entered; `false` when Filestack could not be made to, and it will be tried again.
pub async fn attempt(services: &Services, handle: &str, attempts: i32) -> Result<bool, AppError> {
    failpoints::reach("removal.before-delete");
    let outcome = remove(services, handle).await;
    failpoints::reach("removal.after-delete");
    let now = services.clock.now();
    let done = outcome.is_ok();
    if let Err(error) = &outcome {
        log::warn!(event = "file-removal-failed", attempts; "a file could not be removed at Filestack: {error}");
    }
    let handle = handle.to_owned();
    services
        .db
        .write(move |c| {
            if done {
                file_removals::delete(c, &handle)
            } else {
                let wait = Duration::from_secs(30 << attempts.clamp(0, 12)).min(LONGEST_WAIT);
                file_removals::put_off(c, &handle, now.plus(wait))
            }
        })
        .await?;
    Ok(done)
}

/// Tries what is due; gives how many files are gone now.
pub async fn attempt_due(services: &Services) -> Result<usize, AppError> {
    let now = services.clock.now();
    let due = services
        .db
        .run(move |c| file_removals::list_due(c, now, ROUND))
        .await?;
    let mut gone = 0;
    for removal in due {
        gone += usize::from(attempt(services, &removal.handle, removal.attempts).await?);
    }
    Ok(gone)
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
