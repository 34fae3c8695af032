//! How fast Satchel is and how much memory it takes, measured from outside: `cargo bench --bench satchel`.
//!
//! The application runs as it is shipped, in a process of its own, against a sink that speaks the least of Filestack's upload
//! protocol and keeps nothing. Beside it run what it is compared with: the Filestack client alone, and two servers as small as they
//! can be. Everything is printed as one table with each target beside the measured value; nothing fails because it is slow.

mod browser;
mod commits;
mod database;
mod direct;
mod emulator;
mod history;
mod http;
mod install;
mod jobs;
mod list;
mod many;
mod one;
mod options;
mod paint;
mod process;
mod report;
mod rows;
mod servers;
mod trickle;
mod webhooks;

use std::error::Error;
use std::process::ExitCode;

use options::Options;
use report::Report;

/// Whatever went wrong, as a sentence.
type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.split_first() {
        Some((first, rest)) if first == servers::CHILD => servers::run(rest),
        _ => measure(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(arguments: &[String]) -> Outcome<()> {
    let Some(options) = Options::parse(arguments)? else {
        print!("{}", options::HELP);
        return Ok(());
    };
    let mut report = Report::default();
    let outcome = actix_web::rt::System::new().block_on(measure_parts(&options, &mut report));
    // What was measured before a failure is shown too.
    report.print(&options);
    outcome
}

async fn measure_parts(options: &Options, report: &mut Report) -> Outcome<()> {
    if options.wants("one") {
        one::measure(options, report).await?;
    }
    if options.wants("many") {
        many::measure(options, report).await?;
    }
    if options.wants("slow") {
        trickle::measure(options, report).await?;
    }
    if options.wants("list") {
        list::measure(options, report).await?;
    }
    if options.wants("rows") {
        rows::measure(options, report).await?;
    }
    if options.wants("pages") {
        paint::measure(options, report).await?;
    }
    if options.wants("picker-config") || options.wants("register") {
        direct::measure(options, report).await?;
    }
    if options.wants("commits") {
        commits::measure(options, report).await?;
    }
    if options.wants("jobs") {
        jobs::measure(options, report).await?;
    }
    if options.wants("emulator") {
        emulator::measure(options, report).await?;
    }
    if options.wants("webhooks") {
        webhooks::measure(options, report).await?;
    }
    Ok(())
}
