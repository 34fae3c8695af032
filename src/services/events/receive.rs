//! Recording deliveries: many that come together share one transaction, and none is answered before it is committed.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::sync::oneshot;

use super::enqueue;
use super::message::Message;
use crate::clock::UtcTime;
use crate::crypto::{self, hex};
use crate::db::models::events::deliveries::{self, Delivery, NewRejection};
use crate::db::models::events::{self, Event, EventState};
use crate::db::{DbConn, DbError};
use crate::error::AppError;
use crate::failpoints;
use crate::ids::EventId;
use crate::services::Services;

/// Deliveries in one transaction. More would hold up the other writers of SQLite.
const BATCH: usize = 64;
/// Transactions that are brought to the database at once: it has the next at hand when it is done with one.
const WRITERS: usize = 2;
/// Deliveries that may wait for their turn; further ones are told to come again.
const MOST_WAITING: usize = 4_096;
/// Rows kept of deliveries of one event; further ones are only counted.
const DELIVERIES_KEPT: i32 = 100;

/// A delivery whose signature is right and whose body is JSON.
#[derive(Clone, Debug)]
pub struct NewDelivery {
    /// The body as it came.
    pub body: Bytes,
    /// What it says, if it has a form that we know.
    pub message: Option<Message>,
    /// Its headers: a JSON list of names and values.
    pub headers: String,
    /// When it was signed.
    pub signed_at: UtcTime,
    /// Whether that was longer ago than is usual.
    pub late: bool,
    /// Whether an administrator made it.
    pub sample: bool,
    /// How long it took to arrive and be checked.
    pub took_micros: i64,
}

/// What a delivery was recorded as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// An event that was not there before.
    New(EventId),
    /// Another delivery of this event.
    Again(EventId),
    /// An event with the number of an earlier one and another body.
    Conflict(EventId),
}

impl Recorded {
    /// The event's id.
    pub fn id(self) -> EventId {
        match self {
            Recorded::New(id) | Recorded::Again(id) | Recorded::Conflict(id) => id,
        }
    }
}

/// Deliveries on their way into the database, each as the event that it would be if it is the first of it.
#[derive(Clone, Default)]
pub struct Intake(Arc<Mutex<Waiting>>);

#[derive(Default)]
struct Waiting {
    deliveries: Vec<(Event, Answer)>,
    /// Who takes them out and writes them.
    writers: usize,
}

type Answer = oneshot::Sender<Result<Recorded, AppError>>;

impl Intake {
    fn lock(&self) -> std::sync::MutexGuard<'_, Waiting> {
        // Nothing panics while it is held, and a list of deliveries is never half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a delivery; `true` when the caller has to start one more writer.
    fn push(&self, delivery: Event, answer: Answer) -> Result<bool, AppError> {
        let mut waiting = self.lock();
        if waiting.deliveries.len() >= MOST_WAITING {
            return Err(AppError::Unavailable {
                code: "webhooks-busy",
                detail: "More webhooks arrive than can be recorded. Send this one again later.".to_owned(),
                retry_after: std::time::Duration::from_secs(10),
            });
        }
        waiting.deliveries.push((delivery, answer));
        let starts = waiting.writers < WRITERS;
        waiting.writers += usize::from(starts);
        Ok(starts)
    }

    /// The next ones to write; none, and the writer has ended.
    fn next(&self) -> Vec<(Event, Answer)> {
        let mut waiting = self.lock();
        let count = waiting.deliveries.len().min(BATCH);
        waiting.writers -= usize::from(count == 0);
        waiting.deliveries.drain(..count).collect()
    }
}

/// Records a delivery, and the job that applies its event if it is new; answers once that is committed.
///
/// # Errors
///
/// [`AppError::Unavailable`] when the database is: Filestack sends it again.
pub async fn record(services: &Services, delivery: NewDelivery) -> Result<Recorded, AppError> {
    let (answer, answered) = oneshot::channel();
    // Made here and not by the writer, for whom everybody waits.
    let event = event_of(delivery, services.clock.now());
    if services.intake.push(event, answer)? {
        // Not part of this request: it may be dropped, and others wait for the same transaction.
        let services = services.clone();
        tokio::spawn(async move {
            loop {
                let batch = services.intake.next();
                if batch.is_empty() {
                    return;
                }
                write(&services, batch).await;
            }
        });
    }
    answered
        .await
        .map_err(|_| AppError::Internal("the recording of a webhook broke off".to_owned()))?
}

