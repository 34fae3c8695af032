//! Content of REST store and overwrite: raw, in the field `fileUpload`, as base64, or named by URL (§3.10, §5).

use actix_web::http::header::{CONTENT_TYPE, HeaderMap};
use actix_web::{HttpRequest, web};
use serde_json::{Map, Value};

use super::State;
use super::body::{self, Broken, Fields};
use super::form;
use super::form_data::{FormData, Trouble};
use super::writer::Writer;
use crate::emulator::errors::{Host, Problem};
use crate::emulator::policy::Grant;
use crate::emulator::store::Scratch;

const HOST: Host = Host::FileApi;
const FORM: &str = "application/x-www-form-urlencoded";
/// A body that names a URL is shorter than this.
const MAX_URL_BODY_BYTES: usize = 64 * 1024;

/// What came.
pub(super) enum Content {
    /// Bytes, on disk.
    File {
        scratch: Scratch,
        filename: Option<String>,
        mimetype: Option<String>,
    },
    /// The address of the content, and the other fields that came with it.
    Url(String, Fields),
}

/// How to take it.
pub(super) struct Intake<'a> {
    pub state: &'a State,
    pub app: &'a str,
    pub grant: &'a Grant,
    pub base64: bool,
}

impl Intake<'_> {
    /// Reads the body to its end, or to the policy's `maxSize`.
    pub(super) async fn take(&self, req: &HttpRequest, payload: web::Payload) -> Result<Content, Problem> {
        let kind = content_type(req.headers());
        if kind.starts_with("multipart/form-data") {
            return self.form(req, payload).await;
        }
        let mut payload = payload;
        // A body that names a URL is neither bound by the policy's sizes nor base64, so it is told from a file first.
        let mut start = Vec::new();
        let mut ended = false;
        while may_name_url(req) && !ended && start.len() <= MAX_URL_BODY_BYTES {
            match body::next(&mut payload).await {
                Ok(Some(bytes)) => start.extend_from_slice(&bytes),
                Ok(None) => ended = true,
                Err(broken) => return Err(broken.problem(HOST)),
            }
        }
        if ended && let Some((url, fields)) = named_url(&kind, &start) {
            return Ok(Content::Url(url, fields));
        }
        let mut writer = self.writer();
        writer.push(start.into()).await?;
        while let Some(bytes) = body::next(&mut payload)
            .await
            .map_err(|broken| broken.problem(HOST))?
        {
            writer.push(bytes).await?;
        }
        let (scratch, size) = writer.finish().await?;
        self.grant
            .check_size(size)
            .map_err(|refusal| Problem::refused(HOST, self.app, &refusal))?;
        let mimetype = (!kind.is_empty()).then_some(kind);
        Ok(Content::File {
            scratch,
            filename: None,
            mimetype,
        })
    }

    /// The field `fileUpload`; others are read over.
    async fn form(&self, req: &HttpRequest, payload: web::Payload) -> Result<Content, Problem> {
        let mut form = FormData::new(req.headers(), payload, body::SILENCE);
        while let Some(mut field) = form.next().await.map_err(unreadable)? {
            if field.name() == "url" {
                let url = field.text(MAX_URL_BODY_BYTES).await.map_err(unreadable)?;
                return Ok(Content::Url(url, Fields::of(HOST, Map::new())));
            }
            if field.name() != "fileUpload" {
                continue;
            }
            let filename = field.filename().map(str::to_owned);
            let mimetype = field.mimetype();
            let mut writer = self.writer();
            while let Some(bytes) = field.bytes().await.map_err(unreadable)? {
                writer.push(bytes).await?;
            }
            let (scratch, size) = writer.finish().await?;
            self.grant
                .check_size(size)
                .map_err(|refusal| Problem::refused(HOST, self.app, &refusal))?;
            return Ok(Content::File {
                scratch,
                filename,
                mimetype,
            });
        }
        Err(Problem::bad(HOST, "The form has no field fileUpload"))
    }

    fn writer(&self) -> Writer<'_> {
        Writer::new(HOST, self.state, self.app, self.grant, self.base64)
    }
}

fn unreadable(trouble: Trouble) -> Problem {
    match trouble {
        Trouble::Silent => Broken::Silent.problem(HOST),
        Trouble::Unreadable | Trouble::TooLarge => Problem::bad(HOST, "The form could not be read"),
    }
}

/// Whether the body may be no file but name one: it shows when it was read.
pub(super) fn may_name_url(req: &HttpRequest) -> bool {
    let kind = content_type(req.headers());
    kind.starts_with(FORM) || kind.starts_with("application/json")
}

fn content_type(headers: &HeaderMap) -> String {
    headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or_default()
        .to_owned()
}

/// §3.10: a form with `url=…`, or JSON with `url`. Anything else of those types is a file like every other.
fn named_url(kind: &str, text: &[u8]) -> Option<(String, Fields)> {
    let map = if kind.starts_with(FORM) {
        form::fields(url::form_urlencoded::parse(text).into_owned())
    } else {
        serde_json::from_slice(text).unwrap_or_default()
    };
    let url = map.get("url").and_then(Value::as_str)?.to_owned();
    (!url.is_empty()).then(|| (url, Fields::of(HOST, map)))
}
