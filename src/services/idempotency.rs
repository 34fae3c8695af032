//! Requests that are to be done once, however often they are sent: the header `Idempotency-Key`.
//!
//! A request holds its key while it works, and says so again every few seconds; its answer is kept with what it creates, in one
//! transaction. One that fails lets go. When a process dies its key is free soon after, and whoever sends the request again finds out
//! what became of it: the document that Filestack's event has made of the upload, or else an upload that is declared failed, so that
//! its file is removed should it turn up.

use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::crypto::{hex, new_token};
use crate::db::models::documents::{self, Document};
use crate::db::models::idempotency_keys::{self, IdempotencyKey};
use crate::db::models::jobs;
use crate::db::models::uploads;
use crate::db::{DbConn, DbError};
use crate::error::AppError;
use crate::ids::{DocumentId, UserId};
use crate::services::{Services, quotas};

/// How long an answer is kept.
pub const KEPT: Duration = Duration::from_secs(24 * 3_600);
/// The longest name.
pub const LONGEST_KEY: usize = 255;
/// A request that has not said for so long that it is at work is taken to have died.
const LEASE: Duration = Duration::from_secs(20);
/// Between two signs of life.
const SIGN_OF_LIFE: Duration = Duration::from_secs(5);
/// When to ask again for the answer of a request that is being worked on.
const ASK_AGAIN: Duration = Duration::from_secs(5);

/// Jobs of one document: more than it can have.
const MOST_JOBS: i64 = 100;

/// A name that a client chose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key(String);

impl Key {
    /// The name, if it is one: printable ASCII without spaces, not too long.
    pub fn new(text: &str) -> Option<Self> {
        let is_one =
            (1..=LONGEST_KEY).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        is_one.then(|| Key(text.to_owned()))
    }
}

/// What the answer to a document's creation is made of: the document, and the jobs that follow it (id and kind).
pub type Compose = fn(&Services, &Document, &[(String, String)]) -> Result<String, AppError>;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Whose request.
    pub user: UserId,
    /// Its name.
    pub key: Key,
    /// Where it was sent.
    pub route: &'static str,
    /// What tells its body from others, when that is known beforehand; else the file's name and bytes do.
    pub fingerprint: Option<String>,
    /// How its answer is made.
    pub compose: Compose,
}

/// How far it has come.
#[derive(Debug)]
pub enum Begun {
    /// Nothing is done yet: do it, and hold this meanwhile.
    Held(Held),
    /// It is done already, by a request with this fingerprint.
    Done(Answer),
}

/// The answer of a request that is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Status.
    pub status: u16,
    /// Body.
    pub body: String,
    fingerprint: String,
}

impl Answer {
    /// Makes sure that the request that is sent now is the one that was answered.
    ///
    /// # Errors
    ///
    /// [`AppError::KeyReused`] when it is another.
    pub fn for_request(self, fingerprint: &str) -> Result<Self, AppError> {
        if crate::crypto::same(&self.fingerprint, fingerprint) {
            Ok(self)
        } else {
            Err(AppError::KeyReused)
        }
    }
}

/// A key that is held. Clones share it; when the last is dropped it is let go, and the request may be sent again.
#[derive(Clone, Debug)]
pub struct Held(Arc<Hold>);

struct Hold {
    services: Services,
    wanted: Wanted,
    holder: String,
    alive: tokio::task::AbortHandle,
}

impl std::fmt::Debug for Hold {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hold")
            .field("wanted", &self.wanted)
            .finish_non_exhaustive()
    }
}