async fn write(services: &Services, batch: Vec<(Event, Answer)>) {
    let (events, answers): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
    let events: Arc<[Event]> = events.into();
    match write_together(services, Arc::clone(&events)).await {
        Ok(recorded) => {
            for (answer, recorded) in answers.into_iter().zip(recorded) {
                // Whoever asked may have gone.
                let _ = answer.send(Ok(recorded));
            }
        }
        Err(error) if events.len() == 1 => {
            if let Some(answer) = answers.into_iter().next() {
                let _ = answer.send(Err(error.into()));
            }
        }
        Err(_) => {
            // One of them may be at fault: the others must not suffer for it.
            for (event, answer) in events.iter().zip(answers) {
                let alone = write_together(services, [event.clone()].into()).await;
                let recorded = alone.map(|recorded| recorded[0]).map_err(AppError::from);
                let _ = answer.send(recorded);
            }
        }
    }
}

async fn write_together(services: &Services, events: Arc<[Event]>) -> Result<Vec<Recorded>, DbError> {
    let now = services.clock.now();
    failpoints::reach("webhook.before-record");
    let recorded = services.db.write(move |c| record_all(c, &events, now)).await?;
    failpoints::reach("webhook.after-record");
    services.bell.ring();
    Ok(recorded)
}

/// Records deliveries in the caller's transaction, in their order. Ring the bell once that is committed.
pub(super) fn record_all(c: &mut DbConn, made: &[Event], now: UtcTime) -> Result<Vec<Recorded>, DbError> {
    // By key, as everybody does: two transactions with the same events would otherwise wait for each other.
    let mut by_key: Vec<usize> = (0..made.len()).collect();
    by_key.sort_by_key(|index| (&made[*index].dedupe_key, *index));
    let mut new: Vec<&Event> = by_key.iter().map(|index| &made[*index]).collect();
    // The first of each key; the others are looked at once those are there.
    new.dedup_by(|later, first| later.dedupe_key == first.dedupe_key);
    let added: HashSet<EventId> = events::insert_new(c, &new)?.into_iter().collect();

    let mut rows = Vec::new();
    let mut to_apply = Vec::new();
    let mut recorded = vec![None; made.len()];
    for (index, event) in made.iter().enumerate() {
        if added.contains(&event.id) {
            recorded[index] = Some(Recorded::New(event.id));
            if event.state == EventState::Received {
                to_apply.push(event.id);
            }
        }
    }
    by_key.retain(|index| recorded[*index].is_none());
    for index in by_key {
        recorded[index] = Some(record_again(c, &made[index], &mut rows, now)?);
    }
    for part in rows.chunks(BATCH) {
        deliveries::insert(c, part)?;
    }
    enqueue(c, &to_apply, now)?;
    failpoints::reach("webhook.in-record");
    recorded
        .into_iter()
        .collect::<Option<Vec<_>>>()
        .ok_or_else(|| DbError::Query("a delivery was not recorded".to_owned()))
}

/// A delivery whose key is taken: the same event again, or another one with its number (W6).
fn record_again(
    c: &mut DbConn,
    delivery: &Event,
    rows: &mut Vec<Delivery>,
    now: UtcTime,
) -> Result<Recorded, DbError> {
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
            return Ok(Recorded::Conflict(event.id));
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
    Ok(if conflicts {
        Recorded::Conflict(id)
    } else {
        Recorded::Again(id)
    })
}

/// The event of a delivery that is the first of it.
pub(super) fn event_of(delivery: NewDelivery, now: UtcTime) -> Event {
    use sha2::Digest as _;
    let digest = hex(&sha2::Sha256::digest(&delivery.body));
    let message = delivery.message;
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
        _ if delivery.sample => format!("sample:{}", crypto::new_token()),
        Some(message) => message.dedupe_key(&digest),
        None => format!("body:{digest}"),
    };
    Event {
        id: EventId::new(now),
        dedupe_key: key,
        filestack_id: message.as_ref().and_then(|message| message.number),
        path: message.as_ref().and_then(Message::parking_place),
        handle: message
            .as_ref()
            .and_then(|message| message.handle.as_ref())
            .map(|handle| handle.as_str().to_owned()),
        action: message.map(|message| message.action).unwrap_or_default(),
        body: delivery.body.into(),
        digest,
        state,
        reason: reason.map(str::to_owned),
        document_id: None,
        late: delivery.late,
        sample: delivery.sample,
        signed_at: delivery.signed_at,
        received_at: now,
        settled_at: (state != EventState::Received).then_some(now),
        deliveries: 1,
        attempts: 0,
        headers: delivery.headers,
        took_micros: delivery.took_micros,
    }
}

/// Keeps a refused delivery, so that somebody can find out why it was.
pub async fn keep_rejection(services: &Services, rejection: NewRejection) -> Result<(), AppError> {
    services
        .db
        .write(move |c| deliveries::insert_rejection(c, &rejection))
        .await?;
    Ok(())
}
