//! Sending a file: streamed from disk, in parts, only when it changed (§4).

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use actix_web::body::SizedStream;
use actix_web::http::header::{self, HeaderMap, HeaderName, HttpDate};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use bytes::Bytes;
use futures_util::{Stream, stream};
use tokio::task::spawn_blocking;

use super::State;
use super::headers::describe;
use super::ranges::{Part, part};
use crate::emulator::errors::{Host, On, Problem};
use crate::emulator::store::Meta;
use crate::emulator::transform::Cache;

/// Read at once, and held at most once per download.
const BLOCK_BYTES: u64 = 256 * 1024;
/// §4: thirty days.
const CACHE_SECONDS: u32 = 30 * 24 * 60 * 60;
/// §4: `cache=expiry:max`.
const CACHE_MAX_SECONDS: u32 = 31_536_000;

/// How to send it.
#[derive(Clone, Copy)]
pub(super) struct Manner {
    pub host: Host,
    /// `dl=true`.
    pub attach: bool,
    /// The application is secured: what needs a policy does not belong into shared caches.
    pub secured: bool,
    pub cache: Cache,
}

/// Answers with a file, or the part of it that was asked for.
pub(super) async fn deliver(
    req: &HttpRequest,
    state: &State,
    handle: &str,
    manner: Manner,
) -> Result<HttpResponse, Problem> {
    let (store, name) = (state.controls.store().clone(), handle.to_owned());
    let found = spawn_blocking(move || store.content(&name))
        .await
        .on(manner.host)?;
    let (meta, file) = found.ok_or_else(|| Problem::not_found(manner.host))?;
    Ok(deliver_file(req, &meta, file, manner))
}

/// Answers with an open file, or the part of it that was asked for.
pub(super) fn deliver_file(req: &HttpRequest, meta: &Meta, file: File, manner: Manner) -> HttpResponse {
    let etag = format!("\"{}\"", meta.version);
    let changed = UNIX_EPOCH + Duration::from_secs(meta.changed_ms / 1000);

    let mut reply = HttpResponse::Ok();
    reply.insert_header((header::ETAG, etag.clone()));
    reply.insert_header((header::LAST_MODIFIED, HttpDate::from(changed).to_string()));
    cache_headers(&mut reply, manner);
    if let Some(status) = settled(req.headers(), &etag, changed) {
        return reply.status(status).finish();
    }
    reply.insert_header((header::ACCEPT_RANGES, "bytes"));
    describe(&mut reply, &meta.filename, &meta.mimetype, manner.attach);
    let part = wanted(req, &etag, changed, meta.size);
    send(req, reply, file, meta, part)
}

fn send(
    req: &HttpRequest,
    mut reply: HttpResponseBuilder,
    file: File,
    meta: &Meta,
    part: Part,
) -> HttpResponse {
    let (first, length) = match part {
        Part::Whole => (0, meta.size),
        Part::Bytes { first, last } => {
            reply.status(StatusCode::PARTIAL_CONTENT);
            reply.insert_header((
                header::CONTENT_RANGE,
                format!("bytes {first}-{last}/{}", meta.size),
            ));
            (first, last - first + 1)
        }
        Part::None => {
            reply.insert_header((header::CONTENT_RANGE, format!("bytes */{}", meta.size)));
            return reply.status(StatusCode::RANGE_NOT_SATISFIABLE).finish();
        }
    };
    // The length goes out, the bytes do not.
    if req.method() == Method::HEAD {
        return reply.body(SizedStream::new(length, stream::empty::<io::Result<Bytes>>()));
    }
    reply.body(SizedStream::new(length, Box::pin(blocks(file, first, length))))
}

/// The file's bytes, read off the async threads when the client has taken the block before.
pub(super) fn blocks(file: File, first: u64, length: u64) -> impl Stream<Item = io::Result<Bytes>> {
    stream::try_unfold((Some(file), first, length), |(file, at, left)| async move {
        let Some(mut file) = file.filter(|_| left > 0) else {
            return Ok(None);
        };
        let size = left.min(BLOCK_BYTES);
        let read = move || {
            file.seek(SeekFrom::Start(at))?;
            let mut block = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
            let count = Read::by_ref(&mut file).take(size).read_to_end(&mut block)? as u64;
            if count < size {
                Err(io::Error::from(io::ErrorKind::UnexpectedEof))
            } else {
                Ok((block, file))
            }
        };
        let (block, file) = spawn_blocking(read).await.map_err(io::Error::other)??;
        Ok(Some((Bytes::from(block), (Some(file), at + size, left - size))))
    })
}

/// What may keep it and how long. The service lets shared caches keep everything for a month; with security on, a signed
/// URL must stop working when it expires and a deleted file must be gone, so nothing is kept without asking.
pub(super) fn cache_headers(reply: &mut HttpResponseBuilder, manner: Manner) {
    let value = match (manner.cache, manner.secured) {
        (Cache::Off, _) => "no-store".to_owned(),
        (_, true) => "private, no-cache".to_owned(),
        (Cache::Default, false) => format!("public, max-age={CACHE_SECONDS}"),
        (Cache::Seconds(seconds), false) => format!("public, max-age={seconds}"),
        (Cache::Max, false) => format!("public, max-age={CACHE_MAX_SECONDS}"),
    };
    reply.insert_header((header::CACHE_CONTROL, value));
}

/// RFC 9110 §13.2.2: the status of a request whose conditions already settle it.
fn settled(headers: &HeaderMap, etag: &str, changed: SystemTime) -> Option<StatusCode> {
    if let Some(tags) = text(headers, header::IF_MATCH) {
        // Strong comparison: a weak tag never matches.
        if !tags.split(',').any(|tag| tag.trim() == "*" || tag.trim() == etag) {
            return Some(StatusCode::PRECONDITION_FAILED);
        }
    } else if date(headers, header::IF_UNMODIFIED_SINCE).is_some_and(|since| changed > since) {
        return Some(StatusCode::PRECONDITION_FAILED);
    }
    if let Some(tags) = text(headers, header::IF_NONE_MATCH) {
        let same = |tag: &str| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag;
        return tags
            .split(',')
            .any(|tag| same(tag.trim()))
            .then_some(StatusCode::NOT_MODIFIED);
    }
    let unchanged = date(headers, header::IF_MODIFIED_SINCE).is_some_and(|since| changed <= since);
    unchanged.then_some(StatusCode::NOT_MODIFIED)
}

/// The part asked for. `If-Range` with anything but this very version means the whole file.
fn wanted(req: &HttpRequest, etag: &str, changed: SystemTime, size: u64) -> Part {
    let headers = req.headers();
    let Some(range) = text(headers, header::RANGE).filter(|_| req.method() == Method::GET) else {
        return Part::Whole;
    };
    match text(headers, header::IF_RANGE) {
        Some(condition) if condition != etag && date(headers, header::IF_RANGE) != Some(changed) => {
            Part::Whole
        }
        _ => part(range, size),
    }
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

fn date(headers: &HeaderMap, name: HeaderName) -> Option<SystemTime> {
    HttpDate::from_str(text(headers, name)?)
        .ok()
        .map(SystemTime::from)
}
