//! Many slow uploads at once: all of them arrive, and they share the memory there is.

use std::time::{Duration, Instant};

use futures_util::future::join_all;

use super::Outcome;
use super::http;
use super::install::Installation;
use super::one::{block, idle};
use super::options::Options;
use super::report::{Report, mib};
use super::servers;

const BUDGET: u64 = 256 << 20;

pub async fn measure(options: &Options, report: &mut Report) -> Outcome<()> {
    let (count, size, seconds) = options.trickle();
    let part = format!("{count} slow uploads");
    eprintln!("{count} uploads of {} over {seconds} s", mib(size));
    let block = block();
    let sink = servers::sink(options.intelligent)?;
    let installation = Installation::with_sink(sink.address)?;
    let app = installation.serve()?;
    let (idle, _) = idle(&app, &installation).await?;

    let begun = Instant::now();
    let pace = Some(Duration::from_secs(seconds));
    let uploads = (0..count).map(|_| http::upload(app.address, &installation.token, size, &block, pace));
    let ended = join_all(uploads).await;
    let took = begun.elapsed().as_secs_f64();
    let peak = app.peak()?;

    let failed: Vec<_> = ended.iter().filter_map(|ended| ended.as_ref().err()).collect();
    if let Some(first) = failed.first() {
        eprintln!("  the first of {} failures: {first}", failed.len());
    }
    report.target(
        &part,
        format!("succeeded, of {} over {seconds} s each", mib(size)),
        format!("{} of {count} in {took:.1} s", count - failed.len()),
        "all",
        failed.is_empty(),
    );
    report.target(
        &part,
        "peak memory, all of it",
        format!("{} (idle {})", mib(peak), mib(idle)),
        format!("≤ {}", mib(BUDGET)),
        peak <= BUDGET,
    );
    Ok(())
}
