//! One connection type for both databases, and how one is opened.

use std::fmt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection as _;
use diesel::r2d2::R2D2Connection as _;
use diesel::{Connection as _, PgConnection, SqliteConnection};

/// A connection to whichever database the URL names.
#[derive(diesel::MultiConnection)]
pub enum DbConn {
    /// PostgreSQL.
    Postgres(PgConnection),
    /// SQLite, compiled in.
    Sqlite(SqliteConnection),
}

/// Which database, and where.
#[derive(Clone)]
pub enum Location {
    /// A file; made when it is not there.
    Sqlite(PathBuf),
    /// A `postgres://` URL.
    Postgres(String),
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Location::Sqlite(path) => write!(f, "sqlite://{}", path.display()),
            Location::Postgres(_) => f.write_str("postgres://…"),
        }
    }
}

/// Waiting for another writer is bounded, so that a busy database becomes a 503 and never a hang (R9).
///
/// A commit returns when it is on the disk, for all writes alike: most stand behind a 200 or 201, and the others must not be lost
/// either (an intent that a loss of power takes back leaves a file at Filestack that nobody knows). What is light rides along
/// in a commit that is shared.
const SQLITE_PRAGMAS: &str = "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
    PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -8000;";

/// A statement that has not ended by then is given up by PostgreSQL: no request may hang on a lock (R9).
const POSTGRES_SETTINGS: &str = "SET statement_timeout = '30s'; SET lock_timeout = '5s'; \
    SET idle_in_transaction_session_timeout = '30s'; SET client_min_messages = warning;";

/// How long a file may be locked before it is said.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two tries to open one.
const BETWEEN: Duration = Duration::from_millis(20);

/// How r2d2 opens and checks connections.
///
/// Diesel's own manager would report every failure of the enum as an invalid URL; this one keeps the database's words.
#[derive(Debug)]
pub struct Manager {
    /// Which database.
    pub location: Location,
    /// Refuse writes on this connection: SQLite's readers.
    pub read_only: bool,
}

impl Manager {
    /// Opens one connection.
    pub fn open(&self) -> Result<DbConn, String> {
        match &self.location {
            Location::Postgres(url) => {
                let mut connection = PgConnection::establish(url).map_err(|error| error.to_string())?;
                connection
                    .batch_execute(POSTGRES_SETTINGS)
                    .map_err(|error| error.to_string())?;
                Ok(DbConn::Postgres(connection))
            }
            Location::Sqlite(path) => {
                let path = path.to_str().ok_or("the path of the database is not UTF-8")?;
                let mut connection = open_patiently(path)?;
                if self.read_only {
                    connection
                        .batch_execute("PRAGMA query_only = ON")
                        .map_err(|error| error.to_string())?;
                }
                Ok(DbConn::Sqlite(connection))
            }
        }
    }
}

/// Opens a file, again and again while it is locked. Whoever opens one that another process makes, recovers or closes as its last may be
/// told so at once, whatever the busy timeout says: <https://www.sqlite.org/wal.html#sometimes_queries_return_sqlite_busy_in_wal_mode>.
fn open_patiently(path: &str) -> Result<SqliteConnection, String> {
    let begun = Instant::now();
    loop {
        let opened = SqliteConnection::establish(path)
            .map_err(|error| error.to_string())
            .and_then(|mut connection| {
                let set = connection.batch_execute(SQLITE_PRAGMAS);
                set.map(|()| connection).map_err(|error| error.to_string())
            });
        match opened {
            Err(error) if error.contains("locked") && begun.elapsed() < PATIENCE => {
                std::thread::sleep(BETWEEN);
            }
            opened => return opened,
        }
    }
}

/// Why a connection could not be had.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConnectError(pub String);

impl r2d2::ManageConnection for Manager {
    type Connection = DbConn;
    type Error = ConnectError;

    fn connect(&self) -> Result<DbConn, ConnectError> {
        self.open().map_err(ConnectError)
    }

    fn is_valid(&self, connection: &mut DbConn) -> Result<(), ConnectError> {
        connection.ping().map_err(|error| ConnectError(error.to_string()))
    }

    fn has_broken(&self, connection: &mut DbConn) -> bool {
        std::thread::panicking() || connection.is_broken()
    }
}

/// The first `$row` of a query, if there is one, locked until the transaction ends by `$lock` on PostgreSQL: `for_update` keeps rows that
/// refer to it from coming, too, `for_no_key_update` lets them. On SQLite whoever writes is alone.
macro_rules! first_locked {
    ($connection:expr, $query:expr, $row:ty, $lock:ident) => {
        match $connection {
            DbConn::Postgres(inner) => $query.select(<$row>::as_select()).$lock().first(inner).optional(),
            DbConn::Sqlite(inner) => $query.select(<$row>::as_select()).first(inner).optional(),
        }
    };
}
pub(in crate::db) use first_locked;
