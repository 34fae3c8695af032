//! Results: what Filestack made of a document. Asked for by a job and settled by it or by a webhook, whichever is first; or unasked.

use serde_json::Value;

use crate::clock::UtcTime;
use crate::db::models::results::{self, DONE, PENDING};
use crate::db::models::{documents, uploads};
use crate::db::{DbConn, DbError};
use crate::error::AppError;
use crate::filestack::Handle;
use crate::ids::{DocumentId, ResultId};
use crate::services::documents::{SignedUrl, check_servable, signed};
use crate::services::identity::{self, Shown};
use crate::services::{Services, events, names};

pub use crate::db::models::results::DocumentResult;

/// Kind of a result that a conversion made.
pub const CONVERSION: &str = "conversion";
/// Kind of a video made of a video.
pub const VIDEO: &str = "video";
/// Kind of a file that a step of a workflow made.
pub const WORKFLOW: &str = "workflow";
/// More is not kept of what was said of a result.
const LONGEST_DETAILS: usize = 16 * 1_024;
/// Results of one document that are shown.
const OF_DOCUMENT: i64 = 100;

/// A file that Filestack made.
#[derive(Clone, Debug)]
pub struct MadeFile {
    /// Its handle.
    pub handle: Handle,
    /// Its name, as it came.
    pub name: String,
    /// Its type, as it came.
    pub content_type: String,
    /// Its size.
    pub size_bytes: Option<i64>,
    /// Whatever else was said of it.
    pub details: Value,
}

/// Notes that a result was asked for under a key that its event will name, and settles events that were faster.
pub fn expect(
    c: &mut DbConn,
    document_id: DocumentId,
    kind: &str,
    key: &str,
    now: UtcTime,
) -> Result<(), DbError> {
    let pending = DocumentResult {
        id: ResultId::new(now),
        document_id,
        kind: kind.to_owned(),
        key: key.to_owned(),
        state: PENDING.to_owned(),
        handle: None,
        name: String::new(),
        content_type: String::new(),
        size_bytes: None,
        details: "{}".to_owned(),
        created_at: now,
        updated_at: now,
    };
    results::insert(c, &pending)?;
    events::unpark(c, None, Some(&events::parking_place(kind, key)), now)
}

/// What became of a file that was to be attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attached {
    /// It is the document's.
    Now,
    /// It was already.
    Before,
    /// It is a document of its own, or another document's result: nobody gets at it by this way (W15).
    Foreign,
}

/// Attaches a file to a document.
pub fn attach(
    c: &mut DbConn,
    document_id: DocumentId,
    kind: &str,
    key: &str,
    file: &MadeFile,
    now: UtcTime,
) -> Result<Attached, DbError> {
    let handle = file.handle.as_str();
    let known = results::find(c, kind, key)?;
    if known
        .as_ref()
        .is_some_and(|known| known.document_id != document_id)
    {
        return Ok(Attached::Foreign);
    }
    match results::find_by_handle(c, handle)? {
        Some(other) if other.document_id != document_id => return Ok(Attached::Foreign),
        Some(_) => return Ok(Attached::Before),
        None => {}
    }
    if documents::find_by_handle(c, handle)?.is_some() || uploads::had_handle(c, handle)? {
        return Ok(Attached::Foreign);
    }
    let result = DocumentResult {
        id: known
            .as_ref()
            .map_or_else(|| ResultId::new(now), |known| known.id),
        document_id,
        kind: kind.to_owned(),
        key: key.to_owned(),
        state: DONE.to_owned(),
        handle: Some(handle.to_owned()),
        name: names::sanitise(&file.name).unwrap_or_else(|| "unnamed".to_owned()),
        content_type: crate::services::sniff::declared_type(&file.content_type),
        size_bytes: file.size_bytes,
        details: details(&file.details),
        created_at: known.as_ref().map_or(now, |known| known.created_at),
        updated_at: now,
    };
    let attached = match known {
        Some(known) if known.state == DONE => Ok(Attached::Before),
        Some(_) if results::update(c, &result)? => Ok(Attached::Now),
        // Purged between the two, as one would find that adds a result.
        Some(_) => Err(DbError::Conflict),
        None => results::insert(c, &result).map(|added| if added { Attached::Now } else { Attached::Before }),
    };
    let attached = attached?;
    if attached == Attached::Now {
        // That it is gone may have been said before it came.
        events::unpark(c, Some(handle), None, now)?;
    }
    Ok(attached)
}

/// Notes that a result that was asked for will not come; one that is there stays.
pub fn give_up(c: &mut DbConn, kind: &str, key: &str, said: &Value, now: UtcTime) -> Result<(), DbError> {
    results::give_up(c, kind, key, &details(said), now)
}

/// What was made of a document, the newest first. Whose it is, the caller has made sure.
pub async fn list_of_document(
    services: &Services,
    document: DocumentId,
) -> Result<Vec<DocumentResult>, AppError> {
    let read = services
        .db
        .run(move |c| results::list_latest(c, document, OF_DOCUMENT));
    Ok(read.await?)
}

/// The file of a result of the document of whoever shows this, to save.
///
/// # Errors
///
/// [`AppError::NotFound`] when the document is not theirs, or there is no such file of it; else what
/// [`check_servable`] says of the document, and [`AppError::Gone`] when Filestack has the result's own file no longer.
pub async fn download_url(
    services: &Services,
    shown: Shown,
    document: DocumentId,
    id: ResultId,
) -> Result<SignedUrl, AppError> {
    let read = identity::read_as(services, shown, move |c, user| {
        let Some(document) = documents::find_owned(c, user.id, document)? else {
            return Ok(None);
        };
        let made = results::find_of_document(c, document.id, id)?;
        Ok(made.map(|made| (document, made)))
    });
    let (document, made) = read.await?.1.ok_or(AppError::NotFound)?;
    check_servable(&document)?;
    let handle = made.handle.ok_or(AppError::NotFound)?;
    if made.state != DONE {
        return Err(AppError::Gone {
            code: "file-gone",
            detail: "The file was deleted at Filestack, so it cannot be opened any more. The document that it was made from \
                     is still here."
                .to_owned(),
        });
    }
    let handle = Handle::new(handle)
        .map_err(|error| AppError::Internal(format!("result {id} has a bad handle: {error}")))?;
    Ok(signed(services, &handle, true))
}

fn details(said: &Value) -> String {
    let text = said.to_string();
    // PostgreSQL takes no such character in a text.
    if text.len() > LONGEST_DETAILS {
        "{}".to_owned()
    } else {
        text.replace("\\u0000", "")
    }
}
