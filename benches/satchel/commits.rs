//! What a durable commit costs on SQLite, and what sharing it gives back: writes per second and their slowest per cent.
//!
//! Three ways to make one row last, each through `web::block` as the application does it: a commit that a loss of power may
//! take back, one of its own that it cannot, and [`Db::write`], where those who wait share one. PostgreSQL is not in it: it shares
//! by itself.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, SqliteConnection};
use futures_util::future::try_join_all;
use satchel::db::{Db, Location};
use tokio::sync::Mutex;

use super::Outcome;
use super::options::Options;
use super::report::{Report, percentile};

const PART: &str = "commits";
/// Tasks that write at once.
const WRITERS: [usize; 3] = [1, 8, 64];
const TABLE: &str = "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL)";
const INSERT: &str = "INSERT INTO notes (text) VALUES ('a delivery, a document or a job')";

/// One way to commit.
enum Way {
    /// One connection, one after the other, at this level of SQLite's `synchronous`.
    Alone(Arc<Mutex<SqliteConnection>>),
    /// The application's.
    Shared(Db),
}

pub async fn measure(options: &Options, report: &mut Report) -> Outcome<()> {
    // On a disk: see `install`.
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let ways = [
        (
            "NORMAL, each alone",
            Way::alone(&directory.path().join("normal.db"), "NORMAL")?,
        ),
        (
            "FULL, each alone",
            Way::alone(&directory.path().join("full.db"), "FULL")?,
        ),
        ("FULL, shared", Way::shared(&directory.path().join("shared.db"))?),
    ];
    let length = Duration::from_secs(options.load_seconds());
    for writers in WRITERS {
        for (name, way) in &ways {
            let before = way.commits();
            let (per_second, slowest) = load(way, writers, length).await?;
            let sharing = match (before, way.commits()) {
                (Some((writes, commits)), Some((more_writes, more_commits))) => format!(
                    ", {:.1} writes in a commit",
                    (more_writes - writes) as f64 / (more_commits - commits).max(1) as f64
                ),
                _ => String::new(),
            };
            report.note(
                PART,
                format!("{name}, {writers} at once"),
                format!("{per_second:.0} writes/s, 99 % within {slowest:.1} ms{sharing}"),
            );
        }
    }
    Ok(())
}

/// Writes per second, and milliseconds that 99 of 100 do not exceed.
async fn load(way: &Way, writers: usize, length: Duration) -> Outcome<(f64, f64)> {
    let begun = Instant::now();
    let tasks = (0..writers).map(|_| async {
        let mut times = Vec::new();
        while begun.elapsed() < length {
            let started = Instant::now();
            way.write().await?;
            times.push(started.elapsed().as_secs_f64() * 1_000.0);
        }
        Outcome::Ok(times)
    });
    let times = try_join_all(tasks).await?.concat();
    let per_second = times.len() as f64 / begun.elapsed().as_secs_f64();
    Ok((per_second, percentile(&times, 99.0)))
}

impl Way {
    fn alone(path: &Path, level: &str) -> Outcome<Self> {
        let path = path.to_str().ok_or("the database's path is not UTF-8")?;
        let mut connection = SqliteConnection::establish(path)?;
        connection.batch_execute(&format!(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = {level}; PRAGMA cache_size = -8000; {TABLE}"
        ))?;
        Ok(Way::Alone(Arc::new(Mutex::new(connection))))
    }

    fn shared(path: &Path) -> Outcome<Self> {
        let db = Db::open(Location::Sqlite(path.to_path_buf()))?;
        db.write_blocking(|c| Ok(c.batch_execute(TABLE)?))?;
        Ok(Way::Shared(db))
    }

    async fn write(&self) -> Outcome<()> {
        match self {
            Way::Alone(connection) => {
                let mut turn = Arc::clone(connection).lock_owned().await;
                let written =
                    actix_web::web::block(move || turn.immediate_transaction(|c| c.batch_execute(INSERT)));
                Ok(written.await??)
            }
            Way::Shared(db) => Ok(db.write(|c| Ok(c.batch_execute(INSERT)?)).await?),
        }
    }

    /// Writes and commits so far, where they are not the same.
    fn commits(&self) -> Option<(u64, u64)> {
        match self {
            Way::Alone(_) => None,
            Way::Shared(db) => db.commit_counts().map(|counts| (counts.writes, counts.commits)),
        }
    }
}
