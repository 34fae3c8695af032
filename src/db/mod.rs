//! The database: connections, transactions, migrations, and under `models/` a file for each table with its queries.
//!
//! May use nothing of ours but clock, ids and crypto. Everything goes through [`Db`]: [`Db::run`] reads, [`Db::write`] is one
//! transaction. Both run off the async threads, and wait for their turn before they take a thread there.

mod connection;
mod migrate;
pub mod models;
pub mod schema;
mod types;

use std::sync::Arc;
use std::time::Duration;

use diesel::RunQueryDsl as _;
use diesel::connection::{AnsiTransactionManager, TransactionManager};
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use tokio::sync::Semaphore;

pub use connection::{DbConn, Location};
pub use migrate::MigrationStatus;

/// What a query can fail with, as far as a caller can tell it apart.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// No such row.
    #[error("no such row")]
    NotFound,
    /// A unique key is taken, or a reference points nowhere.
    #[error("the row conflicts with another one")]
    Conflict,
    /// The database is busy; the same again may succeed.
    #[error("the database is busy: {0}")]
    Busy(String),
    /// The database cannot be reached.
    #[error("the database cannot be reached: {0}")]
    Unreachable(String),
    /// The query itself is wrong, or the database is damaged.
    #[error("query failed: {0}")]
    Query(String),
}

impl From<DieselError> for DbError {
    fn from(error: DieselError) -> Self {
        match error {
            DieselError::NotFound => DbError::NotFound,
            DieselError::DatabaseError(
                DatabaseErrorKind::UniqueViolation | DatabaseErrorKind::ForeignKeyViolation,
                _,
            ) => DbError::Conflict,
            DieselError::DatabaseError(DatabaseErrorKind::SerializationFailure, info) => {
                DbError::Busy(info.message().to_owned())
            }
            DieselError::DatabaseError(DatabaseErrorKind::ClosedConnection, info) => {
                DbError::Unreachable(info.message().to_owned())
            }
            DieselError::DatabaseError(_, info) if is_busy(info.message()) => {
                DbError::Busy(info.message().to_owned())
            }
            DieselError::BrokenTransactionManager => DbError::Unreachable("the connection broke".to_owned()),
            other => DbError::Query(other.to_string()),
        }
    }
}

/// Diesel has no kind for these: SQLite's busy and locked, PostgreSQL's lock and statement timeouts and its deadlocks.
fn is_busy(message: &str) -> bool {
    [
        "locked",
        "busy",
        "canceling statement due to",
        "deadlock detected",
        "terminating connection",
    ]
    .iter()
    .any(|sign| message.contains(sign))
}

type Pool = r2d2::Pool<connection::Manager>;

/// Readers of SQLite beside its one writer, and connections to PostgreSQL: four keep two cores busy.
const CONNECTIONS: u32 = 4;
/// How long a request waits for a connection before it is told that the database is busy.
const PATIENCE: Duration = Duration::from_secs(10);

/// The database. Clones share its connections.
#[derive(Clone)]
pub struct Db(Arc<Inner>);

struct Inner {
    location: Location,
    readers: Lane,
    writers: Lane,
}

/// A pool with a queue before it: tasks wait here without holding a thread.
#[derive(Clone)]
struct Lane {
    pool: Pool,
    turns: Arc<Semaphore>,
}

impl Lane {
    fn new(location: &Location, size: u32, read_only: bool) -> Self {
        let manager = connection::Manager {
            location: location.clone(),
            read_only,
        };
        let pool = r2d2::Pool::builder()
            .max_size(size)
            .min_idle(Some(0))
            .test_on_check_out(false)
            .connection_timeout(PATIENCE)
            .error_handler(Box::new(r2d2::NopErrorHandler))
            .build_unchecked(manager);
        Lane {
            pool,
            turns: Arc::new(Semaphore::new(size as usize)),
        }
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut DbConn) -> Result<T, DbError> + Send + 'static,
    ) -> Result<T, DbError> {
        let turn = tokio::time::timeout(PATIENCE, Arc::clone(&self.turns).acquire_owned())
            .await
            .map_err(|_| DbError::Busy("no connection became free".to_owned()))?
            .map_err(|_| DbError::Unreachable("the pool is closed".to_owned()))?;
        let pool = self.pool.clone();
        actix_web::web::block(move || {
            // Held by the thread and not by the request: a request that is dropped leaves its query running.
            let _turn = turn;
            let mut pooled = pool
                .get()
                .map_err(|error| DbError::Unreachable(error.to_string()))?;
            work(&mut pooled)
        })
        .await
        .map_err(|_| DbError::Query("a query panicked".to_owned()))?
    }
}

impl Db {
    /// Opens the database and applies what migrations are missing.
    ///
    /// # Errors
    ///
    /// When it cannot be reached or a migration fails, in the database's words.
    pub fn open(location: Location) -> Result<Self, DbError> {
        let db = Self::without_migrations(location)?;
        db.migrate()?;
        Ok(db)
    }

