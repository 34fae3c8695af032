//! `satchel user`: accounts.

use std::io::{self, BufRead};

use clap::{Subcommand, ValueEnum};

use super::{CliError, args, database, print};
use crate::app;
use crate::clock::Clock;
use crate::config::{Config, Secret};
use crate::db::models::users;
use crate::services::accounts;
use crate::services::audit::Actor;

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
