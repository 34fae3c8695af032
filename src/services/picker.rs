//! Files that a browser sends to Filestack by itself: the right to do so, and the document that comes of it.
//!
//! The browser is given a policy for one folder and some minutes ([`grant`]). When it names the file's handle ([`register`]), Filestack
//! itself is asked where that file lies: the folder tells whose it is, the handle alone proves nothing (S5).

use std::time::Duration;

use bytes::Bytes;
use serde_json::json;

use super::claims::{Claim, MOST_FILES};
use crate::clock::UtcTime;
use crate::db::models::claims;
use crate::db::models::documents::{self, Document, NewDocument, STORED};
use crate::db::models::search::{self, name_key};
use crate::db::models::uploads::{self, Upload, UploadState};
use crate::db::models::users::{self, User};
use crate::db::{DbConn, DbError};
use crate::error::AppError;
use crate::filestack::{FilestackError, Grant, Handle, Metadata, MetadataField, Purpose};
use crate::ids::{DocumentId, UserId};
use crate::services::audit::{self, Action, Actor, Entry};
use crate::services::documents::MOST_TWINS;
use crate::services::idempotency::Held;
use crate::services::processing::chain::{self, Wish};
use crate::services::quotas::{self, OVER_QUOTA};
use crate::services::sniff::SNIFF_BYTES;
use crate::services::uploads::too_large;
use crate::services::{Services, events, names, removals, sniff, upstream};

/// How long the browser's policy lives; a page that needs longer asks again for the same folder.
pub const GRANT: Duration = Duration::from_secs(900);
/// How long our own policy to ask about a file lives.
const STAT: Duration = Duration::from_secs(60);
/// What a browser needs to store files.
pub struct PickerGrant {
    /// The folder, ending in `/`.
    pub path: String,
    /// The policy for it.
    pub grant: Grant,
    /// The largest file that it lets in.
    pub max_size: u64,
}

/// What became of a claim's file.
pub enum Redeemed {
    /// It is a document; the others are the owner's own with the same bytes.
    Made(Box<Document>, Vec<Document>),
    /// The claim is spent, or the file is a document's, or was one's that is deleted.
    Spent,
    /// There is no room for it: it is entered for removal, and that it came is written down.
    Refused(AppError),
}

/// What became of a file that was named.
pub enum Registered {
    /// A document was made of it; the others are the owner's own with the same bytes.
    New(Document, Vec<Document>),
    /// It was one already; the others as above.
    Known(Document, Vec<Document>),
}

/// What the answer to a registration is made of: the document, and the others with its bytes.
pub type Compose = fn(&Document, &[Document]) -> String;

/// Lets the user store up to `files` files, in a new folder or, to renew a policy, in one given out before.
///
/// # Errors
///
/// [`AppError::Invalid`] for a number out of range, [`AppError::Conflict`] for a folder that cannot be used any more,
/// [`AppError::OverQuota`] when there is no room for any file.
pub async fn grant(
    services: &Services,
    user: &User,
    files: u16,
    renew: Option<&str>,
) -> Result<PickerGrant, AppError> {
    if !(1..=MOST_FILES).contains(&files) {
        return Err(AppError::invalid(
            "invalid-files",
            format!("The number of files is 1 to {MOST_FILES}. Choose one in that range."),
        ));
    }
    let now = services.clock.now();
    let claim = match renew {
        None => Claim::new(user.id, files, now),
        Some(path) => renewed(services, user, path, now).await?,
    };
    let room = quotas::some_room(services, user.id).await?;
    let max_size = room.bytes.map_or(services.max_upload_bytes, |left| {
        left.min(services.max_upload_bytes)
    });
    let path = claim.path(&services.secret_key);
    let purpose = Purpose::PickerUpload {
        path: &path,
        max_size,
        container: None,
    };
    let grant = services.filestack.grant(purpose, now.system(), GRANT);
    Ok(PickerGrant {
        path,
        grant,
        max_size,
    })
}

async fn renewed(services: &Services, user: &User, path: &str, now: UtcTime) -> Result<Claim, AppError> {
    let claim = Claim::of_path(&services.secret_key, path)
        .filter(|claim| claim.owner == user.id)
        .ok_or(AppError::NotFound)?;
    let id = claim.id;
    let uses = services.db.run(move |c| claims::uses(c, id)).await?;
    if claim.has_expired(now) || uses >= i32::from(claim.files) {
        return Err(spent());
    }
    Ok(claim)
}

