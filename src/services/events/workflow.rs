//! `fs.workflow`: a workflow has ended; what it found out becomes verdicts, what it made becomes results.

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::action::{Case, Outcome, applied, document_of, ignored};
use super::message::handle_of_url;
use crate::clock::UtcTime;
use crate::db::DbConn;
use crate::services::mail::{self, Notice};
use crate::services::results::{self, MadeFile};
use crate::services::verdicts::{self, Verdict};

/// Files of one workflow that are attached.
const MOST_FILES: usize = 20;

pub(super) fn act(c: &mut DbConn, case: &Case<'_>) -> Outcome {
    let document = match document_of(c, case.handle())? {
        Err(settlement) => return Ok(settlement),
        Ok(document) => document,
    };
    let text = &case.message.text;
    if text["status"].as_str().is_some_and(|status| status != "Finished") {
        return ignored(Some(document.id), "The workflow has not finished.");
    }
    let outcome = &text["results"];
    let verdict = Verdict::of_workflow(outcome);
    if verdicts::settle(c, document.id, &verdict, ended_at(case), case.now)? {
        let mail_is_on = case.services.background.mail.is_some();
        mail::enqueue(c, mail_is_on, Notice::Infected, document.id, case.now)?;
    }
    let mut attached = 0;
    for (task, made) in outcome.as_object().into_iter().flatten().take(MOST_FILES) {
        if let Some(file) = file_of(task, made) {
            let key = file.handle.as_str().to_owned();
            results::attach(c, document.id, results::WORKFLOW, &key, &file, case.now)?;
            attached += 1;
        }
    }
    let said = if verdict.is_infected() {
        "The workflow found the document infected."
    } else if verdict.is_empty() && attached == 0 {
        "The workflow has finished, and found nothing that is kept."
    } else {
        "What the workflow found belongs to the document."
    };
    applied(document.id, said)
}

/// When the workflow ended: what another one found later stays, whichever of the two events comes first.
fn ended_at(case: &Case<'_>) -> UtcTime {
    let ended = case.message.text["updatedAt"].as_str();
    let ended = ended.and_then(|text| OffsetDateTime::parse(text, &Rfc3339).ok());
    ended
        .map(UtcTime::of_calendar)
        .or(case.message.at)
        .unwrap_or(UtcTime::from_micros(0))
}

/// A file that a task made, when it is stored under a handle of its own.
fn file_of(task: &str, made: &Value) -> Option<MadeFile> {
    Some(MadeFile {
        handle: handle_of_url(made.get("url")?.as_str()?)?,
        name: task.to_owned(),
        content_type: made["mimetype"].as_str().unwrap_or_default().to_owned(),
        size_bytes: made["size"].as_i64().filter(|size| *size >= 0),
        details: Value::Object(serde_json::Map::new()),
    })
}
