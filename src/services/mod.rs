//! The verbs: everything Satchel does, free of HTTP and of pages.
//!
//! May use `queue`, `db`, `filestack` and the small shared modules. [`Services`] is what they work with; a file is one subject.

pub mod accounts;
pub mod archive;
pub mod audit;
pub mod background;
pub mod claims;
pub mod cursor;
pub mod documents;
pub mod emails;
pub mod events;
pub mod filters;
mod hashing;
pub mod idempotency;
pub mod identity;
pub mod import;
pub mod jobs;
pub mod labels;
pub mod mail;
pub mod meters;
pub mod names;
pub mod oversight;
pub mod passwords;
pub mod people;
pub mod picker;
pub mod processing;
pub mod quotas;
pub mod reconcile;
pub mod removals;
pub mod results;
pub mod scopes;
pub mod sessions;
pub mod sign_in;
pub mod sniff;
pub mod statistics;
pub mod sweep;
pub mod system;
pub mod tagging;
pub mod tokens;
pub mod trash;
pub mod uploads;
pub mod verdicts;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::clock::Clock;
use crate::db::Db;
use crate::error::AppError;
use crate::filestack::{Filestack, FilestackError};
use crate::queue::{Bell, Breaker};
use background::Background;
use events::receive::Intake;
use hashing::Hashing;
use meters::Meters;
use uploads::Budget;

/// What the verbs work with. Clones share it.
#[derive(Clone)]
pub struct Services(Arc<Inner>);

/// The parts of [`Services`].
pub struct Inner {
    /// Rows.
    pub db: Db,
    /// Files.
    pub filestack: Filestack,
    /// Time.
    pub clock: Clock,
    /// Signs what is handed out and must come back unchanged: form tokens, places in lists.
    pub secret_key: [u8; 32],
    /// Largest file taken, bytes.
    pub max_upload_bytes: u64,
    /// Wakes the workers of this process; rung after a job was put into the queue.
    pub bell: Bell,
    /// What background work is told by the configuration.
    pub background: Background,
    /// Keeps the workers of this process from trying in vain while Filestack is down.
    pub breaker: Breaker,
    /// Memory of all uploads in flight.
    pub budget: Budget,
    /// What this process has done.
    pub meters: Meters,
    intake: Intake,
    hashing: Hashing,
    stop: watch::Sender<bool>,
}

impl std::ops::Deref for Services {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Services {
    /// Brings the parts together; `upload_memory_bytes` is what all uploads in flight may hold.
    pub fn new(
        db: Db,
        filestack: Filestack,
        clock: Clock,
        secret_key: [u8; 32],
        max_upload_bytes: u64,
        upload_memory_bytes: u64,
        background: Background,
    ) -> Self {
        Services(Arc::new(Inner {
            db,
            filestack,
            clock,
            secret_key,
            max_upload_bytes,
            bell: Bell::default(),
            background,
            breaker: Breaker::default(),
            budget: Budget::new(memory_for_parts(upload_memory_bytes)),
            meters: Meters::default(),
            intake: Intake::default(),
            hashing: Hashing::new(),
            stop: watch::Sender::new(false),
        }))
    }

    /// Tells everything that is still at work to give up: the drain time is over.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Ends when [`Services::stop`] has been called.
    pub async fn stopped(&self) {
        let mut stop = self.stop.subscribe();
        // An error would mean that the sender is gone, and it lives as long as we do.
        let _ = stop.wait_for(|stopped| *stopped).await;
    }
}

/// How much of the memory for uploads their parts may take. The rest is for what comes with each upload: what the connection and the
/// form's parser hold (about 200 KiB each, also of uploads that wait), and what the allocator cannot give back at once.
fn memory_for_parts(upload_memory_bytes: u64) -> u64 {
    let least = 2 * uploads::LOOKAHEAD as u64;
    (upload_memory_bytes / 8 * 3).max(least.min(upload_memory_bytes))
}

/// What a failure at Filestack means for whoever asked (the log has Filestack's own words).
pub fn upstream(error: FilestackError) -> AppError {
    let (code, detail, retry_after) = match &error {
        FilestackError::RateLimited { retry_after } => (
            "filestack-busy",
            "Filestack asks us to slow down. Nothing was stored; try again in a moment.",
            Some(retry_after.unwrap_or(Duration::from_secs(30))),
        ),
        FilestackError::Unavailable { retry_after, .. } => (
            "filestack-unavailable",
            "Filestack cannot be reached or failed. Nothing was stored; try again in a moment.",
            Some(retry_after.unwrap_or(Duration::from_secs(10))),
        ),
        FilestackError::TooLarge => {
            return AppError::TooLarge(
                "Filestack refused the file as too large. Choose a smaller one.".to_owned(),
            );
        }
        FilestackError::NotFound => (
            "filestack-file-missing",
            "Filestack no longer has this file. Delete the document and upload it again.",
            None,
        ),
        FilestackError::Rejected { .. } => (
            "filestack-refused",
            "Filestack refused the request. Nothing was stored; the administrator should check the API key, the secret \
             and this computer's clock.",
            None,
        ),
        FilestackError::Protocol(_) | FilestackError::Interrupted(_) | FilestackError::Invalid(_) => (
            "filestack-failed",
            "Filestack answered in a way we do not understand. Nothing was stored; try again, and tell the \
             administrator if it stays.",
            None,
        ),
    };
    AppError::Upstream {
        code,
        detail: detail.to_owned(),
        retry_after,
        source: error,
    }
}
