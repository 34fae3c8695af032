//! The trash: where a deleted document waits, until it is restored or purged. Only then does its file go at Filestack.
//!
//! Every verb takes any number of ids up to [`MOST`], does what it can in one transaction, and says which of them were not there:
//! another's document is not there (I6). Rows are touched in the order of their ids and the owner's count last, so that two at once wait
//! for each other and never in a ring.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::clock::UtcTime;
use crate::db::models::documents::{self, Document, ListQuery, Part, Sort};
use crate::db::models::users::{self, User};
use crate::db::models::{jobs, results, search};
use crate::db::{DbConn, DbError};
use crate::error::AppError;
use crate::ids::{DocumentId, UserId};
use crate::services::audit::{Action, Actor, Entry};
use crate::services::documents::{DocumentPage, Total, cut};
use crate::services::identity::Shown;
use crate::services::{Services, audit, identity, removals};

/// Documents that one act is about.
pub const MOST: usize = 200;
/// Documents purged in one transaction.
const BATCH: i64 = 100;
/// Batches for one request to empty the trash, and for one round of the sweep: what is left is said, and comes next.
const BATCHES: usize = 20;

/// What an act on several documents came to.
#[derive(Debug)]
pub struct Acted {
    /// Those it was done to, as they are now.
    pub documents: Vec<Document>,
    /// Those that are not there.
    pub missing: Vec<DocumentId>,
    /// When: what was put into the trash by one act bears one moment, by which it can be taken back.
    pub at: UtcTime,
}

impl Acted {
    /// The one document that was asked for.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when it was not there.
    pub fn only(self) -> Result<Document, AppError> {
        self.documents.into_iter().next().ok_or(AppError::NotFound)
    }
}

/// The ids without repetitions, in order.
///
/// # Errors
///
/// [`AppError::Invalid`] when there are more than [`MOST`].
pub fn check_ids(ids: Vec<DocumentId>) -> Result<Vec<DocumentId>, AppError> {
    let ids: BTreeSet<_> = ids.into_iter().collect();
    if ids.len() > MOST {
        return Err(AppError::invalid(
            "too-many-documents",
            format!(
                "{} documents were chosen, and {MOST} can be worked on at once. Choose fewer, then go on with the rest.",
                ids.len()
            ),
        ));
    }
    Ok(ids.into_iter().collect())
}

/// Puts the owner's documents into the trash.
pub async fn put(
    services: &Services,
    actor: &Actor,
    owner: UserId,
    ids: Vec<DocumentId>,
) -> Result<Acted, AppError> {
    let ids = check_ids(ids)?;
    let (now, actor) = (services.clock.now(), actor.clone());
    Ok(services
        .db
        .write(move |c| put_in(c, &actor, owner, &ids, now))
        .await?)
}

/// The same with one document, if it still is what the caller takes it to be.
///
/// # Errors
///
/// [`AppError::Stale`] when it is not.
pub async fn put_if(
    services: &Services,
    actor: &Actor,
    owner: UserId,
    id: DocumentId,
    unchanged: impl FnOnce(&Document) -> bool + Send + 'static,
) -> Result<Acted, AppError> {
    let (now, actor) = (services.clock.now(), actor.clone());
    services
        .db
        .write(move |c| {
            let before = documents::find_owned_for_update(c, owner, id)?;
            if before.is_some_and(|before| !unchanged(&before)) {
                return Ok(Err(AppError::Stale));
            }
            put_in(c, &actor, owner, &[id], now).map(Ok)
        })
        .await?
}

fn put_in(
    c: &mut DbConn,
    actor: &Actor,
    owner: UserId,
    ids: &[DocumentId],
    now: UtcTime,
) -> Result<Acted, DbError> {
    let acted = each(c, ids, now, |c, id| {
        if !documents::trash(c, owner, id, now)? {
            return Ok(None);
        }
        let document = documents::find(c, id)?.ok_or(DbError::NotFound)?;
        search::delete(c, document.seq)?;
        audit::record(
            c,
            actor,
            Entry::of_document(Action::DocumentTrashed, &document),
            now,
        )?;
        Ok(Some(document))
    })?;
    count(c, owner, acted.documents.len() as i64)?;
    Ok(acted)
}

/// Takes the owner's documents out of the trash. One that is outside already stays there, and counts as restored.
pub async fn restore(
    services: &Services,
    actor: &Actor,
    owner: UserId,
    ids: Vec<DocumentId>,
) -> Result<Acted, AppError> {
    let ids = check_ids(ids)?;
    let (now, actor) = (services.clock.now(), actor.clone());
    Ok(services
        .db
        .write(move |c| restore_in(c, &actor, owner, &ids, now))
        .await?)
}

