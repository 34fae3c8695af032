//! What this process has done since its start, counted for whoever watches it: `/metrics` shows it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use bytes::Bytes;

use crate::error::AppError;
use crate::services::uploads::Source;

/// Counters. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Meters(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    uploads_in_flight: AtomicI64,
    uploads_begun: AtomicU64,
    upload_bytes: AtomicU64,
}

/// An upload that is under way for as long as this lives.
#[derive(Debug)]
pub struct AtWork(Arc<Counts>);

impl Meters {
    /// An upload begins.
    pub fn upload(&self) -> AtWork {
        self.0.uploads_in_flight.fetch_add(1, Ordering::Relaxed);
        self.0.uploads_begun.fetch_add(1, Ordering::Relaxed);
        AtWork(Arc::clone(&self.0))
    }

    /// Counts what is read of a source.
    pub fn count<'a, S>(&self, source: &'a mut S) -> Counted<'a, S> {
        Counted {
            source,
            counts: Arc::clone(&self.0),
        }
    }

    /// Uploads that are under way now.
    pub fn uploads_in_flight(&self) -> i64 {
        self.0.uploads_in_flight.load(Ordering::Relaxed)
    }

    /// Uploads that have begun.
    pub fn uploads_begun(&self) -> u64 {
        self.0.uploads_begun.load(Ordering::Relaxed)
    }

    /// Bytes of files that were read, also of uploads that failed.
    pub fn upload_bytes(&self) -> u64 {
        self.0.upload_bytes.load(Ordering::Relaxed)
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        self.0.uploads_in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A source whose bytes are counted.
#[derive(Debug)]
pub struct Counted<'a, S> {
    source: &'a mut S,
    counts: Arc<Counts>,
}

impl<S: Source> Source for Counted<'_, S> {
    async fn chunk(&mut self) -> Result<Option<Bytes>, AppError> {
        let chunk = self.source.chunk().await?;
        let bytes = chunk.as_ref().map_or(0, Bytes::len) as u64;
        self.counts.upload_bytes.fetch_add(bytes, Ordering::Relaxed);
        Ok(chunk)
    }
}