/// Takes the key, or gives the answer that is kept under it.
///
/// # Errors
///
/// [`AppError::InProgress`] while another request holds it, [`AppError::KeyReused`] when it was another request's.
pub async fn begin(services: &Services, wanted: Wanted) -> Result<Begun, AppError> {
    let now = services.clock.now();
    let holder = new_token();
    let row = IdempotencyKey {
        user_id: wanted.user,
        name: wanted.key.0.clone(),
        route: wanted.route.to_owned(),
        fingerprint: wanted.fingerprint.clone().unwrap_or_default(),
        holder: holder.clone(),
        held_until: now.plus(LEASE),
        upload_id: None,
        status: None,
        answer: None,
        made_at: now,
    };
    let (verbs, compose) = (services.clone(), wanted.compose);
    let taken = services.db.write(move |c| take(&verbs, c, row, compose)).await;
    match taken {
        Ok(Taken::Ours) => Ok(Begun::Held(Held(Arc::new(Hold {
            alive: keep_alive(services, &wanted, &holder),
            services: services.clone(),
            wanted,
            holder,
        })))),
        Ok(Taken::Done(answer)) => match &wanted.fingerprint {
            Some(fingerprint) => answer.for_request(fingerprint).map(Begun::Done),
            None => Ok(Begun::Done(answer)),
        },
        Ok(Taken::Others) => Err(AppError::KeyReused),
        // On PostgreSQL two first requests may both find nothing: the key is unique.
        Ok(Taken::Busy) | Err(DbError::Conflict) => Err(AppError::InProgress(ASK_AGAIN)),
        Err(error) => Err(error.into()),
    }
}

enum Taken {
    Ours,
    Done(Answer),
    Others,
    Busy,
}

fn take(
    services: &Services,
    c: &mut DbConn,
    row: IdempotencyKey,
    compose: Compose,
) -> Result<Taken, DbError> {
    let now = row.made_at;
    let Some(before) = idempotency_keys::find_for_update(c, row.user_id, &row.name)? else {
        idempotency_keys::insert(c, &row)?;
        return Ok(Taken::Ours);
    };
    if before.made_at < now.minus(KEPT) {
        idempotency_keys::replace(c, &row)?;
        return Ok(Taken::Ours);
    }
    if let (Some(status), Some(body)) = (before.status, before.answer) {
        if before.route != row.route {
            return Ok(Taken::Others);
        }
        return Ok(Taken::Done(Answer {
            status: status as u16,
            body,
            fingerprint: before.fingerprint,
        }));
    }
    if before.held_until > now {
        let known = !before.fingerprint.is_empty() && !row.fingerprint.is_empty();
        let other = before.route != row.route || (known && before.fingerprint != row.fingerprint);
        return Ok(if other { Taken::Others } else { Taken::Busy });
    }
    // Whoever held it has failed or died. What it began must not become a document beside the one that is made now.
    let superseded = match before.upload_id {
        Some(upload) if uploads::supersede(c, upload, now)? => {
            quotas::release(c, upload)?;
            true
        }
        Some(_) => false,
        None => false,
    };
    if let Some(upload) = before.upload_id.filter(|_| !superseded)
        && let Some(document) = documents::find(c, upload)?.filter(|found| found.owner_id == row.user_id)
    {
        if before.route != row.route {
            return Ok(Taken::Others);
        }
        let jobs = jobs::listing::list_of_document(c, upload, MOST_JOBS)?;
        let jobs: Vec<_> = jobs
            .into_iter()
            .map(|job| (job.id.to_string(), job.kind))
            .collect();
        let body = compose(services, &document, &jobs).map_err(|error| DbError::Query(error.to_string()))?;
        let answer = Answer {
            status: 201,
            body,
            fingerprint: if before.fingerprint.is_empty() {
                fingerprint_of_file(&document.name, &document.sha256)
            } else {
                before.fingerprint
            },
        };
        let row = IdempotencyKey {
            fingerprint: answer.fingerprint.clone(),
            held_until: now,
            upload_id: Some(upload),
            status: Some(201),
            answer: Some(answer.body.clone()),
            made_at: before.made_at,
            ..row
        };
        idempotency_keys::replace(c, &row)?;
        return Ok(Taken::Done(answer));
    }
    idempotency_keys::replace(c, &row)?;
    Ok(Taken::Ours)
}

