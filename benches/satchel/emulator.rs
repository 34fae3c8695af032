//! The emulator: a large file taken in by parts beside a handler that only writes them down, and delivery beside actix-files.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::future::try_join_all;
use md5::{Digest as _, Md5};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::Outcome;
use super::http::{Answer, Connection};
use super::one::block;
use super::options::Options;
use super::process::Server;
use super::report::{Report, median, mib};
use super::servers;

const PART: &str = "emulator";
const KEY: &str = "AbenchmarkKEY0z";
const MIB: u64 = 1 << 20;
const PART_BYTES: usize = 8 * MIB as usize;
/// Parts on their way at once, as the SDKs do it.
const AT_ONCE: usize = 3;
const SMALL_BYTES: usize = 16 * 1_024;
const CONNECTIONS: usize = 64;

pub async fn measure(options: &Options, report: &mut Report) -> Outcome<()> {
    // Beside the target directory, which is on a disk.
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let bench = Bench::start(&directory)?;
    bench.take_in(options, report).await?;
    bench.deliver(options, report).await
}

/// The emulator and the server beside it, on one disk.
struct Bench<'a> {
    directory: &'a TempDir,
    emulator: Server,
    least: Server,
    parts: Vec<(Bytes, String)>,
}

impl<'a> Bench<'a> {
    fn start(directory: &'a TempDir) -> Outcome<Self> {
        let block = block();
        let parts = (0..block.len()).step_by(PART_BYTES).map(|at| {
            let part = block.slice(at..at + PART_BYTES);
            let sum = STANDARD.encode(Md5::digest(&part));
            (part, sum)
        });
        let parts = parts.collect();
        let mut command = Command::new(env!("CARGO_BIN_EXE_satchel"));
        command
            .args(["emulator", "--bind", "127.0.0.1:0", "--app"])
            .arg(format!("{KEY}:BENCHMARKSECRET:open"))
            .arg("--data-dir")
            .arg(directory.path().join("emulator"))
            .current_dir(directory.path())
            .env_clear()
            .env("RUST_LOG", "error");
        let beside = directory.path().join("least");
        std::fs::create_dir(&beside)?;
        Ok(Self {
            directory,
            emulator: Server::start(command)?,
            least: servers::files(&beside)?,
            parts,
        })
    }

    async fn take_in(&self, options: &Options, report: &mut Report) -> Outcome<()> {
        let size = options.one_bytes();
        eprintln!("the emulator takes in {} by parts", mib(size));
        // Once before, so that what is made once is there.
        self.upload(PART_BYTES as u64).await?;
        self.emulator.forget_peak()?;
        let idle = self.emulator.resident()?;
        let (mut least, mut ours, mut complete) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..options.rounds() {
            settle()?;
            least.push(self.put_parts(size).await?.as_secs_f64());
            settle()?;
            let (took, last, handle) = self.upload(size).await?;
            ours.push(took.as_secs_f64());
            complete.push(last.as_secs_f64());
            self.check(&handle, size).await?;
        }
        let peak = self.emulator.peak()?.saturating_sub(idle);
        let speed = |seconds: &[f64]| size as f64 / MIB as f64 / median(seconds);
        report.note(
            PART,
            format!("a bare handler, {} by parts", mib(size)),
            format!("{:.0} MiB/s", speed(&least)),
        );
        let ratio = speed(&ours) / speed(&least);
        report.target(
            PART,
            "the emulator, from start to complete",
            format!("{:.0} MiB/s, {ratio:.2} × bare", speed(&ours)),
            "≥ 0.5 ×",
            ratio >= 0.5,
        );
        report.note(PART, "of which complete", format!("{:.2} s", median(&complete)));
        report.target(
            PART,
            "peak memory above idle",
            mib(peak),
            "≤ 64 MiB",
            peak <= 64 * MIB,
        );
        Ok(())
    }

