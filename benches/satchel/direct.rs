//! Files that browsers store by themselves: asking for the right, and making documents of what was stored, while uploads pass through
//! the server and while none do.
//!
//! The sink answers for Filestack in no time, so that what is measured is the server: two questions to it for each document.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::future::{join, try_join_all};
use serde_json::Value;

use super::Outcome;
use super::http::{Connection, upload};
use super::install::Installation;
use super::options::Options;
use super::process::Server;
use super::report::{Report, median, percentile};
use super::servers;

/// Requests on their way at once.
const CONNECTIONS: usize = 64;
/// Files of one right: the most there can be.
const FILES: usize = 100;
/// Uploads that pass through the server meanwhile, each of so many bytes, spread over the time that is measured.
const UPLOADS: usize = 4;
const UPLOAD_BYTES: u64 = 64 << 20;
const CONFIG: &str = "/api/uploads/picker-config";

pub async fn measure(options: &Options, report: &mut Report) -> Outcome<()> {
    eprintln!("files that browsers store by themselves, over {CONNECTIONS} connections");
    let sink = servers::sink(options.intelligent)?;
    let installation = Installation::with_sink(sink.address)?;
    let app = installation.serve()?;
    let token = installation.token.as_str();
    let length = Duration::from_secs(options.load_seconds());
    for (busy, words) in [(false, "no uploads running"), (true, "4 uploads running")] {
        if options.wants("picker-config") {
            let mut rounds = Vec::new();
            for _ in 0..options.rounds() {
                rounds.push(beside(busy, &app, token, length, configs(app.address, token, length)).await?);
            }
            note(report, "picker-config", words, rounds);
        }
        if options.wants("register") {
            let mut rounds = Vec::new();
            for _ in 0..options.rounds() {
                let files = files(app.address, sink.address, token).await?;
                let registers = registers(app.address, token, &files, length);
                rounds.push(beside(busy, &app, token, length, registers).await?);
            }
            note(report, "register", words, rounds);
        }
    }
    Ok(())
}

/// Answers per second, and the milliseconds that each took.
struct Round {
    per_second: f64,
    times: Vec<f64>,
}

fn note(report: &mut Report, part: &str, words: &str, rounds: Vec<Round>) {
    let speeds: Vec<f64> = rounds.iter().map(|round| round.per_second).collect();
    let times: Vec<f64> = rounds.into_iter().flat_map(|round| round.times).collect();
    report.note(
        part,
        words,
        format!(
            "{:.0} requests/s, {:.1} ms, 99 % within {:.1} ms",
            median(&speeds),
            median(&times),
            percentile(&times, 99.0)
        ),
    );
}

/// Measures while uploads pass through the server, or none.
async fn beside(
    busy: bool,
    app: &Server,
    token: &str,
    length: Duration,
    measured: impl Future<Output = Outcome<Round>>,
) -> Outcome<Round> {
    if !busy {
        return measured.await;
    }
    let block = Bytes::from(vec![0x5a; 1 << 20]);
    let uploads = (0..UPLOADS).map(|_| upload(app.address, token, UPLOAD_BYTES, &block, Some(length)));
    let (measured, uploads) = join(measured, try_join_all(uploads)).await;
    uploads?;
    measured
}

async fn configs(address: SocketAddr, token: &str, length: Duration) -> Outcome<Round> {
    let begun = Instant::now();
    let askers = (0..CONNECTIONS).map(|_| async {
        let mut connection = Connection::open(address).await?;
        let mut times = Vec::new();
        while begun.elapsed() < length {
            let asked = Instant::now();
            connection.get(CONFIG, token).await?.expect(200)?;
            times.push(asked.elapsed().as_secs_f64() * 1e3);
        }
        Outcome::Ok(times)
    });
    round(begun, try_join_all(askers).await?)
}

/// A right for each connection, and the number under which the sink knows its folder.
async fn files(app: SocketAddr, sink: SocketAddr, token: &str) -> Outcome<Vec<u64>> {
    let (mut app, mut sink) = (Connection::open(app).await?, Connection::open(sink).await?);
    let mut numbers = Vec::new();
    for _ in 0..CONNECTIONS {
        let answer = app
            .get(&format!("{CONFIG}?files={FILES}"), token)
            .await?
            .expect(200)?;
        let granted: Value = serde_json::from_slice(&answer.body)?;
        let folder = granted["path"].as_str().ok_or("the right names no folder")?;
        let answer = sink.post("/folders", "", folder).await?.expect(200)?;
        numbers.push(serde_json::from_slice(&answer.body)?);
    }
    Ok(numbers)
}

async fn registers(address: SocketAddr, token: &str, folders: &[u64], length: Duration) -> Outcome<Round> {
    let begun = Instant::now();
    let headers = format!("Authorization: Bearer {token}\r\nContent-Type: application/json\r\n");
    let askers = folders.iter().map(|folder| {
        let headers = &headers;
        async move {
            let mut connection = Connection::open(address).await?;
            let mut times = Vec::new();
            for file in 0..FILES {
                if begun.elapsed() >= length {
                    break;
                }
                let body = format!(r#"{{"handle":"D{folder}-{file}"}}"#);
                let asked = Instant::now();
                let answer = connection.post("/api/uploads/register", headers, &body).await?;
                answer.expect(201)?;
                times.push(asked.elapsed().as_secs_f64() * 1e3);
            }
            Outcome::Ok(times)
        }
    });
    round(begun, try_join_all(askers).await?)
}

fn round(begun: Instant, times: Vec<Vec<f64>>) -> Outcome<Round> {
    let times: Vec<f64> = times.into_iter().flatten().collect();
    Ok(Round {
        per_second: times.len() as f64 / begun.elapsed().as_secs_f64(),
        times,
    })
}
