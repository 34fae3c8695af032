//! Bodies of unknown length, sent while they come in.
//!
//! Two things must never happen: a body that breaks off must not look finished, and a server that stops reading must not
//! hold the caller for ever. A caller that is slow itself is its own business, so only silence of the server counts.

use std::error::Error;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt};
use reqwest::{Body, RequestBuilder, Response};
use tokio::time::Instant;

use super::error::FilestackError;
use super::options::Options;
use super::reply;

type BoxError = Box<dyn Error + Send + Sync>;

/// What the sending side and the watching side know in common.
struct Flow {
    /// Since when the server is to act; `None` while the source is.
    server_silent_since: Option<Instant>,
    sent: u64,
    ended: bool,
    failure: Option<BoxError>,
}

#[derive(Clone)]
struct Shared(Arc<Mutex<Flow>>);

impl Shared {
    fn with<T>(&self, change: impl FnOnce(&mut Flow) -> T) -> T {
        // A panic while it was held leaves plain values behind, which are still good.
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Sends `source` as the body of `request`. Gives the answer, whose status is a success, and the number of bytes sent.
pub(super) async fn send_streamed<S, E>(
    options: &Options,
    request: RequestBuilder,
    source: S,
) -> Result<(Response, u64), FilestackError>
where
    S: Stream<Item = Result<Bytes, E>> + Send + 'static,
    E: Into<BoxError>,
{
    let shared = Shared(Arc::new(Mutex::new(Flow {
        server_silent_since: Some(Instant::now()),
        sent: 0,
        ended: false,
        failure: None,
    })));
    let request = request.body(watched(source, shared.clone()));
    let outcome = tokio::select! {
        outcome = reply::send(request) => outcome,
        () = server_silent(&shared, options) => {
            Err(FilestackError::unavailable("the server stopped taking the body or did not answer in time"))
        }
    };
    let (sent, ended, failure) = shared.with(|flow| (flow.sent, flow.ended, flow.failure.take()));
    if let Some(failure) = failure {
        return Err(FilestackError::Interrupted(failure));
    }
    let response = outcome?;
    if !ended {
        return Err(FilestackError::protocol(
            "success was reported before the whole body was sent",
        ));
    }
    Ok((response, sent))
}

fn watched<S, E>(source: S, shared: Shared) -> Body
where
    S: Stream<Item = Result<Bytes, E>> + Send + 'static,
    E: Into<BoxError>,
{
    let mut source = Box::pin(source.fuse());
    Body::wrap_stream(stream::poll_fn(move |context| {
        shared.with(|flow| flow.server_silent_since = None);
        let Poll::Ready(item) = source.as_mut().poll_next(context) else {
            return Poll::Pending;
        };
        shared.with(|flow| {
            flow.server_silent_since = Some(Instant::now());
            Poll::Ready(match item {
                Some(Ok(bytes)) => {
                    flow.sent += bytes.len() as u64;
                    Some(Ok(bytes))
                }
                Some(Err(error)) => {
                    flow.failure = Some(error.into());
                    // An error, not an end: the connection is cut, and the server sees an incomplete request.
                    Some(Err(io::Error::other("the source broke off")))
                }
                None => {
                    flow.ended = true;
                    None
                }
            })
        })
    }))
}

/// Returns once the server has been silent for longer than it may be.
async fn server_silent(shared: &Shared, options: &Options) {
    loop {
        let (since, ended) = shared.with(|flow| (flow.server_silent_since, flow.ended));
        let allowed: Duration = if ended {
            options.complete_timeout
        } else {
            options.response_timeout
        };
        let deadline = since.unwrap_or_else(Instant::now) + allowed;
        if since.is_some() && deadline <= Instant::now() {
            return;
        }
        tokio::time::sleep_until(deadline).await;
    }
}

/// Reads the reply to a streamed body, which has no time limit of its own, within the usual one.
pub(super) async fn in_time<T>(
    options: &Options,
    reading: impl Future<Output = Result<T, FilestackError>>,
) -> Result<T, FilestackError> {
    tokio::time::timeout(options.response_timeout, reading)
        .await
        .unwrap_or_else(|_| Err(FilestackError::unavailable("the answer did not arrive in time")))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn given_up(server_silent_since: Option<Instant>) -> bool {
        let brief = Options {
            response_timeout: Duration::from_millis(1),
            ..Options::default()
        };
        let flow = Flow {
            server_silent_since,
            sent: 0,
            ended: false,
            failure: None,
        };
        let shared = Shared(Arc::new(Mutex::new(flow)));
        tokio::time::timeout(Duration::from_millis(8), server_silent(&shared, &brief))
            .await
            .is_ok()
    }

    #[actix_web::test]
    async fn only_silence_of_the_server_counts() {
        assert!(!given_up(None).await, "the source may take its time");
        assert!(given_up(Some(Instant::now() - Duration::from_millis(2))).await);
    }
}
