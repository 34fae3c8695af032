//! Tidying up what no request will: uploads that nobody finished, what was long enough in the trash, files that are to go, sessions that
//! have ended.

use std::time::Duration;

use crate::db::models::uploads::{self, UploadState};
use crate::db::models::{idempotency_keys, jobs, password_links, search, sessions, sign_in_attempts};
use crate::error::AppError;
use crate::services::{Services, events, idempotency, quotas, reconcile, removals, statistics, trash};

/// An upload without a sign of life for this long has no process behind it any more: each gives one every twenty seconds, however slow
/// it is.
pub const GRACE: Duration = Duration::from_secs(300);
/// Tries at signing in are forgotten after a day.
const ATTEMPTS_KEPT: Duration = Duration::from_secs(24 * 3_600);
/// Jobs that are done or were called off are kept for so long, to be looked at.
const JOBS_KEPT: Duration = Duration::from_secs(7 * 24 * 3_600);
/// Dead ones wait longer for somebody to try them again.
const DEAD_JOBS_KEPT: Duration = Duration::from_secs(90 * 24 * 3_600);
/// Jobs forgotten in one round: more than a server does in a minute.
const JOBS_FORGOTTEN: i64 = 10_000;
/// Between two rounds.
const PAUSE: Duration = Duration::from_secs(60);
/// Uploads settled in one round.
const ROUND: i64 = 200;

/// Sweeps again and again until the services are stopped.
pub async fn run(services: Services) {
    loop {
        if let Err(error) = round(&services).await {
            log::warn!(event = "sweep-failed"; "the sweep could not finish: {error}");
        }
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            () = services.stopped() => return,
        }
    }
}

/// One round of a server: it also sees to it that rows and files are compared now and then.
async fn round(services: &Services) -> Result<(), AppError> {
    once(services).await?;
    reconcile::schedule(services).await
}

/// One round.
pub async fn once(services: &Services) -> Result<(), AppError> {
    settle_uploads(services).await?;
    while index_old(services).await? > 0 {}
    trash::purge_due(services).await?;
    // All that are due: each is put off by that, so this ends.
    while removals::enqueue_due(services).await? > 0 {}
    events::sweep(services).await?;
    statistics::gather(services).await?;
    let now = services.clock.now();
    services
        .db
        .write(move |c| {
            sessions::delete_expired(c, now)?;
            password_links::delete_expired(c, now)?;
            idempotency_keys::delete_older(c, now.minus(idempotency::KEPT))?;
            jobs::delete_ended(c, false, now.minus(JOBS_KEPT), JOBS_FORGOTTEN)?;
            jobs::delete_ended(c, true, now.minus(DEAD_JOBS_KEPT), JOBS_FORGOTTEN)?;
            sign_in_attempts::delete_older(c, now.minus(ATTEMPTS_KEPT))
        })
        .await?;
    Ok(())
}

/// Enters documents from before the index had tags, types and states with all of their words; says how many that were.
async fn index_old(services: &Services) -> Result<usize, AppError> {
    if services.db.run(|c| search::list_to_index(c, 1)).await?.is_empty() {
        return Ok(0);
    }
    let entered = services.db.write(|c| {
        let ids = search::list_to_index(c, ROUND)?;
        for id in &ids {
            search::refresh(c, *id)?;
        }
        Ok(ids.len())
    });
    Ok(entered.await?)
}

/// An intent that never ended is abandoned; a file it is known to have left at Filestack goes too (S11).
async fn settle_uploads(services: &Services) -> Result<(), AppError> {
    let now = services.clock.now();
    let before = now.minus(GRACE);
    let unsettled = services
        .db
        .run(move |c| uploads::list_unsettled(c, before, ROUND))
        .await?;
    for upload in unsettled {
        let id = upload.id;
        let abandoned = services.db.write(move |c| {
            if !uploads::abandon(c, id, before, now)? {
                return Ok(false);
            }
            if let (UploadState::Stored, Some(handle)) = (upload.state, &upload.handle) {
                removals::enter_once(c, handle, "upload-abandoned", now)?;
            }
            quotas::release(c, id)?;
            Ok(true)
        });
        if abandoned.await? {
            log::info!(event = "upload-abandoned", upload = id.as_str(); "an unfinished upload was abandoned");
        }
    }
    Ok(())
}
