//! API tokens: how programs sign in. Only the hash of the token is kept.

use diesel::prelude::*;

use crate::clock::UtcTime;
use crate::db::models::users::User;
use crate::db::schema::{api_tokens, users};
use crate::db::{DbConn, DbError};
use crate::ids::{ApiTokenId, UserId};

/// A token, without its hash.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = api_tokens)]
pub struct ApiToken {
    /// Id.
    pub id: ApiTokenId,
    /// What its owner calls it.
    pub name: String,
    /// Not valid from then on.
    pub expires_at: UtcTime,
    /// Last use, to the minute.
    pub last_used_at: Option<UtcTime>,
    /// What it may do, as words with spaces between; everything when empty.
    pub scopes: String,
}

/// A token to be.
#[derive(Insertable)]
#[diesel(table_name = api_tokens)]
pub struct NewApiToken {
    /// Id.
    pub id: ApiTokenId,
    /// Whose.
    pub user_id: UserId,
    /// What its owner calls it.
    pub name: String,
    /// SHA-256 of the token, hex.
    pub token_hash: String,
    /// Now.
    pub created_at: UtcTime,
    /// Not valid from then on.
    pub expires_at: UtcTime,
    /// What it may do.
    pub scopes: String,
}

/// Adds a token.
pub fn insert(connection: &mut DbConn, token: NewApiToken) -> Result<(), DbError> {
    diesel::insert_into(api_tokens::table)
        .values(token)
        .execute(connection)?;
    Ok(())
}

/// The token of this hash and its user.
pub fn find_with_user(connection: &mut DbConn, hash: &str) -> Result<Option<(ApiToken, User)>, DbError> {
    Ok(api_tokens::table
        .inner_join(users::table)
        .filter(api_tokens::token_hash.eq(hash))
        .select((ApiToken::as_select(), User::as_select()))
        .get_result(connection)
        .optional()?)
}

/// Notes that the token was used.
pub fn touch(connection: &mut DbConn, id: ApiTokenId, now: UtcTime) -> Result<(), DbError> {
    diesel::update(api_tokens::table.find(id))
        .set(api_tokens::last_used_at.eq(Some(now)))
        .execute(connection)?;
    Ok(())
}

/// The tokens of a user, the newest first.
pub fn list_of(connection: &mut DbConn, user: UserId, limit: i64) -> Result<Vec<ApiToken>, DbError> {
    Ok(api_tokens::table
        .filter(api_tokens::user_id.eq(user))
        .order((api_tokens::created_at.desc(), api_tokens::id.desc()))
        .limit(limit)
        .select(ApiToken::as_select())
        .load(connection)?)
}

/// Removes a user's token and gives its name; `None` when there is none.
pub fn delete_owned(
    connection: &mut DbConn,
    user: UserId,
    id: ApiTokenId,
) -> Result<Option<String>, DbError> {
    let token = || api_tokens::table.find(id).filter(api_tokens::user_id.eq(user));
    let name = token().select(api_tokens::name).first(connection).optional()?;
    let deleted = diesel::delete(token()).execute(connection)?;
    Ok(name.filter(|_| deleted == 1))
}
