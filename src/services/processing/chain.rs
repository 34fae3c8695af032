//! Which steps a document gets.

use std::time::Duration;

use crate::clock::UtcTime;
use crate::db::models::documents::{QUARANTINED, STORED};
use crate::db::models::jobs::listing;
use crate::db::{DbConn, DbError};
use crate::ids::{DocumentId, JobId};
use crate::queue::{self, Kind, NewJob, Priority};
use crate::services::background::Background;
use crate::services::mail::{self, Notice};

/// Jobs of one document: more than it can have.
const MOST_JOBS: i64 = 100;

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
            let job = queue::enqueue(c, new(kind, document), at)?;
            Ok(Step { id: job.id, kind })
        })
        .collect()
}

/// The steps of a document that were put into the queue already, those that have ended too, in the order they were made.
pub fn list(c: &mut DbConn, document: DocumentId) -> Result<Vec<Step>, DbError> {
    let jobs = listing::list_of_document(c, document, MOST_JOBS)?;
    let steps = jobs.into_iter().filter_map(|job| {
        let kind = job.kind.parse().ok()?;
        Some(Step { id: job.id, kind })
    });
    Ok(steps.collect())
}

fn new(kind: Kind, document: DocumentId) -> NewJob {
    match kind {
        Kind::SendMail => mail::job(Notice::Processed, document),
        // Until then its owner cannot open it.
        Kind::ScanFile => NewJob {
            priority: Priority::High,
            ..NewJob::about(kind, document)
        },
        _ => NewJob::about(kind, document),
    }
}

/// How much is to be done with an upload besides storing it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wish {
    /// Nothing.
    #[default]
    Nothing,
    /// What our pages show of it.
    Steps,
    /// All of that, a look for viruses if there is any way to have one, and a message at the end.
    Everything,
}

impl Wish {
    /// The word that is kept with an upload.
    pub fn as_str(self) -> &'static str {
        match self {
            Wish::Nothing => "nothing",
            Wish::Steps => "steps",
            Wish::Everything => "everything",
        }
    }

    /// Reads that word; one that nobody knows is nothing.
    pub fn read(word: &str) -> Self {
        match word {
            "steps" => Wish::Steps,
            "everything" => Wish::Everything,
            _ => Wish::Nothing,
        }
    }
}

/// What is to be done with a new document of this type: the state it begins in, and its steps. When every upload is looked at for
/// viruses, wishes have no say in that.
pub fn plan(background: &Background, content_type: &str, wish: Wish) -> (&'static str, Vec<Kind>) {
    let is_scanned = background
        .scan
        .as_ref()
        .is_some_and(|scan| scan.every_upload || wish == Wish::Everything);
    let mut kinds = Vec::new();
    if is_scanned {
        kinds.push(Kind::ScanFile);
    }
    if wish != Wish::Nothing {
        kinds.extend(steps(content_type));
    }
    if wish == Wish::Everything && background.mail.is_some() {
        kinds.push(Kind::SendMail);
    }
    (if is_scanned { QUARANTINED } else { STORED }, kinds)
}
