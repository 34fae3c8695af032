//! Request bodies as the middleware sees them: counted while the handler reads, and read to the end when it did not.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use tokio::time::timeout;

use super::pace::Pace;
use crate::emulator::controls::curl::{Body, MAX_BODY};

/// What is still read of a body that nobody wanted. A client that is cut off while it sends may never see the reply.
const DRAIN_BYTES: u64 = 16 << 20;
const DRAIN_TIME: Duration = Duration::from_secs(5);

/// A shared view of a request's body.
#[derive(Clone)]
pub(super) struct Tap(Rc<RefCell<Inner>>);

struct Inner {
    payload: Payload,
    read: u64,
    /// The first bytes, for the log.
    kept: Vec<u8>,
    pace: Option<Pace>,
    ended: bool,
}

impl Tap {
    pub(super) fn new(payload: Payload) -> Self {
        Self(Rc::new(RefCell::new(Inner {
            payload,
            read: 0,
            kept: Vec::new(),
            pace: None,
            ended: false,
        })))
    }

    pub(super) fn payload(&self) -> Payload {
        Payload::Stream {
            payload: Box::pin(self.clone()),
        }
    }

    /// Bytes read so far.
    pub(super) fn read(&self) -> u64 {
        self.0.borrow().read
    }

    /// Reads no faster than this from now on.
    pub(super) fn slow_down(&self, pace: Pace) {
        self.0.borrow_mut().pace = Some(pace);
    }

    /// What was read so far, as far as it is kept.
    pub(super) fn seen<T>(&self, use_it: impl FnOnce(Body<'_>) -> T) -> T {
        let inner = self.0.borrow();
        let body = match inner.read {
            0 => Body::None,
            read if read > inner.kept.len() as u64 => Body::Long,
            _ => Body::Kept(&inner.kept),
        };
        use_it(body)
    }

    /// Reads up to so many bytes; ends early with the body.
    pub(super) async fn skip(&mut self, bytes: u64) {
        while self.read() < bytes && matches!(self.next().await, Some(Ok(_))) {}
    }

    /// Reads what is left, within reason.
    pub(super) async fn drain(&mut self) {
        let most = self.read().saturating_add(DRAIN_BYTES);
        // Too much or too slow: the connection is closed with the reply, which is all that can be done.
        let _in_time = timeout(DRAIN_TIME, self.skip(most)).await;
    }
}

impl Inner {
    fn note(&mut self, bytes: &Bytes) {
        self.read += bytes.len() as u64;
        let room = MAX_BODY.saturating_sub(self.kept.len());
        self.kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
        if let Some(pace) = &mut self.pace {
            pace.spent(bytes.len());
        }
    }
}

impl Stream for Tap {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut inner = self.0.borrow_mut();
        if inner.ended {
            return Poll::Ready(None);
        }
        if let Some(pace) = &mut inner.pace {
            ready!(pace.poll_ready(cx));
        }
        let next = Pin::new(&mut inner.payload).poll_next(cx);
        match &next {
            Poll::Ready(Some(Ok(bytes))) => inner.note(bytes),
            Poll::Ready(_) => inner.ended = true,
            Poll::Pending => {}
        }
        next
    }
}