    async fn deliver(&self, options: &Options, report: &mut Report) -> Outcome<()> {
        let size = options.delivered_bytes();
        let (_, _, large) = self.upload(size).await?;
        let small = self.store(SMALL_BYTES).await?;
        self.put_beside("large", size)?;
        self.put_beside("small", SMALL_BYTES as u64)?;
        eprintln!("the emulator delivers {} and {SMALL_BYTES} bytes", mib(size));

        let (mut least, mut ours) = (Vec::new(), Vec::new());
        for _ in 0..options.rounds() * 5 {
            least.push(download(self.least.address, "/large", size).await?);
            ours.push(download(self.emulator.address, &format!("/{large}"), size).await?);
        }
        compare(
            report,
            &format!("{} from disk", mib(size)),
            "MiB/s",
            &least,
            &ours,
        );

        let (mut least, mut ours) = (Vec::new(), Vec::new());
        let length = Duration::from_secs(options.load_seconds());
        for _ in 0..options.rounds() {
            least.push(load(self.least.address, "/small", length).await?);
            ours.push(load(self.emulator.address, &format!("/{small}"), length).await?);
        }
        let what = format!("{} KiB, {CONNECTIONS} connections", SMALL_BYTES / 1_024);
        compare(report, &what, "files/s", &least, &ours);
        Ok(())
    }

    fn part(&self, number: usize) -> &(Bytes, String) {
        &self.parts[number % self.parts.len()]
    }

    /// The parts of a file, each with its number from 0 and its bytes' end cut to the file's size.
    fn parts(&self, size: u64) -> impl Iterator<Item = (usize, Bytes, String)> {
        let count = size.div_ceil(PART_BYTES as u64) as usize;
        (0..count).map(move |number| {
            let (part, sum) = self.part(number);
            let left = (size - number as u64 * PART_BYTES as u64) as usize;
            if left >= part.len() {
                (number, part.clone(), sum.clone())
            } else {
                let part = part.slice(..left);
                let sum = STANDARD.encode(Md5::digest(&part));
                (number, part, sum)
            }
        })
    }

    async fn put_parts(&self, size: u64) -> Outcome<Duration> {
        let parts: Vec<_> = self.parts(size).collect();
        let begun = Instant::now();
        let senders = (0..AT_ONCE).map(|sender| {
            let mine = parts.iter().skip(sender).step_by(AT_ONCE);
            async move {
                let mut connection = Connection::open(self.least.address).await?;
                for (number, part, sum) in mine {
                    let header = format!("Content-MD5: {sum}\r\n");
                    let path = format!("/taken/{number}");
                    connection.send("PUT", &path, &header, part).await?.expect(200)?;
                }
                Outcome::Ok(())
            }
        });
        try_join_all(senders).await?;
        Ok(begun.elapsed())
    }

    /// Uploads as an SDK does; how long all took, how long completing it, and the handle.
    async fn upload(&self, size: u64) -> Outcome<(Duration, Duration, String)> {
        let parts: Vec<_> = self.parts(size).collect();
        let begun = Instant::now();
        let mut connection = Connection::open(self.emulator.address).await?;
        let start = json!({ "apikey": KEY, "filename": "bench.bin", "mimetype": "application/octet-stream",
                            "size": size, "store": { "location": "s3" } });
        let started = post(&mut connection, "/multipart/start", &start).await?;
        let mut call = json!({ "apikey": KEY, "filename": "bench.bin", "mimetype": "application/octet-stream",
                               "size": size, "store": { "location": "s3" } });
        for name in ["uri", "region", "upload_id"] {
            call[name] = started[name].clone();
        }
        let call = &call;
        let senders = (0..AT_ONCE).map(|sender| {
            let mine = parts.iter().skip(sender).step_by(AT_ONCE);
            async move {
                let mut connection = Connection::open(self.emulator.address).await?;
                let mut etags = Vec::new();
                for (number, part, sum) in mine {
                    let mut ask = call.clone();
                    ask["part"] = (number + 1).into();
                    ask["size"] = part.len().into();
                    ask["md5"] = sum.as_str().into();
                    let ticket = post(&mut connection, "/multipart/upload", &ask).await?;
                    let headers = ticket["headers"].as_object().ok_or("no headers")?.iter();
                    let headers: String = headers
                        .map(|(name, value)| format!("{name}: {}\r\n", value.as_str().unwrap_or_default()))
                        .collect();
                    let path = path_of(ticket["url"].as_str().ok_or("no URL")?);
                    connection.send("PUT", &path, &headers, part).await?.expect(200)?;
                    let etag = hex(&STANDARD.decode(sum)?);
                    etags.push(json!({ "part_number": number + 1, "etag": etag }));
                }
                Outcome::Ok(etags)
            }
        });
        let etags: Vec<Value> = try_join_all(senders).await?.into_iter().flatten().collect();
        let mut complete = call.clone();
        complete["parts"] = etags.into();
        let completing = Instant::now();
        let file = post(&mut connection, "/multipart/complete", &complete).await?;
        let handle = file["handle"].as_str().ok_or("no handle")?.to_owned();
        Ok((begun.elapsed(), completing.elapsed(), handle))
    }

