//! Migrations: embedded, one tree for each database, applied by one process at a time.

use std::fs::File;

use diesel::connection::SimpleConnection as _;
use diesel::migration::{Migration, MigrationSource as _};
use diesel::pg::Pg;
use diesel::sqlite::Sqlite;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness as _, embed_migrations};

use super::DbError;
use super::connection::{DbConn, Location, Manager};

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// Any number that no other program uses on the same database: the key of the advisory lock.
const ADVISORY_LOCK: i64 = 0x5A7C_4E11;

/// A migration, and whether it is applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrationStatus {
    /// Its name: the moment it was written and what it does.
    pub name: String,
    /// Whether the database has it.
    pub applied: bool,
}

/// Applies what is missing; says which.
pub(super) fn up(location: &Location) -> Result<Vec<String>, DbError> {
    with_lock(location, |connection| {
        let applied = match connection {
            DbConn::Sqlite(inner) => inner.run_pending_migrations(SQLITE),
            DbConn::Postgres(inner) => inner.run_pending_migrations(POSTGRES),
        };
        applied
            .map(|versions| versions.iter().map(ToString::to_string).collect())
            .map_err(|error| DbError::Query(format!("a migration failed: {error}")))
    })
}

/// Undoes everything.
pub(super) fn down(location: &Location) -> Result<(), DbError> {
    with_lock(location, |connection| {
        match connection {
            DbConn::Sqlite(inner) => inner.revert_all_migrations(SQLITE).map(|_| ()),
            DbConn::Postgres(inner) => inner.revert_all_migrations(POSTGRES).map(|_| ()),
        }
        .map_err(|error| DbError::Query(format!("a migration could not be undone: {error}")))
    })
}

/// Every migration this version knows.
pub(super) fn status(location: &Location) -> Result<Vec<MigrationStatus>, DbError> {
    let mut connection = open(location)?;
    let pending = match &mut connection {
        DbConn::Sqlite(inner) => names::<Sqlite>(&inner.pending_migrations(SQLITE).map_err(failed)?),
        DbConn::Postgres(inner) => names::<Pg>(&inner.pending_migrations(POSTGRES).map_err(failed)?),
    };
    let known = match location {
        Location::Sqlite(_) => names::<Sqlite>(&SQLITE.migrations().map_err(failed)?),
        Location::Postgres(_) => names::<Pg>(&POSTGRES.migrations().map_err(failed)?),
    };
    Ok(known
        .into_iter()
        .map(|name| MigrationStatus {
            applied: !pending.contains(&name),
            name,
        })
        .collect())
}

fn names<B: diesel::backend::Backend>(migrations: &[Box<dyn Migration<B>>]) -> Vec<String> {
    let mut names: Vec<String> = migrations
        .iter()
        .map(|migration| migration.name().to_string())
        .collect();
    names.sort();
    names
}

fn failed(error: impl std::fmt::Display) -> DbError {
    DbError::Query(format!("the migrations could not be read: {error}"))
}

fn open(location: &Location) -> Result<DbConn, DbError> {
    let manager = Manager {
        location: location.clone(),
        read_only: false,
    };
    manager.open().map_err(DbError::Unreachable)
}

/// Two processes that start at once must not apply the same migration twice: SQLite's are kept apart by a lock on a file beside the
/// database, PostgreSQL's by an advisory lock; both are free again when their holder dies.
fn with_lock<T>(
    location: &Location,
    work: impl FnOnce(&mut DbConn) -> Result<T, DbError>,
) -> Result<T, DbError> {
    let _file = match location {
        Location::Sqlite(path) => {
            let name = path.with_extension("migrations.lock");
            let file = File::create(&name)
                .and_then(|file| file.lock().map(|()| file))
                .map_err(|error| DbError::Unreachable(format!("{}: {error}", name.display())))?;
            Some(file)
        }
        Location::Postgres(_) => None,
    };
    let mut connection = open(location)?;
    if let DbConn::Postgres(inner) = &mut connection {
        // The lock and the work after it may take as long as they take.
        inner.batch_execute("SET lock_timeout = 0; SET statement_timeout = 0;")?;
        inner.batch_execute(&format!("SELECT pg_advisory_lock({ADVISORY_LOCK})"))?;
    }
    refuse_newer_schema(&mut connection)?;
    // The connection is closed after this, which frees the advisory lock.
    work(&mut connection)
}

/// A database that a newer version has changed is left alone.
fn refuse_newer_schema(connection: &mut DbConn) -> Result<(), DbError> {
    let (applied, known) = match connection {
        DbConn::Sqlite(inner) => (
            inner.applied_migrations().map_err(failed)?,
            versions::<Sqlite>(&SQLITE.migrations().map_err(failed)?),
        ),
        DbConn::Postgres(inner) => (
            inner.applied_migrations().map_err(failed)?,
            versions::<Pg>(&POSTGRES.migrations().map_err(failed)?),
        ),
    };
    match applied
        .iter()
        .map(ToString::to_string)
        .find(|version| !known.contains(version))
    {
        None => Ok(()),
        Some(version) => Err(DbError::Query(format!(
            "the database was changed by a newer Satchel (migration {version}); start that version, or restore a backup"
        ))),
    }
}

fn versions<B: diesel::backend::Backend>(migrations: &[Box<dyn Migration<B>>]) -> Vec<String> {
    migrations
        .iter()
        .map(|migration| migration.name().version().to_string())
        .collect()
}
