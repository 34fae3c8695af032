//! The raw values: the environment, then `.env` of the current directory for what the environment leaves open.
//!
//! `.env` is read into this map and never into the process's environment: changing that is unsafe once threads run.

use std::collections::BTreeMap;
use std::fmt;
use std::io;

use super::error::{ConfigError, reason};

/// Every setting, in the order in which `config show` lists them.
pub(super) const NAMES: [&str; 29] = [
    "FILESTACK_API_KEY",
    "FILESTACK_APP_SECRET",
    "FILESTACK_WEBHOOK_SECRET",
    "FILESTACK_WEBHOOK_SECRET_PREVIOUS",
    "FILESTACK_BASE_URL",
    "FILESTACK_API_URL",
    "FILESTACK_UPLOAD_URL",
    "FILESTACK_CDN_URL",
    "FILESTACK_PROCESS_URL",
    "DATABASE_URL",
    "SATCHEL_BIND",
    "SATCHEL_EMULATOR_BIND",
    "SATCHEL_CLIENT_SCRIPT",
    "SATCHEL_DATA_DIR",
    "SATCHEL_PUBLIC_URL",
    "SATCHEL_SECRET_KEY",
    "SATCHEL_MAX_UPLOAD_BYTES",
    "SATCHEL_UPLOAD_MEMORY_BYTES",
    "SATCHEL_TRASH_DAYS",
    "SATCHEL_API_RATE",
    "SATCHEL_URL_IMPORT",
    "SATCHEL_TRUSTED_PROXIES",
    "SATCHEL_DRAIN_SECONDS",
    "SATCHEL_METRICS_TOKEN",
    "SATCHEL_JOB_THREADS",
    "SATCHEL_SCAN_WORKFLOW",
    "SATCHEL_SCAN_FAILURE",
    "SATCHEL_SMTP_URL",
    "SATCHEL_MAIL_FROM",
];

/// The log filter: not a setting of ours, but read from the same two places.
const LOG_FILTER: &str = "RUST_LOG";

/// What a development build may be made to do at its fail-points; an optimised one has none.
const FAILPOINTS: &str = "SATCHEL_FAILPOINTS";

/// Where a value was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The process's environment.
    Environment,
    /// The file `.env` in the current directory.
    DotEnv,
    /// Nowhere: what holds when nothing is said.
    Default,
    /// Made up by Satchel and kept in the data directory.
    DataDirectory,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Environment => "environment",
            Self::DotEnv => ".env",
            Self::Default => "default",
            Self::DataDirectory => "data directory",
        })
    }
}

/// Raw values by variable name. Its `Debug` shows names only, since some of the values are secrets.
#[derive(Clone, Default)]
pub struct Vars(BTreeMap<String, (String, Source)>);

impl Vars {
    /// Reads the environment and `.env` of the current directory; what the environment sets, even to nothing, wins.
    pub fn load() -> Result<Self, ConfigError> {
        let mut vars = Self::from_environment()?;
        match std::fs::read(".env") {
            Ok(text) => vars.add_dot_env(&text)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                return Err(ConfigError::with_advice(
                    ".env",
                    format!("cannot be read ({})", reason(&error)),
                    "let this user read it, or remove it",
                ));
            }
        }
        Ok(vars)
    }

    /// The value of `name`, unless it is unset or blank.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(|(value, _)| value.as_str())
            .filter(|value| !value.trim().is_empty())
    }

    /// Whether `name` is set, be it to nothing.
    pub fn is_set(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Where `name` is set, be it to nothing.
    pub(super) fn set_in(&self, name: &str) -> Option<Source> {
        self.0.get(name).map(|(_, source)| *source)
    }

    /// Where the value that [`Vars::get`] gives comes from.
    pub fn source(&self, name: &str) -> Source {
        match self.0.get(name) {
            Some((value, source)) if !value.trim().is_empty() => *source,
            _ => Source::Default,
        }
    }

    /// The filter for log lines, if one is set.
    pub fn log_filter(&self) -> Option<&str> {
        self.get(LOG_FILTER)
    }

    /// What is to happen at the fail-points, if anything.
    #[cfg(debug_assertions)]
    pub fn failpoints(&self) -> Option<&str> {
        self.get(FAILPOINTS)
    }

    /// A sentence for each variable that looks like one of ours and is none: most likely a slip of the pen.
    pub fn unknown(&self) -> Vec<String> {
        let ours = |name: &str| name.starts_with("SATCHEL_") || name.starts_with("FILESTACK_");
        let ignored = |name: &str| {
            name.starts_with("SATCHEL_TEST_")
                || NAMES.contains(&name)
                || (cfg!(debug_assertions) && name == FAILPOINTS)
        };
        self.0
            .iter()
            .filter(|(name, _)| ours(name) && !ignored(name))
            .map(|(name, (_, source))| {
                format!("{name} ({source}) is not a setting and has no effect; `satchel config show` lists them all.")
            })
            .collect()
    }

    /// The same values with `name` set, as if the environment said so.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.0
            .insert(name.to_owned(), (value.to_owned(), Source::Environment));
        self
    }

    fn from_environment() -> Result<Self, ConfigError> {
        let mut vars = Self::default();
        for (name, value) in std::env::vars_os() {
            let Ok(name) = name.into_string() else { continue };
            if !is_read(&name) {
                continue;
            }
            let value = value.into_string().map_err(|_| {
                ConfigError::with_advice(
                    &name,
                    "is not valid UTF-8",
                    format!("set it again as {name}=VALUE"),
                )
            })?;
            vars.0.insert(name, (value, Source::Environment));
        }
        Ok(vars)
    }

    /// Adds the lines of a `.env` file; a value that is there already stays, as does the first of two lines.
    pub(super) fn add_dot_env(&mut self, text: &[u8]) -> Result<(), ConfigError> {
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        for line in dotenvy::from_read_iter(text) {
            let (name, value) = line.map_err(|error| bad_line(text, &error))?;
            if is_read(&name) {
                self.0.entry(name).or_insert((value, Source::DotEnv));
            }
        }
        Ok(())
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Vars {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let environment = |(name, value): (N, V)| (name.into(), (value.into(), Source::Environment));
        Self(pairs.into_iter().map(environment).collect())
    }
}

impl fmt::Debug for Vars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

fn is_read(name: &str) -> bool {
    name.starts_with("SATCHEL_")
        || name.starts_with("FILESTACK_")
        || name == "DATABASE_URL"
        || name == LOG_FILTER
}

/// Names the line, but does not show it: it may well hold a secret.
fn bad_line(text: &[u8], error: &dotenvy::Error) -> ConfigError {
    let advice = "write it as NAME=value, with '…' round a value that has spaces, quotes, # or $ in it";
    let text = String::from_utf8_lossy(text);
    let index = match error {
        dotenvy::Error::LineParse(line, _) => {
            let first = line.lines().next().unwrap_or_default().trim();
            text.lines().position(|line| line.trim() == first)
        }
        _ => None,
    };
    let problem = match index {
        Some(index) => format!("cannot be understood at line {}", index + 1),
        None => "cannot be read as text".to_owned(),
    };
    ConfigError::with_advice(".env", problem, advice)
}
