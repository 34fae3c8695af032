//! The emulator over real sockets, signed for by hand: nothing of the client is used here.

mod console;
mod console_guard;
mod console_workflows;
mod delivery;
mod faults;
mod files;
mod film;
mod forms;
mod from_urls;
mod guarded;
mod hostile;
mod intelligence;
mod jobs;
mod refusals;
mod restart;
mod scripts;
mod several;
mod slots;
mod uploads;
mod webhooks;
mod workflows;
mod wrong_uploads;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use actix_web::dev::ServerHandle;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};
use reqwest::{Client, Response};
use serde_json::{Value, json};
use sha2::Sha256;
use tempfile::TempDir;
use tokio::task::spawn_blocking;

use super::{App, Config, Controls, serve};

/// The time at every emulator in these tests.
pub(super) const NOW: u64 = 1_800_000_000;

/// A running emulator and a client for it.
pub(super) struct Bench {
    pub base: String,
    pub http: Client,
    pub controls: Controls,
    pub app: App,
    pub dir: Arc<TempDir>,
    server: ServerHandle,
}

impl Bench {
    pub async fn secured() -> Self {
        Self::start("AKeyz:SECRET", Arc::new(TempDir::new().unwrap()), |_| {})
    }

    pub async fn open() -> Self {
        Self::start("AKeyz:SECRET:open", Arc::new(TempDir::new().unwrap()), |_| {})
    }

    pub fn start(app: &str, dir: Arc<TempDir>, change: impl FnOnce(&mut Config)) -> Self {
        let app = App::parse(app).unwrap();
        let mut config = Config::new(dir.path(), vec![app.clone(), App::parse("BKeyz:OTHER").unwrap()]);
        change(&mut config);
        let emulator = serve(config, TcpListener::bind("127.0.0.1:0").unwrap(), 2).unwrap();
        let (server, controls) = (emulator.handle(), emulator.controls.clone());
        controls.clock().freeze(UNIX_EPOCH + Duration::from_secs(NOW));
        let base = format!("http://{}", emulator.addr);
        actix_web::rt::spawn(emulator.server);
        Self {
            base,
            http: client(),
            controls,
            app,
            dir,
            server,
        }
    }

    /// Stops it at once and starts another one on its directory.
    pub async fn restarted(self) -> Self {
        self.server.stop(false).await;
        let open = if self.app.secured { "" } else { ":open" };
        Self::start(
            &format!("{}:{}{open}", self.app.key, self.app.secret),
            self.dir.clone(),
            |_| {},
        )
    }

    pub async fn stop(self) {
        self.server.stop(false).await;
    }

    /// A policy good for an hour, as `policy=…&signature=…`.
    pub fn query(&self, policy: Value) -> String {
        let (policy, signature) = self.sign(policy);
        let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        format!("policy={}&signature={signature}", encode(&policy))
    }

    pub fn sign(&self, mut policy: Value) -> (String, String) {
        if policy.get("expiry").is_none() {
            policy["expiry"] = (NOW + 3600).into();
        }
        let text = URL_SAFE.encode(policy.to_string());
        let signature = signature(&self.app.secret, &text);
        (text, signature)
    }

    /// A call's JSON body with a policy in it.
    pub fn with_policy(&self, mut body: Value, policy: Value) -> Value {
        let (policy, signature) = self.sign(policy);
        body["policy"] = policy.into();
        body["signature"] = signature.into();
        body
    }

    pub async fn get(&self, path: &str) -> Response {
        self.http
            .get(format!("{}/{path}", self.base))
            .send()
            .await
            .unwrap()
    }

    pub async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let reply = self
            .http
            .post(format!("{}/{path}", self.base))
            .json(body)
            .send()
            .await
            .unwrap();
        let status = reply.status().as_u16();
        let text = reply.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    /// Puts a file into the store without the protocol.
    pub fn keep(&self, bytes: &[u8], filename: &str, mimetype: &str) -> String {
        self.controls
            .store()
            .put(bytes, filename, mimetype, None)
            .unwrap()
    }

