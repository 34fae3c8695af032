//! One large upload through the application, and the same bytes from memory by the Filestack client alone.

use std::net::SocketAddr;
use std::thread::available_parallelism;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use satchel::filestack::{
    Credentials, Endpoints, Filestack, NewUpload, Options as ClientOptions, PartBytes, Purpose, Transfers,
};
use satchel::services::uploads::LOOKAHEAD;
use sha2::{Digest as _, Sha256};
use url::Url;

use super::Outcome;
use super::http::{self, Connection};
use super::install::{API_KEY, APP_SECRET, Installation};
use super::options::Options;
use super::process::Server;
use super::report::{Report, median, mib};
use super::servers;

const MIB: u64 = 1 << 20;
const PART: &str = "one upload";
/// Room for the database's own pages: rows, indexes and the log of one upload.
const DATABASE_BYTES: u64 = MIB;
/// Larger than the processor's caches, so that neither side reads its bytes from there.
const BLOCK: usize = 64 * MIB as usize;

pub async fn measure(options: &Options, report: &mut Report) -> Outcome<()> {
    let size = options.one_bytes();
    eprintln!("one upload of {}", mib(size));
    let block = block();
    let sink = servers::sink(options.intelligent)?;
    let installation = Installation::with_sink(sink.address)?;
    let app = installation.serve()?;
    let (idle, written) = idle(&app, &installation).await?;

    let (mut direct, mut through) = (Vec::new(), Vec::new());
    for _ in 0..options.rounds() {
        direct.push(upload_directly(sink.address, size, &block).await?.as_secs_f64());
        let before = servers::taken(&sink).await?;
        let took = http::upload(app.address, &installation.token, size, &block, None).await?;
        through.push(took.as_secs_f64());
        let taken = servers::taken(&sink).await? - before;
        if taken != size {
            return Err(format!("the sink was sent {taken} of {size} bytes").into());
        }
    }
    let (peak, written) = (app.peak()?, app.written()? - written);

    let above = peak.saturating_sub(idle);
    report.note(PART, "idle memory", mib(idle));
    report.target(
        PART,
        "peak memory above idle",
        mib(above),
        "≤ 64 MiB",
        above <= 64 * MIB,
    );
    report.target(
        PART,
        format!("written to disk by {} uploads", options.rounds()),
        format!("{} KiB", written / 1_024),
        "the database's pages",
        written <= DATABASE_BYTES,
    );
    let speed = |seconds: &[f64]| size as f64 / MIB as f64 / median(seconds);
    report.note(
        PART,
        "the Filestack client alone",
        format!("{:.0} MiB/s", speed(&direct)),
    );
    report.note(PART, "through Satchel", format!("{:.0} MiB/s", speed(&through)));
    let ratio = speed(&through) / speed(&direct);
    report.target(
        PART,
        "through Satchel / alone",
        format!("{ratio:.2}"),
        "≥ 0.7",
        ratio >= 0.7,
    );
    Ok(())
}

/// What is uploaded: bytes that look like chance, the same every time.
pub fn block() -> Bytes {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let words = (0..BLOCK / 8).flat_map(|_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    words.collect()
}

/// Memory held and bytes written by a server that has answered a request and is doing nothing; its peak begins here.
pub async fn idle(app: &Server, installation: &Installation) -> Outcome<(u64, u64)> {
    let mut connection = Connection::open(app.address).await?;
    for _ in 0..3 {
        let answer = connection
            .get("/api/documents?limit=1", &installation.token)
            .await?;
        answer.expect(200)?;
    }
    app.forget_peak()?;
    Ok((app.resident()?, app.written()?))
}

/// The same work without Satchel: parts from memory, with an MD5 each and one SHA-256 over all, beside the sending.
async fn upload_directly(sink: SocketAddr, size: u64, block: &Bytes) -> Outcome<Duration> {
    let options = ClientOptions {
        part_size: LOOKAHEAD,
        intelligent: true,
        transfers: Some(Transfers::start(available_parallelism()?.get())?),
        ..ClientOptions::default()
    };
    let credentials = Credentials::new(API_KEY, APP_SECRET)?;
    let endpoints = Endpoints::single(Url::parse(&format!("http://{sink}"))?);
    let filestack = Filestack::new(credentials, endpoints, options)?;
    let path = "user-uploads/benchmark/";
    let purpose = Purpose::Upload { path, max_size: size };
    let grant = filestack.grant(purpose, SystemTime::now(), Duration::from_secs(600));
    let new = NewUpload {
        filename: "benchmark.bin".to_owned(),
        mimetype: "application/octet-stream".to_owned(),
        size,
        path: Some(path.to_owned()),
        ..NewUpload::default()
    };

    let begun = Instant::now();
    let mut upload = filestack.start_upload(new, grant).await?;
    let mut hashing = filestack.compute(Sha256::new);
    let mut at = 0;
    loop {
        let length = upload.next_part_len();
        if length == 0 {
            break;
        }
        let part = block.slice(at..at + length);
        at = (at + length) % block.len();
        let mut hasher = hashing.await?;
        let hashed = part.clone();
        hashing = filestack.compute(move || {
            PartBytes::from(hashed).digest_with(|step| hasher.update(step));
            hasher
        });
        upload.push(part).await?;
    }
    let digest = hashing.await?.finalize();
    upload.complete().await?;
    std::hint::black_box(digest);
    Ok(begun.elapsed())
}
