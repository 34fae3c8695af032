//! `satchel worker`: jobs and nothing else, on any number of hosts beside the servers.

use std::num::NonZeroU32;

use super::serve::stop_signal;
use super::{CliError, database, print};
use crate::app;
use crate::clock::Clock;
use crate::config::{Config, DatabaseConfig};

/// Run background jobs, until SIGTERM or Ctrl-C
///
/// For when the servers' own workers are not enough, or should be left alone (SATCHEL_JOB_THREADS=0). Any number of these may run
/// on any hosts with the same settings; they share the jobs through PostgreSQL. SQLite serves one machine: its server runs them.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  DATABASE_URL=postgres://app@db.example.org/app satchel worker --threads 4"
)]
pub(super) struct Args {
    /// Jobs run at once [default: SATCHEL_JOB_THREADS, at least 1]
    #[arg(long, value_name = "N", value_parser = threads)]
    pub(super) threads: Option<NonZeroU32>,
}

fn threads(text: &str) -> Result<NonZeroU32, String> {
    text.parse()
        .ok()
        .filter(|number: &NonZeroU32| number.get() <= 64)
        .ok_or_else(|| "it is not a number from 1 to 64".to_owned())
}

pub(super) async fn run(args: Args, config: Config) -> Result<(), CliError> {
    if matches!(config.database, DatabaseConfig::Sqlite { .. }) {
        return Err(CliError::usage(
            "Workers share their jobs through PostgreSQL, and the database is SQLite, whose server runs the jobs itself",
            "Set DATABASE_URL to the postgres:// database that the servers use",
        ));
    }
    let threads = args
        .threads
        .map_or(config.background.job_threads.max(1), |number| {
            number.get() as usize
        });
    let services = app::services(&config, database::open(&config)?, Clock::system(), None)?;
    let stop = stop_signal()?;
    let Some(workers) = app::jobs(&services, threads)? else {
        return Ok(());
    };
    print(&match threads {
        1 => "Satchel's worker is ready, for one job at a time.".to_owned(),
        threads => format!("Satchel's worker is ready, for {threads} jobs at once."),
    })?;
    stop.await;
    workers.drain();
    let drain = config.http.drain;
    log::info!(event = "stopping"; "stopping: no new jobs, running ones get {} seconds", drain.as_secs());
    let last = actix_web::rt::spawn(async move {
        tokio::time::sleep(drain).await;
        services.stop();
    });
    workers.ended().await;
    last.abort();
    log::info!(event = "stopped"; "stopped");
    Ok(())
}
