//! `satchel webhooks`: what Filestack's webhooks said, and sending it through again.

use clap::Subcommand;
use serde_json::{Value, json};

use super::{CliError, database, print};
use crate::app;
use crate::clock::{Clock, UtcTime};
use crate::config::Config;
use crate::db::keyset::Part;
use crate::db::models::events::EventState;
use crate::db::models::events::listing::{EventFilter, EventLine};
use crate::ids::EventId;
use crate::services::Services;
use crate::services::audit::Actor;
use crate::services::events::inbox::{self, Which, is_bidi, legible};
use crate::services::events::{Preview, samples};

/// Look at webhooks from Filestack, replay them, send samples
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  satchel webhooks list --state failed --limit 20\n  satchel webhooks replay --since 2h --dry-run"
)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    List(List),
    Show(Show),
    Replay(Replay),
    Trigger(Trigger),
}

/// Which events
#[derive(Debug, clap::Args)]
struct Filters {
    /// Only events of this action, such as fp.upload; `video` for finished videos
    #[arg(long, value_name = "ACTION")]
    action: Option<String>,
    /// Only events in this state: received, applied, ignored, parked, conflict, unreadable or failed
    #[arg(long, value_name = "STATE")]
    state: Option<EventState>,
    /// Only events about this file
    #[arg(long, value_name = "HANDLE")]
    handle: Option<String>,
    /// Only events received then or later: 2026-11-24T10:00:00Z, 2026-11-24, or 30m, 2h, 7d ago
    #[arg(long, value_name = "TIME", value_parser = time)]
    since: Option<UtcTime>,
    /// Only events received before
    #[arg(long, value_name = "TIME", value_parser = time)]
    until: Option<UtcTime>,
}

/// List events, the newest first
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  satchel webhooks list --action fp.delete --since 1d\n  satchel webhooks list --limit 100 --json"
)]
struct List {
    #[command(flatten)]
    filters: Filters,
    /// The most to list
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
    /// Print one JSON array
    #[arg(long)]
    json: bool,
}

/// Show an event with its deliveries and its body
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  satchel webhooks show 0195a3c2-7f00-7000-8000-000000000000")]
struct Show {
    /// The event's id, from `satchel webhooks list`
    #[arg(value_name = "ID", value_parser = event_id)]
    id: EventId,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Apply events again: one, or all that the filters find
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  satchel webhooks replay --id 0195a3c2-7f00-7000-8000-000000000000\n  satchel webhooks replay --since 2h --until 1h --dry-run"
)]
struct Replay {
    /// The event's id, from `satchel webhooks list`
    #[arg(long, value_name = "ID", value_parser = event_id, conflicts_with_all = ["action", "state", "handle", "since", "until"])]
    id: Option<EventId>,
    #[command(flatten)]
    filters: Filters,
    /// Only say what would change
    #[arg(long)]
    dry_run: bool,
}

/// Put a sample of an event into the inbox, about a file that does not exist
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  satchel webhooks trigger fp.upload")]
struct Trigger {
    /// Which: fp.upload, fp.overwrite, fp.delete, fp.converse, fs.workflow, video or fp.unknown
    #[arg(value_name = "ACTION", value_parser = clap::builder::PossibleValuesParser::new(samples::KINDS))]
    action: String,
}

fn time(text: &str) -> Result<UtcTime, String> {
    inbox::parse_time(text, Clock::system().now())
}

fn event_id(text: &str) -> Result<EventId, String> {
    text.parse()
        .map_err(|_| "it is not the id of an event; `satchel webhooks list` shows them".to_owned())
}

impl Filters {
    fn filter(self) -> EventFilter {
        EventFilter {
            action: self.action,
            state: self.state,
            since: self.since,
            until: self.until,
            handle: self.handle,
            document: None,
            oldest_first: false,
        }
    }
}

pub(super) async fn run(args: Args, config: Config) -> Result<(), CliError> {
    let services = app::services(&config, database::open(&config)?, Clock::system(), None)?;
    match args.action {
        Action::List(args) => list(args, &services).await,
        Action::Show(args) => show(args, &services).await,
        Action::Replay(args) => replay(args, &services).await,
        Action::Trigger(args) => {
            let id = samples::trigger(&services, &Actor::command(), &args.action).await?;
            print(id.as_str())
        }
    }
}

async fn list(args: List, services: &Services) -> Result<(), CliError> {
    let page = inbox::list(
        services,
        args.filters.filter(),
        Part::First,
        i64::from(args.limit),
    )
    .await?;
    if args.json {
        let rows: Vec<_> = page.rows.iter().map(line_json).collect();
        return print(&pretty(&Value::Array(rows)));
    }
    if page.rows.is_empty() {
        return print("There are no such events.");
    }
    let mut lines: Vec<_> = page.rows.iter().map(line).collect();
    if page.has_next {
        lines.push(format!(
            "There are more than {}; --limit shows more, --until goes back.",
            args.limit
        ));
    }
    print(&lines.join("\n"))
}

