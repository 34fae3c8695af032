//! The intent of an upload, from its first row to its document or to the reason why there is none.

use std::time::Duration;

use tokio::task::AbortHandle;

use crate::clock::UtcTime;
use crate::db::models::documents::{self, NewDocument};
use crate::db::models::search;
use crate::db::models::uploads::{self, Upload, UploadState};
use crate::db::models::users::{self, User};
use crate::db::{DbConn, DbError};
use crate::error::AppError;
use crate::failpoints;
use crate::ids::{DocumentId, UserId};
use crate::queue::Kind;
use crate::services::audit::Actor;
use crate::services::idempotency::Held;
use crate::services::processing::chain::{self, Step, Wish};
use crate::services::quotas::{self, Verdict};
use crate::services::uploads::Received;
use crate::services::{Services, audit, events, removals};

/// Between two signs of life; the sweep waits for fifteen of them.
const SIGN_OF_LIFE: Duration = Duration::from_secs(20);

/// Whose doing a new document is, and which way it came.
#[derive(Clone, Debug)]
pub struct By {
    /// Who.
    pub actor: Actor,
    /// Which way, in words.
    pub via: &'static str,
}

/// An intent that has not ended. Dropped unfinished (the client went away, the server stops) it ends as failed.
pub(super) struct Intent {
    services: Services,
    pub(super) id: DocumentId,
    pub(super) path: String,
    /// The most bytes that there is room for, where that is bounded.
    pub(super) room: Option<u64>,
    /// Gives signs of life, so that the sweep leaves the upload alone however slow it is.
    alive: AbortHandle,
    /// The request that is to be done once, if it is.
    pub(super) once: Option<Held>,
    ended: bool,
}

impl Intent {
    /// Writes the intent and holds room for it: for `most` bytes, or, when fewer are left, for those, but for no fewer than the `least`
    /// that have come already.
    ///
    /// # Errors
    ///
    /// [`AppError::OverQuota`] when there is no room; then nothing was written.
    pub(super) async fn begin(
        services: &Services,
        owner: &User,
        name: &str,
        wish: Wish,
        (least, most): (u64, u64),
        once: Option<Held>,
    ) -> Result<Self, AppError> {
        let now = services.clock.now();
        let id = DocumentId::new(now);
        let path = path(owner.id, id);
        let upload = Upload {
            id,
            owner_id: owner.id,
            state: UploadState::Started,
            name: name.to_owned(),
            path: path.clone(),
            handle: None,
            failure: None,
            wish: wish.as_str().to_owned(),
            started_at: now,
            updated_at: now,
        };
        failpoints::reach("upload.before-intent");
        let owner = owner.id;
        let held = once.clone();
        let verdict = services
            .db
            .write(move |c| {
                if let Some(held) = &held {
                    held.lock(c)?;
                }
                let verdict = quotas::hold(c, owner, most, least)?;
                match verdict {
                    Verdict::Unbounded => uploads::insert(c, upload)?,
                    Verdict::Held(bytes) => uploads::insert_holding(c, upload, bytes)?,
                    Verdict::Refused(_) => return Ok(verdict),
                }
                if let Some(held) = held {
                    held.begin_upload(c, id)?;
                }
                Ok(verdict)
            })
            .await?;
        let room = match verdict {
            Verdict::Unbounded => None,
            Verdict::Held(bytes) => Some(u64::try_from(bytes).unwrap_or(0)),
            Verdict::Refused(refusal) => return Err(refusal),
        };
        failpoints::reach("upload.after-intent");
        Ok(Intent {
            services: services.clone(),
            id,
            path,
            room,
            alive: tokio::spawn(give_signs_of_life(services.clone(), id)).abort_handle(),
            once,
            ended: false,
        })
    }

    /// Writes the document, counts it, ends the intent and puts what is to be done next into the queue: all at once (S10). When
    /// Filestack's event was faster and the document is there, it gets what only we know.
    ///
    /// When that fails, the file is at Filestack and nobody knows it: it is entered for removal.
    pub(super) async fn record(
        mut self,
        owner: &User,
        document: NewDocument,
        kinds: Vec<Kind>,
        by: By,
    ) -> Result<Received, AppError> {
        self.ended = true;
        let (id, owner_seq) = (self.id, owner.seq);
        let handle = document.handle.clone();
        let now = document.created_at;
        // Held until the file is let go, should it come to that: nobody else may answer for the document meanwhile.
        let once = self.once.clone();
        failpoints::reach("upload.before-record");
        let recorded = self
            .services
            .db
            .write(move |c| {
                if let Some(once) = &once {
                    once.lock(c)?;
                }
                removals::lock_file(c, &document.handle)?;
                let steps =
                    if uploads::finish(c, id, UploadState::Recorded, Some(&document.handle), None, now)? {
                        quotas::release(c, id)?;
                        add(c, owner_seq, &document)?;
                        audit::record_added(c, &by.actor, &document, by.via)?;
                        chain::enqueue(c, id, &kinds, now)?
                    } else if documents::complete(c, &document)? {
                        // Put into the queue with the document, as the kept wish says; they may have ended since.
                        chain::list(c, id)?
                    } else {
                        return Err(DbError::Conflict);
                    };
                failpoints::reach("upload.in-record");
                let document = documents::find(c, id)?.ok_or(DbError::NotFound)?;
                if let Some(once) = once {
                    once.record(c, &document, &named(&steps))?;
                }
                Ok(Received { document, steps })
            })
            .await;
        failpoints::reach("upload.after-record");
        self.services.bell.ring();
        match recorded {
            Ok(received) => {
                if !received.steps.is_empty() {
                    self.services.bell.ring();
                }
                Ok(received)
            }
            Err(error) => {
                self.let_go(handle, "document-not-recorded").await;
                Err(error.into())
            }
        }
    }

