//! Sending one part until it is there.
//!
//! A regular part is repeated as a whole, the call that asks for a place included: places expire. A part of an intelligent
//! upload goes in chunks, which are halved when they fail.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};

use super::bytes::PartBytes;
use super::session::Session;
use crate::filestack::error::FilestackError;
use crate::filestack::retry::{Retries, backoff};

/// Up to here a digest takes less time than handing it to another thread.
const DIGEST_IN_PLACE: usize = 16 * 1024;

/// Sends a part and gives its number and `ETag` (none, as an empty text, in an intelligent upload).
pub(super) async fn send(
    session: Arc<Session>,
    number: u32,
    bytes: PartBytes,
) -> Result<(u32, String), FilestackError> {
    let etag = if session.is_intelligent() {
        send_chunks(&session, number, bytes).await?;
        String::new()
    } else {
        send_whole(&session, number, bytes).await?
    };
    Ok((number, etag))
}

async fn send_whole(session: &Session, number: u32, bytes: PartBytes) -> Result<String, FilestackError> {
    let md5 = md5_of(session, bytes.clone()).await?;
    let mut retries = Retries::new(session.options());
    loop {
        match try_send(session, number, &bytes, &md5, None).await {
            Ok(Some(etag)) => return Ok(etag),
            Ok(None) => return Err(FilestackError::protocol("storage gave no ETag for a part")),
            Err(error) => retries.after(error).await?,
        }
    }
}

async fn send_chunks(session: &Session, number: u32, bytes: PartBytes) -> Result<(), FilestackError> {
    let mut offset = 0;
    while offset < bytes.len() {
        offset += send_chunk(session, number, bytes.slice(offset, usize::MAX), offset).await?;
    }
    drop(bytes);
    let mut retries = Retries::new(session.options());
    loop {
        match session.commit(number).await {
            Ok(()) => return Ok(()),
            Err(error) => retries.after(error).await?,
        }
    }
}

/// Sends the beginning of `rest`, as much as gets through, and gives its length.
async fn send_chunk(
    session: &Session,
    number: u32,
    rest: PartBytes,
    offset: usize,
) -> Result<usize, FilestackError> {
    let mut retries = Retries::new(session.options());
    let mut halved = 0;
    loop {
        let chunk = rest.slice(0, session.chunk());
        let md5 = md5_of(session, chunk.clone()).await?;
        match try_send(session, number, &chunk, &md5, Some(offset)).await {
            Ok(_) => return Ok(chunk.len()),
            // A halved chunk is not a repetition; being too busy has nothing to do with the size.
            Err(FilestackError::Unavailable {
                retry_after: None, ..
            }) if session.shrink_chunks(chunk.len()) => {
                tokio::time::sleep(backoff(session.options(), halved)).await;
                halved += 1;
            }
            Err(error) => retries.after(error).await?,
        }
    }
}

async fn try_send(
    session: &Session,
    number: u32,
    bytes: &PartBytes,
    md5: &str,
    offset: Option<usize>,
) -> Result<Option<String>, FilestackError> {
    let slot = session.slot(number, bytes.len(), md5, offset).await?;
    session.put(slot, bytes.clone()).await
}

/// The MD5 that Filestack wants with each part, off the async threads: it takes as long as sending on a fast network.
async fn md5_of(session: &Session, bytes: PartBytes) -> Result<String, FilestackError> {
    if bytes.len() <= DIGEST_IN_PLACE {
        return Ok(md5(&bytes));
    }
    session
        .client()
        .compute(move || md5(&bytes))
        .await
        .map_err(|_| FilestackError::unavailable("the digest of a part was interrupted"))
}

fn md5(bytes: &PartBytes) -> String {
    let mut digest = Md5::new();
    bytes.digest_with(|step| digest.update(step));
    STANDARD.encode(digest.finalize())
}
