//! `remove-file`: a file that is gone counts as removed.

use serde::Deserialize;

use crate::db::models::jobs::Job;
use crate::error::AppError;
use crate::services::processing::Outcome;
use crate::services::{Services, removals};

#[derive(Deserialize)]
struct Payload {
    handle: String,
}

/// Does the job.
pub(super) async fn run(services: &Services, job: &Job) -> Result<Outcome, AppError> {
    let Payload { handle } = super::payload(job)?;
    removals::run(services, handle).await
}