/// Makes a document of a file that the user's browser has stored.
///
/// Repeated, also at once, it gives the same document; so it does when Filestack's event was faster. The answer to a request that is to
/// be done once is kept with it.
///
/// # Errors
///
/// [`AppError::Fields`] for what is no handle, [`AppError::NotFound`] for a file that is not there or not the user's to register,
/// [`AppError::Conflict`] when the right to it was used or is over, [`AppError::TooLarge`], [`AppError::OverQuota`], and failures of
/// Filestack.
pub async fn register(
    services: &Services,
    actor: &Actor,
    user: &User,
    handle: &str,
    once: Option<(Held, Compose)>,
) -> Result<Registered, AppError> {
    let handle = Handle::new(handle).map_err(|_| {
        let sentence = "This is not a handle. Send the one that Filestack gave with the stored file.";
        AppError::Fields(vec![("handle", sentence.to_owned())])
    })?;
    if let Some(known) = settled(services, user.id, &handle).await? {
        return Ok(known);
    }
    match make(services, actor, user, &handle, once).await {
        // Filestack's event may have been faster, with this file, which then is a document or was refused, or with another of the claim.
        Err(lost @ (AppError::NotFound | AppError::Conflict { .. })) => {
            settled(services, user.id, &handle).await?.ok_or(lost)
        }
        made => made,
    }
}

async fn make(
    services: &Services,
    actor: &Actor,
    user: &User,
    handle: &Handle,
    once: Option<(Held, Compose)>,
) -> Result<Registered, AppError> {
    let metadata = metadata(services, handle).await?;
    let claim = metadata
        .path
        .as_deref()
        .and_then(|path| Claim::of_path(&services.secret_key, path))
        .filter(|claim| claim.owner == user.id)
        .ok_or(AppError::NotFound)?;
    let now = services.clock.now();
    if claim.has_expired(now) {
        return Err(spent());
    }
    if metadata.size.is_some_and(|size| size > services.max_upload_bytes) {
        refuse(services, handle, "upload-too-large", now).await?;
        return Err(too_large(services.max_upload_bytes));
    }
    let head = head(services, handle, &metadata).await?;
    let document = document_of(claim, handle, &metadata, &head, now);
    let (actor, verbs) = (actor.clone(), services.clone());
    let redeemed = services
        .db
        .write(move |c| {
            if let Some((held, _)) = &once {
                held.lock(c)?;
            }
            let redeemed = redeem(&verbs, c, claim, document, &actor, now)?;
            if let (Redeemed::Made(document, others), Some((held, compose))) = (&redeemed, &once) {
                held.record_answer(c, 201, &compose(document, others))?;
            }
            Ok(redeemed)
        })
        .await;
    services.bell.ring();
    match redeemed {
        Ok(Redeemed::Made(document, others)) => Ok(Registered::New(*document, others)),
        Ok(Redeemed::Refused(refusal)) => Err(refusal),
        Ok(Redeemed::Spent) | Err(DbError::Conflict) => Err(spent()),
        Err(error) => Err(error.into()),
    }
}

/// What has become of a file that is settled: a document, or [`AppError::OverQuota`].
async fn settled(
    services: &Services,
    owner: UserId,
    handle: &Handle,
) -> Result<Option<Registered>, AppError> {
    let handle = handle.as_str().to_owned();
    let (known, was_refused) = services
        .db
        .run(move |c| {
            let Some(known) = documents::find_by_handle_owned(c, owner, &handle)? else {
                return Ok((None, uploads::was_refused(c, owner, &handle, OVER_QUOTA)?));
            };
            let mut others = documents::list_by_sha256(c, owner, &known.sha256, MOST_TWINS)?;
            others.retain(|other| other.id != known.id);
            Ok((Some(Registered::Known(known, others)), false))
        })
        .await?;
    if was_refused {
        return Err(AppError::OverQuota(
            "There was no room for this file when it came, and it was not kept. Delete documents that you no longer need, or ask your \
             administrator for more; then upload it again."
                .to_owned(),
        ));
    }
    Ok(known)
}

/// The first bytes of a stored file, which have not passed through here: they tell its type (U5).
///
/// # Errors
///
/// [`AppError::NotFound`] for a file that is not there, and failures of Filestack.
pub async fn head(services: &Services, handle: &Handle, metadata: &Metadata) -> Result<Bytes, AppError> {
    if metadata.size == Some(0) {
        return Ok(Bytes::new());
    }
    let now = services.clock.now().system();
    let grant = services.filestack.grant(Purpose::Read { handle }, now, STAT);
    match services.filestack.read_start(handle, grant, SNIFF_BYTES).await {
        Ok(head) => Ok(head),
        Err(FilestackError::NotFound) => Err(AppError::NotFound),
        Err(error) => Err(upstream(error)),
    }
}

/// What Filestack knows about a file, asked with a policy for that file and nothing else.
async fn metadata(services: &Services, handle: &Handle) -> Result<Metadata, AppError> {
    const FIELDS: [MetadataField; 5] = [
        MetadataField::Size,
        MetadataField::Mimetype,
        MetadataField::Filename,
        MetadataField::Path,
        MetadataField::Sha256,
    ];
    let grant = services
        .filestack
        .grant(Purpose::Stat { handle }, services.clock.now().system(), STAT);
    match services.filestack.metadata(handle, grant, &FIELDS).await {
        Ok(metadata) => Ok(metadata),
        Err(FilestackError::NotFound) => Err(AppError::NotFound),
        Err(error) => Err(upstream(error)),
    }
}

