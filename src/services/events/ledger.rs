//! The ledger: what was delivered becomes events, once each.
//!
//! A delivery is answered when its batch is committed, with the job that enters it here; then it is known whether its event was there
//! before. Nothing else needs to have happened before the answer, and it is most of the work.

use std::borrow::Cow;
use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::message::Message;
use super::{AT_ONCE, enqueue};
use crate::clock::UtcTime;
use crate::crypto::{self, hex};
use crate::db::models::events::deliveries::{self, Delivery};
use crate::db::models::events::{self, Event, EventState, batches};
use crate::db::{DbConn, DbError};
use crate::error::AppError;
use crate::failpoints;
use crate::ids::{BatchId, EventId};
use crate::services::Services;

/// Rows kept of deliveries of one event; further ones are only counted.
const DELIVERIES_KEPT: i32 = 100;
/// Batches that somebody who looks at the ledger enters first: what workers have left lying, not what a flood brings.
const ENTERED_ON_SIGHT: i64 = 32;

/// A delivery as it is kept in its batch.
#[derive(Serialize, Deserialize)]
pub(super) struct Delivered<'a> {
    /// Its event's id, should it be the first of it.
    pub(super) id: Cow<'a, str>,
    /// When it came, in microseconds.
    pub(super) received_at: i64,
    /// When it was signed, in microseconds.
    pub(super) signed_at: i64,
    /// Whether that was longer ago than is usual.
    pub(super) late: bool,
    /// How long it took to arrive and be checked.
    pub(super) took_micros: i64,
    /// Its headers: a JSON list of names and values.
    pub(super) headers: Cow<'a, str>,
    /// The body as it came.
    pub(super) body: Cow<'a, str>,
}

/// Enters the deliveries of a batch, in the caller's transaction; gives how many, none when somebody else has.
pub fn enter_batch(c: &mut DbConn, id: BatchId, now: UtcTime) -> Result<usize, DbError> {
    let Some(text) = batches::take(c, id)? else {
        return Ok(0);
    };
    let unreadable = |_| DbError::Query(format!("batch {id} of webhooks cannot be read"));
    let delivered: Vec<Delivered<'_>> = serde_json::from_str(&text).map_err(unreadable)?;
    let events: Option<Vec<Event>> = delivered
        .into_iter()
        .map(|delivery| event_of(delivery, false))
        .collect();
    let events = events.ok_or_else(|| DbError::Query(format!("batch {id} of webhooks names no event")))?;
    enter(c, &events, now)?;
    failpoints::reach("webhook.in-enter");
    Ok(events.len())
}

/// Enters batches that no worker has entered yet, so that whoever looks sees what was delivered; gives how many that were. One that
/// cannot be entered is its job's matter, which says why, and hides no other.
pub async fn enter_waiting(services: &Services) -> Result<usize, AppError> {
    let waiting = services.db.run(|c| batches::list(c, ENTERED_ON_SIGHT)).await?;
    let now = services.clock.now();
    let mut count = 0;
    for id in waiting {
        match services.db.write(move |c| enter_batch(c, id, now)).await {
            Ok(_) => count += 1,
            Err(error) => {
                log::warn!(event = "batch-not-entered", batch = id.as_str(); "webhooks could not be entered: {error}");
            }
        }
    }
    if count > 0 {
        services.bell.ring();
    }
    Ok(count)
}

/// Enters deliveries, each as the event that it is if it is the first of it. Ring the bell once that is committed.
pub(super) fn enter(c: &mut DbConn, made: &[Event], now: UtcTime) -> Result<(), DbError> {
    // By key, as everybody does: two transactions with the same events would otherwise wait for each other.
    let mut by_key: Vec<usize> = (0..made.len()).collect();
    by_key.sort_by_key(|index| (&made[*index].dedupe_key, *index));
    let mut new: Vec<&Event> = by_key.iter().map(|index| &made[*index]).collect();
    // The first of each key; the others are looked at once those are there.
    new.dedup_by(|later, first| later.dedupe_key == first.dedupe_key);
    let added: HashSet<EventId> = events::insert_new(c, &new)?.into_iter().collect();

    let mut rows = Vec::new();
    let to_apply: Vec<EventId> = made
        .iter()
        .filter(|event| added.contains(&event.id) && event.state == EventState::Received)
        .map(|event| event.id)
        .collect();
    by_key.retain(|index| !added.contains(&made[*index].id));
    for index in by_key {
        enter_again(c, &made[index], &mut rows, now)?;
    }
    for part in rows.chunks(AT_ONCE) {
        deliveries::insert(c, part)?;
    }
    enqueue(c, &to_apply, now)
}

