//! Parses the command, starts logging, calls it; the rest is in the library.

use std::process::ExitCode;

use clap::Parser;
use satchel::cli::{self, Cli};
use satchel::config::Vars;
use satchel::telemetry;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let vars = Vars::load();
    telemetry::start(vars.as_ref().ok().and_then(Vars::log_filter));
    cli::run(cli, vars)
}
