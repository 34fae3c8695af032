//! `satchel config`: what the settings come to.

use clap::Subcommand;

use super::{CliError, print};
use crate::config::{Settings, Shown, Vars};

/// See the settings
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  satchel config show")]
pub(super) struct Args {
    #[command(subcommand)]
    pub(super) action: Action,
}

#[derive(Debug, Subcommand)]
pub(super) enum Action {
    Show(Show),
}

/// Print every setting, its value and where that comes from; secrets are hidden
///
/// Checks the settings as a start would, and changes nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  satchel config show --json")]
pub(super) struct Show {
    /// Print JSON: {"settings": [{"name", "value", "source"}], "warnings": []}
    #[arg(long)]
    pub(super) json: bool,
}

pub(super) async fn run(args: Args, vars: &Vars) -> Result<(), CliError> {
    let Action::Show(args) = args.action;
    let shown = Settings::from_vars(vars)?.shown(vars)?;
    if args.json {
        let json = serde_json::to_string_pretty(&shown).map_err(|error| {
            CliError::failed(format!("The settings are no JSON: {error}"), "Leave out --json")
        })?;
        return print(&json);
    }
    print(&table(&shown))
}

/// Three columns and the warnings below them.
pub(super) fn table(shown: &Shown) -> String {
    let value_of = |value: &Option<String>| match value {
        Some(value) => value.replace(char::is_control, "\u{fffd}"),
        None => "-".to_owned(),
    };
    let rows: Vec<_> = shown
        .settings
        .iter()
        .map(|row| (row.name, value_of(&row.value), &row.source))
        .collect();
    let names = rows.iter().map(|(name, ..)| name.len()).max().unwrap_or_default();
    let values = rows
        .iter()
        .map(|(_, value, _)| value.chars().count())
        .max()
        .unwrap_or_default();
    let lines = rows
        .iter()
        .map(|(name, value, source)| format!("{name:names$}  {value:values$}  {source}"));
    let warnings = shown
        .warnings
        .iter()
        .map(|warning| format!("\nwarning: {warning}"));
    lines.chain(warnings).collect::<Vec<_>>().join("\n")
}
