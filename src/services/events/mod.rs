//! Webhooks from Filestack: stored first, answered second, applied once.
//!
//! [`receive`] records deliveries together with the job that enters them in the [`ledger`], which knows an event again; [`apply`] does
//! what an event says, in one transaction with the event's own step; an action is a file. Every action is written so that order and number do not matter: it compares what is with what
//! should be, and an event about a file that nobody knows yet is parked until somebody does. [`inbox`] is what administrators see and
//! do, [`samples`] are events of our own making.

mod action;
mod apply;
mod converse;
mod delete;
pub mod inbox;
pub mod ledger;
pub mod message;
mod overwrite;
pub mod receive;
pub mod samples;
mod upload;
mod video;
mod workflow;

use std::time::Duration;

use serde_json::json;

use crate::clock::UtcTime;
use crate::db::models::events::{self, EventState, Settlement};
use crate::db::{DbConn, DbError};
use crate::error::AppError;
use crate::ids::EventId;
use crate::queue::{self, Kind, NewJob};
use crate::services::Services;

pub use apply::{Preview, apply, preview};
pub use receive::{NewDelivery, record};

/// How long an event waits for its document. An upload takes hours at most, and gives signs of life.
pub const PARKED_FOR: Duration = Duration::from_secs(24 * 3_600);
/// How long events are kept: longer than Filestack tries to deliver one, so that a late delivery is known again (W4).
pub const KEPT_FOR: Duration = Duration::from_secs(30 * 24 * 3_600);
/// An event that is still to be applied after so long has lost its job.
const OVERDUE: Duration = Duration::from_secs(900);
/// Events in one job, and in one round of the sweep.
const AT_ONCE: usize = 64;

/// Puts the job that applies these events into the queue, in the caller's transaction. Ring the bell once that is committed.
pub fn enqueue(c: &mut DbConn, events: &[EventId], now: UtcTime) -> Result<(), DbError> {
    for part in events.chunks(AT_ONCE) {
        let job = NewJob {
            payload: json!({"events": part}),
            ..NewJob::new(Kind::ApplyEvents)
        };
        queue::enqueue(c, job, now)?;
    }
    Ok(())
}

/// Lets events that were parked for this file, or at this place, be applied: in the transaction that makes either known.
pub fn unpark(
    c: &mut DbConn,
    handle: Option<&str>,
    place: Option<&str>,
    now: UtcTime,
) -> Result<(), DbError> {
    let parked = events::list_parked(c, handle, place)?;
    reopen(c, &parked, now).map(|_| ())
}

/// Where an event waits that names no file but the key of a result.
pub fn parking_place(kind: &str, key: &str) -> String {
    format!("{kind}/{key}")
}

/// Sends events back to be applied anew; gives how many could be.
fn reopen(c: &mut DbConn, ids: &[EventId], now: UtcTime) -> Result<usize, DbError> {
    let mut open = Vec::new();
    for id in ids {
        if events::reopen(c, *id)? {
            open.push(*id);
        }
    }
    enqueue(c, &open, now)?;
    Ok(open.len())
}

/// Applies the events of one job. All are tried; the first failure that may pass is the job's.
pub async fn apply_all(services: &Services, ids: &[EventId]) -> Result<(), AppError> {
    let mut failed = None;
    for id in ids {
        if let Err(error) = apply(services, *id).await {
            failed.get_or_insert(error);
        }
    }
    failed.map_or(Ok(()), Err)
}

/// One round of tidying up: batches that have lost their job are entered, events that have get another, parked ones meet their document
/// after all or are given up, old ones are forgotten.
pub async fn sweep(services: &Services) -> Result<(), AppError> {
    // Somebody may have called their job off, or it has failed for good.
    ledger::enter_waiting(services).await?;
    let now = services.clock.now();
    let limit = AT_ONCE as i64;
    services
        .db
        .write(move |c| {
            let overdue = events::list_since(c, EventState::Received, now.minus(OVERDUE), limit)?;
            if !overdue.is_empty() {
                // Their job may only be late: then this one finds nothing to do.
                let job = NewJob {
                    payload: json!({"events": overdue}),
                    unique_key: Some("apply-events:overdue".to_owned()),
                    ..NewJob::new(Kind::ApplyEvents)
                };
                queue::enqueue(c, job, now)?;
            }
            let missed = events::list_missed(c, limit)?;
            reopen(c, &missed, now)?;
            for id in events::list_since(c, EventState::Parked, now.minus(PARKED_FOR), limit)? {
                let given_up = Settlement {
                    state: EventState::Ignored,
                    reason: "No document came to have this file within a day.".to_owned(),
                    document: None,
                };
                events::settle(c, id, EventState::Parked, &given_up, now)?;
            }
            events::delete_older(c, now.minus(KEPT_FOR), 1_000).map(|_| ())
        })
        .await?;
    services.bell.ring();
    Ok(())
}
