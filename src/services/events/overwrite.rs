//! `fp.overwrite`: the file has other content. What it is like now is asked, not taken from the event: the last one is what counts,
//! whichever event is applied last.

use serde_json::json;

use super::action::{Case, Facts, Outcome, applied, changed_meanwhile, document_of};
use super::message::Message;
use crate::db::models::documents::{self, Content, Document, GONE};
use crate::db::models::users;
use crate::db::{DbConn, DbError};
use crate::filestack::Handle;
use crate::services::audit::{self, Action, Actor, Entry};
use crate::services::{quotas, sniff, verdicts};

/// The document that is to be refreshed, as it is before Filestack is asked.
pub(super) fn to_be_refreshed(c: &mut DbConn, message: &Message) -> Result<Option<Document>, DbError> {
    let Some(handle) = message.handle.as_ref().map(Handle::as_str) else {
        return Ok(None);
    };
    Ok(documents::find_by_handle(c, handle)?.filter(|document| document.status != GONE))
}

pub(super) fn act(c: &mut DbConn, case: &Case<'_>) -> Outcome {
    let document = match document_of(c, case.handle())? {
        Err(settlement) => return Ok(settlement),
        Ok(document) => document,
    };
    if document.status == GONE {
        return applied(document.id, "The document's file is gone since.");
    }
    let metadata = match case.facts {
        Facts::Unasked => return changed_meanwhile(),
        Facts::NoFile => {
            verdicts::mark_gone(c, &Actor::filestack(), document.id, case.now)?;
            return applied(document.id, "The document's file is gone since.");
        }
        Facts::File(metadata) => metadata,
    };
    let size_bytes = metadata.size.and_then(|size| i64::try_from(size).ok());
    let content_type = metadata.mimetype.as_deref().map(sniff::declared_type);
    let content = Content {
        size_bytes: size_bytes.unwrap_or(document.size_bytes),
        // Filestack may not tell, and the old one is of other bytes.
        sha256: metadata
            .sha256
            .as_deref()
            .filter(|hex| is_sha256(hex))
            .unwrap_or_default(),
        content_type: content_type.as_deref().unwrap_or(&document.content_type),
    };
    let same = content.size_bytes == document.size_bytes
        && content.sha256 == document.sha256
        && content.content_type == document.content_type;
    if same {
        return applied(document.id, "The document was known to be like this.");
    }
    // What Filestack said may be of older content than what another event has found since.
    match case.before {
        Some(before) if documents::refresh(c, before, &content, case.now)? => {}
        _ => return changed_meanwhile(),
    }
    let facts =
        |size: i64, sha256: &str, kind: &str| json!({"size_bytes": size, "sha256": sha256, "type": kind});
    let entry = Entry::of_document(Action::DocumentOverwritten, &document).changing(
        facts(document.size_bytes, &document.sha256, &document.content_type),
        facts(content.size_bytes, content.sha256, content.content_type),
    );
    audit::record(c, &Actor::filestack(), entry, case.now)?;
    let more = content.size_bytes - document.size_bytes;
    users::add_usage(c, document.owner_id, 0, more)?;
    if more > 0 {
        // Filestack has the bytes: not to count them would free nothing. What comes next is refused.
        quotas::note_excess(c, &document, "The file has grown at Filestack.", case.now)?;
    }
    applied(
        document.id,
        "The document's size, type and checksum are those of its new content.",
    )
}

/// 64 lower-case hex digits: what we would have computed ourselves.
pub(super) fn is_sha256(text: &str) -> bool {
    text.len() == 64
        && text
            .bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}