fn line(event: &EventLine) -> String {
    let number = event
        .filestack_id
        .map_or_else(|| "-".to_owned(), |number| number.to_string());
    let marks = [(event.late, " late"), (event.sample, " sample")];
    let marks: String = marks
        .into_iter()
        .filter(|(is, _)| *is)
        .map(|(_, mark)| mark)
        .collect();
    format!(
        "{}  {}  {:<10} {:<13} {number:>12} {:>3}x{marks}  {}",
        event.id,
        event.received_at.rfc3339(),
        event.state.as_str(),
        event.action,
        event.deliveries,
        event.reason.as_deref().unwrap_or_default()
    )
}

fn line_json(event: &EventLine) -> Value {
    json!({
        "id": event.id,
        "event_id": event.filestack_id,
        "action": event.action,
        "state": event.state.as_str(),
        "reason": event.reason,
        "handle": event.handle,
        "document_id": event.document_id,
        "late": event.late,
        "sample": event.sample,
        "deliveries": event.deliveries,
        "attempts": event.attempts,
        "received_at": event.received_at.rfc3339(),
        "settled_at": event.settled_at.map(UtcTime::rfc3339),
    })
}

async fn show(args: Show, services: &Services) -> Result<(), CliError> {
    let shown = inbox::show(services, args.id).await.map_err(not_there)?;
    let event = &shown.event;
    let deliveries: Vec<_> = shown
        .deliveries
        .iter()
        .map(|delivery| {
            json!({
                "number": delivery.number,
                "received_at": delivery.received_at.rfc3339(),
                "signed_at": delivery.signed_at.rfc3339(),
                "verdict": delivery.verdict,
                "took_micros": delivery.took_micros,
                "headers": serde_json::from_str::<Value>(&delivery.headers).unwrap_or_default(),
            })
        })
        .collect();
    let whole = json!({
        "id": event.id,
        "event_id": event.filestack_id,
        "action": event.action,
        "state": event.state.as_str(),
        "reason": event.reason,
        "handle": event.handle,
        "document_id": event.document_id,
        "late": event.late,
        "sample": event.sample,
        "received_at": event.received_at.rfc3339(),
        "settled_at": event.settled_at.map(UtcTime::rfc3339),
        "attempts": event.attempts,
        "sha256": event.digest,
        "deliveries": deliveries,
        "body": String::from_utf8_lossy(&event.body),
    });
    if args.json {
        return print(&pretty(&whole));
    }
    let mut lines = Vec::new();
    for (name, value) in whole.as_object().into_iter().flatten() {
        match value {
            Value::Null => {}
            Value::Array(rows) => lines.extend(rows.iter().map(|row| format!("{name}: {row}"))),
            Value::String(text) => lines.push(format!("{name}: {}", legible(text.as_bytes()))),
            other => lines.push(format!("{name}: {other}")),
        }
    }
    print(&lines.join("\n"))
}

async fn replay(args: Replay, services: &Services) -> Result<(), CliError> {
    let filter = args.filters.filter();
    let which = match args.id {
        Some(id) => Which::One(id),
        None if filter == EventFilter::default() => {
            return Err(CliError::usage(
                "Nothing says which events to replay",
                "Name one with --id, or some with --since, --until, --action, --state or --handle",
            ));
        }
        None => Which::All(filter),
    };
    let mut lines = Vec::new();
    if args.dry_run {
        let previews = inbox::dry_run(services, which, inbox::MOST_REPLAYED)
            .await
            .map_err(not_there)?;
        lines.extend(previews.iter().map(preview_line));
        lines.push(match previews.len() {
            1 => "1 event was looked at. Nothing was changed.".to_owned(),
            count => format!("{count} events were looked at. Nothing was changed."),
        });
    } else {
        let outcomes = inbox::replay_now(services, &Actor::command(), which)
            .await
            .map_err(not_there)?;
        lines.extend(
            outcomes
                .iter()
                .map(|(id, state, reason)| format!("{id}  {state}  {reason}")),
        );
        lines.push(match outcomes.len() {
            1 => "1 event was replayed.".to_owned(),
            count => format!("{count} events were replayed."),
        });
    }
    print(&lines.join("\n"))
}

fn preview_line(preview: &Preview) -> String {
    let changes = if preview.changes.is_empty() {
        "nothing would change".to_owned()
    } else {
        preview.changes.join("; ")
    };
    format!(
        "{}  {} → {}  {}  [{changes}]",
        preview.id, preview.from, preview.to, preview.reason
    )
}

fn not_there(error: crate::error::AppError) -> CliError {
    match error {
        crate::error::AppError::NotFound => CliError::failed(
            "There is no event with this id",
            "`satchel webhooks list` shows those there are",
        ),
        other => other.into(),
    }
}

fn pretty(value: &Value) -> String {
    // JSON escapes control characters by itself; these are left.
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.chars()
        .map(|c| {
            if is_bidi(c) || c == '\u{7f}' {
                format!("\\u{:04x}", c as u32)
            } else {
                c.to_string()
            }
        })
        .collect()
}
