//! A server of a few fixed pages, on an origin of its own.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

/// Path, type and content.
pub type Page = (&'static str, &'static str, Vec<u8>);

/// It serves until it is dropped.
pub struct Pages {
    /// `http://127.0.0.1:PORT`.
    pub base: String,
    address: SocketAddr,
    ended: Arc<AtomicBool>,
    serving: Option<JoinHandle<()>>,
}

impl Pages {
    pub fn start(pages: Vec<Page>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("it has an address");
        let ended = Arc::new(AtomicBool::new(false));
        let over = ended.clone();
        let serving = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if over.load(Ordering::Relaxed) {
                    return;
                }
                // A browser that opens a connection and thinks better of it is no failure.
                let _ = stream.and_then(|stream| answer(stream, &pages));
            }
        });
        Self {
            base: format!("http://{address}"),
            address,
            ended,
            serving: Some(serving),
        }
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        // It looks when somebody connects.
        let _ = TcpStream::connect(self.address);
        if let Some(serving) = self.serving.take() {
            let _ = serving.join();
        }
    }
}

fn answer(mut stream: TcpStream, pages: &[Page]) -> std::io::Result<()> {
    stream.set_read_timeout(Some(std::time::Duration::from_secs(5)))?;
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let path = first.split(' ').nth(1).unwrap_or_default();
    let (status, kind, content) = match pages.iter().find(|(known, ..)| *known == path) {
        Some((_, kind, content)) => ("200 OK", *kind, &content[..]),
        None => ("404 Not Found", "text/plain", &b"no such page"[..]),
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        content.len()
    )?;
    stream.write_all(content)
}
