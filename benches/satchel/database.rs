//! A PostgreSQL database of a benchmark's own.

use std::process::Command;

use super::Outcome;

/// The setting that names a PostgreSQL server; each run makes databases of its own on it.
pub const SETTING: &str = "SATCHEL_TEST_POSTGRES_URL";

/// A database on the PostgreSQL server that the environment names, dropped at the end.
pub struct Database {
    server: String,
    name: String,
    /// Its address.
    pub url: String,
}

impl Database {
    /// One with this word in its name; `None` when the environment names no server.
    pub fn make(word: &str) -> Outcome<Option<Self>> {
        let Ok(server) = std::env::var(SETTING) else {
            return Ok(None);
        };
        let name = format!("satchel_bench_{word}_{}", std::process::id());
        psql(&server, &format!("CREATE DATABASE {name}"))?;
        let mut url = url::Url::parse(&server)?;
        url.set_path(&name);
        Ok(Some(Database {
            server,
            name,
            url: url.into(),
        }))
    }
}

impl Database {
    /// Runs a statement that the application has none of.
    pub fn run(&self, statement: &str) -> Outcome<()> {
        psql(&self.url, statement)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Err(error) = psql(&self.server, &format!("DROP DATABASE {} WITH (FORCE)", self.name)) {
            eprintln!("the database {} is left: {error}", self.name);
        }
    }
}

fn psql(server: &str, statement: &str) -> Outcome<()> {
    let status = Command::new("psql")
        .args([server, "-q", "-c", statement])
        .status()?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("psql failed: {status}").into())
    }
}
