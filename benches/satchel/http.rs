//! A client that costs next to nothing, so that what is measured is the server: one connection, one request at a time.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use actix_web::rt::net::TcpStream;
use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::sleep_until;

use super::Outcome;

const BOUNDARY: &str = "----satchel-benchmark";
/// Bytes given to the system at once by an upload that is not slowed down.
const WRITE: usize = 256 * 1_024;

/// An answer.
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The answer, unless its status is another one.
    pub fn expect(self, status: u16) -> Outcome<Self> {
        if self.status == status {
            return Ok(self);
        }
        let text = String::from_utf8_lossy(&self.body);
        let start: String = text.chars().take(300).collect();
        Err(format!("status {} instead of {status}: {start}", self.status).into())
    }
}

/// A connection that is kept.
pub struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Connection {
    /// Connects.
    pub async fn open(address: SocketAddr) -> Outcome<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Connection {
            stream,
            received: Vec::with_capacity(128 * 1_024),
        })
    }

    /// Asks for a page, with this API token when it is not empty.
    pub async fn get(&mut self, path: &str, token: &str) -> Outcome<Answer> {
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\n{}\r\n",
            authorization(token)
        );
        self.stream.write_all(request.as_bytes()).await?;
        self.answer().await
    }

    /// Sends a body, with these header lines (each with its end).
    pub async fn send(&mut self, method: &str, path: &str, headers: &str, body: &[u8]) -> Outcome<Answer> {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n{headers}\r\n",
            body.len()
        );
        self.stream.write_all(head.as_bytes()).await?;
        self.stream.write_all(body).await?;
        self.answer().await
    }

    /// Asks for a file, keeps none of it, and gives its size.
    pub async fn download(&mut self, path: &str) -> Outcome<usize> {
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        self.stream.write_all(request.as_bytes()).await?;
        let (status, head, length) = self.head().await?;
        if status != 200 {
            return Err(format!("status {status} instead of 200 for {path}").into());
        }
        let mut left = (head + length)
            .checked_sub(self.received.len())
            .ok_or("the answer is longer than it says")?;
        self.received.clear();
        while left > 0 {
            self.received.clear();
            self.receive().await?;
            left = left
                .checked_sub(self.received.len())
                .ok_or("the answer is longer than it says")?;
        }
        self.received.clear();
        Ok(length)
    }

    /// Posts a body, with these header lines.
    pub async fn post(&mut self, path: &str, headers: &str, body: &str) -> Outcome<Answer> {
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\n{headers}Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.stream.write_all(request.as_bytes()).await?;
        self.answer().await
    }

    async fn answer(&mut self) -> Outcome<Answer> {
        let (status, head, length) = self.head().await?;
        while self.received.len() < head + length {
            self.receive().await?;
        }
        let body = self.received[head..head + length].to_vec();
        self.received.drain(..head + length);
        Ok(Answer { status, body })
    }

    /// Status, length of the head, length of the body.
    async fn head(&mut self) -> Outcome<(u16, usize, usize)> {
        let head = loop {
            if let Some(end) = self.received.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break end + 4;
            }
            self.receive().await?;
        };
        let text = std::str::from_utf8(&self.received[..head])?;
        let status = text.get(9..12).ok_or("the answer is not HTTP")?.parse()?;
        let length = text
            .lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            .ok_or("the answer has no length")?
            .1
            .trim()
            .parse()?;
        Ok((status, head, length))
    }

    async fn receive(&mut self) -> Outcome<()> {
        if self.stream.read_buf(&mut self.received).await? == 0 {
            return Err("the server closed the connection".into());
        }
        Ok(())
    }
}

/// Uploads a file made of this block, over and over, and gives how long it took. With a `pace` it takes that long at least.
pub async fn upload(
    address: SocketAddr,
    token: &str,
    size: u64,
    block: &Bytes,
    pace: Option<Duration>,
) -> Outcome<Duration> {
    let begun = Instant::now();
    let mut connection = Connection::open(address).await?;
    let start = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"size\"\r\n\r\n{size}\r\n\
         --{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"benchmark.bin\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n"
    );
    let end = format!("\r\n--{BOUNDARY}--\r\n");
    let length = start.len() as u64 + size + end.len() as u64;
    let head = format!(
        "POST /api/uploads HTTP/1.1\r\nHost: localhost\r\n{}Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n\
         Content-Length: {length}\r\n\r\n{start}",
        authorization(token)
    );
    let sent = async {
        connection.stream.write_all(head.as_bytes()).await?;
        send_file(
            &mut connection.stream,
            size,
            block,
            pace.map(|pace| (begun, pace)),
        )
        .await?;
        connection.stream.write_all(end.as_bytes()).await
    };
    // A server that refuses says why, even when it no longer takes bytes.
    let sent = sent.await;
    match connection.answer().await {
        Ok(answer) => drop(answer.expect(201)?),
        Err(error) => return Err(sent.err().map_or(error, Into::into)),
    }
    Ok(begun.elapsed())
}

async fn send_file(
    stream: &mut TcpStream,
    size: u64,
    block: &Bytes,
    pace: Option<(Instant, Duration)>,
) -> std::io::Result<()> {
    let mut sent = 0;
    let write = if pace.is_some() {
        size.div_ceil(20) as usize
    } else {
        WRITE
    };
    while sent < size {
        if let Some((begun, pace)) = pace {
            sleep_until((begun + pace.mul_f64(sent as f64 / size as f64)).into()).await;
        }
        let at = (sent % block.len() as u64) as usize;
        let take = write.min(block.len() - at).min((size - sent) as usize);
        stream.write_all(&block[at..at + take]).await?;
        sent += take as u64;
    }
    Ok(())
}

fn authorization(token: &str) -> String {
    if token.is_empty() {
        return String::new();
    }
    format!("Authorization: Bearer {token}\r\n")
}
