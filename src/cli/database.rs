//! The database as commands open it: with its directory made and its migrations applied.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::CliError;
use crate::config::{Config, DatabaseConfig};
use crate::db::{Db, DbError, Location};

/// Where the configuration says the database is.
pub(super) fn location(config: &Config) -> Location {
    match &config.database {
        DatabaseConfig::Sqlite { path } => Location::Sqlite(path.clone()),
        DatabaseConfig::Postgres { url } => Location::Postgres(url.clone()),
    }
}

/// Opens the database and applies what migrations are missing.
pub(super) fn open(config: &Config) -> Result<Db, CliError> {
    let location = location(config);
    prepare(&location)?;
    Db::open(location).map_err(|error| failed(config, error))
}

/// Opens the database as it is.
pub(super) fn open_as_it_is(config: &Config) -> Result<Db, CliError> {
    let location = location(config);
    prepare(&location)?;
    Db::without_migrations(location).map_err(|error| failed(config, error))
}

/// A command's failure at the database, with what to look at.
pub(super) fn failed(config: &Config, error: DbError) -> CliError {
    let next = match (&error, &config.database) {
        (DbError::Busy(_), _) => "Wait until it is less busy, then run the command again",
        (DbError::Unreachable(_), DatabaseConfig::Postgres { .. }) => {
            "Check that PostgreSQL runs, that DATABASE_URL is right and that its user may connect and create tables"
        }
        (_, DatabaseConfig::Sqlite { .. }) => {
            "Check DATABASE_URL and that the file and its directory can be written"
        }
        _ => "Check DATABASE_URL and what the database's log says",
    };
    CliError::failed(format!("The database could not be used: {error}"), next)
}

/// Makes the file of an SQLite database, and its directory.
pub(super) fn prepare(location: &Location) -> Result<(), CliError> {
    let Location::Sqlite(path) = location else {
        return Ok(());
    };
    let directory = path.parent().filter(|parent| *parent != Path::new(""));
    // SQLite gives the files beside it the mode of this one: nobody else on this computer may read password hashes.
    let private = || {
        OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(path)
            .map(drop)
    };
    directory
        .map_or(Ok(()), fs::create_dir_all)
        .and_then(|()| private())
        .map_err(|error| {
            CliError::failed(
                format!("The database {} cannot be written: {error}", path.display()),
                "Choose a writable place with SATCHEL_DATA_DIR or DATABASE_URL",
            )
        })
}
