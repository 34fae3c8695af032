//! Content of REST store and overwrite: raw, in the field `fileUpload`, as base64, or named by URL (§3.10, §5).

use actix_multipart::Multipart;
use actix_web::http::header::{CONTENT_TYPE, HeaderMap};
use actix_web::{HttpRequest, web};
use futures_util::StreamExt;
use serde_json::{Map, Value};

use super::State;
use super::body::{self, Broken, Fields};
use super::form;
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
        let unreadable = || Problem::bad(HOST, "The form could not be read");
        let mut form = Multipart::new(req.headers(), payload);
        while let Some(field) = form.next().await {
            let mut field = field.map_err(|_| unreadable())?;
            let name = field.name().unwrap_or_default().to_owned();
            if name == "url" {
                let mut url = Vec::new();
                let silent = |_| Broken::Silent.problem(HOST);
                while let Some(bytes) = tokio::time::timeout(body::SILENCE, field.next())
                    .await
                    .map_err(silent)?
                {
                    url.extend_from_slice(&bytes.map_err(|_| unreadable())?);
                    if url.len() > MAX_URL_BODY_BYTES {
                        return Err(unreadable());
                    }
                }
                let url = String::from_utf8(url).map_err(|_| unreadable())?;
                return Ok(Content::Url(url, Fields::of(HOST, Map::new())));
            }
            if name != "fileUpload" {
                continue;
            }
            let disposition = field.content_disposition();
            let filename = disposition
                .and_then(|found| found.get_filename())
                .map(str::to_owned);
            let mimetype = field.content_type().map(ToString::to_string);
            let mut writer = self.writer();
            let silent = |_| Broken::Silent.problem(HOST);
            while let Some(bytes) = tokio::time::timeout(body::SILENCE, field.next())
                .await
                .map_err(silent)?
            {
                writer.push(bytes.map_err(|_| unreadable())?).await?;
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
