//! Files to be removed at Filestack: written in the transaction that lets go of them, struck out when Filestack has said so.

use diesel::prelude::*;

use crate::clock::UtcTime;
use crate::db::schema::file_removals;
use crate::db::{DbConn, DbError};

/// A file that may still be there.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = file_removals)]
pub struct FileRemoval {
    /// Filestack's handle.
    pub handle: String,
    /// Why it goes.
    pub reason: String,
    /// How often it was tried.
    pub attempts: i32,
    /// Not before then.
    pub next_try_at: UtcTime,
    /// When it was let go.
    pub created_at: UtcTime,
}

/// Adds a file to be removed.
pub fn insert(connection: &mut DbConn, removal: FileRemoval) -> Result<(), DbError> {
    diesel::insert_into(file_removals::table)
        .values(removal)
        .execute(connection)?;
    Ok(())
}

/// Whether this file is among them.
pub fn exists(connection: &mut DbConn, handle: &str) -> Result<bool, DbError> {
    let found = file_removals::table.find(handle).select(file_removals::handle);
    Ok(diesel::select(diesel::dsl::exists(found)).get_result(connection)?)
}

/// Files whose next try is due, the longest waiting first.
pub fn list_due(connection: &mut DbConn, now: UtcTime, limit: i64) -> Result<Vec<FileRemoval>, DbError> {
    Ok(file_removals::table
        .filter(file_removals::next_try_at.le(now))
        .order(file_removals::next_try_at)
        .limit(limit)
        .select(FileRemoval::as_select())
        .load(connection)?)
}

/// Puts a file off until `next`, counting the try.
pub fn put_off(connection: &mut DbConn, handle: &str, next: UtcTime) -> Result<(), DbError> {
    diesel::update(file_removals::table.find(handle))
        .set((
            file_removals::attempts.eq(file_removals::attempts + 1),
            file_removals::next_try_at.eq(next),
        ))
        .execute(connection)?;
    Ok(())
}

/// The file is gone: gives why it was to go; `None` when somebody else has struck it out.
pub fn take(connection: &mut DbConn, handle: &str) -> Result<Option<String>, DbError> {
    let reason = file_removals::table
        .find(handle)
        .select(file_removals::reason)
        .first(connection)
        .optional()?;
    let struck = diesel::delete(file_removals::table.find(handle)).execute(connection)?;
    Ok(reason.filter(|_| struck == 1))
}

/// How many wait, for the log and for tests.
pub fn count(connection: &mut DbConn) -> Result<i64, DbError> {
    Ok(file_removals::table.count().get_result(connection)?)
}
