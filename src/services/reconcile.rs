//! Reconciliation: what the rows say, compared with what Filestack has; after downtime, or now and then.
//!
//! Filestack's API cannot list files. So a file without a row is only ever found by its upload's event, which waits for a document, or by
//! an intent that has not ended (its folder is known, the file's handle is not); a row without a file is found by asking for each
//! file's metadata.

use std::time::Duration;

use crate::db::keyset::Part;
use crate::db::models::documents::{self, Document, GONE, MADE_UP};
use crate::db::models::events::listing::{self as inbox_rows, EventFilter};
use crate::db::models::events::{self, EventState};
use crate::db::models::jobs::{Job, listing};
use crate::db::models::uploads::{self, Upload};
use crate::error::AppError;
use crate::filestack::{FilestackError, Handle, MetadataField, Purpose};
use crate::ids::{DocumentId, EventId};
use crate::queue::{self, Kind, NewJob, Priority, Progress};
use crate::services::audit::Actor;
use crate::services::events::inbox::{self, Which};
use crate::services::{Services, sweep, upstream, verdicts};

/// Between two reconciliations by themselves.
const BETWEEN: Duration = Duration::from_secs(24 * 3_600);
/// Documents asked about in one part.
const PART: i64 = 100;
/// Between two questions: Filestack's limits are not published, and nobody waits for the answer.
const PAUSE: Duration = Duration::from_millis(20);
/// Unfinished uploads looked at.
const MOST_UPLOADS: i64 = 1_000;
/// Files without a document looked at.
const MOST_FILES: i64 = 200;
/// Questions that may fail in a row before it is given up.
const MOST_FAILURES: u32 = 5;
/// How long a policy to read one file's metadata lives.
const GRANT: Duration = Duration::from_secs(60);

/// What was found, and what was done about it unless it was a dry run.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Uploads that nobody finishes any more: each is abandoned, and its file becomes the document should its event still come.
    pub abandoned: Vec<Upload>,
    /// Files at Filestack that no row has: their uploads' events wait for a document, and are applied once more.
    pub unowned: Vec<Unowned>,
    /// Events of any kind that wait for a document.
    pub parked: usize,
    /// Documents whose file Filestack no longer has: each is marked as gone.
    pub gone: Vec<Document>,
    /// Documents that were asked about.
    pub asked: usize,
    /// The last document that was asked about, if Filestack failed before all of them were: where to go on.
    pub stopped_at: Option<DocumentId>,
}

/// A file at Filestack that no document has.
#[derive(Clone, Debug)]
pub struct Unowned {
    /// The file, as its event names it.
    pub handle: Option<String>,
    /// The event.
    pub event: EventId,
    /// What applying the event once more came to, or would.
    pub outcome: String,
}

impl Report {
    /// The report in a sentence or two.
    pub fn sentence(&self) -> String {
        let mut text = format!(
            "{} documents were asked about, {} of them have lost their file; {} uploads were never finished, {} files have no \
             document, {} events wait for one.",
            self.asked,
            self.gone.len(),
            self.abandoned.len(),
            self.unowned.len(),
            self.parked
        );
        if self.stopped_at.is_some() {
            text += " It stopped before the end; run it again.";
        }
        text
    }
}

/// Puts a reconciliation into the queue when the last one is a day old: at the start after a longer downtime, and daily. Nothing is
/// compared as long as there are no documents.
pub async fn schedule(services: &Services) -> Result<(), AppError> {
    let now = services.clock.now();
    let is_new = services
        .db
        .write(move |c| {
            if documents::list_served_after(c, None, 1)?.is_empty() {
                return Ok(false);
            }
            let ours = listing::JobFilter {
                kind: Some(Kind::Reconcile.as_str().to_owned()),
                ..listing::JobFilter::default()
            };
            let is_recent = |job: &Job| now.since(job.created_at) < BETWEEN;
            if listing::list(c, &ours, &Part::First, 1)?
                .first()
                .is_some_and(is_recent)
            {
                return Ok(false);
            }
            let job = NewJob {
                unique_key: Some(Kind::Reconcile.as_str().to_owned()),
                priority: Priority::Low,
                ..NewJob::new(Kind::Reconcile)
            };
            Ok(queue::enqueue(c, job, now)?.is_new)
        })
        .await?;
    if is_new {
        services.bell.ring();
    }
    Ok(())
}

/// How to go about it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plan {
    /// Only find out.
    pub dry_run: bool,
    /// Go on after this document.
    pub after: Option<DocumentId>,
    /// Between two questions; the usual pause if none.
    pub pause: Option<Duration>,
}

