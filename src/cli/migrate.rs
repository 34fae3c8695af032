//! `satchel migrate`: the database's schema.

use clap::ValueEnum;

use super::{CliError, database, print};
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

pub(super) async fn run(args: Args, config: Config) -> Result<(), CliError> {
    let db = database::open_as_it_is(&config)?;
    let failed = |error| database::failed(&config, error);
    match args.action {
        Direction::Up => match db.migrate().map_err(failed)?.len() {
            0 => print("The database is up to date."),
            1 => print("Applied 1 migration."),
            count => print(&format!("Applied {count} migrations.")),
        },
        Direction::Status => {
            for migration in db.migration_status().map_err(failed)? {
                let state = if migration.applied { "applied" } else { "missing" };
                print(&format!("{state}  {}", migration.name))?;
            }
            Ok(())
        }
    }
}
