//! What the actions have in common: what they are given, and how they end.

use crate::clock::UtcTime;
use crate::db::models::documents::{self, Document};
use crate::db::models::events::{Event, EventState, Settlement};
use crate::db::models::uploads;
use crate::db::{DbConn, DbError};
use crate::filestack::{Handle, Metadata};
use crate::ids::DocumentId;

use super::message::Message;
use crate::services::Services;

/// What Filestack answered when it was asked about the file, before the transaction.
#[derive(Clone, Debug)]
pub(super) enum Facts {
    /// It was not asked.
    Unasked,
    /// There is no such file.
    NoFile,
    /// So it is.
    File(Box<Metadata>),
}

/// What an action is given.
pub(super) struct Case<'a> {
    pub(super) services: &'a Services,
    pub(super) event: &'a Event,
    pub(super) message: &'a Message,
    pub(super) facts: &'a Facts,
    /// The file's first bytes, where its type has to be told.
    pub(super) head: &'a [u8],
    /// The document as it was before Filestack was asked, where it matters that it still is.
    pub(super) before: Option<&'a Document>,
    pub(super) now: UtcTime,
}

impl Case<'_> {
    /// The file the event is about.
    pub(super) fn handle(&self) -> Option<&Handle> {
        self.message.handle.as_ref()
    }
}

/// How an action ends.
pub(super) type Outcome = Result<Settlement, DbError>;

pub(super) fn applied(document: DocumentId, reason: &str) -> Outcome {
    settled(EventState::Applied, Some(document), reason)
}

pub(super) fn ignored(document: Option<DocumentId>, reason: &str) -> Outcome {
    settled(EventState::Ignored, document, reason)
}

pub(super) fn parked(reason: &str) -> Outcome {
    settled(EventState::Parked, None, reason)
}

pub(super) fn failed(reason: &str) -> Outcome {
    settled(EventState::Failed, None, reason)
}

fn settled(state: EventState, document: Option<DocumentId>, reason: &str) -> Outcome {
    Ok(Settlement {
        state,
        reason: reason.to_owned(),
        document,
    })
}

/// The facts are missing although they are needed: things changed between the question and the transaction. It is tried again.
pub(super) fn changed_meanwhile() -> Outcome {
    Err(DbError::Busy(
        "the document changed at the same moment".to_owned(),
    ))
}

/// The document that has this file, or how an event about a file that no document has ends.
pub(super) fn document_of(
    c: &mut DbConn,
    handle: Option<&Handle>,
) -> Result<Result<Document, Settlement>, DbError> {
    let Some(handle) = handle else {
        return ignored(
            None,
            "It names no file: its address is not one of a file at Filestack.",
        )
        .map(Err);
    };
    // Asked first: a document that comes to be between the two questions must not look deleted.
    let had = uploads::had_handle(c, handle.as_str())?;
    if let Some(document) = documents::find_by_handle(c, handle.as_str())? {
        return Ok(Ok(document));
    }
    if had {
        return ignored(None, "The document that had this file was deleted here.").map(Err);
    }
    parked("No document has this file yet.").map(Err)
}
