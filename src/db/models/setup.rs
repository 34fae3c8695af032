//! The installation's one row: whether the first administrator has been made, the tokens that allow it (A9), and what everybody together
//! may keep.

use diesel::prelude::*;

use crate::clock::UtcTime;
use crate::db::schema::{installation, setup_tokens};
use crate::db::{DbConn, DbError};

/// Whether set-up is still to be done.
pub fn is_open(connection: &mut DbConn) -> Result<bool, DbError> {
    let set_up_at: Option<UtcTime> = installation::table
        .find(1)
        .select(installation::set_up_at)
        .get_result(connection)?;
    Ok(set_up_at.is_none())
}

/// Closes set-up for ever; `true` for the one caller that closed it.
pub fn close(connection: &mut DbConn, now: UtcTime) -> Result<bool, DbError> {
    let closed = diesel::update(installation::table.filter(installation::set_up_at.is_null()))
        .set(installation::set_up_at.eq(now))
        .execute(connection)?;
    diesel::delete(setup_tokens::table).execute(connection)?;
    Ok(closed == 1)
}

/// Adds a token that allows set-up, and forgets those made before `oldest`.
pub fn add_token(connection: &mut DbConn, hash: &str, now: UtcTime, oldest: UtcTime) -> Result<(), DbError> {
    diesel::delete(setup_tokens::table.filter(setup_tokens::created_at.lt(oldest))).execute(connection)?;
    diesel::insert_into(setup_tokens::table)
        .values((
            setup_tokens::token_hash.eq(hash),
            setup_tokens::created_at.eq(now),
        ))
        .execute(connection)?;
    Ok(())
}

/// Whether this token allows set-up, being no older than `oldest`.
pub fn has_token(connection: &mut DbConn, hash: &str, oldest: UtcTime) -> Result<bool, DbError> {
    let token = setup_tokens::table
        .find(hash)
        .filter(setup_tokens::created_at.ge(oldest));
    Ok(diesel::select(diesel::dsl::exists(token)).get_result(connection)?)
}

/// What everybody together may keep: bytes and documents.
pub fn quota(connection: &mut DbConn) -> Result<(Option<i64>, Option<i64>), DbError> {
    Ok(installation::table
        .find(1)
        .select((installation::quota_bytes, installation::quota_documents))
        .first(connection)?)
}

/// Sets or takes away what everybody together may keep.
pub fn set_quota(connection: &mut DbConn, bytes: Option<i64>, documents: Option<i64>) -> Result<(), DbError> {
    diesel::update(installation::table.find(1))
        .set((
            installation::quota_bytes.eq(bytes),
            installation::quota_documents.eq(documents),
        ))
        .execute(connection)?;
    Ok(())
}

/// Locks the row until the transaction ends: whoever compares all users with one another does it alone. On SQLite every write
/// transaction is alone anyway.
pub fn lock(connection: &mut DbConn) -> Result<(), DbError> {
    if let DbConn::Postgres(inner) = connection {
        let _: i32 = installation::table
            .find(1)
            .select(installation::id)
            .for_update()
            .first(inner)?;
    }
    Ok(())
}
