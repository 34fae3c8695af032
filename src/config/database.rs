//! Which database: `DATABASE_URL`. Its value is never repeated in a message, since it may hold a password.

use std::fmt;
use std::path::{Path, PathBuf};

use super::error::ConfigError;
use super::vars::Vars;

const NAME: &str = "DATABASE_URL";
const FILE_NAME: &str = "satchel.db";
const ADVICE: &str = "use for example DATABASE_URL=sqlite://satchel.db (a path that is relative to the current \
     directory), DATABASE_URL=sqlite:///var/lib/satchel/satchel.db or DATABASE_URL=postgres://user:password@host/name";

/// Connection parameters of PostgreSQL that are no secret; any other is hidden when the URL is shown.
const PUBLIC_PARAMETERS: [&str; 8] = [
    "host",
    "hostaddr",
    "port",
    "user",
    "dbname",
    "sslmode",
    "connect_timeout",
    "application_name",
];

/// Where the rows are.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseConfig {
    /// A file on this machine.
    Sqlite {
        /// The file.
        path: PathBuf,
    },
    /// A PostgreSQL server.
    Postgres {
        /// What libpq is given, password included.
        url: String,
    },
}

impl DatabaseConfig {
    pub(super) fn from_vars(vars: &Vars, data_dir: &Path) -> Result<Self, ConfigError> {
        let Some(url) = vars.get(NAME).map(str::trim) else {
            return Ok(Self::Sqlite {
                path: data_dir.join(FILE_NAME),
            });
        };
        match url.split_once(':') {
            Some(("sqlite", rest)) => sqlite(rest),
            Some(("postgres" | "postgresql", rest)) => postgres(url, rest),
            _ => Err(fail(
                "begins with none of sqlite://, postgres:// and postgresql://",
            )),
        }
    }

    /// The URL with any password replaced.
    pub fn redacted_url(&self) -> String {
        match self {
            Self::Sqlite { path } => format!("sqlite://{}", path.display()),
            Self::Postgres { url } => redact(url),
        }
    }
}

impl fmt::Debug for DatabaseConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite { path } => f.debug_struct("Sqlite").field("path", path).finish(),
            Self::Postgres { url } => f.debug_struct("Postgres").field("url", &redact(url)).finish(),
        }
    }
}

fn sqlite(rest: &str) -> Result<DatabaseConfig, ConfigError> {
    let path = rest
        .strip_prefix("//")
        .ok_or_else(|| fail("has no // after sqlite:"))?;
    if path.is_empty() || path.ends_with('/') {
        return Err(fail("names no file after sqlite://"));
    }
    if path == ":memory:" {
        return Err(fail(
            "asks for a database in memory, which every connection would have to itself",
        ));
    }
    if path.contains('?') {
        return Err(fail("has parameters after a ?, and SQLite takes none here"));
    }
    Ok(DatabaseConfig::Sqlite {
        path: PathBuf::from(path),
    })
}

fn postgres(url: &str, rest: &str) -> Result<DatabaseConfig, ConfigError> {
    let Some(rest) = rest.strip_prefix("//") else {
        return Err(fail("has no // after postgres:"));
    };
    if rest.is_empty() {
        return Err(fail("names neither host nor database after postgres://"));
    }
    // Without this libpq and `redact` could disagree about where the password ends.
    let (head, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    let credentials_end = head.find('@');
    let clear = head.matches('@').count() <= 1
        && credentials_end.is_none_or(|at| !head[..at].contains('/'))
        && (credentials_end.is_some() || !parameters.contains('@'));
    if !clear {
        return Err(fail(
            "is ambiguous: in a user name or password write @ as %40, / as %2F, : as %3A and ? as %3F",
        ));
    }
    Ok(DatabaseConfig::Postgres { url: url.to_owned() })
}

fn fail(problem: &str) -> ConfigError {
    ConfigError::with_advice(NAME, problem, ADVICE)
}

fn redact(url: &str) -> String {
    let (head, parameters) = match url.split_once('?') {
        Some((head, parameters)) => (head, Some(parameters)),
        None => (url, None),
    };
    let mut shown = match head
        .split_once("://")
        .and_then(|(scheme, rest)| Some((scheme, rest.split_once('@')?)))
    {
        Some((scheme, (credentials, place))) => match credentials.split_once(':') {
            Some((user, _)) => format!("{scheme}://{user}:[hidden]@{place}"),
            None => format!("{scheme}://{credentials}@{place}"),
        },
        None => head.to_owned(),
    };
    for (index, parameter) in parameters.into_iter().flat_map(|all| all.split('&')).enumerate() {
        shown.push(if index == 0 { '?' } else { '&' });
        match parameter.split_once('=') {
            Some((name, value)) if PUBLIC_PARAMETERS.contains(&name) => {
                shown.push_str(&format!("{name}={value}"));
            }
            Some((name, _)) => shown.push_str(&format!("{name}=[hidden]")),
            None => shown.push_str("[hidden]"),
        }
    }
    shown
}
