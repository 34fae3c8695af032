//! Applying an event: ask Filestack what has to be asked, then do it and settle the event in one transaction.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;

use super::action::{Case, Facts, Outcome, failed, ignored};
use super::message::{Message, VIDEO};
use super::{converse, delete, overwrite, upload, video, workflow};
use crate::db::models::documents::{self, Document};
use crate::db::models::events::{self, Event, EventState, Settlement};
use crate::db::models::{findings, results};
use crate::db::{DbConn, DbError};
use crate::error::AppError;
use crate::failpoints;
use crate::filestack::{FilestackError, Handle, MetadataField, Purpose};
use crate::ids::{DocumentId, EventId};
use crate::services::{Services, picker, upstream};

/// How long a policy to read one file's metadata lives.
const GRANT: Duration = Duration::from_secs(60);
/// What is asked about a file.
const ASKED: [MetadataField; 5] = [
    MetadataField::Size,
    MetadataField::Mimetype,
    MetadataField::Filename,
    MetadataField::Sha256,
    MetadataField::Path,
];

/// Applies an event that is to be applied; does nothing for any other.
///
/// # Errors
///
/// What may pass: Filestack or the database is busy. What never will is kept with the event, as its state and reason.
pub async fn apply(services: &Services, id: EventId) -> Result<(), AppError> {
    let Some(event) = services.db.run(move |c| events::find(c, id)).await? else {
        return Ok(());
    };
    if event.state != EventState::Received {
        return Ok(());
    }
    match try_apply(services, event).await {
        Ok(()) => Ok(()),
        Err(error) => {
            let reason = error.public_detail();
            log::warn!(event = "event-not-applied", id = id.as_str(); "an event could not be applied yet: {error}");
            services.db.write(move |c| events::note(c, id, &reason)).await?;
            Err(error)
        }
    }
}

async fn try_apply(services: &Services, event: Event) -> Result<(), AppError> {
    let Some(message) = message_of(&event) else {
        let id = event.id;
        let now = services.clock.now();
        services
            .db
            .write(move |c| {
                let unreadable = failed("Its body can no longer be read.")?;
                events::settle(c, id, EventState::Received, &unreadable, now).map(|_| ())
            })
            .await?;
        return Ok(());
    };
    let asked = facts(services, &event, &message).await?;
    let (now, verbs) = (services.clock.now(), services.clone());
    failpoints::reach("event.before-apply");
    services
        .db
        .write(move |c| {
            let case = Case {
                services: &verbs,
                event: &event,
                message: &message,
                facts: &asked.facts,
                head: &asked.head,
                before: asked.before.as_ref(),
                now,
            };
            let settlement = act(c, &case)?;
            if events::settle(c, event.id, EventState::Received, &settlement, now)? {
                failpoints::reach("event.in-apply");
                Ok(())
            } else {
                // Somebody else has applied it in the meantime: what was done here is undone.
                Err(DbError::Busy("the event is being applied elsewhere".to_owned()))
            }
        })
        .await?;
    failpoints::reach("event.after-apply");
    services.bell.ring();
    Ok(())
}

fn message_of(event: &Event) -> Option<Message> {
    let body = serde_json::from_slice(&event.body).ok()?;
    Message::read(body)
}

/// Asks Filestack about the file, if the action needs to know. Nothing but the handle is taken from the event, and it is only ever
/// asked for at our own Filestack (W16). A file that is to become a document also shows its first bytes: they tell its type (U5).
async fn facts(services: &Services, event: &Event, message: &Message) -> Result<Asked, AppError> {
    let (kept, said, key) = (event.clone(), message.clone(), services.secret_key);
    let (needed, before) = services
        .db
        .run(move |c| match said.action.as_str() {
            "fp.upload" => Ok((upload::needs_facts(c, &key, &said)?, None)),
            "fp.overwrite" => {
                let document = overwrite::to_be_refreshed(c, &said)?;
                Ok((document.is_some(), document))
            }
            _ => Ok((false, None)),
        })
        .await?;
    let mut asked = Asked {
        facts: Facts::Unasked,
        head: Bytes::new(),
        before,
    };
    let Some(handle) = message.handle.as_ref().filter(|_| needed) else {
        return Ok(asked);
    };
    log::debug!(event = "event-asks", id = kept.id.as_str(); "an event needs the metadata of its file");
    asked.facts = ask(services, handle).await?;
    if let Facts::File(metadata) = &asked.facts
        && message.action == "fp.upload"
    {
        match picker::head(services, handle, metadata).await {
            Ok(head) => asked.head = head,
            Err(AppError::NotFound) => asked.facts = Facts::NoFile,
            Err(error) => return Err(error),
        }
    }
    Ok(asked)
}

/// What was asked before the transaction.
struct Asked {
    facts: Facts,
    head: Bytes,
    before: Option<Document>,
}

/// What Filestack says about a file.
pub(in crate::services) async fn ask(services: &Services, handle: &Handle) -> Result<Facts, AppError> {
    let grant = services
        .filestack
        .grant(Purpose::Stat { handle }, services.clock.now().system(), GRANT);
    match services.filestack.metadata(handle, grant, &ASKED).await {
        Ok(metadata) => Ok(Facts::File(Box::new(metadata))),
        Err(FilestackError::NotFound) => Ok(Facts::NoFile),
        Err(error) => Err(upstream(error)),
    }
}

