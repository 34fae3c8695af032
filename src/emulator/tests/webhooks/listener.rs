//! A receiver of webhooks that answers as it is told, well or badly.

use std::collections::{HashMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

use super::{Endpoint, PATIENCE};

/// What a listener does with a request it has read.
#[derive(Clone, Debug)]
pub enum Answer {
    Status(u16),
    /// Exactly these bytes, then the end of the connection.
    Raw(String),
    /// So many bytes of body, or as many as are taken.
    Large(usize),
    /// Nothing, until the listener goes.
    Silence,
    /// A status, and then nothing more of the body it announced.
    Stuck,
    /// The end of the connection.
    Cut,
}

/// A request that came.
#[derive(Clone, Debug)]
pub struct Received {
    pub line: String,
    pub headers: HashMap<String, String>,
    pub body: String,
}

impl Received {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(String::as_str).unwrap_or_default()
    }

    /// §7.1, once more and by itself.
    pub fn is_signed_with(&self, secret: &str) -> bool {
        let text = format!("{}.{}", self.header("fs-timestamp"), self.body);
        super::signature(secret, &text) == self.header("fs-signature")
    }
}

/// A server on a port of its own.
pub struct Listener {
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    received: Mutex<Vec<Received>>,
    answers: Mutex<VecDeque<Answer>>,
    usual: Mutex<Answer>,
    gone: AtomicBool,
}

impl Listener {
    pub const SECRET: &str = "Y5cWb1rdRDSTSqEjF5pv";

    pub fn new() -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        let shared = Arc::new(Shared {
            received: Mutex::default(),
            answers: Mutex::default(),
            usual: Mutex::new(Answer::Status(200)),
            gone: AtomicBool::new(false),
        });
        let serving = shared.clone();
        std::thread::spawn(move || {
            for connection in socket.incoming() {
                if serving.gone.load(Ordering::SeqCst) {
                    return;
                }
                let shared = serving.clone();
                std::thread::spawn(move || shared.talk(connection.unwrap()));
            }
        });
        Self { address, shared }
    }

    pub fn endpoint(&self) -> Endpoint {
        Endpoint::new(&self.url(), Self::SECRET).unwrap()
    }

    pub fn url(&self) -> String {
        format!("http://{}/hooks?from=emulator", self.address)
    }

    /// What it answers from now on, after what was asked for once.
    pub fn always(&self, answer: Answer) {
        *self.shared.usual.lock().unwrap() = answer;
    }

    pub fn once(&self, answer: Answer) {
        self.shared.answers.lock().unwrap().push_back(answer);
    }

    /// What came so far.
    pub fn received(&self) -> Vec<Received> {
        self.shared.received.lock().unwrap().clone()
    }

    pub fn count(&self) -> usize {
        self.shared.received.lock().unwrap().len()
    }

    /// Waits until so many came.
    pub async fn wait_for(&self, count: usize) -> Vec<Received> {
        let began = std::time::Instant::now();
        while self.count() < count {
            assert!(began.elapsed() < PATIENCE, "{} came", self.count());
            actix_web::rt::time::sleep(Duration::from_millis(1)).await;
        }
        self.received()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.shared.gone.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts.
        let _woken = TcpStream::connect(self.address);
    }
}

impl Shared {
    fn talk(&self, stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        if let Some(received) = read(&mut reader) {
            self.received.lock().unwrap().push(received);
            let once = self.answers.lock().unwrap().pop_front();
            let answer = once.unwrap_or_else(|| self.usual.lock().unwrap().clone());
            self.answer(stream, &answer);
        }
    }

    fn answer(&self, mut stream: TcpStream, answer: &Answer) {
        // Who hears it may have gone.
        let _heard = match answer {
            Answer::Status(status) => {
                let text = format!("HTTP/1.1 {status} Said\r\nContent-Length: 5\r\n\r\nheard");
                let none = format!("HTTP/1.1 {status} Said\r\n\r\n");
                let text = if matches!(status, 204 | 304) { none } else { text };
                stream.write_all(text.as_bytes())
            }
            Answer::Raw(text) => stream.write_all(text.as_bytes()),
            Answer::Large(size) => {
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n");
                let block = vec![b'x'; 64 * 1024];
                stream
                    .write_all(head.as_bytes())
                    .and_then(|()| (0..size / block.len() + 1).try_for_each(|_| stream.write_all(&block)))
            }
            Answer::Silence => self.wait(),
            Answer::Stuck => {
                let sent = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
                sent.and_then(|()| self.wait())
            }
            Answer::Cut => Ok(()),
        };
    }

    fn wait(&self) -> std::io::Result<()> {
        while !self.gone.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Received> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut headers = HashMap::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((name, value)) = header.split_once(':') else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    Some(Received {
        line: line.trim().to_owned(),
        headers,
        body: String::from_utf8(body).ok()?,
    })
}
