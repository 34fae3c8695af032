//! Set-up: the one row that says whether the first administrator has been made, and the tokens that allow it (A9).

use diesel::prelude::*;

use crate::clock::UtcTime;
use crate::db::schema::{installation, setup_tokens};
use crate::db::{DbConn, DbError};

/// Whether set-up is still to be done.
pub fn is_open(connection: &mut DbConn) -> Result<bool, DbError> {
    let set_up_at: Option<UtcTime> = installation::table
        .find(1)
        .select(installation::set_up_at)
        .first(connection)?;
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

/// Whether this token allows set-up: one of those made since `oldest`.
pub fn has_token(connection: &mut DbConn, hash: &str, oldest: UtcTime) -> Result<bool, DbError> {
    let token = setup_tokens::table
        .find(hash)
        .filter(setup_tokens::created_at.ge(oldest));
    Ok(diesel::select(diesel::dsl::exists(token)).get_result(connection)?)
}
