//! The registry: which function does the jobs of which kind.

mod apply_events;
mod prepare_thumbnail;
mod rate_image;
mod read_metadata;
mod read_text;
mod reconcile;
mod record_events;
mod remove_file;
mod scan_file;
mod send_mail;
mod tag_image;
mod transcode_video;
mod verify_file;

use crate::clock::UtcTime;
use crate::db::models::jobs::Job;
use crate::db::{DbConn, DbError};
use crate::error::AppError;
use crate::ids::DocumentId;
use crate::queue::{Kind, Progress};
use crate::services::Services;
use crate::services::processing::{self, Outcome};

/// Does a job, and says how far it is where that can be said.
pub(super) async fn run(
    services: &Services,
    kind: Kind,
    job: &Job,
    progress: &Progress,
) -> Result<Outcome, AppError> {
    match kind {
        Kind::ReadMetadata => read_metadata::run(services, job).await,
        Kind::VerifyFile => verify_file::run(services, job).await,
        Kind::PrepareThumbnail => prepare_thumbnail::run(services, job).await,
        Kind::TagImage => tag_image::run(services, job).await,
        Kind::RateImage => rate_image::run(services, job).await,
        Kind::ReadText => read_text::run(services, job).await,
        Kind::TranscodeVideo => transcode_video::run(services, job).await,
        Kind::ScanFile => scan_file::run(services, job).await,
        Kind::SendMail => send_mail::run(services, job).await,
        Kind::RecordEvents => record_events::run(services, job),
        Kind::ApplyEvents => apply_events::run(services, job).await,
        Kind::Reconcile => reconcile::run(services, progress).await,
        Kind::RemoveFile => remove_file::run(services, job).await,
    }
}

/// What has to be written when a job is dead, in the same transaction.
pub(super) fn mourn(services: &Services, c: &mut DbConn, job: &Job, now: UtcTime) -> Result<(), DbError> {
    match (job.kind.parse(), job.document_id) {
        (Ok(Kind::ScanFile), Some(document)) => {
            processing::unlooked(c, services.background.scan.as_ref(), document, now)
        }
        _ => Ok(()),
    }
}

/// What a job is to be done with.
fn payload<T: serde::de::DeserializeOwned>(job: &Job) -> Result<T, AppError> {
    serde_json::from_str(&job.payload)
        .map_err(|error| AppError::Internal(format!("job {} cannot be read: {error}", job.id)))
}

/// The document that a job is about.
fn document(job: &Job) -> Result<DocumentId, AppError> {
    job.document_id
        .ok_or_else(|| AppError::Internal(format!("job {} names no document", job.id)))
}
