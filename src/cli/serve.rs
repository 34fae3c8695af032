//! `satchel serve`: the server, until it is told to stop.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use tokio::signal::unix::{SignalKind, signal};

use super::{CliError, database, print};
use crate::app::{self, Running, StartError};
use crate::clock::Clock;
use crate::config::{Config, DatabaseConfig};
use crate::services::{accounts, sweep};

/// Start the server (also what happens without a command)
///
/// Migrates the database, starts the embedded emulator unless Filestack's credentials are set, and serves until SIGTERM or
/// Ctrl-C. Prints the address it can be reached at and, until there is an administrator, a link to make one.
#[derive(Debug, Default, clap::Args)]
#[command(after_help = "Example:\n  SATCHEL_BIND=127.0.0.1:8080 satchel serve")]
pub(super) struct Args {}

pub(super) async fn run(_args: Args, config: Config) -> Result<(), CliError> {
    let _locks = lock(&config)?;
    let db = database::open(&config)?;
    let running = app::start(&config, db, Clock::system(), app::workers())?;
    let stop = stop_signal()?;
    let services = running.state.services.clone();
    let setup_token = accounts::new_setup_token(&services).await?;
    print(&greeting(&config, &running, setup_token))?;
    let sweeping = actix_web::rt::spawn(sweep::run(services));
    let ended = running.until(stop).await;
    sweeping.abort();
    ended.map_err(|error| CliError::failed(format!("The server broke: {error}"), "Start it again"))
}

/// One server to an SQLite database, and one to a data directory with its emulator (R10): the system frees the locks when the
/// process ends, however it ends.
fn lock(config: &Config) -> Result<Vec<File>, CliError> {
    let DatabaseConfig::Sqlite { path } = &config.database else {
        return Ok(Vec::new());
    };
    database::prepare(&database::location(config))?;
    // By the file's real name: a link to a database is the same database.
    let mut beside = path
        .canonicalize()
        .unwrap_or_else(|_| path.clone())
        .into_os_string();
    beside.push(".serve.lock");
    let places = [
        (PathBuf::from(beside), format!("the database {}", path.display())),
        (
            config.data_dir.join("serve.lock"),
            format!("the data directory {}", config.data_dir.display()),
        ),
    ];
    places
        .into_iter()
        .map(|(name, what)| lock_one(&name, &what))
        .collect()
}

fn lock_one(name: &Path, what: &str) -> Result<File, CliError> {
    let unusable = |error| {
        CliError::failed(
            format!("The lock file {} cannot be used: {error}", name.display()),
            "Choose a writable place with SATCHEL_DATA_DIR or DATABASE_URL",
        )
    };
    let file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(name)
        .map_err(unusable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(CliError::failed(
            format!("Another server is already using {what}"),
            "Stop it first, or set DATABASE_URL to a postgres:// database, which any number of servers can share",
        )),
        Err(TryLockError::Error(error)) => Err(unusable(error)),
    }
}

fn greeting(config: &Config, running: &Running, setup_token: Option<String>) -> String {
    let mut lines = vec![format!(
        "Satchel is ready at {}",
        running.public_url.as_str().trim_end_matches('/')
    )];
    if running.public_url.port_or_known_default() != Some(running.address.port()) {
        lines.push(format!("  listening on {}", running.address));
    }
    if let Some(emulator) = &running.emulator {
        lines.push(format!(
            "Filestack is emulated at {}",
            app::origin(emulator.addr).as_str().trim_end_matches('/')
        ));
    }
    if let Some(token) = setup_token {
        let mut link = running.public_url.clone();
        link.set_path("/setup");
        link.set_query(Some(&format!("token={token}")));
        lines.push(format!(
            "\nMake the first administrator with this link, once, within a day:\n  {link}"
        ));
    }
    let warnings = config.warnings();
    if !warnings.is_empty() {
        lines.push("\nNot ready for production:".to_owned());
        lines.extend(warnings.iter().map(|warning| format!("  - {warning}")));
    }
    lines.join("\n")
}

/// Ends with SIGTERM or Ctrl-C.
pub(super) fn stop_signal() -> Result<impl Future<Output = ()>, CliError> {
    let listen = |kind| {
        signal(kind).map_err(|error| {
            CliError::failed(
                format!("Signals cannot be listened for: {error}"),
                "Start the server again",
            )
        })
    };
    let (mut terminate, mut interrupt) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

impl From<StartError> for CliError {
    fn from(error: StartError) -> Self {
        let next = match &error {
            StartError::Bind { setting, .. } => {
                format!(
                    "Stop what uses it, or choose another address, for example {setting}=127.0.0.1:0 for any free port"
                )
            }
            StartError::Emulator { .. } => "Choose a writable place with SATCHEL_DATA_DIR".to_owned(),
            StartError::ClientScript { .. } => {
                "Name the file filestack.min.js of the npm package filestack-js, or unset it for our stand-in"
                    .to_owned()
            }
            StartError::Threads(_) => {
                "Stop other programs or raise the limit on processes, then try again".to_owned()
            }
            StartError::Mail(_) => {
                "Look at SATCHEL_SMTP_URL and SATCHEL_MAIL_FROM with `satchel config show`".to_owned()
            }
            StartError::Filestack(_) => {
                "Look at the FILESTACK_ settings with `satchel config show`".to_owned()
            }
        };
        CliError::failed(error, next)
    }
}
