//! Sessions: who is signed in where. Only the hash of the cookie's value is kept.

use diesel::prelude::*;

use crate::clock::UtcTime;
use crate::db::models::users::User;
use crate::db::schema::{sessions, users};
use crate::db::{DbConn, DbError};
use crate::ids::UserId;

/// A session.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = sessions)]
pub struct Session {
    /// SHA-256 of the cookie's value, hex.
    pub id_hash: String,
    /// Whose.
    pub user_id: UserId,
    /// Signed in at.
    pub created_at: UtcTime,
    /// Last request, to the minute.
    pub last_seen_at: UtcTime,
    /// Ends then, whatever happens.
    pub expires_at: UtcTime,
    /// Address it was made from.
    pub ip: String,
    /// What the browser called itself, cut short.
    pub user_agent: String,
    /// When its owner last gave the password in it.
    pub reauthenticated_at: UtcTime,
}

/// Adds a session.
pub fn insert(connection: &mut DbConn, session: Session) -> Result<(), DbError> {
    diesel::insert_into(sessions::table)
        .values(session)
        .execute(connection)?;
    Ok(())
}

/// The session and its user.
pub fn find_with_user(connection: &mut DbConn, id_hash: &str) -> Result<Option<(Session, User)>, DbError> {
    Ok(sessions::table
        .inner_join(users::table)
        .filter(sessions::id_hash.eq(id_hash))
        .select((Session::as_select(), User::as_select()))
        .get_result(connection)
        .optional()?)
}

/// Notes that the session was used.
pub fn touch(connection: &mut DbConn, id_hash: &str, now: UtcTime) -> Result<(), DbError> {
    diesel::update(sessions::table.find(id_hash))
        .set(sessions::last_seen_at.eq(now))
        .execute(connection)?;
    Ok(())
}

/// Ends a session.
pub fn delete(connection: &mut DbConn, id_hash: &str) -> Result<(), DbError> {
    diesel::delete(sessions::table.find(id_hash)).execute(connection)?;
    Ok(())
}

/// Forgets the sessions that have ended.
pub fn delete_expired(connection: &mut DbConn, now: UtcTime) -> Result<usize, DbError> {
    Ok(diesel::delete(sessions::table.filter(sessions::expires_at.le(now))).execute(connection)?)
}

/// The session of this hash.
pub fn find(connection: &mut DbConn, id_hash: &str) -> Result<Option<Session>, DbError> {
    Ok(sessions::table
        .find(id_hash)
        .select(Session::as_select())
        .first(connection)
        .optional()?)
}

/// The sessions of a user that have not ended at `now` and were seen after `idle`, the last one seen first.
pub fn list_of(
    connection: &mut DbConn,
    user: UserId,
    now: UtcTime,
    idle: UtcTime,
    limit: i64,
) -> Result<Vec<Session>, DbError> {
    Ok(sessions::table
        .filter(sessions::user_id.eq(user))
        .filter(sessions::expires_at.gt(now))
        .filter(sessions::last_seen_at.ge(idle))
        .order((sessions::last_seen_at.desc(), sessions::id_hash))
        .limit(limit)
        .select(Session::as_select())
        .load(connection)?)
}

/// Ends all sessions of a user but this one.
pub fn delete_of(connection: &mut DbConn, user: UserId, staying: &str) -> Result<usize, DbError> {
    Ok(diesel::delete(
        sessions::table
            .filter(sessions::user_id.eq(user))
            .filter(sessions::id_hash.ne(staying)),
    )
    .execute(connection)?)
}

/// Gives a session another id after its owner gave the password; `false` when it has ended.
pub fn renew(connection: &mut DbConn, old: &str, new: &str, now: UtcTime) -> Result<bool, DbError> {
    let renewed = diesel::update(sessions::table.find(old))
        .set((sessions::id_hash.eq(new), sessions::reauthenticated_at.eq(now)))
        .execute(connection)?;
    Ok(renewed == 1)
}