/// Takes back what the owner put into the trash at this moment: undoes one act.
pub async fn restore_act(
    services: &Services,
    actor: &Actor,
    owner: UserId,
    at: UtcTime,
) -> Result<Acted, AppError> {
    let (now, actor) = (services.clock.now(), actor.clone());
    Ok(services
        .db
        .write(move |c| {
            let ids = documents::list_trashed_at(c, owner, at, MOST as i64)?;
            restore_in(c, &actor, owner, &ids, now)
        })
        .await?)
}

fn restore_in(
    c: &mut DbConn,
    actor: &Actor,
    owner: UserId,
    ids: &[DocumentId],
    now: UtcTime,
) -> Result<Acted, DbError> {
    let mut restored = 0;
    let acted = each(c, ids, now, |c, id| {
        if documents::restore(c, owner, id)? {
            restored += 1;
            let document = documents::find(c, id)?.ok_or(DbError::NotFound)?;
            search::refresh(c, id)?;
            audit::record(
                c,
                actor,
                Entry::of_document(Action::DocumentRestored, &document),
                now,
            )?;
            return Ok(Some(document));
        }
        documents::find_owned(c, owner, id)
    })?;
    count(c, owner, -restored)?;
    Ok(acted)
}

/// What purging came to.
#[derive(Debug)]
pub struct Purged {
    /// The name it had.
    pub name: String,
    /// Whether Filestack has removed the file too; if not, it is tried again until it has.
    pub file_removed: bool,
}

/// Purges a document that is in the owner's trash, and its file at Filestack.
///
/// The row goes first, together with a note that the file is to go: after a crash or while Filestack is down the note remains,
/// and nothing ever shows a document whose file is gone.
///
/// # Errors
///
/// [`AppError::NotFound`] when it is not in the trash: restored, for instance, by somebody who was faster.
pub async fn purge(
    services: &Services,
    actor: &Actor,
    owner: UserId,
    id: DocumentId,
) -> Result<Purged, AppError> {
    let (now, actor) = (services.clock.now(), actor.clone());
    let purged = services
        .db
        .write(move |c| {
            let Some((document, made, bytes)) = purge_row(c, &actor, owner, id, WHENEVER, now)? else {
                return Ok(None);
            };
            users::add_usage(c, owner, -1, -bytes)?;
            count(c, owner, -1)?;
            removals::enter_once(c, &document.handle, PURGED, now)?;
            for handle in made {
                removals::enter_once(c, &handle, PURGED, now)?;
            }
            Ok(Some(document))
        })
        .await?;
    let document = purged.ok_or(AppError::NotFound)?;
    let file_removed = removals::attempt(services, &document.handle)
        .await
        .unwrap_or(false);
    Ok(Purged {
        name: document.name,
        file_removed,
    })
}

/// Purges what is in the owner's trash now, the longest there first, and gives how many documents that were and how many are left: a
/// very full trash is emptied in several goes. Jobs remove the files.
pub async fn empty(services: &Services, actor: &Actor, owner: UserId) -> Result<(u64, u64), AppError> {
    let now = services.clock.now();
    let mut purged = 0;
    for _ in 0..BATCHES {
        let actor = actor.clone();
        let batch = services.db.write(move |c| {
            let ids = documents::list_trashed(c, owner, now, BATCH)?;
            let mut rows: Vec<_> = ids.into_iter().map(|id| (owner, id)).collect();
            rows.sort();
            purge_rows(c, &actor, rows, now, now)
        });
        let batch = batch.await?;
        services.bell.ring();
        purged += batch as u64;
        if batch < BATCH as usize {
            break;
        }
    }
    let left = services.db.run(move |c| users::find(c, owner)).await?;
    Ok((purged, left.map_or(0, |user| user.trashed_count.max(0) as u64)))
}

/// Purges what has been in anybody's trash for as long as it is kept there; jobs remove the files.
pub async fn purge_due(services: &Services) -> Result<usize, AppError> {
    let now = services.clock.now();
    let until = now.minus(services.background.trash_kept);
    let mut purged = 0;
    for _ in 0..BATCHES {
        if services
            .db
            .run(move |c| documents::list_due(c, until, 1))
            .await?
            .is_empty()
        {
            break;
        }
        let batch = services.db.write(move |c| {
            let mut rows = documents::list_due(c, until, BATCH)?;
            rows.sort();
            purge_rows(c, &Actor::server(), rows, until, now)
        });
        purged += batch.await?;
        services.bell.ring();
    }
    if purged > 0 {
        log::info!(event = "trash-purged", documents = purged; "documents were purged from the trash");
    }
    Ok(purged)
}

