//! `record-events`: enters webhooks in the ledger that were answered; they leave their batch with that, so that a second time finds
//! nothing.

use serde::Deserialize;

use super::payload;
use crate::db::models::jobs::Job;
use crate::error::AppError;
use crate::ids::BatchId;
use crate::services::Services;
use crate::services::events::ledger;
use crate::services::processing::Outcome;

#[derive(Deserialize)]
struct Payload {
    batch: String,
}

/// Does the job.
pub(super) fn run(services: &Services, job: &Job) -> Result<Outcome, AppError> {
    let unreadable = || AppError::Internal(format!("job {} has a payload that cannot be read", job.id));
    let payload: Payload = payload(job)?;
    let id: BatchId = payload.batch.parse().map_err(|_| unreadable())?;
    let now = services.clock.now();
    Ok(Outcome::with("The webhooks are in the ledger.", move |c| {
        ledger::enter_batch(c, id, now).map(|_| ())
    }))
}
