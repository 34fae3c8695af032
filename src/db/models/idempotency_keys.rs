//! Idempotency keys: requests that their senders want done once, and the answers they got.

use diesel::prelude::*;

use crate::clock::UtcTime;
use crate::db::connection::first_locked;
use crate::db::schema::idempotency_keys::{self, dsl};
use crate::db::{DbConn, DbError};
use crate::ids::{DocumentId, UserId};

/// A key.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = idempotency_keys, treat_none_as_default_value = false)]
pub struct IdempotencyKey {
    /// Whose: two users may choose the same name.
    pub user_id: UserId,
    /// The name that the client chose.
    pub name: String,
    /// Which route it was sent to.
    pub route: String,
    /// What tells its body from others; empty until that is known.
    pub fingerprint: String,
    /// The request that is at it.
    pub holder: String,
    /// Until when that holds, unless it says so again.
    pub held_until: UtcTime,
    /// The upload that it has begun.
    pub upload_id: Option<DocumentId>,
    /// Status of the answer, once it is done.
    pub status: Option<i32>,
    /// Body of the answer.
    pub answer: Option<String>,
    /// When it was first sent.
    pub made_at: UtcTime,
}

/// Adds a key; [`DbError::Conflict`] when somebody else is faster.
pub fn insert(connection: &mut DbConn, key: &IdempotencyKey) -> Result<(), DbError> {
    diesel::insert_into(idempotency_keys::table)
        .values(key)
        .execute(connection)?;
    Ok(())
}

/// The user's key of this name, locked until the transaction ends: on SQLite every write transaction is alone anyway.
pub fn find_for_update(
    connection: &mut DbConn,
    user: UserId,
    name: &str,
) -> Result<Option<IdempotencyKey>, DbError> {
    let key = dsl::idempotency_keys.find((user, name));
    Ok(first_locked!(connection, key, IdempotencyKey, for_update)?)
}

/// Hands a key that was locked to the request that is at it now.
pub fn replace(connection: &mut DbConn, key: &IdempotencyKey) -> Result<(), DbError> {
    diesel::update(dsl::idempotency_keys.find((key.user_id, &key.name)))
        .set((
            dsl::route.eq(&key.route),
            dsl::fingerprint.eq(&key.fingerprint),
            dsl::holder.eq(&key.holder),
            dsl::held_until.eq(key.held_until),
            dsl::upload_id.eq(key.upload_id),
            dsl::status.eq(key.status),
            dsl::answer.eq(&key.answer),
            dsl::made_at.eq(key.made_at),
        ))
        .execute(connection)?;
    Ok(())
}

/// Whether the holder still is at it: what it does next may be recorded only if so.
pub fn begin_upload(
    connection: &mut DbConn,
    user: UserId,
    name: &str,
    holder: &str,
    upload: DocumentId,
) -> Result<bool, DbError> {
    let changed = diesel::update(
        dsl::idempotency_keys
            .find((user, name))
            .filter(dsl::holder.eq(holder)),
    )
    .set(dsl::upload_id.eq(upload))
    .execute(connection)?;
    Ok(changed == 1)
}

/// Keeps the answer; `false` when the holder is not at it any more.
pub fn answer(
    connection: &mut DbConn,
    (user, name, holder): (UserId, &str, &str),
    status: i32,
    body: &str,
    fingerprint: &str,
) -> Result<bool, DbError> {
    let changed = diesel::update(
        dsl::idempotency_keys
            .find((user, name))
            .filter(dsl::holder.eq(holder).and(dsl::answer.is_null())),
    )
    .set((
        dsl::status.eq(Some(status)),
        dsl::answer.eq(Some(body)),
        dsl::fingerprint.eq(fingerprint),
    ))
    .execute(connection)?;
    Ok(changed == 1)
}

/// Says until when the holder is at it: later, to go on, or now, to let go.
pub fn hold(
    connection: &mut DbConn,
    user: UserId,
    name: &str,
    holder: &str,
    until: UtcTime,
) -> Result<(), DbError> {
    diesel::update(
        dsl::idempotency_keys
            .find((user, name))
            .filter(dsl::holder.eq(holder)),
    )
    .set(dsl::held_until.eq(until))
    .execute(connection)?;
    Ok(())
}

/// Forgets what was first sent before this time.
pub fn delete_older(connection: &mut DbConn, before: UtcTime) -> Result<usize, DbError> {
    Ok(diesel::delete(dsl::idempotency_keys.filter(dsl::made_at.lt(before))).execute(connection)?)
}
