//! `fp.upload`: confirms a document, or makes the one that a crashed upload was meant to become (S11), or a browser that stored a file
//! by itself and never came back.
//!
//! Whose the file is comes from the intent or the claim and from nothing else: the event names a path and a handle, and both are believed only when
//! Filestack itself, asked about this handle, names the same path (W15).

use super::action::{Case, Facts, Outcome, applied, changed_meanwhile, failed, ignored, parked};
use super::message::{Folder, Message};
use super::overwrite::is_sha256;
use crate::db::models::documents::NewDocument;
use crate::db::models::search::name_key;
use crate::db::models::uploads::{self, Upload, UploadState};
use crate::db::models::{documents, results};
use crate::db::{DbConn, DbError};
use crate::filestack::{Handle, Metadata};
use crate::services::audit::Actor;
use crate::services::claims::Claim;
use crate::services::picker::Redeemed;
use crate::services::uploads::adopt;
use crate::services::{picker, removals, sniff};

const NOT_PROVEN: &str =
    "Filestack does not say that this file is where the event says: it is not proven to be ours.";

/// What the rows say about an uploaded file.
enum Known {
    /// It is a document's, or a result of one.
    Kept(crate::ids::DocumentId),
    /// Its document was deleted here.
    Deleted,
    /// It may be the file of this upload, which has none; or one too many, when it has.
    Of(Box<Upload>, bool),
    /// It lies where this claim lets a browser store.
    Claimed(Claim),
    /// Nobody here has heard of it.
    Nobodys,
}

fn look(c: &mut DbConn, key: &[u8; 32], message: &Message) -> Result<Known, DbError> {
    if let Some(handle) = message.handle.as_ref().map(Handle::as_str) {
        // Asked first: a document that comes to be between the two questions must not look deleted.
        let had = uploads::had_handle(c, handle)?;
        if let Some(document) = documents::find_by_handle(c, handle)? {
            return Ok(Known::Kept(document.id));
        }
        if let Some(result) = results::find_by_handle(c, handle)? {
            return Ok(Known::Kept(result.document_id));
        }
        if had {
            return Ok(Known::Deleted);
        }
    }
    let Some(folder) = message.folder else {
        let claim = message.key.as_deref().and_then(|path| Claim::of_path(key, path));
        return Ok(claim.map_or(Known::Nobodys, Known::Claimed));
    };
    let upload = uploads::find(c, folder.upload)?.filter(|upload| upload.owner_id == folder.owner);
    let Some(upload) = upload else {
        return Ok(Known::Nobodys);
    };
    if upload.may_be_adopted() {
        return Ok(Known::Of(Box::new(upload), true));
    }
    let handle = message.handle.as_ref().map(Handle::as_str);
    if upload.state == UploadState::Recorded && upload.handle.as_deref() == handle {
        // Recorded since the first questions: this very file is its document's.
        return Ok(match documents::find(c, upload.id)? {
            Some(document) => Known::Kept(document.id),
            None => Known::Deleted,
        });
    }
    Ok(Known::Of(Box::new(upload), false))
}

/// Whether it takes Filestack's own word to know what this file is.
pub(super) fn needs_facts(c: &mut DbConn, key: &[u8; 32], message: &Message) -> Result<bool, DbError> {
    Ok(matches!(
        look(c, key, message)?,
        Known::Of(..) | Known::Claimed(_)
    ))
}

