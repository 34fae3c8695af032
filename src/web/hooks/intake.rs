//! Reading a webhook's body: small, soon, and all of them together within a fixed memory (W10).

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::CONTENT_LENGTH;
use actix_web::{HttpRequest, web};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use crate::error::AppError;

/// The largest body taken. Filestack's have a few kilobytes; a workflow with recognised text has more.
const MOST_BYTES: usize = 1_024 * 1_024;
/// Memory of all bodies that are being read, and of those that wait to be recorded.
const ALL_BYTES: usize = 64 * 1_024 * 1_024;
/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(10);

/// The memory that bodies share. Clones share it too.
#[derive(Clone)]
pub struct Budget(Arc<Semaphore>);

impl Default for Budget {
    fn default() -> Self {
        Budget(Arc::new(Semaphore::new(ALL_BYTES)))
    }
}

/// What a body takes of the memory, given back when this is dropped.
#[derive(Debug)]
pub struct Held(#[expect(dead_code, reason = "it is there to be dropped")] Option<OwnedSemaphorePermit>);

/// Refuses what says by itself that it is too large.
pub(super) fn check_length(request: &HttpRequest) -> Result<(), AppError> {
    let announced = request
        .headers()
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    match announced {
        Some(bytes) if bytes > MOST_BYTES as u64 => Err(too_large()),
        _ => Ok(()),
    }
}

/// Reads a body to its end. What it takes of the memory is held by the second value.
pub(super) async fn read(budget: &Budget, mut payload: web::Payload) -> Result<(Bytes, Held), AppError> {
    let deadline = Instant::now() + PATIENCE;
    let mut body = BytesMut::new();
    let mut held: Option<OwnedSemaphorePermit> = None;
    loop {
        let chunk = timeout_at(deadline, payload.next()).await.map_err(|_| {
            AppError::TooSlow("The webhook's body took too long to arrive. Send it again.".to_owned())
        })?;
        let Some(chunk) = chunk else {
            return Ok((body.freeze(), Held(held)));
        };
        let chunk = chunk.map_err(|_| {
            AppError::invalid(
                "body-incomplete",
                "The webhook's body did not arrive whole. Send it again.",
            )
        })?;
        if body.len() + chunk.len() > MOST_BYTES {
            return Err(too_large());
        }
        let more = Arc::clone(&budget.0)
            .try_acquire_many_owned(u32::try_from(chunk.len()).unwrap_or(u32::MAX))
            .map_err(|_| busy())?;
        match &mut held {
            Some(held) => held.merge(more),
            None => held = Some(more),
        }
        body.extend_from_slice(&chunk);
    }
}

fn too_large() -> AppError {
    AppError::TooLarge(format!(
        "A webhook's body has at most {MOST_BYTES} bytes here. Send a smaller one."
    ))
}

fn busy() -> AppError {
    AppError::Unavailable {
        code: "webhooks-busy",
        detail: "More webhooks arrive than can be read. Send this one again later.".to_owned(),
        retry_after: Duration::from_secs(10),
    }
}
