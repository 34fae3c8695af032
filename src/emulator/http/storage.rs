//! `PUT /storage/…`: the object storage that part bytes go to (§3.4), with URLs signed as such storages sign them.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, CONTENT_LENGTH, ETAG, HeaderMap};
use actix_web::{HttpRequest, HttpResponse, web};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Map, Value};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use tokio::task::spawn_blocking;

use super::State;
use super::body::{self, Broken};
use super::credentials::Query;
use crate::emulator::clock::seconds;
use crate::emulator::errors::{Host, On, Problem};
use crate::emulator::sink::Sink;

/// How long a part URL is good.
const GOOD_FOR: Duration = Duration::from_secs(60 * 60);
/// Carries the ticket's end; presigned requests have their date there.
const DATE: &str = "x-amz-date";
const SCHEME: &str = "EMULATOR-HMAC-SHA256 Signature=";

/// Permission to put one part or chunk.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ticket {
    pub upload: String,
    pub part: u64,
    pub offset: u64,
    pub size: u64,
    /// Standard base64, as announced; none when the client does not check (§3.3).
    pub md5: Option<String>,
}

impl Ticket {
    pub(super) fn path(&self) -> String {
        let Self {
            upload,
            part,
            offset,
            size,
            ..
        } = self;
        format!("storage/{upload}?partNumber={part}&uploadId={upload}&offset={offset}&size={size}")
    }

    /// Headers the client has to send with the bytes, exactly (§3.4).
    pub(super) fn headers(&self, state: &State) -> Map<String, Value> {
        let end = seconds(state.controls.clock().now() + GOOD_FOR).to_string();
        let mut headers = Map::new();
        headers.insert(
            "Authorization".into(),
            format!("{SCHEME}{}", self.signature(state, &end)).into(),
        );
        if let Some(md5) = &self.md5 {
            headers.insert("Content-MD5".into(), md5.as_str().into());
        }
        headers.insert("x-amz-content-sha256".into(), "UNSIGNED-PAYLOAD".into());
        headers.insert(DATE.into(), end.into());
        headers
    }

    fn signature(&self, state: &State, end: &str) -> String {
        let key = state.ticket_key.as_bytes();
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
        mac.update(format!("{self:?}\n{end}").as_bytes());
        mac.finalize()
            .into_bytes()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    /// Reads the ticket off a request, if it is one of ours.
    fn of(req: &HttpRequest, state: &State) -> Result<Self, Problem> {
        let query = Query::of(req);
        let number = |name| query.get(name).and_then(|text| text.parse().ok());
        let header = |name: &str| req.headers().get(name).and_then(|value| value.to_str().ok());
        let read = || {
            let ticket = Self {
                upload: req.match_info().get("upload")?.to_owned(),
                part: number("partNumber")?,
                offset: number("offset")?,
                size: number("size")?,
                md5: header("content-md5").map(str::to_owned),
            };
            let end = header(DATE)?;
            let given = header(AUTHORIZATION.as_str())?.strip_prefix(SCHEME)?;
            let right: bool = given
                .as_bytes()
                .ct_eq(ticket.signature(state, end).as_bytes())
                .into();
            right.then_some((ticket, end.parse::<u64>().ok()?))
        };
        let (ticket, end) = read().ok_or_else(|| {
            denied(
                "SignatureDoesNotMatch",
                "The signature does not match the request",
            )
        })?;
        if end <= seconds(state.controls.clock().now()) {
            return Err(denied("AccessDenied", "Request has expired"));
        }
        Ok(ticket)
    }
}

fn denied(code: &'static str, text: &str) -> Problem {
    Problem::storage(StatusCode::FORBIDDEN, code, text)
}

fn bad(code: &'static str, text: &str) -> Problem {
    Problem::storage(StatusCode::BAD_REQUEST, code, text)
}

/// Takes the bytes of a part.
pub(super) async fn put(
    req: HttpRequest,
    state: web::Data<State>,
    mut payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let ticket = Ticket::of(&req, &state)?;
    if announced(req.headers()).is_some_and(|length| length != ticket.size) {
        return Err(bad(
            "IncompleteBody",
            "Content-Length is not the size the part was announced with",
        ));
    }
    let uploads = state.uploads.clone();
    let (upload, part, offset, size) = (ticket.upload.clone(), ticket.part, ticket.offset, ticket.size);
    let mut sink = Sink::open(move || uploads.place(&upload, part, offset, size));
    let mut left = ticket.size;
    while let Some(bytes) = body::next(&mut payload).await.map_err(|broken| cut(&broken))? {
        left = left
            .checked_sub(bytes.len() as u64)
            .ok_or_else(|| bad("EntityTooLarge", "The part is larger than it was announced"))?;
        sink.push(bytes).await.on(Host::Storage)?;
    }
    let (place, written) = sink.finish().await.on(Host::Storage)?;
    if left > 0 {
        return Err(bad("IncompleteBody", "The part is smaller than it was announced"));
    }
    if ticket
        .md5
        .as_ref()
        .is_some_and(|md5| *md5 != STANDARD.encode(written.md5))
    {
        return Err(bad("BadDigest", "The Content-MD5 is not the MD5 of the part"));
    }
    let md5: String = written.md5.iter().map(|byte| format!("{byte:02x}")).collect();
    let etag = format!("\"{md5}\"");
    let uploads = state.uploads.clone();
    let keep = move || uploads.keep(&ticket.upload, ticket.part, ticket.offset, &md5, place);
    if !spawn_blocking(keep).await.on(Host::Storage)? {
        return Err(Problem::storage(
            StatusCode::NOT_FOUND,
            "NoSuchUpload",
            "There is no such upload",
        ));
    }
    Ok(HttpResponse::Ok().insert_header((ETAG, etag)).finish())
}

fn announced(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn cut(broken: &Broken) -> Problem {
    match broken {
        Broken::Silent => bad("RequestTimeout", "No data came for a minute"),
        Broken::Cut => bad("IncompleteBody", "The connection broke off"),
    }
}
