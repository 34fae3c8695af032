//! Into the trash, out of it, and away for good: each by one statement that only the first of two at once can do (R6).

use diesel::prelude::*;

use super::Document;
use crate::clock::UtcTime;
use crate::db::connection::first_locked;
use crate::db::schema::documents;
use crate::db::{DbConn, DbError};
use crate::ids::{DocumentId, UserId};

/// Puts the owner's document into the trash; `false` when there is none outside of it.
pub fn trash(connection: &mut DbConn, owner: UserId, id: DocumentId, now: UtcTime) -> Result<bool, DbError> {
    let filter = documents::id
        .eq(id)
        .and(documents::owner_id.eq(owner))
        .and(documents::trashed_at.is_null());
    let changed = diesel::update(documents::table.filter(filter))
        .set(documents::trashed_at.eq(now))
        .execute(connection)?;
    Ok(changed == 1)
}

/// Takes the owner's document out of the trash; `false` when it is not there.
pub fn restore(connection: &mut DbConn, owner: UserId, id: DocumentId) -> Result<bool, DbError> {
    let filter = documents::id
        .eq(id)
        .and(documents::owner_id.eq(owner))
        .and(documents::trashed_at.is_not_null());
    let changed = diesel::update(documents::table.filter(filter))
        .set(documents::trashed_at.eq(None::<UtcTime>))
        .execute(connection)?;
    Ok(changed == 1)
}

/// Removes the row of a document that is in the trash since no later than `until`, and gives the bytes it counted for; `None` when it
/// is not there.
pub fn delete_trashed(
    connection: &mut DbConn,
    owner: UserId,
    id: DocumentId,
    until: UtcTime,
) -> Result<Option<i64>, DbError> {
    let filter = documents::id
        .eq(id)
        .and(documents::owner_id.eq(owner))
        .and(documents::trashed_at.le(until));
    Ok(diesel::delete(documents::table.filter(filter))
        .returning(documents::size_bytes)
        .get_result(connection)
        .optional()?)
}

/// The owner's document of this id, if it is in the trash.
pub fn find_trashed(
    connection: &mut DbConn,
    owner: UserId,
    id: DocumentId,
) -> Result<Option<Document>, DbError> {
    Ok(documents::table
        .filter(documents::id.eq(id).and(documents::owner_id.eq(owner)))
        .filter(documents::trashed_at.is_not_null())
        .select(Document::as_select())
        .first(connection)
        .optional()?)
}

/// The same if it is there since no later than `until`, and nobody else changes it or adds to it until the transaction ends.
pub fn find_trashed_for_update(
    connection: &mut DbConn,
    owner: UserId,
    id: DocumentId,
    until: UtcTime,
) -> Result<Option<Document>, DbError> {
    let wanted = documents::table
        .filter(documents::id.eq(id).and(documents::owner_id.eq(owner)))
        .filter(documents::trashed_at.le(until));
    Ok(first_locked!(connection, wanted, Document, for_update)?)
}

/// What the owner has put into the trash no later than then, the longest there first.
pub fn list_trashed(
    connection: &mut DbConn,
    owner: UserId,
    until: UtcTime,
    limit: i64,
) -> Result<Vec<DocumentId>, DbError> {
    Ok(documents::table
        .filter(documents::owner_id.eq(owner).and(documents::trashed_at.le(until)))
        .filter(documents::trashed_at.is_not_null())
        .order((documents::trashed_at, documents::id))
        .limit(limit)
        .select(documents::id)
        .load(connection)?)
}

/// What the owner has put into the trash at this very moment: by one act, that is.
pub fn list_trashed_at(
    connection: &mut DbConn,
    owner: UserId,
    at: UtcTime,
    limit: i64,
) -> Result<Vec<DocumentId>, DbError> {
    Ok(documents::table
        .filter(documents::owner_id.eq(owner).and(documents::trashed_at.eq(at)))
        .filter(documents::trashed_at.is_not_null())
        .order(documents::id)
        .limit(limit)
        .select(documents::id)
        .load(connection)?)
}

/// Whatever is in anybody's trash since no later than then, the longest there first.
pub fn list_due(
    connection: &mut DbConn,
    until: UtcTime,
    limit: i64,
) -> Result<Vec<(UserId, DocumentId)>, DbError> {
    Ok(documents::table
        .filter(documents::trashed_at.le(until))
        .filter(documents::trashed_at.is_not_null())
        .order((documents::trashed_at, documents::id))
        .limit(limit)
        .select((documents::owner_id, documents::id))
        .load(connection)?)
}
