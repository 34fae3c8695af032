//! A few of the refused deliveries, kept for whoever has to find out why they are refused (W19).
//!
//! A flood must not turn into writes: at most one is kept every few seconds, by a task of its own, after the answer. How many there were
//! in between is in its row.

use std::borrow::Cow;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use actix_web::HttpRequest;
use bytes::Bytes;

use crate::db::models::events::deliveries::NewRejection;
use crate::services::events::receive::keep_rejection;
use crate::web::AppState;
use crate::web::extract::ClientAddress;

/// Between two that are kept.
const PAUSE: Duration = Duration::from_secs(5);
/// Bytes of a body that are kept.
const BODY_BYTES: usize = 2_048;
/// Characters of a header's value, and headers, that are kept.
const VALUE_CHARS: usize = 300;
const MOST_HEADERS: usize = 40;
/// Not for anybody's eyes, even here.
const SECRET_HEADERS: [&str; 3] = ["cookie", "authorization", "proxy-authorization"];

/// Decides which refused deliveries are kept.
pub struct Sampler {
    /// When one was kept last, microseconds.
    last: AtomicI64,
    /// Refused since then.
    skipped: AtomicU64,
}

impl Default for Sampler {
    fn default() -> Self {
        Sampler {
            last: AtomicI64::new(i64::MIN / 2),
            skipped: AtomicU64::new(0),
        }
    }
}

impl Sampler {
    /// Keeps a refused delivery, unless one was kept a moment ago.
    pub(super) fn take(&self, state: &AppState, request: &HttpRequest, reason: &str, body: &Bytes) {
        let now = state.services.clock.now();
        let last = self.last.load(Ordering::Relaxed);
        let is_soon = now.micros().saturating_sub(last) < PAUSE.as_micros() as i64;
        let is_mine = !is_soon
            && self
                .last
                .compare_exchange(last, now.micros(), Ordering::Relaxed, Ordering::Relaxed)
                .is_ok();
        if !is_mine {
            self.skipped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let skipped = self.skipped.swap(0, Ordering::Relaxed);
        let reason = match skipped {
            0 => reason.to_owned(),
            count => format!("{reason} ({count} more were refused since the one before)"),
        };
        log::warn!(event = "webhook-refused", refused = skipped + 1; "webhooks are refused: {reason}");
        let rejection = NewRejection {
            received_at: now,
            reason,
            ip: ClientAddress::of(request).0,
            headers: headers_of(request),
            body: body.slice(..body.len().min(BODY_BYTES)).to_vec(),
            body_bytes: body.len() as i64,
        };
        let services = state.services.clone();
        actix_web::rt::spawn(async move {
            if let Err(error) = keep_rejection(&services, rejection).await {
                log::debug!(event = "rejection-not-kept"; "a refused webhook could not be kept: {error}");
            }
        });
    }
}

/// The headers as a JSON list of names and values, without what is secret. The signature stays: it is worth nothing without its body
/// and time, and everything to whoever compares secrets.
pub(super) fn headers_of(request: &HttpRequest) -> String {
    let headers: Vec<(&str, Cow<'_, str>)> = request
        .headers()
        .iter()
        .take(MOST_HEADERS)
        .map(|(name, value)| (name.as_str(), shown(name.as_str(), value.as_bytes())))
        .collect();
    // Names and values have no form that JSON could not say.
    serde_json::to_string(&headers).unwrap_or_default()
}

fn shown<'a>(name: &str, value: &'a [u8]) -> Cow<'a, str> {
    if SECRET_HEADERS.contains(&name) {
        return "[hidden]".into();
    }
    let text = String::from_utf8_lossy(value);
    if text.len() <= VALUE_CHARS && !text.contains('\0') {
        return text;
    }
    text.chars()
        .filter(|c| *c != '\0')
        .take(VALUE_CHARS)
        .collect::<String>()
        .into()
}
