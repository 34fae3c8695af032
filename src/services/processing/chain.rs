//! Which steps a document gets.

use std::time::Duration;

use crate::clock::UtcTime;
use crate::db::models::documents::{Document, NewDocument, STORED};
use crate::db::{DbConn, DbError};
use crate::error::AppError;
use crate::ids::{DocumentId, JobId};
use crate::queue::{self, Kind, NewJob};
use crate::services::Services;

/// A step that was put into the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its job.
    pub id: JobId,
    /// What it does.
    pub kind: Kind,
}

/// What is done with files of a type when their uploader asks for processing, in this order.
pub fn steps(content_type: &str) -> Vec<Kind> {
    let mut steps = vec![Kind::ReadMetadata, Kind::VerifyFile];
    match content_type {
        "image/jpeg" | "image/png" | "image/gif" | "image/webp" => steps.extend([
            Kind::PrepareThumbnail,
            Kind::TagImage,
            Kind::RateImage,
            Kind::ReadText,
        ]),
        video if video.starts_with("video/") => steps.push(Kind::TranscodeVideo),
        _ => {}
    }
    steps
}

/// Puts the steps of a new document into the queue, in the transaction that records it (S10).
pub fn enqueue(
    c: &mut DbConn,
    document: DocumentId,
    kinds: &[Kind],
    now: UtcTime,
) -> Result<Vec<Step>, DbError> {
    // A microsecond apart, so that they are listed and begun in this order.
    let begun = now.minus(Duration::from_micros(kinds.len() as u64));
    (0_u64..)
        .zip(kinds)
        .map(|(n, &kind)| {
            let at = begun.plus(Duration::from_micros(n));
            let job = queue::enqueue(c, NewJob::about(kind, document), at)?;
            Ok(Step { id: job.id, kind })
        })
        .collect()
}

impl Services {
    /// What has to be done with a new document whether or not anybody asked: the state it begins in, and the first steps.
    pub fn first_steps(&self, _document: &NewDocument, _processing: bool) -> (&'static str, Vec<Kind>) {
        (STORED, Vec::new())
    }
}

/// Puts the steps of a document that is there into the queue once more; those that still wait or run are left alone.
pub async fn again(services: &Services, document: &Document) -> Result<Vec<Step>, AppError> {
    let (id, kinds, now) = (document.id, steps(&document.content_type), services.clock.now());
    let steps = services.db.write(move |c| enqueue(c, id, &kinds, now)).await?;
    services.bell.ring();
    Ok(steps)
}