    /// Ends the intent without a document; a file that reached Filestack all the same is removed.
    pub(super) async fn fail(mut self, reason: &'static str, handle: Option<String>) {
        self.ended = true;
        match handle {
            Some(handle) => self.let_go(handle, reason).await,
            None => end_as_failed(&self.services, self.id, reason).await,
        }
    }

    async fn let_go(&self, handle: String, reason: &'static str) {
        let (id, now, file) = (self.id, self.services.clock.now(), handle.clone());
        let once = self.once.clone();
        let entered = self
            .services
            .db
            .write(move |c| {
                let is_held = once.map_or(Ok(true), |once| once.is_held(c))?;
                removals::lock_file(c, &file)?;
                if !uploads::finish(c, id, UploadState::Failed, Some(&file), Some(reason), now)? {
                    // An event was faster and has made the document. Whoever has taken the key over has answered with it; else it is
                    // not to be.
                    let made = documents::find(c, id)?.filter(|document| document.handle == file);
                    if !is_held && made.is_some() {
                        return Ok(false);
                    }
                    withdraw(c, id, &file)?;
                }
                quotas::release(c, id)?;
                removals::enter_once(c, &file, reason, now)?;
                Ok(true)
            })
            .await;
        let removed = match entered {
            Ok(true) => removals::attempt(&self.services, &handle).await.map(|_| ()),
            Ok(false) => Ok(()),
            Err(error) => Err(error.into()),
        };
        if let Err(error) = removed {
            log::error!(event = "file-stranded", handle = handle.as_str(); "a file could not be let go: {error}");
        }
    }
}

/// Steps by id and kind.
pub fn named(steps: &[Step]) -> Vec<(String, String)> {
    let named = steps
        .iter()
        .map(|step| (step.id.to_string(), step.kind.as_str().to_owned()));
    named.collect()
}

/// Adds a document with all that belongs to it, in the transaction that ends its intent; events that were faster than the document
/// are let in.
fn add(c: &mut DbConn, owner_seq: i64, document: &NewDocument) -> Result<(), DbError> {
    documents::insert(c, document)?;
    search::insert(c, owner_seq, document)?;
    users::add_usage(c, document.owner_id, 1, document.size_bytes)?;
    let folder = path(document.owner_id, document.id);
    events::unpark(c, Some(&document.handle), Some(&folder), document.created_at)
}

/// Makes the document of an upload that lost its process, in the caller's transaction; `false` when it has ended otherwise.
///
/// It begins in the state, and gets the steps, that any new document does: what has to be looked at first is, also after a crash.
pub fn adopt(services: &Services, c: &mut DbConn, mut document: NewDocument) -> Result<bool, DbError> {
    if !uploads::adopt(c, document.id, &document.handle, document.created_at)? {
        return Ok(false);
    }
    let owner = users::find(c, document.owner_id)?.ok_or(DbError::NotFound)?;
    let wish = uploads::find(c, document.id)?.map_or(Wish::Nothing, |upload| Wish::read(&upload.wish));
    let (status, kinds) = chain::plan(&services.background, &document.content_type, wish);
    document.status = status;
    quotas::release(c, document.id)?;
    add(c, owner.seq, &document)?;
    audit::record_added(
        c,
        &Actor::filestack(),
        &document,
        "an event, after the upload had lost its process",
    )?;
    chain::enqueue(c, document.id, &kinds, document.created_at)?;
    if let Some(made) = documents::find_owned(c, document.owner_id, document.id)? {
        let why = "The upload had been let in before its process was lost.";
        quotas::note_excess(c, &made, why, document.created_at)?;
    }
    Ok(true)
}

/// Takes back a document that an event has made of an upload that failed after all. The document first, as whoever changes one does; and
/// what it counted for is what it counts for at that moment.
fn withdraw(c: &mut DbConn, id: DocumentId, handle: &str) -> Result<(), DbError> {
    let Some(removed) = documents::delete(c, id, handle)? else {
        return Ok(());
    };
    search::delete(c, removed.seq)?;
    users::add_usage(c, removed.owner_id, -1, -removed.size_bytes)?;
    if removed.trashed_at.is_some() {
        users::add_trashed(c, removed.owner_id, -1)?;
    }
    Ok(())
}

/// Where the file of an upload is put: nobody else's upload has this folder.
fn path(owner: UserId, id: DocumentId) -> String {
    format!("user-uploads/{owner}/{id}/")
}

impl Drop for Intent {
    fn drop(&mut self) {
        self.alive.abort();
        if self.ended {
            return;
        }
        let (services, id) = (self.services.clone(), self.id);
        // Without a runtime the process is ending, and the sweep finds the intent.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { end_as_failed(&services, id, "interrupted").await });
        }
    }
}

/// By time and not by bytes: a part may take hours.
async fn give_signs_of_life(services: Services, id: DocumentId) {
    loop {
        tokio::time::sleep(SIGN_OF_LIFE).await;
        let now = services.clock.now();
        if let Err(error) = services.db.write(move |c| uploads::touch(c, id, now)).await {
            log::warn!(event = "upload-heartbeat", upload = id.as_str(); "no sign of life could be given: {error}");
        }
    }
}

async fn end_as_failed(services: &Services, id: DocumentId, reason: &'static str) {
    let now: UtcTime = services.clock.now();
    let ended = services
        .db
        .write(move |c| {
            uploads::finish(c, id, UploadState::Failed, None, Some(reason), now)?;
            quotas::release(c, id)
        })
        .await;
    if let Err(error) = ended {
        log::warn!(event = "intent-left-open", upload = id.as_str(); "the sweep will end this upload: {error}");
    }
}