    async fn store(&self, size: usize) -> Outcome<String> {
        let mut connection = Connection::open(self.emulator.address).await?;
        let path = format!("/api/store/S3?key={KEY}&filename=small.bin&mimetype=application/octet-stream");
        let answer = connection
            .send("POST", &path, "", &self.part(0).0[..size])
            .await?;
        let file = read(answer)?;
        let url = file["url"].as_str().ok_or("no URL")?;
        Ok(path_of(url).trim_start_matches('/').to_owned())
    }

    /// What was taken in has to be what was sent.
    async fn check(&self, handle: &str, size: u64) -> Outcome<()> {
        let mut connection = Connection::open(self.emulator.address).await?;
        let metadata = connection
            .get(&format!("/{handle}/metadata?md5=true"), "")
            .await?;
        let metadata = read(metadata)?;
        let mut md5 = Md5::new();
        self.parts(size).for_each(|(_, part, _)| md5.update(&part));
        if metadata["md5"] != hex(&md5.finalize()) {
            return Err(format!("the emulator has other bytes: {metadata}").into());
        }
        Ok(())
    }

    fn put_beside(&self, name: &str, size: u64) -> Outcome<()> {
        let mut file = std::fs::File::create(self.beside().join(name))?;
        for (_, part, _) in self.parts(size) {
            file.write_all(&part)?;
        }
        Ok(())
    }

    fn beside(&self) -> PathBuf {
        self.directory.path().join("least")
    }
}

fn compare(report: &mut Report, what: &str, unit: &str, least: &[f64], ours: &[f64]) {
    report.note(
        PART,
        format!("actix-files, {what}"),
        format!("{:.0} {unit}", median(least)),
    );
    let ratio = median(ours) / median(least);
    report.target(
        PART,
        format!("the emulator, {what}"),
        format!("{:.0} {unit}, {ratio:.2} × actix-files", median(ours)),
        "≥ 0.5 ×",
        ratio >= 0.5,
    );
}

/// MiB per second.
async fn download(address: SocketAddr, path: &str, size: u64) -> Outcome<f64> {
    let mut connection = Connection::open(address).await?;
    let begun = Instant::now();
    let got = connection.download(path).await? as u64;
    if got != size {
        return Err(format!("{path} has {got} bytes instead of {size}").into());
    }
    Ok(size as f64 / MIB as f64 / begun.elapsed().as_secs_f64())
}

/// Files per second.
async fn load(address: SocketAddr, path: &str, length: Duration) -> Outcome<f64> {
    let begun = Instant::now();
    let askers = (0..CONNECTIONS).map(|_| async {
        let mut connection = Connection::open(address).await?;
        let mut files = 0_u32;
        while begun.elapsed() < length {
            connection.download(path).await?;
            files += 1;
        }
        Outcome::Ok(files)
    });
    let files: u32 = try_join_all(askers).await?.into_iter().sum();
    Ok(f64::from(files) / begun.elapsed().as_secs_f64())
}

async fn post(connection: &mut Connection, path: &str, body: &Value) -> Outcome<Value> {
    let headers = "Content-Type: application/json\r\n";
    read(
        connection
            .send("POST", path, headers, body.to_string().as_bytes())
            .await?,
    )
}

fn read(answer: Answer) -> Outcome<Value> {
    Ok(serde_json::from_slice(&answer.expect(200)?.body)?)
}

fn path_of(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/')
        .map_or_else(String::new, |at| rest[at..].to_owned())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Waits until the system has written what it holds back, so that one run does not pay for the one before.
fn settle() -> Outcome<()> {
    let status = Command::new("sync").status()?;
    if !status.success() {
        return Err("sync failed".into());
    }
    Ok(())
}
