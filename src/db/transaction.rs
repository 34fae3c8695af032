//! Transactions and savepoints on both databases: opened, kept or undone whatever the work in them does.

use std::panic::{AssertUnwindSafe, catch_unwind};

use diesel::connection::{AnsiTransactionManager, TransactionManager, TransactionManagerStatus};
use diesel::result::QueryResult;

use super::{DbConn, DbError};
use crate::failpoints;

/// Runs the work in a transaction of its own: all of it or nothing, also when it panics.
pub(super) fn alone<T>(
    connection: &mut DbConn,
    work: impl FnOnce(&mut DbConn) -> Result<T, DbError>,
) -> Result<T, DbError> {
    begin(connection)?;
    match contained(connection, work) {
        Ok(value) => {
            commit(connection)?;
            Ok(value)
        }
        Err(error) => {
            roll_back_all(connection);
            Err(error)
        }
    }
}

/// Begins a transaction.
///
/// On SQLite it begins as a writer: one that begins as a reader and then writes fails at once when another wrote in between,
/// whatever the busy timeout says.
pub(super) fn begin(connection: &mut DbConn) -> QueryResult<()> {
    match connection {
        DbConn::Sqlite(inner) => AnsiTransactionManager::begin_transaction_sql(inner, "BEGIN IMMEDIATE"),
        DbConn::Postgres(inner) => AnsiTransactionManager::begin_transaction(inner),
    }
}

/// Commits the transaction.
pub(super) fn commit(connection: &mut DbConn) -> QueryResult<()> {
    failpoints::reach("db.before-commit");
    let committed = keep(connection);
    failpoints::reach("db.after-commit");
    committed
}

/// Commits the transaction, or releases the innermost savepoint.
fn keep(connection: &mut DbConn) -> QueryResult<()> {
    match connection {
        DbConn::Sqlite(inner) => AnsiTransactionManager::commit_transaction(inner),
        DbConn::Postgres(inner) => AnsiTransactionManager::commit_transaction(inner),
    }
}

/// Runs the work in a savepoint of the open transaction. What the work fails with is its own affair and the inner result.
///
/// # Errors
///
/// When the savepoint could not be kept apart from the rest: the transaction is no longer what it was, and must be rolled back.
pub(super) fn savepoint<T>(
    connection: &mut DbConn,
    work: impl FnOnce(&mut DbConn) -> Result<T, DbError>,
) -> QueryResult<Result<T, DbError>> {
    let outer = depth(connection);
    match connection {
        DbConn::Sqlite(inner) => AnsiTransactionManager::begin_transaction(inner)?,
        DbConn::Postgres(inner) => AnsiTransactionManager::begin_transaction(inner)?,
    }
    let result = contained(connection, work);
    if result.is_ok() {
        keep(connection)?;
        return Ok(result);
    }
    // A panic inside a nested transaction leaves that one open too.
    while depth(connection) > outer {
        roll_back(connection)?;
    }
    Ok(result)
}

/// A panic in the work is an error of the work (X3). What it leaves half done is rolled back by the caller.
fn contained<T>(
    connection: &mut DbConn,
    work: impl FnOnce(&mut DbConn) -> Result<T, DbError>,
) -> Result<T, DbError> {
    catch_unwind(AssertUnwindSafe(|| work(connection)))
        .unwrap_or_else(|_| Err(DbError::Query("a query panicked".to_owned())))
}

/// Rolls back whatever is open. A rollback that fails means a broken connection, which the pool throws away by itself.
pub(super) fn roll_back_all(connection: &mut DbConn) {
    while depth(connection) > 0 {
        if let Err(error) = roll_back(connection) {
            log::warn!("a transaction could not be rolled back: {error}");
            return;
        }
    }
}

fn roll_back(connection: &mut DbConn) -> QueryResult<()> {
    match connection {
        DbConn::Sqlite(inner) => AnsiTransactionManager::rollback_transaction(inner),
        DbConn::Postgres(inner) => AnsiTransactionManager::rollback_transaction(inner),
    }
}

/// Transactions and savepoints that are open; none when the connection is broken.
fn depth(connection: &mut DbConn) -> u32 {
    fn of(status: &TransactionManagerStatus) -> u32 {
        status
            .transaction_depth()
            .ok()
            .flatten()
            .map_or(0, std::num::NonZero::get)
    }
    match connection {
        DbConn::Sqlite(inner) => of(AnsiTransactionManager::transaction_manager_status_mut(inner)),
        DbConn::Postgres(inner) => of(AnsiTransactionManager::transaction_manager_status_mut(inner)),
    }
}
