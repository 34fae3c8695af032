//! `satchel demo`: a database full of plausible users and documents.

use super::CliError;
use crate::config::Config;

/// Fill an empty database with made-up users and documents
///
/// The same every time, documents spread evenly over the users. Prints an API token of the first user, alone on stdout.
/// Never calls Filestack: with the emulator the first user's newest 50 documents have real small files, all other handles
/// are made up. Refuses a database that has users.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  satchel demo --documents 1000 --users 5")]
pub(super) struct Args {
    /// How many documents to make
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(0..=10_000_000))]
    pub(super) documents: u64,
    /// How many users to share them among
    #[arg(long, value_name = "M", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(super) users: u32,
}

pub(super) async fn run(_args: Args, _config: Config) -> Result<(), CliError> {
    Err(CliError::failed(
        "`satchel demo` is not connected yet",
        "Connect it",
    ))
}
