//! All settings, checked, before any secret is made up: `SATCHEL_DATA_DIR`, `SATCHEL_SECRET_KEY` and the areas.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::background::BackgroundConfig;
use super::database::DatabaseConfig;
use super::error::ConfigError;
use super::examples;
use super::filestack::{FilestackSettings, emulator_app};
use super::http::HttpConfig;
use super::import::ImportConfig;
use super::kept::{Kept, KeptSecret};
use super::limits::LimitsConfig;
use super::secrets::{Secret, SecretKey};
use super::show::Shown;
use super::vars::Vars;
use super::{Config, warnings};

const DEFAULT_DATA_DIR: &str = "./data";
const SECRET_KEY: &str = "SATCHEL_SECRET_KEY";
const HOW_TO_MAKE_A_KEY: &str = "make one with SATCHEL_SECRET_KEY=$(openssl rand -hex 32)";

/// What the variables say. Reading it touches no file; [`Settings::into_config`] keeps what has to be kept.
#[derive(Clone, Debug)]
pub struct Settings {
    pub(super) http: HttpConfig,
    pub(super) database: DatabaseConfig,
    pub(super) filestack: FilestackSettings,
    pub(super) data_dir: PathBuf,
    /// `None` when it is to be made up and kept.
    pub(super) secret_key: Option<SecretKey>,
    pub(super) limits: LimitsConfig,
    pub(super) background: BackgroundConfig,
    pub(super) import: Option<ImportConfig>,
}

impl Settings {
    /// Checks every variable; the first that cannot be used is the error.
    pub fn from_vars(vars: &Vars) -> Result<Self, ConfigError> {
        let data_dir = PathBuf::from(vars.get("SATCHEL_DATA_DIR").unwrap_or(DEFAULT_DATA_DIR));
        let database = DatabaseConfig::from_vars(vars, &data_dir)?;
        let filestack = FilestackSettings::from_vars(vars)?;
        Ok(Self {
            http: HttpConfig::from_vars(vars)?,
            secret_key: secret_key(vars, &database, filestack.service.is_some())?,
            database,
            filestack,
            data_dir,
            limits: LimitsConfig::from_vars(vars)?,
            background: BackgroundConfig::from_vars(vars)?,
            import: ImportConfig::from_vars(vars)?,
        })
    }

    /// Completes the settings with the secrets kept in the data directory, made up now if this is the first start.
    pub fn into_config(self) -> Result<Config, ConfigError> {
        self.check_addresses()?;
        let kept = Kept::new(&self.data_dir);
        let secret_key = match self.secret_key {
            Some(key) => key,
            None => {
                let digits = kept.get_or_make(KeptSecret::SecretKey)?;
                SecretKey::from_hex(&digits).expect("`Kept` hands out nothing but 64 hex digits")
            }
        };
        let filestack = self.filestack.into_config(&kept)?;
        Ok(Config {
            http: self.http,
            database: self.database,
            filestack,
            data_dir: self.data_dir,
            secret_key,
            limits: self.limits,
            background: self.background,
            import: self.import,
            shown: Shown::default(),
        })
    }

    /// The same sentences as [`Config::warnings`], without making anything up.
    pub fn warnings(&self) -> Vec<String> {
        warnings::warnings(
            &self.http,
            &self.database,
            &warnings::filestack_of_settings(&self.filestack),
            self.filestack.webhook_warning(),
            &self.background,
        )
    }

    /// The directory for everything kept on this machine.
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// Where an emulator listens when the command line does not say.
    pub fn emulator_bind(&self) -> SocketAddr {
        self.filestack.emulator_bind
    }

    /// What an emulator serves as Filestack's client for browsers, instead of its stand-in.
    pub fn client_script(&self) -> Option<&Path> {
        self.filestack.client_script.as_deref()
    }

    /// The app that an emulator on `data_dir`, which was `named` so, knows when none is named: made up at the first start and kept.
    pub fn emulator_app(data_dir: &Path, named: &str) -> Result<(String, Secret), ConfigError> {
        emulator_app(&Kept::named(data_dir, named))
    }

    /// Both servers on one address: the second would only say that it is in use.
    pub(super) fn check_addresses(&self) -> Result<(), ConfigError> {
        let (app, emulator) = (self.http.bind, self.filestack.emulator_bind);
        let everywhere = app.ip().is_unspecified() || emulator.ip().is_unspecified();
        if self.filestack.service.is_some()
            || app.port() == 0
            || app.port() != emulator.port()
            || (app.ip() != emulator.ip() && !everywhere)
        {
            return Ok(());
        }
        let free = if app.port() == 8081 { 8082 } else { 8081 };
        Err(ConfigError::new(
            "SATCHEL_EMULATOR_BIND",
            format!("is {emulator}, which SATCHEL_BIND={app} takes for the application itself"),
            &SocketAddr::new(emulator.ip(), free).to_string(),
        ))
    }
}

fn secret_key(
    vars: &Vars,
    database: &DatabaseConfig,
    production: bool,
) -> Result<Option<SecretKey>, ConfigError> {
    let Some(digits) = vars.get(SECRET_KEY) else {
        return match database {
            DatabaseConfig::Sqlite { .. } => Ok(None),
            DatabaseConfig::Postgres { .. } => Err(ConfigError::with_advice(
                SECRET_KEY,
                "is not set, and with PostgreSQL every server needs the same one",
                HOW_TO_MAKE_A_KEY,
            )),
        };
    };
    if production {
        examples::refuse(SECRET_KEY, digits.trim(), examples::SECRET_KEY)?;
    }
    match SecretKey::from_hex(digits.trim()) {
        Some(key) => Ok(Some(key)),
        None => {
            let problem = match digits.trim().chars().count() {
                64 => "has characters that are not hex digits (0–9, a–f)".to_owned(),
                count => format!("has {count} characters where 64 hex digits are needed"),
            };
            Err(ConfigError::with_advice(SECRET_KEY, problem, HOW_TO_MAKE_A_KEY))
        }
    }
}
