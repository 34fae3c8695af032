//! `satchel user`: accounts.

use std::io::{self, BufRead};

use clap::{Subcommand, ValueEnum};

use super::{CliError, args, database, print};
use crate::app;
use crate::clock::Clock;
use crate::config::{Config, Secret};
use crate::db::keyset::Part;
use crate::db::models::users::{self, User};
use crate::services::audit::Actor;
use crate::services::people::{self, UserFilter, UserKey};
use crate::services::{Services, accounts, passwords, quotas};

/// Longer than any password that will be taken; only keeps an endless stdin from filling the memory.
const LONGEST_PASSWORD_BYTES: u64 = 64 * 1024;

/// Manage accounts
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  satchel user create --email ana@example.org --role admin --password-stdin < password.txt"
)]
pub(super) struct Args {
    #[command(subcommand)]
    pub(super) action: Action,
}

#[derive(Debug, Subcommand)]
pub(super) enum Action {
    Create(Create),
    List(List),
    /// Make a link with which its owner chooses another password, once
    #[command(after_help = "Example:\n  satchel user reset --email ana@example.org")]
    Reset(One),
    /// Sign somebody out everywhere and let them in no more; the last administrator stays
    #[command(after_help = "Example:\n  satchel user disable --email ana@example.org")]
    Disable(One),
    /// Let somebody in again
    #[command(after_help = "Example:\n  satchel user enable --email ana@example.org")]
    Enable(One),
    Quota(Quota),
}

/// List accounts by address
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  satchel user list --part ana --json")]
pub(super) struct List {
    /// Only those with this in their address
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(super) part: String,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=10_000))]
    pub(super) limit: i64,
    /// One JSON array, for programs
    #[arg(long)]
    pub(super) json: bool,
}

/// One account
#[derive(Debug, clap::Args)]
pub(super) struct One {
    /// Its address
    #[arg(long, value_name = "E", value_parser = args::email)]
    pub(super) email: String,
}

/// Set what an account may keep, or all accounts together; what is left out is unbounded
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  satchel user quota --email ana@example.org --bytes 10737418240 --documents 1000"
)]
pub(super) struct Quota {
    /// Its address
    #[arg(long, value_name = "E", value_parser = args::email, required_unless_present = "total", conflicts_with = "total")]
    pub(super) email: Option<String>,
    /// All accounts together
    #[arg(long)]
    pub(super) total: bool,
    /// Bytes of all documents
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(0..))]
    pub(super) bytes: Option<i64>,
    /// How many documents
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(0..))]
    pub(super) documents: Option<i64>,
}

/// Make an account; the first one closes the set-up page
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  satchel user create --email ana@example.org --role admin --password-stdin < password.txt"
)]
pub(super) struct Create {
    /// The address to sign in with
    #[arg(long, value_name = "E", value_parser = args::email)]
    pub(super) email: String,
    /// What the account may do
    #[arg(long, value_enum)]
    pub(super) role: Role,
    /// Read the password from the first line of stdin, where neither process lists nor shell history see it
    #[arg(long, required = true)]
    pub(super) password_stdin: bool,
}

/// The role as it is written on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Role {
    /// May see and steer everything
    Admin,
    /// May keep documents of their own
    Member,
}

pub(super) async fn run(args: Args, config: Config) -> Result<(), CliError> {
    match args.action {
        Action::Create(args) => create(args, config).await,
        Action::List(args) => list(args, &services(&config)?).await,
        Action::Reset(One { email }) => reset(&services(&config)?, &config, &email).await,
        Action::Disable(One { email }) => set_enabled(&services(&config)?, &email, false).await,
        Action::Enable(One { email }) => set_enabled(&services(&config)?, &email, true).await,
        Action::Quota(args) => quota(args, &services(&config)?).await,
    }
}

fn services(config: &Config) -> Result<Services, CliError> {
    Ok(app::services(
        config,
        database::open(config)?,
        Clock::system(),
        None,
    )?)
}

async fn list(args: List, services: &Services) -> Result<(), CliError> {
    let filter = UserFilter {
        part: Some(args.part.trim().to_lowercase()).filter(|part| !part.is_empty()),
        role: None,
        standing: None,
        key: UserKey::Email,
        descending: false,
    };
    let found = people::list(services, filter, Part::First, args.limit).await?;
    if args.json {
        let rows: Vec<_> = found.rows.iter().map(people::to_json).collect();
        return print(&serde_json::Value::Array(rows).to_string());
    }
    if found.rows.is_empty() {
        return print("There are no such accounts.");
    }
    let mut lines: Vec<String> = found.rows.iter().map(line).collect();
    if found.has_next {
        lines.push("There are more; see them with --limit.".to_owned());
    }
    print(&lines.join("\n"))
}