/// Compares rows and files. One question at a time, so that neither people nor Filestack notice; when Filestack fails again and again it
/// stops and says where.
pub async fn run(services: &Services, plan: Plan, progress: &Progress) -> Result<Report, AppError> {
    let now = services.clock.now();
    let (abandoned, parked, all) = services
        .db
        .run(move |c| {
            let abandoned = uploads::list_unsettled(c, now.minus(sweep::GRACE), MOST_UPLOADS)?;
            let parked = events::list_since(c, EventState::Parked, now, MOST_UPLOADS)?;
            Ok((abandoned, parked.len(), documents::count_served(c)?))
        })
        .await?;
    let mut report = Report {
        abandoned,
        unowned: unowned(services, plan.dry_run).await?,
        parked,
        stopped_at: plan.after,
        ..Report::default()
    };
    if !plan.dry_run {
        sweep::once(services).await?;
    }
    let mut failures = 0;
    let mut place = plan.after;
    loop {
        let part = services
            .db
            .run(move |c| documents::list_served_after(c, place, PART))
            .await?;
        if part.is_empty() {
            report.stopped_at = None;
            return Ok(report);
        }
        for document in part {
            place = Some(document.id);
            if document.handle.starts_with(MADE_UP) {
                continue;
            }
            match is_there(services, &document).await {
                Ok(true) => failures = 0,
                Ok(false) => {
                    failures = 0;
                    report.gone.push(document.clone());
                    if !plan.dry_run {
                        mark_gone(services, document.id).await?;
                    }
                }
                Err(error) => {
                    failures += 1;
                    log::warn!(event = "reconcile-failed", document = document.id.as_str(); "a file could not be asked about: {error}");
                    if failures >= MOST_FAILURES {
                        return if report.asked > 0 { Ok(report) } else { Err(error) };
                    }
                }
            }
            report.asked += 1;
            progress.say(report.asked as u64, all);
            report.stopped_at = place;
            tokio::select! {
                () = tokio::time::sleep(plan.pause.unwrap_or(PAUSE)) => {}
                () = services.stopped() => return Ok(report),
            }
        }
    }
}

/// Files whose uploads' events wait for a document. One that has a document or an upload by now, after a backup was restored for
/// instance, is settled by that; to whom any other belongs nobody can say, and it is left alone.
async fn unowned(services: &Services, dry_run: bool) -> Result<Vec<Unowned>, AppError> {
    let filter = EventFilter {
        action: Some("fp.upload".to_owned()),
        state: Some(EventState::Parked),
        ..EventFilter::default()
    };
    let waiting = services
        .db
        .run(move |c| inbox_rows::list(c, &filter, &Part::First, MOST_FILES))
        .await?;
    let mut found = Vec::new();
    for event in waiting {
        let which = Which::One(event.id);
        let outcome = if dry_run {
            let seen = inbox::dry_run(services, which, inbox::MOST_PREVIEWED).await;
            seen.map(|seen| seen.into_iter().map(|preview| preview.reason).collect())
        } else {
            let done = inbox::replay_now(services, &Actor::server(), which).await;
            done.map(|done| done.into_iter().map(|(_, _, reason)| reason).collect())
        };
        let outcome: Vec<String> = match outcome {
            Ok(outcome) => outcome,
            // It is asked about next time; the documents need not wait for it.
            Err(error) => vec![error.public_detail()],
        };
        found.push(Unowned {
            handle: event.handle,
            event: event.id,
            outcome: outcome.concat(),
        });
    }
    Ok(found)
}

async fn mark_gone(services: &Services, id: DocumentId) -> Result<(), AppError> {
    let now = services.clock.now();
    log::info!(event = "file-gone", document = id.as_str(); "a document's file is no longer at Filestack");
    services
        .db
        .write(move |c| verdicts::mark_gone(c, &Actor::server(), id, now))
        .await?;
    Ok(())
}

/// Whether Filestack has the document's file.
async fn is_there(services: &Services, document: &Document) -> Result<bool, AppError> {
    if document.status == GONE {
        return Ok(false);
    }
    let handle = Handle::new(document.handle.as_str()).map_err(upstream)?;
    let purpose = Purpose::Stat { handle: &handle };
    let grant = services
        .filestack
        .grant(purpose, services.clock.now().system(), GRANT);
    match services
        .filestack
        .metadata(&handle, grant, &[MetadataField::Size])
        .await
    {
        Ok(_) => Ok(true),
        Err(FilestackError::NotFound) => Ok(false),
        Err(error) => Err(upstream(error)),
    }
}
