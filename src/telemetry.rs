//! Log lines and request ids: [`start`] once per process, [`with_request_id`] once per request.
//!
//! On a terminal a line is for people, anywhere else it is one JSON object: `time`, `level`, `target`, `message`,
//! `request_id` and the key-values of the call. Whatever a line carries, it stays one line, cannot steer a terminal, and
//! shows no secret.
//! May import nothing of ours.

mod format;
mod redact;

use std::future::Future;
use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicU64, Ordering};

use log::error;
use time::OffsetDateTime;

use format::Line;

/// actix writes a line at `error` for each request that is no HTTP: strangers could fill the log with them.
const DEFAULT_FILTER: &str = "warn,satchel=info,actix_http::h1=off";

/// Of the process, as the hook is that counts them.
static PANICS: AtomicU64 = AtomicU64::new(0);

tokio::task_local! {
    static REQUEST_ID: String;
}

/// Starts logging to stderr under `filter` (the form of `RUST_LOG`), or our own at `info` and the rest at `warn`.
///
/// Panics become log lines too, and are counted. A second call changes nothing.
pub fn start(filter: Option<&str>) {
    let for_people = std::io::stderr().is_terminal();
    let logger = env_logger::Builder::new()
        .parse_filters(filter.unwrap_or(DEFAULT_FILTER))
        .format(move |out, record| {
            let line = Line::of(record, now(), request_id());
            writeln!(
                out,
                "{}",
                if for_people {
                    line.to_text()
                } else {
                    line.to_json()
                }
            )
        })
        .try_init();
    if logger.is_ok() {
        std::panic::set_hook(Box::new(|panic| {
            PANICS.fetch_add(1, Ordering::Relaxed);
            let place = panic.location().map(ToString::to_string).unwrap_or_default();
            error!(place; "panicked: {}", panic.payload_as_str().unwrap_or("no message"));
        }));
    }
}

/// How often something has panicked, on whatever thread.
pub fn panics() -> u64 {
    PANICS.load(Ordering::Relaxed)
}

/// Runs `work` with `id` on every log line it writes.
pub async fn with_request_id<F: Future>(id: impl Into<String>, work: F) -> F::Output {
    REQUEST_ID.scope(id.into(), work).await
}

/// Runs `work`, on whatever thread this is, with `id` on its log lines; ids do not follow work to other threads.
pub fn within_request<T>(id: Option<String>, work: impl FnOnce() -> T) -> T {
    match id {
        Some(id) => REQUEST_ID.sync_scope(id, work),
        None => work(),
    }
}

/// The id of the request that is being served here, if one is.
pub fn request_id() -> Option<String> {
    REQUEST_ID.try_with(Clone::clone).ok()
}

fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

#[cfg(test)]
mod tests;
