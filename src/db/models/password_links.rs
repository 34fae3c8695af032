//! Links with which somebody chooses a password, once: after an invitation, or instead of one that is forgotten.

use diesel::prelude::*;

use crate::clock::UtcTime;
use crate::db::models::users::User;
use crate::db::schema::{password_links, users};
use crate::db::{DbConn, DbError};
use crate::ids::UserId;

/// A link.
#[derive(Insertable)]
#[diesel(table_name = password_links)]
pub struct PasswordLink {
    /// SHA-256 of its token, hex.
    pub token_hash: String,
    /// Whose password it sets.
    pub user_id: UserId,
    /// Now.
    pub created_at: UtcTime,
    /// Not valid from then on.
    pub expires_at: UtcTime,
}

/// Adds a link.
pub fn insert(connection: &mut DbConn, link: PasswordLink) -> Result<(), DbError> {
    diesel::insert_into(password_links::table)
        .values(link)
        .execute(connection)?;
    Ok(())
}

/// Whose link this is, while it is valid.
pub fn find_user(connection: &mut DbConn, hash: &str, now: UtcTime) -> Result<Option<User>, DbError> {
    Ok(password_links::table
        .inner_join(users::table)
        .filter(password_links::token_hash.eq(hash))
        .filter(password_links::expires_at.gt(now))
        .filter(users::disabled_at.is_null())
        .select(User::as_select())
        .first(connection)
        .optional()?)
}

/// Uses a link up; `true` for the one caller that did (R7).
pub fn spend(connection: &mut DbConn, hash: &str, now: UtcTime) -> Result<bool, DbError> {
    let link = password_links::table
        .find(hash)
        .filter(password_links::expires_at.gt(now));
    Ok(diesel::delete(link).execute(connection)? == 1)
}

/// Takes all links of a user back.
pub fn delete_of(connection: &mut DbConn, user: UserId) -> Result<(), DbError> {
    diesel::delete(password_links::table.filter(password_links::user_id.eq(user))).execute(connection)?;
    Ok(())
}

/// Forgets the links that have ended.
pub fn delete_expired(connection: &mut DbConn, now: UtcTime) -> Result<usize, DbError> {
    Ok(
        diesel::delete(password_links::table.filter(password_links::expires_at.le(now)))
            .execute(connection)?,
    )
}
