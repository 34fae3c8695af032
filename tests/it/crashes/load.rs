//! The clients: they upload and delete until they have had enough or nobody answers.

use std::io::{self, Write as _};
use std::net::SocketAddr;

use sha2::{Digest, Sha256};

use super::ledger::{Fate, Ledger};
use super::random::Random;
use crate::support::wire::{Reply, connect, multipart, post, read_reply, request};

const MIB: usize = 1024 * 1024;
/// Beyond what is read ahead (8 MiB): the file goes out while it comes in.
const LARGE: usize = 8 * MIB + 70_000;

/// One client.
pub struct Client<'a> {
    pub name: String,
    pub token: &'a str,
    pub address: SocketAddr,
    pub ledger: &'a Ledger,
    pub random: Random,
}

impl Client<'_> {
    /// So many requests, or until the connection breaks.
    pub fn work(mut self, requests: usize) {
        let mut mine: Vec<(String, String)> = Vec::new();
        for number in 0..requests {
            let going = if !mine.is_empty() && self.random.percent(25) {
                let (name, id) = mine.swap_remove(self.random.below(mine.len()));
                self.delete(&name, &id)
            } else {
                let name = format!("{}-{number}.bin", self.name);
                self.upload(&name).map(|id| mine.extend(id.map(|id| (name, id))))
            };
            if going.is_err() {
                return;
            }
        }
    }

    /// Uploads a file; gives the document's id if there is to be one.
    fn upload(&mut self, name: &str) -> io::Result<Option<String>> {
        let kind = self.random.below(10);
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
        let (form, body) = multipart(&[], name, &bytes);
        let upload = post("/api/uploads").bearer(self.token);
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
        let id = reply.json()["id"].as_str().expect("an id").to_owned();
        self.ledger.settle(name, Fate::Promised(id.clone()));
        Ok(Some(id))
    }

    fn delete(&mut self, name: &str, id: &str) -> io::Result<()> {
        self.ledger.settle(name, Fate::DeletionUnanswered(id.to_owned()));
        let reply = request("DELETE", &format!("/api/documents/{id}"))
            .bearer(self.token)
            .try_send(self.address)?;
        assert!(
            [202, 204].contains(&reply.status),
            "{}: {}",
            reply.status,
            reply.text()
        );
        self.ledger.settle(name, Fate::Deleted);
        Ok(())
    }
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