fn line(user: &User) -> String {
    format!(
        "{:<8}  {:<6}  {:>9}  {:>15}  {}",
        user.standing().as_str(),
        user.role.as_str(),
        user.document_count,
        user.stored_bytes,
        user.email
    )
}

async fn reset(services: &Services, config: &Config, email: &str) -> Result<(), CliError> {
    let user = people::with_email(services, email).await?;
    let link = passwords::reset(services, &Actor::command(), user.id).await?;
    let base = config
        .http
        .public_url
        .clone()
        .unwrap_or_else(|| app::origin(config.http.bind));
    let base = base.as_str().trim_end_matches('/').to_owned();
    print(&format!(
        "{} chooses a password with this link, which works once:\n{base}{}",
        link.user.email,
        passwords::path_of(&link.token)
    ))
}

async fn set_enabled(services: &Services, email: &str, enabled: bool) -> Result<(), CliError> {
    let user = people::with_email(services, email).await?;
    people::set_enabled(services, &Actor::command(), user.id, enabled).await?;
    print(&if enabled {
        format!("{email} may sign in.")
    } else {
        format!("{email} may no longer sign in, and is signed out everywhere.")
    })
}

async fn quota(args: Quota, services: &Services) -> Result<(), CliError> {
    let quota = quotas::Quota {
        bytes: args.bytes,
        documents: args.documents,
    };
    let words = |number: Option<i64>, what: &str| {
        number.map_or_else(
            || format!("any number of {what}"),
            |number| format!("{number} {what}"),
        )
    };
    let most = format!(
        "{} and {}",
        words(args.bytes, "bytes"),
        words(args.documents, "documents")
    );
    match args.email {
        Some(email) => {
            let user = people::with_email(services, &email).await?;
            quotas::set(services, &Actor::command(), user.id, quota).await?;
            print(&format!("{email} may keep {most}."))
        }
        None => {
            quotas::set_total(services, &Actor::command(), quota).await?;
            print(&format!("All accounts together may keep {most}."))
        }
    }
}

async fn create(args: Create, config: Config) -> Result<(), CliError> {
    let password = read_password(io::stdin().lock())?;
    let services = app::services(&config, database::open(&config)?, Clock::system(), None)?;
    let role = match args.role {
        Role::Admin => users::Role::Admin,
        Role::Member => users::Role::Member,
    };
    let was_open = accounts::setup_is_open(&services).await?;
    let user = accounts::create_user(
        &services,
        &Actor::command(),
        &args.email,
        password.expose().to_owned(),
        role,
    )
    .await?;
    let mut sentence = format!("{} can sign in as {}.", user.email, user.role);
    if was_open {
        sentence += " Set-up is closed now, and its link no longer works.";
        if user.role == users::Role::Member {
            sentence += " Make an administrator with `satchel user create --role admin`.";
        }
    }
    print(&sentence)
}

/// The first line, without its end.
pub(super) fn read_password(input: impl BufRead) -> Result<Secret, CliError> {
    let mut line = Vec::new();
    input
        .take(LONGEST_PASSWORD_BYTES + 1)
        .read_until(b'\n', &mut line)
        .map_err(|error| {
            CliError::failed(
                format!("The password could not be read from stdin: {error}"),
                HOW_TO_GIVE_IT,
            )
        })?;
    if line.len() as u64 > LONGEST_PASSWORD_BYTES {
        return Err(CliError::failed(
            "The password on stdin is far too long",
            HOW_TO_GIVE_IT,
        ));
    }
    let line = String::from_utf8(line)
        .map_err(|_| CliError::failed("The password on stdin is not valid UTF-8", HOW_TO_GIVE_IT))?;
    let password = line.strip_suffix('\n').unwrap_or(&line);
    let password = password.strip_suffix('\r').unwrap_or(password);
    if password.is_empty() {
        return Err(CliError::failed("There is no password on stdin", HOW_TO_GIVE_IT));
    }
    Ok(Secret::new(password))
}

const HOW_TO_GIVE_IT: &str = "Pass it as one line, for example with --password-stdin < password.txt";
