//! `satchel serve`: the server, until it is told to stop.

use super::CliError;
use crate::config::Config;

/// Start the server (also what happens without a command)
///
/// Migrates the database, starts the embedded emulator unless Filestack's credentials are set, and serves until SIGTERM or
/// Ctrl-C. Prints the address it can be reached at and, until there is an administrator, a link to make one.
#[derive(Debug, Default, clap::Args)]
#[command(after_help = "Example:\n  SATCHEL_BIND=127.0.0.1:8080 satchel serve")]
pub(super) struct Args {}

pub(super) async fn run(_args: Args, _config: Config) -> Result<(), CliError> {
    Err(CliError::failed(
        "`satchel serve` is not connected yet",
        "Connect it",
    ))
}
