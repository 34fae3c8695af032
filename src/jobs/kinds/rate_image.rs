//! `rate-image`: reads, and writes the same finding each time.

use super::document;
use crate::db::models::jobs::Job;
use crate::error::AppError;
use crate::services::Services;
use crate::services::processing::{self, Outcome};

/// Does the job.
pub(super) async fn run(services: &Services, job: &Job) -> Result<Outcome, AppError> {
    processing::rate(services, document(job)?).await
}
