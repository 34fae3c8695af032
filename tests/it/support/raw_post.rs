//! A connection that the test writes to byte by byte: for requests that no HTTP client would send.

use std::time::Duration;

use actix_web::rt::net::TcpStream;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::answer::Answer;
use super::client::Client;

/// Longer than anything that is waited for here takes.
const PATIENCE: Duration = Duration::from_secs(25);

/// A connection with a request on it that has begun.
pub struct RawPost(TcpStream);

impl RawPost {
    /// Sends the head of a POST by this client.
    pub async fn begin(client: &Client, path: &str, headers: &[(&str, &str)]) -> Self {
        let address = client.address();
        let mut head = format!("POST {path} HTTP/1.1\r\nHost: {address}\r\n");
        for (name, value) in client.headers() {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        let stream = TcpStream::connect(address).await.expect("a connection");
        let mut wire = RawPost(stream);
        wire.write(head.as_bytes()).await;
        wire
    }

    /// Sends these bytes.
    pub async fn write(&mut self, bytes: &[u8]) {
        let written = tokio::time::timeout(PATIENCE, self.0.write_all(bytes)).await;
        written
            .expect("bytes are taken in time")
            .expect("the connection is open");
    }

    /// Sends this again and again until the server answers; gives the answer and how often it was sent.
    pub async fn flood(mut self, bytes: &[u8]) -> (Answer, usize) {
        let (mut reader, mut writer) = self.0.split();
        let mut first = [0_u8; 1];
        let mut sent = 0;
        let answered = async {
            loop {
                tokio::select! {
                    read = reader.read(&mut first) => return read.expect("an answer") == 1,
                    written = writer.write_all(bytes) => {
                        if written.is_err() {
                            return reader.read(&mut first).await.expect("an answer") == 1;
                        }
                        sent += 1;
                    }
                }
            }
        };
        let answered = tokio::time::timeout(PATIENCE, answered).await;
        assert!(answered.expect("an answer in time"), "closed without an answer");
        let answer = self.rest(first.to_vec()).await;
        (answer, sent)
    }

    /// Reads the answer, then goes on sending this until the connection is cut.
    pub async fn go_on(mut self, bytes: &[u8]) -> Answer {
        let mut read = Vec::new();
        let end = async {
            let (mut reader, mut writer) = self.0.split();
            let mut open = true;
            while !is_whole(&read) {
                tokio::select! {
                    count = reader.read_buf(&mut read) => assert_ne!(count.expect("an answer"), 0, "closed without an answer"),
                    written = writer.write_all(bytes), if open => open = written.is_ok(),
                }
            }
            while writer.write_all(bytes).await.is_ok() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let ended = tokio::time::timeout(PATIENCE, end).await;
        ended.expect("the connection is cut");
        parse(&read)
    }

    /// The answer, read to its end.
    pub async fn answer(self) -> Answer {
        self.rest(Vec::new()).await
    }

    /// Says that nothing more comes, as a client does that is cut off half-way.
    pub async fn close(mut self) {
        self.0.shutdown().await.expect("the connection is open");
    }

    /// Breaks the connection.
    pub fn reset(self) {
        self.0.set_zero_linger().expect("an option of every socket");
    }

    async fn rest(mut self, mut read: Vec<u8>) -> Answer {
        let whole = async {
            while !is_whole(&read) {
                match self.0.read_buf(&mut read).await {
                    Ok(0) => break,
                    Ok(_) => {}
                    // A server that answers early may break the connection after that: what was read counts.
                    Err(_) => break,
                }
            }
        };
        tokio::time::timeout(PATIENCE, whole)
            .await
            .expect("an answer in time");
        parse(&read)
    }
}

/// Whether the answer has all the bytes that it says it has.
fn is_whole(bytes: &[u8]) -> bool {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
        return false;
    };
    let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
    let length = head
        .split("\r\n")
        .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    length.is_some_and(|length: usize| bytes.len() >= end + 4 + length)
}

fn parse(bytes: &[u8]) -> Answer {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
    let end = end.unwrap_or_else(|| panic!("no answer: {}", String::from_utf8_lossy(bytes)));
    let head = String::from_utf8_lossy(&bytes[..end]);
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
    let mut headers = HeaderMap::new();
    for line in lines {
        let (name, value) = line.split_once(':').expect("a header");
        headers.append(
            name.parse::<HeaderName>().expect("a header's name"),
            HeaderValue::from_str(value.trim()).expect("a header's value"),
        );
    }
    Answer {
        status: status.expect("a status"),
        headers,
        body: bytes[end + 4..].to_vec().into(),
    }
}
