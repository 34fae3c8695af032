//! Bodies no faster than told, a failure on demand.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use bytes::Bytes;
use tokio::time::{Sleep, sleep};

/// Pieces of a slow reply in each second.
const PIECES: u64 = 50;

/// How fast bytes may move.
pub(super) struct Pace {
    bytes_per_second: u64,
    wait: Option<Pin<Box<Sleep>>>,
}

impl Pace {
    pub(super) fn new(bytes_per_second: u64) -> Self {
        Self {
            bytes_per_second: bytes_per_second.max(1),
            wait: None,
        }
    }

    /// Waits for what was spent.
    pub(super) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(wait) = &mut self.wait {
            ready!(wait.as_mut().poll(cx));
            self.wait = None;
        }
        Poll::Ready(())
    }

    /// Bytes went by.
    pub(super) fn spent(&mut self, bytes: usize) {
        let micros = (bytes as u64).saturating_mul(1_000_000) / self.bytes_per_second;
        self.wait = Some(Box::pin(sleep(Duration::from_micros(micros))));
    }

    fn piece(&self) -> usize {
        usize::try_from(self.bytes_per_second / PIECES)
            .unwrap_or(usize::MAX)
            .max(1)
    }
}

/// A reply's body, slowly.
pub(super) struct Slow {
    body: Pin<Box<BoxBody>>,
    rest: Bytes,
    pace: Pace,
    /// The wait for the next piece has begun.
    is_paid: bool,
}

impl Slow {
    pub(super) fn new(body: BoxBody, pace: Pace) -> Self {
        Self {
            body: Box::pin(body),
            rest: Bytes::new(),
            pace,
            is_paid: false,
        }
    }
}

impl MessageBody for Slow {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        while self.rest.is_empty() {
            match ready!(self.body.as_mut().poll_next(cx)) {
                Some(Ok(bytes)) => self.rest = bytes,
                end => return Poll::Ready(end),
            }
        }
        // First the time, then the piece: also a single one is slow.
        let length = self.rest.len().min(self.pace.piece());
        if !self.is_paid {
            self.pace.spent(length);
            self.is_paid = true;
        }
        ready!(self.pace.poll_ready(cx));
        self.is_paid = false;
        Poll::Ready(Some(Ok(self.rest.split_to(length))))
    }
}