pub(super) fn act(c: &mut DbConn, case: &Case<'_>) -> Outcome {
    let Some(handle) = case.handle() else {
        return ignored(
            None,
            "It names no file: its address is not one of a file at Filestack.",
        );
    };
    removals::lock_file(c, handle.as_str())?;
    let (upload, is_wanted) = match look(c, &case.services.secret_key, case.message)? {
        Known::Kept(document) => return applied(document, "The document is there; this confirms it."),
        Known::Deleted => return ignored(None, "The document that had this file was deleted here."),
        Known::Nobodys => return parked("No upload or document of ours has this file yet."),
        Known::Claimed(claim) => return claimed(c, case, handle, claim),
        Known::Of(upload, is_wanted) => (upload, is_wanted),
    };
    let metadata = match case.facts {
        Facts::Unasked => return changed_meanwhile(),
        Facts::NoFile => return ignored(None, "The file is no longer at Filestack."),
        Facts::File(metadata) => metadata,
    };
    let place = metadata.path.as_deref().and_then(Folder::of_key);
    if place.is_none_or(|place| place.upload != upload.id || place.owner != upload.owner_id) {
        return failed(NOT_PROVEN);
    }
    if !is_wanted {
        removals::enter_once(c, handle.as_str(), "upload-not-wanted", case.now)?;
        return ignored(
            None,
            "Its upload ended without it, as the uploader was told; the file is removed at Filestack.",
        );
    }
    if removals::is_entered(c, handle.as_str())? {
        return ignored(None, "The file is being removed at Filestack.");
    }
    let document = document_of(&upload, handle, metadata, case);
    if adopt(case.services, c, document)? {
        applied(
            upload.id,
            "The upload had lost its process; its document was made.",
        )
    } else {
        changed_meanwhile()
    }
}

/// A browser stored it and has not registered it: the document is made as it would have been, or the file does not stay.
fn claimed(c: &mut DbConn, case: &Case<'_>, handle: &Handle, claim: Claim) -> Outcome {
    let metadata = match case.facts {
        Facts::Unasked => return changed_meanwhile(),
        Facts::NoFile => return ignored(None, "The file is no longer at Filestack."),
        Facts::File(metadata) => metadata,
    };
    let place = metadata.path.as_deref();
    if place.and_then(|path| Claim::of_path(&case.services.secret_key, path)) != Some(claim) {
        return failed(NOT_PROVEN);
    }
    if removals::is_entered(c, handle.as_str())? {
        return ignored(None, "The file is being removed at Filestack.");
    }
    let (limit, size) = (case.services.max_upload_bytes, metadata.size);
    let unwanted = if claim.has_expired(case.event.received_at) {
        "The right to store it was over; the file is removed at Filestack."
    } else if size.is_some_and(|size| size > limit) {
        "It is larger than files may be; it is removed at Filestack."
    } else {
        let document = picker::document_of(claim, handle, metadata, case.head, case.now);
        match picker::redeem(case.services, c, claim, document, &Actor::filestack(), case.now)? {
            Redeemed::Made(document, _) => {
                return applied(document.id, "A browser had stored it; its document was made.");
            }
            Redeemed::Refused(_) => {
                return ignored(
                    None,
                    "Its owner's quota has no room for it; it is removed at Filestack, and the audit trail says so.",
                );
            }
            Redeemed::Spent => {}
        }
        if let Some(document) = documents::find_by_handle(c, handle.as_str())? {
            return applied(document.id, "The document is there; this confirms it.");
        }
        "The right to store it had been used for other files; it is removed at Filestack."
    };
    removals::enter_once(c, handle.as_str(), "claim-not-valid", case.now)?;
    ignored(None, unwanted)
}

fn document_of(upload: &Upload, handle: &Handle, metadata: &Metadata, case: &Case<'_>) -> NewDocument {
    let now = case.now;
    NewDocument {
        id: upload.id,
        owner_id: upload.owner_id,
        handle: handle.as_str().to_owned(),
        name: upload.name.clone(),
        name_key: name_key(&upload.name),
        declared_type: sniff::declared_type(metadata.mimetype.as_deref().unwrap_or_default()),
        content_type: sniff::content_type(case.head, &upload.name),
        size_bytes: metadata
            .size
            .and_then(|size| i64::try_from(size).ok())
            .unwrap_or_default(),
        sha256: metadata
            .sha256
            .clone()
            .filter(|hex| is_sha256(hex))
            .unwrap_or_default(),
        status: documents::STORED,
        created_at: now,
        updated_at: now,
    }
}
