//! Many uploads at once, and how long somebody else waits for a small answer meanwhile.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use tokio::time::sleep;

use super::Outcome;
use super::http::{self, Connection};
use super::install::Installation;
use super::one::{block, idle};
use super::options::Options;
use super::report::{Report, mib, percentile};
use super::servers;

const BUDGET: u64 = 256 << 20;
/// Between two probes, so that they are no load of their own.
const PAUSE: Duration = Duration::from_millis(2);

pub async fn measure(options: &Options, report: &mut Report) -> Outcome<()> {
    let (count, size) = options.many();
    let part = format!("{count} uploads");
    eprintln!("{count} uploads of {} at once", mib(size));
    let block = block();
    let sink = servers::sink(options.intelligent)?;
    let bare = servers::bare()?;
    let installation = Installation::with_sink(sink.address)?;
    let app = installation.serve()?;
    let (idle, _) = idle(&app, &installation).await?;

    let (mut satchel, mut reference, mut seconds) = (Vec::new(), Vec::new(), 0.0);
    for _ in 0..options.rounds() {
        let stop = Arc::new(AtomicBool::new(false));
        let probes = [
            probe(
                app.address,
                "/api/documents?limit=1",
                installation.token.clone(),
                &stop,
            ),
            probe(bare.address, "/", String::new(), &stop),
        ];
        let begun = Instant::now();
        let uploads = (0..count).map(|_| http::upload(app.address, &installation.token, size, &block, None));
        let uploaded = try_join_all(uploads).await;
        seconds += begun.elapsed().as_secs_f64();
        stop.store(true, Ordering::Relaxed);
        let [ours, theirs] = probes.map(|probe| probe.join().map_err(|_| "a probe panicked"));
        uploaded?;
        satchel.extend(ours??);
        reference.extend(theirs??);
    }
    let peak = app.peak()?;

    report.target(
        &part,
        "peak memory, all of it",
        format!("{} (idle {})", mib(peak), mib(idle)),
        format!("≤ {}", mib(BUDGET)),
        peak <= BUDGET,
    );
    let bytes = (count * options.rounds()) as f64 * size as f64;
    report.note(
        &part,
        "together",
        format!("{:.0} MiB/s", bytes / (1u64 << 20) as f64 / seconds),
    );
    let [ours, theirs] =
        [&satchel, &reference].map(|times| (percentile(times, 50.0), percentile(times, 99.0)));
    let show = |(p50, p99): (f64, f64), count| format!("p50 {p50:.2} ms, p99 {p99:.2} ms ({count})");
    report.note(&part, "bare actix meanwhile", show(theirs, reference.len()));
    report.note(
        &part,
        "GET /api/documents?limit=1 meanwhile",
        show(ours, satchel.len()),
    );
    let ratio = ours.1 / theirs.1;
    report.target(
        &part,
        "p99 / bare p99",
        format!("{ratio:.1}"),
        "≤ 3",
        ratio <= 3.0,
    );
    Ok(())
}

/// Asks for a page again and again until told to stop, from a thread of its own; gives the milliseconds of each.
fn probe(
    address: SocketAddr,
    path: &'static str,
    token: String,
    stop: &Arc<AtomicBool>,
) -> JoinHandle<Result<Vec<f64>, String>> {
    let stop = Arc::clone(stop);
    thread::spawn(move || {
        let probing = async {
            let mut connection = Connection::open(address).await?;
            let mut times = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                sleep(PAUSE).await;
                let begun = Instant::now();
                connection.get(path, &token).await?.expect(200)?;
                times.push(begun.elapsed().as_secs_f64() * 1_000.0);
            }
            Outcome::Ok(times)
        };
        actix_web::rt::System::new()
            .block_on(probing)
            .map_err(|error| error.to_string())
    })
}
