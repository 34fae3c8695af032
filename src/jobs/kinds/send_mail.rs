//! `send-mail`: a message with the job's id as its own, so that a second one is known for the same.

use crate::db::models::jobs::Job;
use crate::error::AppError;
use crate::services::processing::Outcome;
use crate::services::{Services, mail};

/// Does the job.
pub(super) async fn run(services: &Services, job: &Job) -> Result<Outcome, AppError> {
    mail::run(services, job).await
}
