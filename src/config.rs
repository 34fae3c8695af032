//! The settings, one struct per area, all checked before anything starts.
//!
//! [`Vars`] are the raw values with the place each came from, [`Settings`] what they say once checked (nothing on disk is
//! touched up to here, which is what `config show` needs), and [`Config`] the same with the secrets that Satchel makes up
//! and keeps in the data directory. Nothing else in the program reads the environment.
//!
//! The variables of an area are named in its file: `http`, `database`, `filestack`, `limits`,
//! `background`, `import`. Uses nothing else of ours.

mod background;
mod database;
mod error;
mod examples;
mod filestack;
mod http;
mod import;
mod kept;
mod limits;
mod parse;
mod secrets;
mod settings;
mod show;
mod vars;
mod warnings;

use std::path::PathBuf;

pub use background::{BackgroundConfig, MailConfig, ScanFailure};
pub use database::DatabaseConfig;
pub use error::ConfigError;
pub use filestack::{FilestackConfig, FilestackMode, Hosts};
pub use http::HttpConfig;
pub use import::ImportConfig;
pub use limits::LimitsConfig;
pub use secrets::{Secret, SecretKey, WebhookSecret};
pub use settings::Settings;
pub use show::{Shown, ShownSetting};
pub use vars::{Source, Vars};

/// Everything the program can be told from outside, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where and as what we are reached.
    pub http: HttpConfig,
    /// Which database holds the rows.
    pub database: DatabaseConfig,
    /// Filestack or the emulator, and the webhooks of either.
    pub filestack: FilestackConfig,
    /// The directory for everything kept on this machine: SQLite, the emulator's files, secrets made up.
    pub data_dir: PathBuf,
    /// The key from which the application derives its own signing keys.
    pub secret_key: SecretKey,
    /// How large and how many.
    pub limits: LimitsConfig,
    /// What is done while nobody waits.
    pub background: BackgroundConfig,
    /// Where files may be imported from, if from anywhere.
    pub import: Option<ImportConfig>,
    /// All of this as it may be shown to administrators.
    pub shown: Shown,
}

impl Config {
    /// Reads `.env` and the environment, and makes up and keeps the secrets that may be left out.
    pub fn load() -> Result<Self, ConfigError> {
        Self::from_vars(&Vars::load()?)
    }

    /// The configuration that `vars` describe; the data directory is written to only if a secret has to be kept there.
    pub fn from_vars(vars: &Vars) -> Result<Self, ConfigError> {
        let settings = Settings::from_vars(vars)?;
        let mut config = settings.clone().into_config()?;
        // Only now are the secrets there that were to be made up.
        config.shown = settings.shown(vars)?;
        Ok(config)
    }

    /// What about this configuration is not ready for production, one sentence or two each.
    pub fn warnings(&self) -> Vec<String> {
        warnings::warnings(
            &self.http,
            &self.database,
            &warnings::filestack_of(&self.filestack.mode),
            self.filestack.webhook_warning.as_deref(),
            &self.background,
        )
    }
}

#[cfg(test)]
mod tests;
