//! `scan-file`: starts a run of the workflow and asks about it; a second run says the same.

use super::document;
use crate::db::models::jobs::Job;
use crate::error::AppError;
use crate::services::Services;
use crate::services::processing::{self, Outcome};

/// Does the job.
pub(super) async fn run(services: &Services, job: &Job) -> Result<Outcome, AppError> {
    processing::scan(services, document(job)?, job).await
}
