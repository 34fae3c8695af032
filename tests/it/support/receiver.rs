//! A receiver of webhooks that is not ours: it keeps what comes, byte for byte, and answers 200 or nothing.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// Longer than anything takes on a busy machine; a test that hangs fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// A webhook as it came.
#[derive(Clone, Debug)]
pub struct Hook {
    /// Headers, their names in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Hook {
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("a webhook is JSON")
    }

    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        &self.headers[name]
    }
}

/// A server on a port of its own, until the test program ends.
pub struct Receiver {
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    heard: Mutex<Heard>,
    changed: Condvar,
}

#[derive(Default)]
struct Heard {
    hooks: Vec<Hook>,
    silent: bool,
    /// Connections that get no answer, kept open.
    unanswered: Vec<TcpStream>,
}

impl Receiver {
    pub fn new() -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = socket.local_addr().expect("it is bound");
        let shared = Arc::new(Shared::default());
        let serving = shared.clone();
        std::thread::spawn(move || {
            for connection in socket.incoming().flatten() {
                let shared = serving.clone();
                std::thread::spawn(move || shared.hear(connection));
            }
        });
        Self { address, shared }
    }

    pub fn url(&self) -> String {
        format!("http://{}/hooks", self.address)
    }

    /// Whether it keeps its answers to itself from now on.
    pub fn be_silent(&self, silent: bool) {
        self.shared.heard.lock().expect("nobody panics here").silent = silent;
    }

    /// Waits until so many webhooks came; all that did.
    #[track_caller]
    pub fn wait_for(&self, count: usize) -> Vec<Hook> {
        let heard = self.shared.heard.lock().expect("nobody panics here");
        let (heard, late) = self
            .shared
            .changed
            .wait_timeout_while(heard, PATIENCE, |heard| heard.hooks.len() < count)
            .expect("nobody panics here");
        assert!(!late.timed_out(), "only {} webhooks came", heard.hooks.len());
        heard.hooks.clone()
    }
}

impl Shared {
    fn hear(&self, mut stream: TcpStream) {
        let Some(hook) = read(&stream) else { return };
        let mut heard = self.heard.lock().expect("nobody panics here");
        heard.hooks.push(hook);
        if heard.silent {
            heard.unanswered.push(stream);
        } else {
            // Who asked may have gone.
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
        self.changed.notify_all();
    }
}

fn read(stream: &TcpStream) -> Option<Hook> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut headers = BTreeMap::new();
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
    Some(Hook { headers, body })
}