/// Says again and again that the request is at work.
fn keep_alive(services: &Services, wanted: &Wanted, holder: &str) -> tokio::task::AbortHandle {
    let (services, user, name, holder) = (
        services.clone(),
        wanted.user,
        wanted.key.0.clone(),
        holder.to_owned(),
    );
    let task = tokio::spawn(async move {
        loop {
            tokio::time::sleep(SIGN_OF_LIFE).await;
            let until = services.clock.now().plus(LEASE);
            let (name, holder) = (name.clone(), holder.clone());
            // Should this fail, the next one may not; should all of them, the lease ends and nothing is recorded twice.
            let _ = services
                .db
                .write(move |c| idempotency_keys::hold(c, user, &name, &holder, until))
                .await;
        }
    });
    task.abort_handle()
}

impl Held {
    /// Makes sure that the request still has its key, and keeps it until the transaction ends. Comes before whatever else the transaction
    /// locks: whoever takes a key that was let go locks it first too, and neither waits for the other with something that it wants.
    ///
    /// # Errors
    ///
    /// [`DbError::Conflict`] when the request was taken for dead and another does its work.
    pub fn lock(&self, c: &mut DbConn) -> Result<(), DbError> {
        if self.is_held(c)? {
            Ok(())
        } else {
            Err(DbError::Conflict)
        }
    }

    /// The same, and says whether the request still has its key.
    pub fn is_held(&self, c: &mut DbConn) -> Result<bool, DbError> {
        let Hold { wanted, holder, .. } = &*self.0;
        let key = idempotency_keys::find_for_update(c, wanted.user, &wanted.key.0)?;
        Ok(key.is_some_and(|key| key.holder == *holder))
    }

    /// Notes which upload the request has begun, in the transaction that begins it.
    pub fn begin_upload(&self, c: &mut DbConn, upload: DocumentId) -> Result<(), DbError> {
        let Hold { wanted, holder, .. } = &*self.0;
        if idempotency_keys::begin_upload(c, wanted.user, &wanted.key.0, holder, upload)? {
            Ok(())
        } else {
            Err(DbError::Conflict)
        }
    }

    /// Keeps the answer, in the transaction that makes the document. [`DbError::Conflict`], which undoes all of it, when the request was
    /// taken for dead and another does its work.
    pub fn record(
        &self,
        c: &mut DbConn,
        document: &Document,
        jobs: &[(String, String)],
    ) -> Result<(), DbError> {
        let wanted = &self.0.wanted;
        let body = (wanted.compose)(&self.0.services, document, jobs)
            .map_err(|error| DbError::Query(error.to_string()))?;
        let fingerprint = wanted
            .fingerprint
            .clone()
            .unwrap_or_else(|| fingerprint_of_file(&document.name, &document.sha256));
        self.keep(c, 201, &body, &fingerprint)
    }

    /// The same with an answer that is made already, to a request whose fingerprint was known beforehand.
    pub fn record_answer(&self, c: &mut DbConn, status: u16, body: &str) -> Result<(), DbError> {
        let fingerprint = self.0.wanted.fingerprint.clone().unwrap_or_default();
        self.keep(c, status, body, &fingerprint)
    }

    fn keep(&self, c: &mut DbConn, status: u16, body: &str, fingerprint: &str) -> Result<(), DbError> {
        let Hold { wanted, holder, .. } = &*self.0;
        let place = (wanted.user, wanted.key.0.as_str(), holder.as_str());
        if idempotency_keys::answer(c, place, i32::from(status), body, fingerprint)? {
            Ok(())
        } else {
            Err(DbError::Conflict)
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.alive.abort();
        let (services, user) = (self.services.clone(), self.wanted.user);
        let (name, holder) = (self.wanted.key.0.clone(), self.holder.clone());
        // Without a runtime the process is ending, and so will the lease.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                let now = services.clock.now();
                let _ = services
                    .db
                    .write(move |c| idempotency_keys::hold(c, user, &name, &holder, now))
                    .await;
            });
        }
    }
}

/// What tells an upload from others: its file's name, as it is kept, and bytes.
pub fn fingerprint_of_file(name: &str, sha256: &str) -> String {
    fingerprint_of(&[name, sha256])
}

/// What tells a body of these values from others.
pub fn fingerprint_of(values: &[&str]) -> String {
    let mut digest = Sha256::new();
    for value in values {
        digest.update((value.len() as u64).to_be_bytes());
        digest.update(value);
    }
    hex(&digest.finalize())
}