    /// Begins an upload and returns the fields every later call has.
    pub async fn begin(&self, start: Value) -> Value {
        let (status, reply) = self.post("multipart/start", &start).await;
        assert_eq!(status, 200, "{reply}");
        self.resume(&start, &reply)
    }

    pub fn resume(&self, start: &Value, reply: &Value) -> Value {
        let mut call = start.clone();
        for field in ["uri", "region", "upload_id"] {
            call[field] = reply[field].clone();
        }
        call
    }

    /// Sends one part and returns its ETag.
    pub async fn part(&self, call: &Value, part: u64, bytes: &[u8]) -> String {
        let reply = self.put_part(call, json!({ "part": part }), bytes).await;
        assert_eq!(reply.status(), 200);
        reply.headers()["etag"].to_str().unwrap().to_owned()
    }

    /// Asks for a part's URL and puts bytes there.
    pub async fn put_part(&self, call: &Value, more: Value, bytes: &[u8]) -> Response {
        let (status, ticket) = self.ask_part(call, more, bytes).await;
        assert_eq!(status, 200, "{ticket}");
        self.put(&ticket, bytes.to_vec()).await.unwrap()
    }

    pub async fn ask_part(&self, call: &Value, more: Value, bytes: &[u8]) -> (u16, Value) {
        let mut call = call.clone();
        call["size"] = bytes.len().into();
        call["md5"] = STANDARD.encode(Md5::digest(bytes)).into();
        for (name, value) in more.as_object().unwrap() {
            call[name] = value.clone();
        }
        self.post("multipart/upload", &call).await
    }

    pub async fn put(&self, ticket: &Value, bytes: Vec<u8>) -> reqwest::Result<Response> {
        let mut put = self.http.put(ticket["url"].as_str().unwrap()).body(bytes);
        for (name, value) in ticket["headers"].as_object().unwrap() {
            put = put.header(name, value.as_str().unwrap());
        }
        put.send().await
    }

    /// Scratch places are removed when the write under way has ended, which may be just after the reply.
    pub async fn assert_nothing_half_done(&self) {
        let left = || std::fs::read_dir(self.dir.path().join("tmp")).unwrap().count();
        for _ in 0..2000 {
            if left() == 0 {
                return;
            }
            actix_web::rt::time::sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(left(), 0);
    }

    /// Sends text as it is and returns everything that comes back.
    pub async fn raw(&self, request: String) -> String {
        let address = self.base.strip_prefix("http://").unwrap().to_owned();
        let talk = move || {
            let mut socket = TcpStream::connect(address).unwrap();
            socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            socket.write_all(request.as_bytes()).unwrap();
            socket.shutdown(std::net::Shutdown::Write).unwrap();
            let mut reply = Vec::new();
            let _reset_counts_as_end = socket.read_to_end(&mut reply);
            String::from_utf8_lossy(&reply).into_owned()
        };
        spawn_blocking(talk).await.unwrap()
    }
}

/// The `parts` of a complete call.
pub(super) fn parts(etags: &[(u64, &str)]) -> Value {
    etags
        .iter()
        .map(|(part, etag)| json!({ "part_number": part, "etag": etag }))
        .collect()
}

pub(super) fn start_call(size: usize) -> Value {
    json!({
        "apikey": "AKeyz", "filename": "cat.png", "mimetype": "image/png", "size": size,
        "store": { "location": "s3" },
    })
}

/// Bytes that repeat nowhere near.
pub(super) fn noise(length: usize) -> Vec<u8> {
    (0..length as u64)
        .map(|at| (at.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8)
        .collect()
}

/// §2.2, once more and by itself.
pub(super) fn signature(secret: &str, text: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    mac.finalize()
        .into_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// A client that needs no certificates.
fn client() -> Client {
    let tls = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    Client::builder().tls_backend_preconfigured(tls).build().unwrap()
}
