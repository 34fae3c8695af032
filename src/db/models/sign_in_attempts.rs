//! Tries at signing in, counted before the password is looked at, so that a hundred at once are a hundred tries (R8).

use diesel::prelude::*;
use diesel::upsert::excluded;

use crate::clock::UtcTime;
use crate::db::connection::first_locked;
use crate::db::schema::sign_in_attempts;
use crate::db::{DbConn, DbError};

/// What is known of one subject: an account, an address, or both together.
#[derive(Clone, Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = sign_in_attempts)]
pub struct SignInAttempts {
    /// Keyed hash of whom this is about.
    pub subject: String,
    /// Tries since the last success or the last calm hour.
    pub failures: i32,
    /// No try before then.
    pub blocked_until: UtcTime,
    /// The last one.
    pub last_at: UtcTime,
}

/// What is known of the subject, locked until the transaction ends.
pub fn find_for_update(connection: &mut DbConn, subject: &str) -> Result<Option<SignInAttempts>, DbError> {
    let known = sign_in_attempts::table.find(subject);
    Ok(first_locked!(connection, known, SignInAttempts, for_update)?)
}

/// Makes sure there is a row, and locks it: nobody forgets it for its age before the transaction ends.
pub fn ensure(connection: &mut DbConn, subject: &str, now: UtcTime) -> Result<(), DbError> {
    let fresh = SignInAttempts {
        subject: subject.to_owned(),
        failures: 0,
        blocked_until: now,
        last_at: now,
    };
    let insert = diesel::insert_into(sign_in_attempts::table).values(fresh);
    match connection {
        DbConn::Postgres(inner) => insert
            .on_conflict(sign_in_attempts::subject)
            .do_update()
            // A change that changes nothing: it locks.
            .set(sign_in_attempts::subject.eq(excluded(sign_in_attempts::subject)))
            .execute(inner)?,
        // Whoever writes is alone.
        DbConn::Sqlite(inner) => insert.on_conflict_do_nothing().execute(inner)?,
    };
    Ok(())
}

/// Writes what is known now.
pub fn save(connection: &mut DbConn, attempts: &SignInAttempts) -> Result<(), DbError> {
    diesel::update(sign_in_attempts::table.find(&attempts.subject))
        .set((
            sign_in_attempts::failures.eq(attempts.failures),
            sign_in_attempts::blocked_until.eq(attempts.blocked_until),
            sign_in_attempts::last_at.eq(attempts.last_at),
        ))
        .execute(connection)?;
    Ok(())
}

/// Forgets a subject: it has signed in.
pub fn delete(connection: &mut DbConn, subject: &str) -> Result<(), DbError> {
    diesel::delete(sign_in_attempts::table.find(subject)).execute(connection)?;
    Ok(())
}

/// Forgets what is older than `oldest`, so that the table stays small under attack.
pub fn delete_older(connection: &mut DbConn, oldest: UtcTime) -> Result<usize, DbError> {
    Ok(
        diesel::delete(sign_in_attempts::table.filter(sign_in_attempts::last_at.lt(oldest)))
            .execute(connection)?,
    )
}
