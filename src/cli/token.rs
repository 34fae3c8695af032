//! `satchel token`: API tokens.

use std::time::Duration;

use clap::Subcommand;

use super::{CliError, args, database, print};
use crate::app;
use crate::clock::Clock;
use crate::config::Config;
use crate::services::accounts;
use crate::services::audit::Actor;
use crate::services::scopes::{Scope, Scopes};

const LONGEST_NAME_CHARS: usize = 100;

/// Manage API tokens
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  satchel token create --email ana@example.org --name backup-script")]
pub(super) struct Args {
    #[command(subcommand)]
    pub(super) action: Action,
}

#[derive(Debug, Subcommand)]
pub(super) enum Action {
    Create(Create),
}

/// Make an API token and print it, once, alone on stdout
///
/// Programs send it as `Authorization: Bearer TOKEN` and may do what its owner may, or what its scopes name. Only its hash is stored.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  TOKEN=$(satchel token create --email ana@example.org --name backup-script --expires-days 30)"
)]
pub(super) struct Create {
    /// Whose token it is
    #[arg(long, value_name = "E", value_parser = args::email)]
    pub(super) email: String,
    /// What it is for, shown where tokens are listed
    #[arg(long, value_name = "N", value_parser = name)]
    pub(super) name: String,
    /// What it may do, given once for each: documents:read, documents:write, uploads:write, account:read or admin; all when left out
    #[arg(long = "scope", value_name = "S", value_parser = scope)]
    pub(super) scopes: Vec<Scope>,
    /// After how many days it stops working
    #[arg(long, value_name = "D", default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=3650))]
    pub(super) expires_days: u32,
}

fn scope(text: &str) -> Result<Scope, String> {
    text.parse()
}

fn name(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > LONGEST_NAME_CHARS || text.contains(char::is_control) {
        return Err(format!(
            "it must have 1 to {LONGEST_NAME_CHARS} characters and fit on one line"
        ));
    }
    Ok(text.to_owned())
}

pub(super) async fn run(args: Args, config: Config) -> Result<(), CliError> {
    match args.action {
        Action::Create(args) => create(args, config).await,
    }
}

async fn create(args: Create, config: Config) -> Result<(), CliError> {
    let services = app::services(&config, database::open(&config)?, Clock::system(), None)?;
    let lifetime = Duration::from_secs(u64::from(args.expires_days) * 24 * 3_600);
    let token = accounts::create_scoped_token(
        &services,
        &Actor::command(),
        &args.email,
        &args.name,
        lifetime,
        Scopes::of(&args.scopes),
    )
    .await?;
    print(&token)
}
