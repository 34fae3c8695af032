//! `satchel reconcile`: compares what the rows say with what Filestack has.

use super::{CliError, database, print};
use crate::app;
use crate::clock::Clock;
use crate::config::Config;
use crate::queue::Progress;
use crate::services::reconcile::{self, Plan};

/// Compare documents with the files at Filestack, and settle what was left unfinished
///
/// Every document's file is asked for; a document whose file is no longer there is marked. Uploads that never ended are
/// abandoned. Files whose upload a webhook told of and that no document has are looked at once more; Filestack cannot list files, so
/// there is no other way to find one. The server does the same once a day.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  satchel reconcile --dry-run\n  satchel reconcile")]
pub(super) struct Args {
    /// Only say what would be done
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn run(args: Args, config: Config) -> Result<(), CliError> {
    let services = app::services(&config, database::open(&config)?, Clock::system(), None)?;
    let plan = Plan {
        dry_run: args.dry_run,
        ..Plan::default()
    };
    let report = reconcile::run(&services, plan, &Progress::default()).await?;
    let mut lines: Vec<_> = report
        .abandoned
        .iter()
        .map(|upload| format!("upload {} was never finished", upload.id))
        .chain(
            report
                .gone
                .iter()
                .map(|document| format!("document {} has lost its file", document.id)),
        )
        .chain(report.unowned.iter().map(|file| {
            let handle = file.handle.as_deref().unwrap_or("without a name");
            format!(
                "file {handle} has no document (event {}): {}",
                file.event, file.outcome
            )
        }))
        .collect();
    lines.push(report.sentence());
    if args.dry_run {
        lines.push("Nothing was changed.".to_owned());
    }
    print(&lines.join("\n"))
}
