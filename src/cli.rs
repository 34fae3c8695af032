//! The command line: what can be asked for, one file per command, and how the answer is reported.
//!
//! A command gets its arguments and the configuration, and returns an error that says what to do next; it prints results on
//! stdout through [`print`] and nothing else. May use `app`, `jobs`, `services`, `queue`, `db`,
//! `emulator` and `filestack`.

mod args;
mod config;
mod database;
mod demo;
mod doctor;
mod emulator;
mod error;
mod jobs;
mod migrate;
mod reconcile;
mod serve;
mod token;
mod user;
mod webhooks;
mod worker;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{Config, ConfigError, Settings, Vars};

pub use error::CliError;

/// A document service on top of Filestack.
///
/// Without a command it serves: with nothing configured, an SQLite database and an emulator of Filestack, both under ./data.
/// Settings come from the environment and from .env in the current directory; `satchel config show` lists them.
#[derive(Debug, Parser)]
#[command(
    name = "satchel",
    version,
    after_help = "Example:\n  satchel                   start the server\n  satchel config show       see the settings"
)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Args),
    Worker(worker::Args),
    Jobs(jobs::Args),
    Migrate(migrate::Args),
    User(user::Args),
    Token(token::Args),
    Emulator(emulator::Args),
    Demo(demo::Args),
    Doctor(doctor::Args),
    Config(config::Args),
    Webhooks(webhooks::Args),
    Reconcile(reconcile::Args),
}

impl Command {
    async fn run(self, vars: &Vars) -> Result<(), CliError> {
        match self {
            Self::Serve(args) => serve::run(args, Config::from_vars(vars)?).await,
            Self::Worker(args) => worker::run(args, Config::from_vars(vars)?).await,
            Self::Jobs(args) => jobs::run(args, Config::from_vars(vars)?).await,
            Self::Migrate(args) => migrate::run(args, Config::from_vars(vars)?).await,
            Self::User(args) => user::run(args, Config::from_vars(vars)?).await,
            Self::Token(args) => token::run(args, Config::from_vars(vars)?).await,
            Self::Demo(args) => demo::run(args, Config::from_vars(vars)?).await,
            Self::Doctor(args) => doctor::run(args, Config::from_vars(vars)?).await,
            Self::Webhooks(args) => webhooks::run(args, Config::from_vars(vars)?).await,
            Self::Reconcile(args) => reconcile::run(args, Config::from_vars(vars)?).await,
            // These two keep no secret that they do not need.
            Self::Emulator(args) => emulator::run(args, &Settings::from_vars(vars)?).await,
            Self::Config(args) => config::run(args, vars).await,
        }
    }
}

/// Does what was asked for and reports how it went: errors on stderr, exit code 1, or 2 for a wrong command line.
pub fn run(cli: Cli, vars: Result<Vars, ConfigError>) -> ExitCode {
    let command = cli
        .command
        .unwrap_or_else(|| Command::Serve(serve::Args::default()));
    let outcome = vars.map_err(CliError::from).and_then(|vars| {
        if !matches!(command, Command::Config(_)) {
            vars.unknown().iter().for_each(|warning| log::warn!("{warning}"));
        }
        #[cfg(debug_assertions)]
        if let Some(text) = vars.failpoints() {
            crate::failpoints::arm(text)
                .map_err(|problem| CliError::usage(problem, "See src/failpoints.rs"))?;
        }
        actix_web::rt::System::new().block_on(command.run(&vars))
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // If stderr is gone too there is nobody left to tell.
            let _ = writeln!(io::stderr(), "error: {error}");
            error.exit_code()
        }
    }
}

/// Writes `text` and a line end to stdout, in one piece: who reads along sees all of it or nothing. A reader that has gone away
/// (`| head`) is no error.
fn print(text: &str) -> Result<(), CliError> {
    let mut out = io::stdout().lock();
    let whole = format!("{text}\n");
    match out.write_all(whole.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(CliError::failed(
            format!("The result could not be written to stdout: {error}"),
            "Free some space or write it elsewhere, then run the command again",
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