/// Since whenever it has been in the trash.
const WHENEVER: UtcTime = UtcTime::from_micros(i64::MAX);
/// Why such a file goes.
const PURGED: &str = "document-deleted";

/// Purges these, if they have been in the trash since `until` or before, and puts the jobs into the queue that remove their files.
fn purge_rows(
    c: &mut DbConn,
    actor: &Actor,
    rows: Vec<(UserId, DocumentId)>,
    until: UtcTime,
    now: UtcTime,
) -> Result<usize, DbError> {
    let mut freed: BTreeMap<UserId, (i64, i64)> = BTreeMap::new();
    for (owner, id) in rows {
        let Some((document, made, bytes)) = purge_row(c, actor, owner, id, until, now)? else {
            continue;
        };
        let freed = freed.entry(owner).or_default();
        *freed = (freed.0 + 1, freed.1 + bytes);
        for handle in std::iter::once(document.handle).chain(made) {
            removals::enter_with_job(c, &handle, PURGED, now)?;
        }
    }
    let mut purged = 0;
    for (owner, (documents, bytes)) in freed {
        users::add_usage(c, owner, -documents, -bytes)?;
        count(c, owner, -documents)?;
        purged += documents as usize;
    }
    Ok(purged)
}

/// Removes a document's row and gives it, the files that were made of it and the bytes it counted for.
fn purge_row(
    c: &mut DbConn,
    actor: &Actor,
    owner: UserId,
    id: DocumentId,
    until: UtcTime,
    now: UtcTime,
) -> Result<Option<(Document, Vec<String>, i64)>, DbError> {
    if documents::find_trashed(c, owner, id)?.is_none() {
        return Ok(None);
    }
    // Jobs before the document, as a job does that ends: the other way round the two could wait for each other (R3).
    jobs::lock_of_document(c, id)?;
    // Somebody else may have restored or purged it between the two: PostgreSQL lets both read it.
    let Some(document) = documents::find_trashed_for_update(c, owner, id, until)? else {
        return Ok(None);
    };
    // From here on nothing more can be made of it.
    let made = results::delete_of_document(c, id)?;
    let Some(bytes) = documents::delete_trashed(c, owner, id, until)? else {
        return Err(DbError::Conflict);
    };
    jobs::cancel_of_document(c, id, "The document was deleted.", now)?;
    audit::record(
        c,
        actor,
        Entry::of_document(Action::DocumentPurged, &document),
        now,
    )?;
    Ok(Some((document, made, bytes)))
}

/// Lists a part of the trash of whoever shows this, in one turn at the database.
pub async fn list(
    services: &Services,
    shown: Shown,
    part: Part,
    limit: i64,
) -> Result<(User, DocumentPage), AppError> {
    identity::read_as(services, shown, move |c, user| {
        let query = ListQuery {
            owner: user.id,
            sort: Sort::TRASH,
            search: None,
            part,
            limit: limit + 1,
        };
        let rows = documents::list(c, &query)?;
        let total = Total::Exactly(user.trashed_count.max(0) as u64);
        Ok(cut(rows, &query.part, limit as usize, total))
    })
    .await
}

/// The document of this id in the trash of whoever shows this.
///
/// # Errors
///
/// [`AppError::NotFound`] when there is none.
pub async fn get_as(services: &Services, shown: Shown, id: DocumentId) -> Result<(User, Document), AppError> {
    let read = identity::read_as(services, shown, move |c, user| {
        documents::find_trashed(c, user.id, id)
    });
    let (user, document) = read.await?;
    Ok((user, document.ok_or(AppError::NotFound)?))
}

/// When a document that is in the trash since then is purged.
pub fn purged_at(trashed_at: UtcTime, kept: Duration) -> UtcTime {
    trashed_at.plus(kept)
}

fn each(
    c: &mut DbConn,
    ids: &[DocumentId],
    at: UtcTime,
    mut act: impl FnMut(&mut DbConn, DocumentId) -> Result<Option<Document>, DbError>,
) -> Result<Acted, DbError> {
    let mut acted = Acted {
        documents: Vec::new(),
        missing: Vec::new(),
        at,
    };
    for id in ids {
        match act(c, *id)? {
            Some(document) => acted.documents.push(document),
            None => acted.missing.push(*id),
        }
    }
    Ok(acted)
}

fn count(c: &mut DbConn, owner: UserId, documents: i64) -> Result<(), DbError> {
    if documents == 0 {
        return Ok(());
    }
    users::add_trashed(c, owner, documents)
}
