//! A server that keeps what it was sent and answers as the test says; [`honest`] answers as Filestack would.

use std::collections::HashMap;
use std::future::pending;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use url::Url;

/// One request as it arrived.
#[derive(Clone, Debug)]
pub struct Seen {
    pub method: String,
    pub path: String,
    pub query: HashMap<String, String>,
    pub headers: HashMap<String, String>,
    pub body: Bytes,
    /// Whether the body came to its proper end.
    pub whole: bool,
    /// How many requests with this method and path came before.
    pub earlier: usize,
}

impl Seen {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

/// What to answer.
pub enum Reply {
    Json(u16, Value),
    Text(u16, &'static str),
    With(u16, Vec<(&'static str, String)>),
    /// Headers, and then the connection breaks.
    Broken,
    /// Nothing, ever.
    Silence,
}

type Answer = dyn Fn(&Seen, &str) -> Reply + Send + Sync;

struct Shared {
    base: String,
    seen: Mutex<Vec<Seen>>,
    answer: Box<Answer>,
}

/// A running server; it stops when dropped.
pub struct Fake {
    pub url: Url,
    shared: Arc<Shared>,
    handle: ServerHandle,
}

impl Fake {
    /// Starts a server; `answer` gets the request and the server's own address.
    pub fn start(answer: impl Fn(&Seen, &str) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            base: base.clone(),
            seen: Mutex::default(),
            answer: Box::new(answer),
        });
        let data = web::Data::from(Arc::clone(&shared));
        let server = HttpServer::new(move || {
            App::new()
                .app_data(data.clone())
                .default_service(web::route().to(respond))
        })
        .workers(1)
        .disable_signals()
        .listen(listener)
        .unwrap()
        .run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        Self {
            url: Url::parse(&base).unwrap(),
            shared,
            handle,
        }
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().unwrap().clone()
    }

    /// All requests with this method and path.
    pub fn calls(&self, method: &str, path: &str) -> Vec<Seen> {
        self.seen()
            .into_iter()
            .filter(|seen| seen.method == method && seen.path == path)
            .collect()
    }

    /// Whether any body looks finished, once what is still on its way has had time to arrive.
    pub async fn took_any_body_for_whole(&self) -> bool {
        for _ in 0..20 {
            if !self.seen().is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        self.seen().iter().any(|seen| seen.whole)
    }

    pub fn completes(&self) -> usize {
        self.calls("POST", "/multipart/complete").len()
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

async fn respond(request: HttpRequest, mut body: web::Payload, shared: web::Data<Shared>) -> HttpResponse {
    let mut bytes = BytesMut::new();
    let mut whole = true;
    while let Some(chunk) = body.next().await {
        match chunk {
            Ok(chunk) => bytes.extend_from_slice(&chunk),
            Err(_) => {
                whole = false;
                break;
            }
        }
    }
    let headers = request.headers().iter();
    let query = url::form_urlencoded::parse(request.query_string().as_bytes())
        .into_owned()
        .collect();
    let mut seen = Seen {
        method: request.method().to_string(),
        path: request.uri().path().to_owned(),
        query,
        headers: headers
            .map(|(n, v)| (n.to_string(), v.to_str().unwrap().to_owned()))
            .collect(),
        body: bytes.freeze(),
        whole,
        earlier: 0,
    };
    {
        let mut all = shared.seen.lock().unwrap();
        seen.earlier = all
            .iter()
            .filter(|s| s.method == seen.method && s.path == seen.path)
            .count();
        all.push(seen.clone());
    }
    match (shared.answer)(&seen, &shared.base) {
        Reply::Json(status, json) => HttpResponse::build(StatusCode::from_u16(status).unwrap()).json(json),
        Reply::Text(status, text) => HttpResponse::build(StatusCode::from_u16(status).unwrap()).body(text),
        Reply::With(status, headers) => {
            let mut response = HttpResponse::build(StatusCode::from_u16(status).unwrap());
            for header in headers {
                response.insert_header(header);
            }
            response.finish()
        }
        Reply::Broken => {
            HttpResponse::Ok().streaming(stream::iter([Ok(Bytes::from("{")), Err(io::Error::other("cut"))]))
        }
        Reply::Silence => pending().await,
    }
}

pub const HANDLE: &str = "AbCdEfGhIjKlMnOpQrSt";

/// What a Filestack that works would say.
pub fn honest(seen: &Seen, base: &str) -> Reply {
    let order = seen.json();
    let file_url = format!("https://cdn.example.org/{HANDLE}");
    match (seen.method.as_str(), seen.path.as_str()) {
        ("POST", "/multipart/start") => Reply::Json(
            200,
            json!({"uri": "/u/1", "region": "eu-west-1", "upload_id": "up-1", "location_region": "eu",
                   "location_url": base.trim_start_matches("http://"), "surprise": [1]}),
        ),
        ("POST", "/multipart/upload") => Reply::Json(
            200,
            json!({"url": format!("{base}/storage/{}/{}?partNumber=1", order["part"], order["offset"]),
                   "headers": {"Content-Md5": order["md5"], "x-amz-date": "D"}}),
        ),
        ("PUT", path) => Reply::With(
            200,
            vec![("ETag", format!("\"tag-of-{}\"", path.replace('/', "-")))],
        ),
        ("POST", "/multipart/commit") => Reply::Text(200, ""),
        ("POST", "/multipart/complete") => Reply::Json(
            200,
            json!({"handle": HANDLE, "url": file_url, "filename": order["filename"], "mimetype": order["mimetype"],
                   "size": order["size"], "status": "Stored", "key": "k", "container": "c"}),
        ),
        ("POST", "/api/store/S3") => Reply::Json(
            200,
            json!({"url": file_url, "size": seen.body.len(), "type": "text/plain", "filename": "n", "key": "k"}),
        ),
        ("POST", "/process") => Reply::Json(
            200,
            json!({"handle": HANDLE, "url": file_url, "size": 7, "type": "a/b"}),
        ),
        ("DELETE", _) => Reply::Text(200, "success"),
        ("GET", path) if path.ends_with("/metadata") => {
            Reply::Json(200, json!({"size": 7, "mimetype": "a/b"}))
        }
        ("POST", path) if path.starts_with("/api/file/") => Reply::Json(
            200,
            json!({"url": file_url, "mimetype": "a/b", "isWriteable": true, "size": 7, "filename": "n"}),
        ),
        _ => Reply::Text(404, "no route"),
    }
}

/// Storage whose first connections break after the beginning of a request; later ones are served. Gives its address.
pub fn storage_that_cuts(times: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for (n, connection) in listener.incoming().enumerate() {
            let mut connection = BufReader::new(connection.unwrap());
            let mut length = 0;
            for line in connection
                .by_ref()
                .lines()
                .map(Result::unwrap)
                .take_while(|line| !line.is_empty())
            {
                if let Some(value) = line.to_lowercase().strip_prefix("content-length: ") {
                    length = value.parse().unwrap();
                }
            }
            if n >= times {
                io::copy(&mut connection.by_ref().take(length), &mut io::sink()).unwrap();
                let answer =
                    "HTTP/1.1 200 OK\r\nETag: \"whole\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
                connection.get_mut().write_all(answer.as_bytes()).unwrap();
            }
        }
    });
    address
}

/// A server that takes connections and never reads. Gives its address.
pub fn server_that_never_reads() -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    thread::spawn(move || listener.incoming().collect::<Vec<_>>());
    address
}
