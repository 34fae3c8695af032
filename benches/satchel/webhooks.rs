//! Signed webhooks: deliveries per second with the commit before the answer, on each database, beside the same server when it verifies
//! and stores nothing.
//!
//! Every delivery is another event. No worker runs: what events change comes after the answer, and is none of it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use futures_util::future::try_join_all;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::Outcome;
use super::database::{Database, SETTING};
use super::http::Connection;
use super::install::{Installation, WEBHOOK_SECRET};
use super::options::Options;
use super::report::{Report, median};
use super::servers;

const PART: &str = "webhooks";
/// Deliveries on their way at once.
const CONNECTIONS: usize = 64;

/// Numbers of events, never the same twice.
static NUMBER: AtomicU64 = AtomicU64::new(1);

pub async fn measure(options: &Options, report: &mut Report) -> Outcome<()> {
    eprintln!("signed webhooks over {CONNECTIONS} connections");
    let length = Duration::from_secs(options.load_seconds());
    let bare = servers::verify()?;
    let sqlite = Installation::for_webhooks(None)?;
    let sqlite_server = sqlite.serve()?;
    let database = Database::make("webhooks")?;
    let postgres = database
        .as_ref()
        .map(|database| Installation::for_webhooks(Some(&database.url)))
        .transpose()?;
    let postgres_server = postgres.as_ref().map(Installation::serve).transpose()?;
    let (mut least, mut on_sqlite, mut on_postgres) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..options.rounds() {
        least.push(deliveries_per_second(bare.address, length).await?);
        on_sqlite.push(deliveries_per_second(sqlite_server.address, length).await?);
        if let Some(server) = &postgres_server {
            on_postgres.push(deliveries_per_second(server.address, length).await?);
        }
    }
    let least = median(&least);
    report.note(
        PART,
        "verified and not stored",
        format!("{least:.0} deliveries/s"),
    );
    for (name, measured) in [("SQLite", on_sqlite), ("PostgreSQL", on_postgres)] {
        if measured.is_empty() {
            report.note(
                PART,
                format!("stored on {name}"),
                format!("not measured: {SETTING} is not set"),
            );
            continue;
        }
        let ratio = median(&measured) / least;
        report.target(
            PART,
            format!("stored on {name} before the answer"),
            format!("{:.0} deliveries/s, {ratio:.2} × not stored", median(&measured)),
            "≥ 0.4 ×",
            ratio >= 0.4,
        );
    }
    Ok(())
}

async fn deliveries_per_second(address: SocketAddr, length: Duration) -> Outcome<f64> {
    let begun = Instant::now();
    let senders = (0..CONNECTIONS).map(|_| async {
        let mut connection = Connection::open(address).await?;
        let mut answered = 0_u32;
        while begun.elapsed() < length {
            let (headers, body) = delivery()?;
            connection
                .post("/webhooks/filestack", &headers, &body)
                .await?
                .expect(200)?;
            answered += 1;
        }
        Outcome::Ok(answered)
    });
    let answered: u32 = try_join_all(senders).await?.into_iter().sum();
    Ok(f64::from(answered) / begun.elapsed().as_secs_f64())
}

/// Headers and body of a delivery of an event that is not there yet.
fn delivery() -> Outcome<(String, String)> {
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let time = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let body = format!(
        r#"{{"id":{number},"action":"fp.upload","timestamp":{time},"text":{{"container":"demo-bucket","url":"https://cdn.filestackcontent.com/AbCdEfGhIj{number:010}","filename":"report.pdf","client":"Computer","key":"9xQ_report.pdf","type":"application/pdf","status":"Stored","size":2048}}}}"#
    );
    let mut mac = Hmac::<Sha256>::new_from_slice(WEBHOOK_SECRET.as_bytes())?;
    mac.update(format!("{time}.{body}").as_bytes());
    let signature: String = mac
        .finalize()
        .into_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let headers =
        format!("FS-Timestamp: {time}\r\nFS-Signature: {signature}\r\nContent-Type: application/json\r\n");
    Ok((headers, body))
}
