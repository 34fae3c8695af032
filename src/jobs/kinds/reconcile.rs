//! `reconcile`: compares what the rows say with what Filestack has. What it finds is noted as it is found, so that a second time finds the
//! rest.

use crate::error::AppError;
use crate::queue::Progress;
use crate::services::Services;
use crate::services::processing::Outcome;
use crate::services::reconcile::{self, Plan};

/// Does the job.
pub(super) async fn run(services: &Services, progress: &Progress) -> Result<Outcome, AppError> {
    let report = reconcile::run(services, Plan::default(), progress).await?;
    Ok(Outcome::done(report.sentence()))
}