/// A delivery whose key is taken: the same event again, or another one with its number (W6).
fn enter_again(
    c: &mut DbConn,
    delivery: &Event,
    rows: &mut Vec<Delivery>,
    now: UtcTime,
) -> Result<(), DbError> {
    let (mut id, digest) = events::find_by_key(c, &delivery.dedupe_key)?.ok_or(DbError::Conflict)?;
    let conflicts = digest != delivery.digest;
    if conflicts {
        let event = Event {
            dedupe_key: format!("{}#{}", delivery.dedupe_key, delivery.digest),
            state: EventState::Conflict,
            settled_at: Some(now),
            reason: Some(
                "Another event with this number and another body came first. This one is kept and changes nothing."
                    .to_owned(),
            ),
            ..delivery.clone()
        };
        if events::insert_new(c, &[&event])?.contains(&event.id) {
            log::warn!(event = "webhook-conflict", id = event.id.as_str(); "two events with one number and different bodies");
            return Ok(());
        }
        id = events::find_by_key(c, &event.dedupe_key)?
            .ok_or(DbError::Conflict)?
            .0;
    }
    let number = events::count_delivery(c, id)?;
    if number <= DELIVERIES_KEPT {
        rows.push(Delivery {
            event_id: id,
            number,
            received_at: delivery.received_at,
            signed_at: delivery.signed_at,
            headers: delivery.headers.clone(),
            verdict: if conflicts { "conflict" } else { "duplicate" }.to_owned(),
            took_micros: delivery.took_micros,
        });
    }
    Ok(())
}

/// The event of a delivery that is the first of it; `None` when its id is none.
pub(super) fn event_of(delivery: Delivered<'_>, sample: bool) -> Option<Event> {
    use sha2::Digest as _;
    let received_at = UtcTime::from_micros(delivery.received_at);
    let digest = hex(&sha2::Sha256::digest(delivery.body.as_bytes()));
    let message = serde_json::from_str(&delivery.body).ok().and_then(Message::read);
    let (state, reason) = match &message {
        None => (
            EventState::Unreadable,
            Some("This is no event that we know the form of."),
        ),
        Some(message) if !message.is_known() => (
            EventState::Ignored,
            Some("Nothing is done about events with this action."),
        ),
        Some(_) => (EventState::Received, None),
    };
    let key = match &message {
        // Samples must neither hide a real event nor be hidden by one.
        _ if sample => format!("sample:{}", crypto::new_token()),
        Some(message) => message.dedupe_key(&digest),
        None => format!("body:{digest}"),
    };
    Some(Event {
        id: delivery.id.parse().ok()?,
        dedupe_key: key,
        filestack_id: message.as_ref().and_then(|message| message.number),
        path: message.as_ref().and_then(Message::parking_place),
        handle: message
            .as_ref()
            .and_then(|message| message.handle.as_ref())
            .map(|handle| handle.as_str().to_owned()),
        action: message.map(|message| message.action).unwrap_or_default(),
        body: delivery.body.into_owned().into_bytes(),
        digest,
        state,
        reason: reason.map(str::to_owned),
        document_id: None,
        late: delivery.late,
        sample,
        signed_at: UtcTime::from_micros(delivery.signed_at),
        received_at,
        settled_at: (state != EventState::Received).then_some(received_at),
        deliveries: 1,
        attempts: 0,
        headers: delivery.headers.into_owned(),
        took_micros: delivery.took_micros,
    })
}
