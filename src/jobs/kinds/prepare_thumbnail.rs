//! `prepare-thumbnail`: asks for pictures that the CDN then has; asking again changes nothing.

use super::document;
use crate::db::models::jobs::Job;
use crate::error::AppError;
use crate::services::Services;
use crate::services::processing::{self, Outcome};

/// Does the job.
pub(super) async fn run(services: &Services, job: &Job) -> Result<Outcome, AppError> {
    processing::prepare_thumbnail(services, document(job)?).await
}