/// Does what the event says, in the caller's transaction.
fn act(c: &mut DbConn, case: &Case<'_>) -> Outcome {
    let settlement = act_on(c, case)?;
    if case.event.sample && settlement.state == EventState::Parked {
        return ignored(
            None,
            "A sample: it arrived, was understood, and is about a file that does not exist.",
        );
    }
    Ok(settlement)
}

fn act_on(c: &mut DbConn, case: &Case<'_>) -> Outcome {
    match case.message.action.as_str() {
        "fp.upload" => upload::act(c, case),
        "fp.overwrite" => overwrite::act(c, case),
        "fp.delete" => delete::act(c, case),
        "fp.converse" => converse::act(c, case),
        "fs.workflow" => workflow::act(c, case),
        VIDEO => video::act(c, case),
        _ => ignored(None, "Nothing is done about events with this action."),
    }
}

/// What is said of events in conflict, and of those that cannot be read.
pub(super) const NOT_APPLICABLE: &str =
    "Events in this state are kept for you to look at and cannot be applied.";

/// What applying an event anew would change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// Which event.
    pub id: EventId,
    /// Where it is.
    pub from: EventState,
    /// Where it would be.
    pub to: EventState,
    /// What would be done, or why nothing would.
    pub reason: String,
    /// What would be other than now, one line each; none when nothing would be.
    pub changes: Vec<String>,
}

/// Applies an event anew in a transaction that is undone, and says what it would have changed.
pub async fn preview(services: &Services, id: EventId) -> Result<Preview, AppError> {
    let event = services
        .db
        .run(move |c| events::find(c, id))
        .await?
        .ok_or(AppError::NotFound)?;
    let fixed = |reason: &str| Preview {
        id,
        from: event.state,
        to: event.state,
        reason: reason.to_owned(),
        changes: Vec::new(),
    };
    if !event.state.can_be_applied() {
        return Ok(fixed(NOT_APPLICABLE));
    }
    let Some(message) = message_of(&event) else {
        return Ok(fixed("Its body can no longer be read."));
    };
    let asked = facts(services, &event, &message).await?;
    let (now, verbs) = (services.clock.now(), services.clone());
    let from = event.state;
    type Seen = Option<(Settlement, Vec<String>)>;
    let seen: Arc<Mutex<Seen>> = Arc::default();
    let show = Arc::clone(&seen);
    let undone = services
        .db
        .write(move |c| {
            let case = Case {
                services: &verbs,
                event: &event,
                message: &message,
                facts: &asked.facts,
                head: &asked.head,
                before: asked.before.as_ref(),
                now,
            };
            let before = Scene::of(c, &case, None)?;
            let settlement = act(c, &case)?;
            let after = Scene::of(c, &case, settlement.document)?;
            let changes = before.changes(&after);
            if let Ok(mut seen) = show.lock() {
                *seen = Some((settlement, changes));
            }
            // An error undoes the transaction, which is all that is wanted.
            Err::<(), _>(DbError::NotFound)
        })
        .await;
    let seen = seen.lock().ok().and_then(|mut seen| seen.take());
    match (seen, undone) {
        (Some((settlement, changes)), _) => Ok(Preview {
            id,
            from,
            to: settlement.state,
            reason: settlement.reason,
            changes,
        }),
        (None, Err(error)) => Err(error.into()),
        (None, Ok(())) => Err(AppError::Internal("a preview was not undone".to_owned())),
    }
}

/// What an event can change, as far as it is there.
struct Scene {
    document: Option<Document>,
    results: Vec<String>,
    findings: Vec<String>,
}

impl Scene {
    fn of(c: &mut DbConn, case: &Case<'_>, document: Option<DocumentId>) -> Result<Self, DbError> {
        let handle = case.handle().map(Handle::as_str);
        let known = document.or(case.event.document_id);
        let document = match (known, handle) {
            (Some(id), _) => documents::find(c, id)?,
            (None, Some(handle)) => documents::find_by_handle(c, handle)?,
            (None, None) => None,
        };
        let Some(id) = document.as_ref().map(|document| document.id) else {
            return Ok(Scene {
                document,
                results: Vec::new(),
                findings: Vec::new(),
            });
        };
        let results = results::list(c, id)?;
        let findings = findings::list(c, id)?;
        Ok(Scene {
            document,
            results: results
                .iter()
                .map(|made| format!("{} {} ({})", made.kind, made.name, made.state))
                .collect(),
            findings: findings
                .iter()
                .map(|found| format!("{} {}", found.kind, found.value))
                .collect(),
        })
    }

    fn changes(&self, after: &Scene) -> Vec<String> {
        let mut lines = Vec::new();
        match (&self.document, &after.document) {
            (None, Some(new)) => lines.push(format!("document {} “{}” is added", new.id, new.name)),
            (Some(old), Some(new)) if old.id == new.id => {
                let mut compare = |what: &str, old: &str, new: &str| {
                    if old != new {
                        lines.push(format!("{what}: {old} → {new}"));
                    }
                };
                compare("status", &old.status, &new.status);
                compare("size", &old.size_bytes.to_string(), &new.size_bytes.to_string());
                compare("type", &old.content_type, &new.content_type);
                compare("SHA-256", &old.sha256, &new.sha256);
            }
            _ => {}
        }
        let added = |old: &[String], new: &[String], what: &str| {
            new.iter()
                .filter(|line| !old.contains(line))
                .map(|line| format!("{what}: {line}"))
                .collect::<Vec<_>>()
        };
        lines.extend(added(&self.results, &after.results, "result"));
        lines.extend(added(&self.findings, &after.findings, "finding"));
        lines
    }
}
