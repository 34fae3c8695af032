//! Taking deliveries in: many that come together share one row and one transaction, and none is answered before it is committed.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use serde_json::json;
use tokio::sync::oneshot;

use super::ledger::Delivered;
use crate::clock::UtcTime;
use crate::db::DbError;
use crate::db::models::events::batches;
use crate::db::models::events::deliveries::{self, NewRejection};
use crate::error::AppError;
use crate::failpoints;
use crate::ids::{BatchId, EventId};
use crate::queue::{Kind, NewJob, Priority};
use crate::services::Services;

/// Deliveries in one batch.
const BATCH: usize = 256;
/// Bytes of a batch: beyond them it has one delivery more at most.
const BATCH_BYTES: usize = 1_024 * 1_024;
/// Deliveries that may wait for their turn; further ones are told to come again.
const MOST_WAITING: usize = 4_096;

/// A delivery whose signature is right and whose body is JSON.
#[derive(Clone, Debug)]
pub struct NewDelivery {
    /// The body as it came.
    pub body: Bytes,
    /// Its headers: a JSON list of names and values.
    pub headers: String,
    /// When it was signed.
    pub signed_at: UtcTime,
    /// Whether that was longer ago than is usual.
    pub late: bool,
    /// How long it took to arrive and be checked.
    pub took_micros: i64,
}

/// Deliveries on their way into the database, each as its batch will have it.
///
/// One batch is written at a time: it costs nearly the same whatever is in it, and who comes meanwhile makes the next one larger.
#[derive(Clone, Default)]
pub struct Intake(Arc<Mutex<Waiting>>);

#[derive(Default)]
struct Waiting {
    deliveries: Vec<(String, Answer)>,
    /// Somebody takes them out and writes them.
    writing: bool,
}

type Answer = oneshot::Sender<Result<(), DbError>>;

impl Intake {
    fn lock(&self) -> std::sync::MutexGuard<'_, Waiting> {
        // Nothing panics while it is held, and a list of deliveries is never half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a delivery; `true` when the caller has to start a writer.
    fn push(&self, delivery: String, answer: Answer) -> Result<bool, AppError> {
        let mut waiting = self.lock();
        if waiting.deliveries.len() >= MOST_WAITING {
            return Err(AppError::Unavailable {
                code: "webhooks-busy",
                detail: "More webhooks arrive than can be recorded. Send this one again later.".to_owned(),
                retry_after: std::time::Duration::from_secs(10),
            });
        }
        waiting.deliveries.push((delivery, answer));
        Ok(!std::mem::replace(&mut waiting.writing, true))
    }

    /// The next ones to write; `None`, and the writer has ended.
    fn next(&self) -> Option<Vec<(String, Answer)>> {
        let mut waiting = self.lock();
        waiting.writing = !waiting.deliveries.is_empty();
        if !waiting.writing {
            return None;
        }
        let mut bytes = 0;
        let fits = waiting.deliveries.iter().take(BATCH).take_while(|(delivery, _)| {
            let fits = bytes < BATCH_BYTES;
            bytes += delivery.len();
            fits
        });
        let count = fits.count();
        Some(waiting.deliveries.drain(..count).collect())
    }
}

/// Who writes what waits, for all who wait.
struct Writer {
    services: Services,
    has_ended: bool,
}

impl Writer {
    async fn run(mut self) {
        while let Some(batch) = self.services.intake.next() {
            write(&self.services, batch).await;
        }
        self.has_ended = true;
    }
}

impl Drop for Writer {
    /// A writer that broke down leaves nobody waiting for it: they are told that it did, and the next to come starts another.
    fn drop(&mut self) {
        if self.has_ended {
            return;
        }
        let left = {
            let mut waiting = self.services.intake.lock();
            waiting.writing = false;
            std::mem::take(&mut waiting.deliveries)
        };
        drop(left);
    }
}

/// Records a delivery, with the job that enters it in the ledger, and gives the id of the event that it is if it is the first of it;
/// answers once that is committed.
///
/// # Errors
///
/// [`AppError::Unavailable`] when the database is: Filestack sends it again.
pub async fn record(services: &Services, delivery: NewDelivery) -> Result<EventId, AppError> {
    let now = services.clock.now();
    let id = EventId::new(now);
    // Made here and not by the writer, for whom everybody waits.
    let delivered = serde_json::to_string(&Delivered {
        id: Cow::Borrowed(id.as_str()),
        received_at: now.micros(),
        signed_at: delivery.signed_at.micros(),
        late: delivery.late,
        took_micros: delivery.took_micros,
        headers: Cow::Owned(delivery.headers),
        body: String::from_utf8_lossy(&delivery.body),
    });
    let delivered = delivered.map_err(|error| AppError::Internal(format!("a webhook: {error}")))?;
    let (answer, answered) = oneshot::channel();
    if services.intake.push(delivered, answer)? {
        let writer = Writer {
            services: services.clone(),
            has_ended: false,
        };
        // Not part of this request: it may be dropped, and others wait for the same transaction.
        tokio::spawn(writer.run());
    }
    answered
        .await
        .map_err(|_| AppError::Internal("the recording of a webhook broke off".to_owned()))??;
    Ok(id)
}

async fn write(services: &Services, batch: Vec<(String, Answer)>) {
    let (delivered, answers): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
    let text = format!("[{}]", delivered.join(","));
    drop(delivered);
    let now = services.clock.now();
    let id = BatchId::new(now);
    let job = NewJob {
        payload: json!({"batch": id}),
        // It is short, and work that takes long may stand before it.
        priority: Priority::High,
        ..NewJob::new(Kind::RecordEvents)
    };
    failpoints::reach("webhook.before-record");
    let recorded = services
        .db
        .write_statement(move |c| {
            batches::insert(c, id, &text, &job.into_row(now))?;
            failpoints::reach("webhook.in-record");
            Ok(())
        })
        .await;
    failpoints::reach("webhook.after-record");
    if recorded.is_ok() {
        services.bell.ring();
    }
    for answer in answers {
        // Whoever asked may have gone.
        let _ = answer.send(recorded.clone());
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
