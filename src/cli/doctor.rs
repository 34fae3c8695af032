//! `satchel doctor`: looks at everything that a server needs, and says what to do about what is not well.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream;
use rustls::crypto::ring;
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use url::Url;

use super::{CliError, database, print};
use crate::app;
use crate::clock::Clock;
use crate::config::{Config, FilestackMode};
use crate::filestack::{FilestackError, NewStore, Purpose};
use crate::services::Services;

/// Less free space than this stops uploads of rows, and SQLite with them.
const LEAST_FREE: u64 = 100 << 20;
/// Less than this should be looked at.
const LITTLE_FREE: u64 = 1 << 30;
/// Policies live for minutes: beyond this Filestack may refuse them.
const MUCH_SKEW: Duration = Duration::from_secs(60);
/// Within this, clocks agree: the header has whole seconds and took a while.
const LITTLE_SKEW: Duration = Duration::from_secs(10);
/// For one answer of somebody else's.
const PATIENCE: Duration = Duration::from_secs(10);
/// What is stored and removed again.
const SAMPLE: &[u8] = b"satchel doctor was here";

/// Check the database, the disk, the clock, the secrets, Filestack and the webhook
///
/// Stores one small file at Filestack, reads it and removes it again; changes nothing else. Exits with 1 when something has failed.
/// With the embedded emulator, run it beside a running server.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  satchel doctor\n  satchel doctor --json")]
pub(super) struct Args {
    /// Print JSON: {"status", "checks": [{"name", "status", "detail", "next"}]}
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Status {
    Ok,
    Warning,
    Failed,
}

#[derive(Debug, Serialize)]
struct Check {
    name: &'static str,
    status: Status,
    detail: String,
    next: String,
}

#[derive(Debug, Serialize)]
struct Report {
    status: Status,
    checks: Vec<Check>,
}

fn ok(name: &'static str, detail: impl Into<String>) -> Check {
    Check {
        name,
        status: Status::Ok,
        detail: detail.into(),
        next: String::new(),
    }
}

fn bad(name: &'static str, status: Status, detail: impl Into<String>, next: impl Into<String>) -> Check {
    Check {
        name,
        status,
        detail: detail.into(),
        next: next.into(),
    }
}

pub(super) async fn run(args: Args, config: Config) -> Result<(), CliError> {
    let mut checks = vec![disk(&config.data_dir)];
    checks.extend(secrets(&config));
    match database::open_as_it_is(&config) {
        Err(error) => checks.push(bad(
            "database",
            Status::Failed,
            error.to_string(),
            "Check DATABASE_URL, then run this again",
        )),
        Ok(db) => {
            checks.push(migrations(&db));
            let services = app::services(&config, db, Clock::system(), None)?;
            checks.extend(filestack(&services, &config).await);
        }
    }
    checks.push(webhook(&config).await);
    let status = checks
        .iter()
        .map(|check| check.status)
        .max()
        .unwrap_or(Status::Ok);
    let failed = checks
        .iter()
        .filter(|check| check.status == Status::Failed)
        .count();
    let report = Report { status, checks };
    if args.json {
        let json = serde_json::to_string_pretty(&report).map_err(|error| {
            CliError::failed(format!("The report is no JSON: {error}"), "Leave out --json")
        })?;
        print(&json)?;
    } else {
        print(&lines(&report))?;
    }
    match failed {
        0 => Ok(()),
        1 => Err(CliError::failed(
            "1 check has failed",
            "Do what its line says, then run this again",
        )),
        many => Err(CliError::failed(
            format!("{many} checks have failed"),
            "Do what their lines say, then run this again",
        )),
    }
}

/// A line for each check.
fn lines(report: &Report) -> String {
    let lines = report.checks.iter().map(|check| {
        let word = match check.status {
            Status::Ok => "ok     ",
            Status::Warning => "warning",
            Status::Failed => "FAILED ",
        };
        let sentence = |text: &str| text.trim_end_matches('.').replace(char::is_control, " ");
        let mut line = format!("{word}  {:<18}  {}.", check.name, sentence(&check.detail));
        if !check.next.is_empty() {
            line.push_str(&format!(" {}.", sentence(&check.next)));
        }
        line
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn disk(data_dir: &Path) -> Check {
    const NAME: &str = "disk";
    if let Err(error) = std::fs::create_dir_all(data_dir) {
        return bad(
            NAME,
            Status::Failed,
            format!("{} cannot be made: {error}", data_dir.display()),
            "Choose a writable place with SATCHEL_DATA_DIR",
        );
    }
    let probe = data_dir.join(".doctor");
    if let Err(error) = std::fs::write(&probe, SAMPLE).and_then(|()| std::fs::remove_file(&probe)) {
        return bad(
            NAME,
            Status::Failed,
            format!("{} cannot be written: {error}", data_dir.display()),
            "Choose a writable place with SATCHEL_DATA_DIR",
        );
    }
    match rustix::fs::statvfs(data_dir) {
        Err(error) => bad(
            NAME,
            Status::Warning,
            format!("The free space of {} cannot be told: {error}", data_dir.display()),
            "Look at it with df",
        ),
        Ok(stat) => {
            let free = stat.f_bavail.saturating_mul(stat.f_frsize);
            let detail = format!("{} MiB are free in {}", free >> 20, data_dir.display());
            match free {
                free if free < LEAST_FREE => bad(NAME, Status::Failed, detail, "Free some space"),
                free if free < LITTLE_FREE => bad(NAME, Status::Warning, detail, "Free some space"),
                _ => ok(NAME, detail),
            }
        }
    }
}

fn secrets(config: &Config) -> Vec<Check> {
    let webhook = if config.filestack.webhook_secret.is_some() {
        ok("webhook secret", "There is one")
    } else {
        bad(
            "webhook secret",
            Status::Failed,
            "There is none, so webhooks are answered with 503",
            "Set FILESTACK_WEBHOOK_SECRET to the secret that Filestack's portal shows for the webhook",
        )
    };
    let warnings = config.warnings();
    let settings = match warnings.as_slice() {
        [] => ok("settings", "They are fit for production"),
        [first, rest @ ..] => bad(
            "settings",
            Status::Warning,
            first.clone(),
            match rest.len() {
                0 => "Change it before other people use this".to_owned(),
                more => format!("`satchel config show` lists {more} more"),
            },
        ),
    };
    vec![webhook, settings]
}

fn migrations(db: &crate::db::Db) -> Check {
    match db.migration_status() {
        Err(error) => bad(
            "database",
            Status::Failed,
            format!("{} does not answer: {error}", db.backend()),
            "Check DATABASE_URL and what the database's log says",
        ),
        Ok(all) => match all.iter().filter(|migration| !migration.applied).count() {
            0 => ok("database", format!("{} answers and is up to date", db.backend())),
            missing => bad(
                "database",
                Status::Failed,
                format!("{} answers and lacks {missing} migrations", db.backend()),
                "Run `satchel migrate`, or start the server, which does it",
            ),
        },
    }
}

/// Whether Filestack answers, what time it is there, and whether it takes our policies.
async fn filestack(services: &Services, config: &Config) -> Vec<Check> {
    const REACHED: &str = "filestack";
    const SKEW: &str = "clock";
    const POLICY: &str = "policy";
    let address = &services.filestack.endpoints().api;
    let next = match config.filestack.mode {
        FilestackMode::Emulator { .. } => {
            "Start `satchel serve`, in which the emulator runs, then run this again"
        }
        FilestackMode::Service { .. } => "Check the network, a proxy and the FILESTACK_ addresses",
    };
    let answer = match ask(address).await {
        Ok(answer) => answer,
        Err(problem) => {
            return vec![bad(
                REACHED,
                Status::Failed,
                format!("{address} cannot be reached: {problem}"),
                next,
            )];
        }
    };
    let mut checks = vec![ok(REACHED, format!("{address} answers"))];
    checks.push(match answer.date {
        None => bad(
            SKEW,
            Status::Warning,
            "Filestack does not say what time it is",
            "Compare this computer's clock with another one",
        ),
        Some(theirs) => {
            let ours = OffsetDateTime::from(services.clock.now().system());
            let skew = (ours - theirs).unsigned_abs();
            let detail = format!(
                "{} s between this computer's clock and Filestack's",
                skew.as_secs()
            );
            match skew {
                skew if skew > MUCH_SKEW => bad(
                    SKEW,
                    Status::Failed,
                    detail,
                    "Set the clock: Filestack refuses policies by it",
                ),
                skew if skew > LITTLE_SKEW => bad(SKEW, Status::Warning, detail, "Set the clock"),
                _ => ok(SKEW, detail),
            }
        }
    });
    checks.push(match round_trip(services).await {
        Ok(()) => ok(POLICY, "A file was stored, read and removed, each with a policy of its own"),
        Err(error) => bad(
            POLICY,
            Status::Failed,
            format!("Filestack did not take it: {error}"),
            "Check FILESTACK_API_KEY, FILESTACK_APP_SECRET, that security is on for the app, and this computer's clock",
        ),
    });
    checks
}

async fn round_trip(services: &Services) -> Result<(), FilestackError> {
    let (filestack, now) = (&services.filestack, services.clock.now().system());
    let path = "satchel-doctor/";
    let purpose = Purpose::Upload {
        path,
        max_size: SAMPLE.len() as u64,
    };
    let new = NewStore {
        filename: "doctor.txt".to_owned(),
        mimetype: "text/plain".to_owned(),
        path: Some(path.to_owned()),
        ..NewStore::default()
    };
    let body = stream::iter([Ok::<_, std::io::Error>(bytes::Bytes::from_static(SAMPLE))]);
    let stored = filestack
        .store_stream(new, filestack.grant(purpose, now, MUCH_SKEW), body)
        .await?;
    let handle = &stored.handle;
    let read = filestack
        .read_start(
            handle,
            filestack.grant(Purpose::Read { handle }, now, MUCH_SKEW),
            SAMPLE.len(),
        )
        .await;
    let removed = filestack
        .delete(
            handle,
            filestack.grant(Purpose::Remove { handle }, now, MUCH_SKEW),
        )
        .await;
    match read {
        Ok(read) if read == SAMPLE => removed,
        Ok(_) => Err(FilestackError::Protocol("other bytes came back".to_owned())),
        Err(error) => Err(error),
    }
}

/// Whether the webhook's address leads to a server of ours: it takes no GET, and says so.
async fn webhook(config: &Config) -> Check {
    const NAME: &str = "webhook address";
    let mut address = config
        .http
        .public_url
        .clone()
        .unwrap_or_else(|| app::origin(config.http.bind));
    address.set_path("/webhooks/filestack");
    match ask(&address).await {
        Ok(answer) if answer.status == 405 && answer.allow.contains("POST") => {
            ok(NAME, format!("{address} leads to Satchel"))
        }
        Ok(answer) => bad(
            NAME,
            Status::Failed,
            format!("{address} answers {} and is not Satchel", answer.status),
            "Point SATCHEL_PUBLIC_URL and the reverse proxy at the server",
        ),
        Err(problem) => bad(
            NAME,
            Status::Failed,
            format!("{address} cannot be reached from here: {problem}"),
            "Start the server, and check SATCHEL_PUBLIC_URL and the reverse proxy",
        ),
    }
}

struct Answer {
    status: u16,
    allow: String,
    date: Option<OffsetDateTime>,
}

async fn ask(address: &Url) -> Result<Answer, String> {
    let roots = rustls::RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    let tls = rustls::ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .http1_only()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(PATIENCE)
        .build()
        .map_err(|error| error.to_string())?;
    let answer = client
        .get(address.clone())
        .send()
        .await
        .map_err(|error| reason(&error))?;
    let header = |name: &str| {
        let value = answer.headers().get(name)?;
        value.to_str().ok().map(str::to_owned)
    };
    Ok(Answer {
        status: answer.status().as_u16(),
        allow: header("allow").unwrap_or_default(),
        date: header("date")
            .and_then(|text| OffsetDateTime::parse(&text.replace("GMT", "+0000"), &Rfc2822).ok()),
    })
}

/// The last of the causes: the others repeat the address.
fn reason(error: &dyn std::error::Error) -> String {
    let mut last = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    last.to_string()
}
