//! Takes webhooks to their endpoints (§7.1). Endpoints are named by whoever runs the emulator, not by its clients, so they
//! may be anywhere; what they answer is bounded, and where they redirect to is not followed.

use std::fs::File;
use std::io;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use reqwest::{Client, Response, redirect};
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

use super::Webhooks;
use super::book::Key;
use super::endpoint::Endpoint;
use super::record::{Attempt, Outcome};
use crate::emulator::fetch::tls;

/// How much of an answer's body is kept, and how long it is waited for once the status is there.
const MAX_ANSWER: usize = 2 * 1024;
const ANSWER_WITHIN: Duration = Duration::from_secs(1);
/// The system's clock may be set while we sleep by it.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// Sends while it runs, and only then.
pub(in crate::emulator) struct Sender {
    webhooks: Webhooks,
    http: Client,
    within: Duration,
    /// Nobody else takes what is on disk for its own meanwhile.
    _lock: Option<File>,
}

impl Sender {
    pub(super) fn new(webhooks: Webhooks, within: Duration, lock: Option<File>) -> io::Result<Self> {
        let http = Client::builder()
            .tls_backend_preconfigured(tls())
            .no_proxy()
            .referer(false)
            .redirect(redirect::Policy::none())
            // A kept connection that the other side closes just then would cost an attempt.
            .pool_max_idle_per_host(0)
            .build()
            .map_err(io::Error::other)?;
        Ok(Self {
            webhooks,
            http,
            within,
            _lock: lock,
        })
    }

    /// Never ends. What is under way when it is dropped is sent again by the next one.
    pub(in crate::emulator) async fn run(self) {
        let mut clock = self.webhooks.clock().watch();
        let mut changed = self.webhooks.watch();
        let mut running = FuturesUnordered::new();
        loop {
            // Before looking, so that what happens while we look is looked at again.
            clock.mark_unchanged();
            changed.mark_unchanged();
            while let Some((key, generation, endpoint)) = self.webhooks.take_due() {
                running.push(self.attempt(key, generation, endpoint));
            }
            let pause = self.webhooks.pause().map(|pause| pause.min(LONGEST_SLEEP));
            tokio::select! {
                _ = clock.changed() => {}
                _ = changed.changed() => {}
                Some(()) = running.next() => {}
                () = sleep(pause.unwrap_or(LONGEST_SLEEP)), if pause.is_some() => {}
            }
        }
    }

    async fn attempt(&self, key: Key, generation: u64, endpoint: Endpoint) {
        let (webhooks, name) = (self.webhooks.clone(), key.clone());
        let begun = spawn_blocking(move || webhooks.begin(&name, generation, &endpoint)).await;
        let outcome = match begun.map_err(io::Error::other) {
            Ok(Ok(Some((attempt, body)))) => Some(self.post(&attempt, body).await),
            Ok(Ok(None)) => None,
            Ok(Err(error)) | Err(error) => {
                log::error!("emulator: webhook {key} cannot be read or written: {error}");
                None
            }
        };
        let webhooks = self.webhooks.clone();
        let ended = spawn_blocking(move || webhooks.end(&key, generation, outcome)).await;
        if let Err(error) = ended {
            log::error!("emulator: a webhook's attempt could not be written down: {error}");
        }
    }

    async fn post(&self, attempt: &Attempt, body: String) -> Outcome {
        let began = Instant::now();
        let mut request = self.http.post(&attempt.url).timeout(self.within).body(body);
        for (name, value) in &attempt.headers {
            request = request.header(name, value);
        }
        let mut outcome = Outcome {
            status: None,
            answer: None,
            error: None,
            took_ms: 0,
        };
        match request.send().await {
            Ok(reply) => {
                outcome.status = Some(reply.status().as_u16());
                outcome.answer = Some(beginning(reply).await);
            }
            Err(error) => outcome.error = Some(self.sentence(&error)),
        }
        outcome.took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        outcome
    }

    fn sentence(&self, error: &reqwest::Error) -> String {
        if error.is_timeout() {
            format!("No answer within {} s", self.within.as_secs_f64())
        } else if error.is_connect() {
            "No connection could be made".into()
        } else {
            "The connection broke off before an answer".into()
        }
    }
}

/// As much of a body as is kept; what does not come in time is left.
async fn beginning(mut reply: Response) -> String {
    let mut bytes = Vec::new();
    let read = async {
        while bytes.len() < MAX_ANSWER {
            match reply.chunk().await {
                Ok(Some(chunk)) => {
                    bytes.extend_from_slice(&chunk[..chunk.len().min(MAX_ANSWER - bytes.len())])
                }
                _ => break,
            }
        }
    };
    let _in_time = timeout(ANSWER_WITHIN, read).await;
    String::from_utf8_lossy(&bytes).into_owned()
}
