//! The database: connections, transactions, migrations, and under `models/` a file for each table with its queries.
//!
//! May use nothing of ours but clock, ids and crypto. Everything goes through [`Db`]: [`Db::run`] reads, [`Db::write`] is one
//! transaction. Both run off the async threads, and wait for their turn before they take a thread there.

mod connection;
pub mod keyset;
mod migrate;
pub mod models;
pub mod schema;
mod shared;
mod transaction;
mod types;

use std::sync::Arc;
use std::time::Duration;

use diesel::RunQueryDsl as _;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use tokio::sync::Semaphore;

pub use connection::{DbConn, Location};
pub use migrate::MigrationStatus;
pub use shared::CommitCounts;
use shared::SharedWriter;

/// What a query can fail with, as far as a caller can tell it apart.
#[derive(Clone, Debug, thiserror::Error)]
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

/// How many connections there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolState {
    /// Open.
    pub connections: u32,
    /// Open, and used by nobody.
    pub idle: u32,
    /// The most.
    pub most: u32,
}

/// The database. Clones share its connections.
#[derive(Clone)]
pub struct Db(Arc<Inner>);

struct Inner {
    location: Location,
    readers: Lane,
    writer: Writer,
}

/// How the database is written.
enum Writer {
    /// One at a time, commits shared: SQLite.
    Shared { pool: Pool, writer: SharedWriter },
    /// Side by side, each in a transaction of its own: PostgreSQL, which shares the flush of commits that come together.
    Each(Lane),
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
            // Nothing is reaped: a pool with a reaper keeps its threads for half a minute after it has gone.
            .max_lifetime(None)
            .idle_timeout(None)
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
        let (readers, writer) = match &location {
            Location::Sqlite(_) => {
                let pool = Lane::new(&location, 1, false).pool;
                let writer = SharedWriter::new(pool.clone());
                (
                    Lane::new(&location, CONNECTIONS, true),
                    Writer::Shared { pool, writer },
                )
            }
            Location::Postgres(_) => {
                let lane = Lane::new(&location, CONNECTIONS * 2, false);
                (lane.clone(), Writer::Each(lane))
            }
        };
        Ok(Db(Arc::new(Inner {
            location,
            readers,
            writer,
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

    /// Writes in one transaction: all of it or nothing, and once this returns it survives a loss of power.
    ///
    /// On SQLite the transaction may be shared with other requests, of which each still stands or falls by itself: see `shared`.
    pub async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut DbConn) -> Result<T, DbError> + Send + 'static,
    ) -> Result<T, DbError> {
        match &self.0.writer {
            Writer::Shared { writer, .. } => writer.run(work).await,
            Writer::Each(lane) => lane.run(|c| transaction::alone(c, work)).await,
        }
    }

    /// [`Db::write`] for what is one statement on PostgreSQL. That is a transaction by itself there: the work is answered when it is
    /// committed, and there is no BEGIN and no COMMIT to wait for.
    pub async fn write_statement<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut DbConn) -> Result<T, DbError> + Send + 'static,
    ) -> Result<T, DbError> {
        match &self.0.writer {
            Writer::Shared { writer, .. } => writer.run(work).await,
            Writer::Each(lane) => lane.run(work).await,
        }
    }

    /// [`Db::write`] for commands, which have no async threads to spare.
    pub fn write_blocking<T>(
        &self,
        work: impl FnOnce(&mut DbConn) -> Result<T, DbError>,
    ) -> Result<T, DbError> {
        let (Writer::Shared { pool, .. } | Writer::Each(Lane { pool, .. })) = &self.0.writer;
        let mut pooled = pool
            .get()
            .map_err(|error| DbError::Unreachable(error.to_string()))?;
        transaction::alone(&mut pooled, work)
    }

    /// The connections that read; on PostgreSQL they write too.
    pub fn pool(&self) -> PoolState {
        let pool = &self.0.readers.pool;
        let state = pool.state();
        PoolState {
            connections: state.connections,
            idle: state.idle_connections,
            most: pool.max_size(),
        }
    }

    /// How many writes took how many commits, where commits are shared: on SQLite.
    pub fn commit_counts(&self) -> Option<CommitCounts> {
        match &self.0.writer {
            Writer::Shared { writer, .. } => Some(writer.counts()),
            Writer::Each(_) => None,
        }
    }
}

#[derive(diesel::QueryableByName)]
struct Version {
    #[diesel(sql_type = diesel::sql_types::Text)]
    version: String,
}

/// The version of the database itself, in its words.
pub fn version(connection: &mut DbConn) -> Result<String, DbError> {
    let sql = match connection {
        DbConn::Sqlite(_) => "SELECT sqlite_version() AS version",
        DbConn::Postgres(_) => "SELECT current_setting('server_version') AS version",
    };
    let found: Version = diesel::sql_query(sql).get_result(connection)?;
    Ok(found.version)
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

#[cfg(test)]
mod tests;
