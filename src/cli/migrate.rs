//! `satchel migrate`: the database's schema.

use clap::ValueEnum;

use super::CliError;
use crate::config::Config;

/// Bring the database's schema up to date, or see how far it is
///
/// Every command that opens the database does the former by itself; this is for doing it ahead of time.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  satchel migrate status")]
pub(super) struct Args {
    /// What to do
    #[arg(value_enum, default_value_t = Direction::Up)]
    pub(super) action: Direction,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Direction {
    /// Apply the migrations that are missing
    Up,
    /// List all migrations and whether each is applied
    Status,
}

pub(super) async fn run(args: Args, _config: Config) -> Result<(), CliError> {
    match args.action {
        Direction::Up | Direction::Status => Err(CliError::failed(
            "`satchel migrate` is not connected yet",
            "Connect it",
        )),
    }
}
