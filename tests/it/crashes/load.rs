//! The clients: they upload and delete until they have had enough or nobody answers.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;
use sha2::{Digest, Sha256};

use super::ledger::{Fate, Ledger, Told};
use super::random::Random;
use super::scene::WEBHOOK_SECRET;
use crate::hooks::sender::{PATH, sign};
use crate::support::wire::{Reply, connect, multipart, post, read_reply, request};

const MIB: usize = 1024 * 1024;
/// Beyond what is read ahead (8 MiB): the file goes out while it comes in.
const LARGE: usize = 8 * MIB + 70_000;
/// Numbers that the emulator gives none of its own events.
const FIRST_EVENT: i64 = 9_000_000_000;

/// A document that a client was promised.
struct Mine {
    name: String,
    id: String,
    handle: String,
}

/// One client, which is also the Filestack that delivers events about its files.
pub struct Client<'a> {
    pub name: String,
    pub token: &'a str,
    pub address: SocketAddr,
    pub ledger: &'a Ledger,
    pub random: Random,
    /// Whether some of its files are too large to be read ahead.
    pub large_files: bool,
}

impl Client<'_> {
    /// So many requests, or until the connection breaks.
    pub fn work(self, requests: usize) {
        let mut done = 0;
        self.work_while(|| {
            done += 1;
            done <= requests
        });
    }

    /// One request after the other while there is to be another, or until the connection breaks.
    pub fn work_while(mut self, mut more: impl FnMut() -> bool) {
        let mut mine: Vec<Mine> = Vec::new();
        for number in 0.. {
            if !more() {
                return;
            }
            let going = match self.random.below(10) {
                0 | 1 if !mine.is_empty() => {
                    let document = mine.swap_remove(self.random.below(mine.len()));
                    self.delete(&document)
                }
                2..=4 if !mine.is_empty() => {
                    let about = self.random.below(mine.len());
                    self.convert(&mine[about])
                }
                5 => self.deliver_again(),
                _ => {
                    let name = format!("{}-{number}.bin", self.name);
                    self.upload(&name).map(|document| mine.extend(document))
                }
            };
            if going.is_err() {
                return;
            }
        }
    }

    /// Uploads a file; gives the document if there is to be one.
    fn upload(&mut self, name: &str) -> io::Result<Option<Mine>> {
        let kind = self.random.below(if self.large_files { 10 } else { 7 });
        let size = match kind {
            0..=6 => self.random.below(40_000),
            _ => LARGE + self.random.below(MIB),
        };
        let bytes = self.random.bytes(size);
        let sha256: String = Sha256::digest(&bytes)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        self.ledger.note(name, &sha256, Fate::Unanswered);
        // With its size told a large file goes in parts.
        let told = size.to_string();
        let fields = [("size", told.as_str())];
        let (form, body) = multipart(if kind == 9 { &[] } else { &fields }, name, &bytes);
        let target = if self.random.percent(40) {
            "/api/uploads/with-processing"
        } else {
            "/api/uploads"
        };
        let upload = post(target).bearer(self.token);
        let reply = if kind == 9 {
            // Of unknown length: the one request to Filestack's store that cannot be repeated.
            send_chunked(
                self.address,
                &upload
                    .header("Content-Type", form)
                    .header("Transfer-Encoding", "chunked")
                    .bytes(self.address),
                &body,
            )?
        } else {
            upload.body(&form, body).try_send(self.address)?
        };
        if reply.status != 201 {
            assert!(
                [502, 503].contains(&reply.status),
                "{}: {}",
                reply.status,
                reply.text()
            );
            // `filestack-unconfirmed`: the file may have arrived, and the document may come to be.
            if reply.json()["code"] != "filestack-unconfirmed" {
                self.ledger.settle(name, Fate::Refused);
            }
            return Ok(None);
        }
        let promised = reply.json();
        let text = |name: &str| promised[name].as_str().expect("a text").to_owned();
        let id = text("id");
        self.ledger.settle(name, Fate::Promised(id.clone()));
        let jobs = promised["jobs"].as_array().into_iter().flatten();
        self.ledger
            .promise_jobs(jobs.map(|job| job["id"].as_str().expect("an id").to_owned()));
        Ok(Some(Mine {
            name: name.to_owned(),
            id,
            handle: text("handle"),
        }))
    }

    /// Tells that a file was made of a document.
    fn convert(&mut self, document: &Mine) -> io::Result<()> {
        let number = FIRST_EVENT + self.random.below(1_000_000_000) as i64;
        let made = format!("made{number}madeof");
        let text = json!({
            "url": format!("/resize=width:100/{}", document.handle),
            "link": {"handle": made, "filename": "made.png", "mimetype": "image/png", "size": 512},
        });
        let body =
            json!({"id": number, "action": "fp.converse", "timestamp": now(), "text": text}).to_string();
        let told = Told {
            document: document.id.clone(),
            made,
            body,
            answered: 0,
        };
        self.ledger.tell(number, told);
        self.deliver(number)?;
        if self.random.percent(40) {
            self.deliver(number)?;
        }
        Ok(())
    }

    /// Delivers an event that somebody has delivered before, perhaps in an earlier life.
    fn deliver_again(&mut self) -> io::Result<()> {
        let numbers: Vec<i64> = self.ledger.events().into_keys().collect();
        if numbers.is_empty() {
            return Ok(());
        }
        let number = *self.random.pick(&numbers);
        self.deliver(number)
    }

    fn deliver(&self, number: i64) -> io::Result<()> {
        let body = self.ledger.events()[&number].body.clone();
        let timestamp = now().to_string();
        let reply = post(PATH)
            .header("FS-Timestamp", &*timestamp)
            .header("FS-Signature", sign(WEBHOOK_SECRET, &timestamp, body.as_bytes()))
            .body("application/json", body)
            .try_send(self.address)?;
        match reply.status {
            200 => self.ledger.answered(number),
            503 => {}
            other => panic!("{other}: {}", reply.text()),
        }
        Ok(())
    }

    fn delete(&mut self, Mine { name, id, .. }: &Mine) -> io::Result<()> {
        self.ledger.settle(name, Fate::DeletionUnanswered(id.to_owned()));
        let trashed = request("DELETE", &format!("/api/documents/{id}"))
            .bearer(self.token)
            .try_send(self.address)?;
        match trashed.status {
            204 => {}
            // "Nothing was changed."
            503 => {
                self.ledger.settle(name, Fate::Promised(id.to_owned()));
                return Ok(());
            }
            other => panic!("{other}: {}", trashed.text()),
        }
        let reply = request("DELETE", &format!("/api/trash/{id}"))
            .bearer(self.token)
            .try_send(self.address)?;
        match reply.status {
            202 | 204 => self.ledger.settle(name, Fate::Deleted),
            // It stays in the trash.
            503 => {}
            other => panic!("{other}: {}", reply.text()),
        }
        Ok(())
    }
}

/// Seconds: events are signed with the real time, which is the server's too.
fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("it is later than 1970")
        .as_secs()
}

fn send_chunked(address: SocketAddr, head: &[u8], body: &[u8]) -> io::Result<Reply> {
    let mut stream = connect(address)?;
    stream.write_all(head)?;
    for chunk in body.chunks(256 * 1024) {
        stream.write_all(format!("{:x}\r\n", chunk.len()).as_bytes())?;
        stream.write_all(chunk)?;
        stream.write_all(b"\r\n")?;
    }
    stream.write_all(b"0\r\n\r\n")?;
    read_reply(&mut stream, false)
}
