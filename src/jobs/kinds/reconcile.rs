//! `reconcile`: compares what the rows say with what Filestack has. What it finds is noted as it is found, so that a second time finds the
//! rest.

use crate::db::models::jobs::Job;
use crate::error::AppError;
use crate::services::Services;
use crate::services::processing::Outcome;
use crate::services::reconcile::{self, Plan};

/// Does the job.
pub(super) async fn run(services: &Services, _job: &Job) -> Result<Outcome, AppError> {
    let report = reconcile::run(services, Plan::default()).await?;
    Ok(Outcome::done(report.sentence()))
}
