//! `transcode-video`: asks the same until the video is there; it is attached once.

use super::document;
use crate::db::models::jobs::Job;
use crate::error::AppError;
use crate::services::Services;
use crate::services::processing::{self, Outcome};

/// Does the job.
pub(super) async fn run(services: &Services, job: &Job) -> Result<Outcome, AppError> {
    processing::transcode(services, document(job)?, job).await
}
