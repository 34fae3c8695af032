//! `satchel jobs`: background work, looked at and steered.

use clap::Subcommand;

use super::{CliError, database, print};
use crate::app;
use crate::clock::Clock;
use crate::config::Config;
use crate::db::keyset::Part;
use crate::db::models::jobs::{Job, JobState};
use crate::error::AppError;
use crate::ids::JobId;
use crate::queue::Kind;
use crate::services::Services;
use crate::services::audit::Actor;
use crate::services::jobs::{self, JobFilter};

/// See and steer background jobs
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  satchel jobs list --state dead")]
pub(super) struct Args {
    #[command(subcommand)]
    pub(super) action: Action,
}

#[derive(Debug, Subcommand)]
pub(super) enum Action {
    List(List),
    /// Print a job as JSON: its state, its attempts, and why it failed
    #[command(after_help = "Example:\n  satchel jobs show 01890a5d-ac96-774b-bcce-b302099a8057")]
    Show(One),
    /// Let a dead or cancelled job wait anew, and a waiting one run now
    #[command(after_help = "Example:\n  satchel jobs retry 01890a5d-ac96-774b-bcce-b302099a8057")]
    Retry(One),
    /// Call off a job that waits or runs
    #[command(after_help = "Example:\n  satchel jobs cancel 01890a5d-ac96-774b-bcce-b302099a8057")]
    Cancel(One),
}

/// List jobs, the newest first
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  satchel jobs list --limit 20 --json")]
pub(super) struct List {
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=10_000))]
    pub(super) limit: i64,
    /// Only in this state: waiting, running, done, dead or cancelled
    #[arg(long, value_name = "S", value_parser = state)]
    pub(super) state: Option<JobState>,
    /// Only of this kind, such as read-metadata
    #[arg(long, value_name = "K", value_parser = kind)]
    pub(super) kind: Option<Kind>,
    /// One JSON array, for programs
    #[arg(long)]
    pub(super) json: bool,
}

/// One job
#[derive(Debug, clap::Args)]
pub(super) struct One {
    /// Its id, as `satchel jobs list` prints it
    #[arg(value_name = "ID", value_parser = id)]
    pub(super) id: JobId,
}

fn state(text: &str) -> Result<JobState, String> {
    text.parse()
        .map_err(|_| "it is not one of waiting, running, done, dead and cancelled".to_owned())
}

fn kind(text: &str) -> Result<Kind, String> {
    text.parse()
}

fn id(text: &str) -> Result<JobId, String> {
    text.parse()
        .map_err(|_| "it is not an id as `satchel jobs list` prints them".to_owned())
}

pub(super) async fn run(args: Args, config: Config) -> Result<(), CliError> {
    let services = app::services(&config, database::open(&config)?, Clock::system(), None)?;
    match args.action {
        Action::List(args) => list(args, &services).await,
        Action::Show(One { id }) => {
            let job = jobs::get(&services, id)
                .await
                .map_err(|error| no_such(error, id))?;
            let text = serde_json::to_string_pretty(&jobs::to_json(&job)).map_err(|error| {
                CliError::failed(format!("The job cannot be shown: {error}"), "Report this")
            })?;
            print(&text)
        }
        Action::Retry(One { id }) => {
            jobs::retry(&services, &Actor::command(), id)
                .await
                .map_err(|error| no_such(error, id))?;
            print(&format!("Job {id} waits and is due now."))
        }
        Action::Cancel(One { id }) => {
            jobs::cancel(&services, &Actor::command(), id)
                .await
                .map_err(|error| no_such(error, id))?;
            print(&format!("Job {id} is cancelled."))
        }
    }
}

fn no_such(error: AppError, id: JobId) -> CliError {
    match error {
        AppError::NotFound => CliError::failed(
            format!("There is no job {id}"),
            "List them with `satchel jobs list`",
        ),
        other => other.into(),
    }
}

async fn list(args: List, services: &Services) -> Result<(), CliError> {
    let filter = JobFilter {
        state: args.state,
        kind: args.kind.map(|kind| kind.as_str().to_owned()),
        ..JobFilter::default()
    };
    let found = jobs::list(services, filter, Part::First, args.limit).await?;
    if args.json {
        let rows: Vec<_> = found.rows.iter().map(jobs::to_json).collect();
        return print(&serde_json::Value::Array(rows).to_string());
    }
    if found.rows.is_empty() {
        return print("There are no such jobs.");
    }
    let mut lines: Vec<String> = found.rows.iter().map(line).collect();
    if found.has_next {
        lines.push("There are more; see them with --limit.".to_owned());
    }
    print(&lines.join("\n"))
}

fn line(job: &Job) -> String {
    let reason = job.reason.as_deref().unwrap_or_default();
    // What others wrote must not move the cursor or colour the terminal.
    let reason = reason.replace(char::is_control, " ");
    format!(
        "{}  {:<9}  {:<17}  {:>2}/{:<4}  {}  {reason}",
        job.id,
        job.state,
        job.kind,
        job.attempts,
        job.max_attempts,
        job.created_at.rfc3339(),
    )
    .trim_end()
    .to_owned()
}