    /// Opens the database as it is.
    pub fn without_migrations(location: Location) -> Result<Self, DbError> {
        let manager = connection::Manager {
            location: location.clone(),
            read_only: false,
        };
        manager.open().map_err(DbError::Unreachable)?;
        let (readers, writers) = match &location {
            Location::Sqlite(_) => (
                Lane::new(&location, CONNECTIONS, true),
                Lane::new(&location, 1, false),
            ),
            Location::Postgres(_) => {
                let lane = Lane::new(&location, CONNECTIONS * 2, false);
                (lane.clone(), lane)
            }
        };
        Ok(Db(Arc::new(Inner {
            location,
            readers,
            writers,
        })))
    }

    /// Applies what migrations are missing, one process at a time; says which.
    pub fn migrate(&self) -> Result<Vec<String>, DbError> {
        migrate::up(&self.0.location)
    }

    /// Every migration, and whether it is applied.
    pub fn migration_status(&self) -> Result<Vec<MigrationStatus>, DbError> {
        migrate::status(&self.0.location)
    }

    /// Undoes every migration: for tests of `down.sql`.
    pub fn revert_all(&self) -> Result<(), DbError> {
        migrate::down(&self.0.location)
    }

    /// Which database this is, as a word for people.
    pub fn backend(&self) -> &'static str {
        match self.0.location {
            Location::Sqlite(_) => "SQLite",
            Location::Postgres(_) => "PostgreSQL",
        }
    }

    /// Reads. One closure is one turn: put the queries of one page into one.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut DbConn) -> Result<T, DbError> + Send + 'static,
    ) -> Result<T, DbError> {
        self.0.readers.run(work).await
    }

    /// Writes in one transaction: all of it or nothing.
    pub async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut DbConn) -> Result<T, DbError> + Send + 'static,
    ) -> Result<T, DbError> {
        self.0
            .writers
            .run(move |connection| in_transaction(connection, work))
            .await
    }

    /// [`Db::write`] for commands, which have no async threads to spare.
    pub fn write_blocking<T>(
        &self,
        work: impl FnOnce(&mut DbConn) -> Result<T, DbError>,
    ) -> Result<T, DbError> {
        let mut pooled = self
            .0
            .writers
            .pool
            .get()
            .map_err(|error| DbError::Unreachable(error.to_string()))?;
        in_transaction(&mut pooled, work)
    }
}

/// On SQLite the transaction begins as a writer: one that begins as a reader and then writes fails at once when another wrote in
/// between, whatever the busy timeout says.
fn in_transaction<T>(
    connection: &mut DbConn,
    work: impl FnOnce(&mut DbConn) -> Result<T, DbError>,
) -> Result<T, DbError> {
    match connection {
        DbConn::Sqlite(inner) => AnsiTransactionManager::begin_transaction_sql(inner, "BEGIN IMMEDIATE")?,
        DbConn::Postgres(inner) => AnsiTransactionManager::begin_transaction(inner)?,
    }
    let mut guard = Rollback(Some(connection));
    let result = work(
        guard
            .0
            .as_mut()
            .expect("the guard holds the connection until here"),
    );
    let connection = guard.0.take().expect("the guard holds the connection until here");
    match result {
        Ok(value) => {
            match connection {
                DbConn::Sqlite(inner) => AnsiTransactionManager::commit_transaction(inner)?,
                DbConn::Postgres(inner) => AnsiTransactionManager::commit_transaction(inner)?,
            }
            Ok(value)
        }
        Err(error) => {
            roll_back(connection);
            Err(error)
        }
    }
}

/// Waits until no other transaction holds the lock of this name, and holds it until this one ends. On SQLite every write transaction is
/// alone anyway.
pub fn lock_for_transaction(connection: &mut DbConn, name: &str) -> Result<(), DbError> {
    if let DbConn::Postgres(inner) = connection {
        diesel::sql_query("SELECT pg_advisory_xact_lock(hashtext($1))")
            .bind::<diesel::sql_types::Text, _>(name)
            .execute(inner)?;
    }
    Ok(())
}

/// Rolls back when the work panics: the connection goes back to the pool and must not take an open transaction along.
struct Rollback<'a>(Option<&'a mut DbConn>);

impl Drop for Rollback<'_> {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            roll_back(connection);
        }
    }
}

/// A rollback that fails means a broken connection, which the pool throws away by itself.
fn roll_back(connection: &mut DbConn) {
    let result = match connection {
        DbConn::Sqlite(inner) => AnsiTransactionManager::rollback_transaction(inner),
        DbConn::Postgres(inner) => AnsiTransactionManager::rollback_transaction(inner),
    };
    if let Err(error) = result {
        log::warn!("a transaction could not be rolled back: {error}");
    }
}

#[cfg(test)]
mod tests;
