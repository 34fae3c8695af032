//! Looking for viruses through a workflow of Filestack's: the document is in quarantine until the verdict is there.
//!
//! The run is started once and remembered as a finding, then asked about until it has ended; its webhook may be faster, and says
//! the same through the same verb. A run that was started twice says the same twice: a second time does no harm.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Outcome, grant, keep, load};
use crate::clock::UtcTime;
use crate::db::models::documents::{self, GONE, INFECTED, QUARANTINED, STORED};
use crate::db::models::findings;
use crate::db::models::jobs::Job;
use crate::db::{DbConn, DbError};
use crate::error::AppError;
use crate::filestack::{FilestackError, Purpose, WorkflowRun};
use crate::ids::DocumentId;
use crate::services::background::Scan;
use crate::services::mail::{self, Notice};
use crate::services::verdicts::{self, VIRUSES, Verdict};
use crate::services::{Services, upstream};

/// Kind of the finding that remembers the run.
const SCAN: &str = "scan";
/// A run that has not ended by then never will.
const LONGEST: Duration = Duration::from_secs(3_600);
/// Between two questions at first; then a tenth of how long it has taken, up to a minute.
const ASK_AGAIN: Duration = Duration::from_secs(2);
const ASK_AT_LEAST: Duration = Duration::from_secs(60);

const CLEAN: &str = "No virus was found.";
const INFECTED_SENTENCE: &str = "A virus was found. The document stays in quarantine; delete it.";

/// Has a file looked at, or sees how far that is.
pub async fn scan(services: &Services, id: DocumentId, job: &Job) -> Result<Outcome, AppError> {
    let Some(document) = load(services, id).await? else {
        return Ok(Outcome::moot());
    };
    let (known, verdict) = services
        .db
        .run(move |c| {
            let known = findings::find(c, id, SCAN)?;
            Ok((known, findings::find(c, id, VIRUSES)?))
        })
        .await?;
    match document.status.as_str() {
        GONE => return Ok(Outcome::done("The file is no longer at Filestack.")),
        // Whoever found that out has told the owner.
        INFECTED => return Ok(Outcome::done(INFECTED_SENTENCE)),
        STORED if verdict.is_some() => return Ok(Outcome::done(CLEAN)),
        _ => {}
    }
    let Some(Scan { workflow, .. }) = &services.background.scan else {
        return Err(not_looked_at(
            "No workflow is set that looks for viruses: set SATCHEL_SCAN_WORKFLOW, then try this job again.",
        ));
    };
    let handle = super::documents_handle(&document)?;
    let now = services.clock.now();
    let run = known
        .and_then(|finding| serde_json::from_str::<Value>(&finding.value).ok())
        .and_then(|value| Some((value["job"].as_str()?.to_owned(), value["begun"].as_i64()?)))
        // One that was begun for an earlier try of this job has had its time.
        .filter(|(_, begun)| {
            *begun >= job.created_at.micros() && now.since(UtcTime::from_micros(*begun)) <= LONGEST
        });
    let Some((run, begun)) = run else {
        let started = services
            .filestack
            .run_workflow(
                &handle,
                workflow,
                grant(services, Purpose::RunWorkflow { handle: &handle }),
            )
            .await
            .map_err(upstream)?;
        let value = json!({"job": started.job, "begun": now.micros()});
        return Ok(Outcome::Later {
            after: ASK_AGAIN,
            note: "The file is being looked at for viruses.".to_owned(),
            effects: Box::new(move |c| keep(c, id, SCAN, &value, now)),
        });
    };
    let state = services
        .filestack
        .workflow_status(&run, grant(services, Purpose::WatchWorkflow))
        .await;
    match state {
        Ok(run) if run.is_finished() => judge(services, id, &run),
        Ok(run) if run.has_failed() => Err(not_looked_at(
            "Filestack's workflow failed, so nobody knows whether there is a virus.",
        )),
        Ok(_) => {
            let taken = now.since(UtcTime::from_micros(begun));
            if taken + ASK_AGAIN > LONGEST {
                return Err(not_looked_at("Filestack's workflow did not end within an hour."));
            }
            let after = (taken / 10).clamp(ASK_AGAIN, ASK_AT_LEAST);
            Ok(Outcome::later(after, "The file is being looked at for viruses."))
        }
        // Results are kept for a while only: ask anew.
        Err(FilestackError::NotFound) => Ok(Outcome::Later {
            after: ASK_AGAIN,
            note: "The workflow's results are gone; it is run again.".to_owned(),
            effects: Box::new(move |c| keep(c, id, SCAN, &Value::Null, now)),
        }),
        Err(error) => Err(upstream(error)),
    }
}

fn judge(services: &Services, id: DocumentId, run: &WorkflowRun) -> Result<Outcome, AppError> {
    let verdict = Verdict::of_workflow(&run.results);
    if verdict.infections.is_none() {
        return Err(not_looked_at(
            "The workflow in SATCHEL_SCAN_WORKFLOW does not look for viruses: add virus detection to it.",
        ));
    }
    if verdict.is_infected() {
        return Ok(infected(services, id, verdict));
    }
    let now = services.clock.now();
    Ok(Outcome::with(CLEAN, move |c| {
        verdicts::settle(c, id, &verdict, now, now).map(drop)
    }))
}

/// Infected is an answer and not a failure: it is not tried again, and the owner is told.
fn infected(services: &Services, id: DocumentId, verdict: Verdict) -> Outcome {
    let (now, mail_is_on) = (services.clock.now(), services.background.mail.is_some());
    Outcome::with(INFECTED_SENTENCE, move |c| {
        if verdicts::settle(c, id, &verdict, now, now)? {
            mail::enqueue(c, mail_is_on, Notice::Infected, id, now)?;
        }
        Ok(())
    })
}

/// What becomes of a document that could not be looked at: it stays where it is, or is let out, as the setting says (U15).
pub fn unlooked(
    c: &mut DbConn,
    scan: Option<&Scan>,
    document: DocumentId,
    now: UtcTime,
) -> Result<(), DbError> {
    if scan.is_some_and(|scan| scan.fails_open) {
        log::warn!(event = "scan-failed-open", document = document.as_str(); "a document was let out that could not be looked at");
        documents::move_on(c, document, &[QUARANTINED], STORED, now)?;
    }
    Ok(())
}

fn not_looked_at(detail: &str) -> AppError {
    AppError::Conflict {
        code: "scan-failed",
        detail: detail.to_owned(),
    }
}