/// Uses the claim and makes the document, in the state and with the steps that any new one gets: all or nothing. A file that there is no
/// room for uses the claim too, and is written down as an upload that failed.
pub fn redeem(
    services: &Services,
    c: &mut DbConn,
    claim: Claim,
    mut document: NewDocument,
    actor: &Actor,
    now: UtcTime,
) -> Result<Redeemed, DbError> {
    removals::lock_file(c, &document.handle)?;
    if uploads::had_handle(c, &document.handle)? || removals::is_entered(c, &document.handle)? {
        return Ok(Redeemed::Spent);
    }
    let Some(before) = claims::spend(c, claim.id, i32::from(claim.files), now)? else {
        return Ok(Redeemed::Spent);
    };
    if before > 0 {
        document.id = DocumentId::new(now);
    }
    let (status, kinds) = chain::plan(&services.background, &document.content_type, Wish::Nothing);
    document.status = status;
    let owner = users::find(c, claim.owner)?.ok_or(DbError::NotFound)?;
    let others = documents::list_by_sha256(c, claim.owner, &document.sha256, MOST_TWINS)?;
    let refusal = quotas::refusal_of(c, claim.owner, document.size_bytes)?;
    let upload = Upload {
        id: document.id,
        owner_id: claim.owner,
        state: match refusal {
            None => UploadState::Recorded,
            Some(_) => UploadState::Failed,
        },
        name: document.name.clone(),
        path: claim.path(&services.secret_key),
        handle: Some(document.handle.clone()),
        failure: refusal.as_ref().map(|_| OVER_QUOTA.to_owned()),
        wish: Wish::Nothing.as_str().to_owned(),
        started_at: claim.id.made_at(),
        updated_at: now,
    };
    uploads::insert(c, upload)?;
    if let Some(refusal) = refusal {
        removals::enter_once(c, &document.handle, OVER_QUOTA, now)?;
        let entry = Entry::of_user(Action::UploadRefused, &owner)
            .changing(
                serde_json::Value::Null,
                json!({"name": document.name, "bytes": document.size_bytes}),
            )
            .because(&refusal.public_detail());
        audit::record(c, actor, entry, now)?;
        return Ok(Redeemed::Refused(refusal));
    }
    documents::insert(c, &document)?;
    audit::record_added(c, actor, &document, "the browser, straight to Filestack")?;
    search::insert(c, owner.seq, &document)?;
    users::add_usage(c, claim.owner, 1, document.size_bytes)?;
    // Events about it may have been faster.
    events::unpark(c, Some(&document.handle), None, now)?;
    chain::enqueue(c, document.id, &kinds, now)?;
    let made = documents::find_owned(c, claim.owner, document.id)?.ok_or(DbError::NotFound)?;
    Ok(Redeemed::Made(Box::new(made), others))
}

/// The document that a stored file makes. Its first bytes tell its type; size and digest are Filestack's word.
pub fn document_of(
    claim: Claim,
    handle: &Handle,
    metadata: &Metadata,
    head: &[u8],
    now: UtcTime,
) -> NewDocument {
    let name = metadata.filename.as_deref().and_then(names::sanitise);
    let name = name.unwrap_or_else(|| "unnamed".to_owned());
    let digest = metadata.sha256.clone().unwrap_or_default();
    let is_digest = digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
    NewDocument {
        id: claim.id,
        owner_id: claim.owner,
        handle: handle.as_str().to_owned(),
        name_key: name_key(&name),
        declared_type: sniff::declared_type(metadata.mimetype.as_deref().unwrap_or_default()),
        content_type: sniff::content_type(head, &name),
        name,
        size_bytes: metadata
            .size
            .and_then(|size| i64::try_from(size).ok())
            .unwrap_or(0),
        sha256: if is_digest {
            digest.to_ascii_lowercase()
        } else {
            String::new()
        },
        status: STORED,
        created_at: now,
        updated_at: now,
    }
}

/// A file that is ours and must not stay, unless it is a document's already: that was let in by a server with another limit.
async fn refuse(
    services: &Services,
    handle: &Handle,
    reason: &'static str,
    now: UtcTime,
) -> Result<(), AppError> {
    let handle = handle.as_str().to_owned();
    services
        .db
        .write(move |c| {
            removals::lock_file(c, &handle)?;
            if uploads::had_handle(c, &handle)? {
                return Ok(());
            }
            removals::enter_once(c, &handle, reason, now)
        })
        .await?;
    Ok(())
}

fn spent() -> AppError {
    AppError::Conflict {
        code: "claim-spent",
        detail: "The right to store here was used already or is over. Ask for a new one, then upload the file again.".to_owned(),
    }
}
