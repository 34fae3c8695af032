//! Content of REST store and overwrite: raw, in the field `fileUpload`, as base64, or named by URL (§3.10, §5).

use actix_multipart::Multipart;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderMap};
use actix_web::{HttpRequest, web};
use bytes::Bytes;
use futures_util::StreamExt;
use serde_json::Value;
use tokio::task::spawn_blocking;

use super::State;
use super::body::{self, Broken};
use crate::emulator::errors::{Host, On, Problem};
use crate::emulator::policy::{Grant, Refusal};
use crate::emulator::sink::Sink;
use crate::emulator::store::Scratch;

const HOST: Host = Host::FileApi;
/// A body that names a URL is shorter than this.
const MAX_URL_BODY_BYTES: u64 = 64 * 1024;

/// What came.
pub(super) enum Content {
    /// Bytes, on disk.
    File {
        scratch: Scratch,
        filename: Option<String>,
        mimetype: Option<String>,
    },
    /// The address of the content.
    Url,
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
        let mut writer = self.writer();
        let mut payload = payload;
        while let Some(bytes) = body::next(&mut payload)
            .await
            .map_err(|broken| broken.problem(HOST))?
        {
            writer.push(bytes).await?;
        }
        let (scratch, size) = writer.finish().await?;
        if size <= MAX_URL_BODY_BYTES && names_url(&kind, &scratch).await? {
            return Ok(Content::Url);
        }
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
                return Ok(Content::Url);
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
        let most = self
            .grant
            .max_size
            .unwrap_or(u64::MAX)
            .min(self.state.max_file_bytes);
        Writer {
            intake: self,
            sink: Sink::create(self.state.controls.store().clone()),
            decoder: self.base64.then(Decoder::default),
            most,
            size: 0,
        }
    }
}

/// A file that is being received.
struct Writer<'a> {
    intake: &'a Intake<'a>,
    sink: Sink,
    decoder: Option<Decoder>,
    most: u64,
    size: u64,
}

impl Writer<'_> {
    async fn push(&mut self, bytes: Bytes) -> Result<(), Problem> {
        let bytes = match &mut self.decoder {
            Some(decoder) => decoder.decode(&bytes).ok_or_else(not_base64)?.into(),
            None => bytes,
        };
        self.size += bytes.len() as u64;
        if self.size > self.most {
            // The policy's limit is a refusal, the emulator's own is not.
            return Err(match self.intake.grant.max_size {
                Some(most) if self.size > most => Problem::refused(HOST, self.intake.app, &Refusal::Size),
                _ => Problem::new(HOST, StatusCode::PAYLOAD_TOO_LARGE, "The file is too large"),
            });
        }
        self.sink.push(bytes).await.on(HOST)
    }

    async fn finish(self) -> Result<(Scratch, u64), Problem> {
        if !self.decoder.is_none_or(|decoder| decoder.is_whole()) {
            return Err(not_base64());
        }
        let (scratch, written) = self.sink.finish().await.on(HOST)?;
        Ok((scratch, written.size))
    }
}

fn not_base64() -> Problem {
    Problem::bad(HOST, "The content is not base64")
}

fn content_type(headers: &HeaderMap) -> String {
    headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or_default()
        .to_owned()
}

/// §3.10: a form with `url=…`, or JSON with `url`. Anything else of those types is a file like every other.
async fn names_url(kind: &str, scratch: &Scratch) -> Result<bool, Problem> {
    let form = kind.starts_with("application/x-www-form-urlencoded");
    if !form && !kind.starts_with("application/json") {
        return Ok(false);
    }
    let path = scratch.content();
    let text = spawn_blocking(move || std::fs::read(path)).await.on(HOST)?;
    if form {
        return Ok(url::form_urlencoded::parse(&text).any(|(name, value)| name == "url" && !value.is_empty()));
    }
    let json = serde_json::from_slice::<Value>(&text).ok();
    Ok(json.is_some_and(|json| json.get("url").is_some_and(Value::is_string)))
}

/// Base64 that arrives in pieces; white space between is skipped, both alphabets are read.
#[derive(Default)]
struct Decoder {
    bits: u32,
    digits: u8,
    padding: u8,
}

impl Decoder {
    fn decode(&mut self, text: &[u8]) -> Option<Vec<u8>> {
        let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 3);
        for letter in text {
            let value = match letter {
                b'A'..=b'Z' => letter - b'A',
                b'a'..=b'z' => letter - b'a' + 26,
                b'0'..=b'9' => letter - b'0' + 52,
                b'+' | b'-' => 62,
                b'/' | b'_' => 63,
                b'=' => {
                    self.padding += 1;
                    if self.padding > 2 {
                        return None;
                    }
                    continue;
                }
                _ if letter.is_ascii_whitespace() => continue,
                _ => return None,
            };
            if self.padding > 0 {
                return None;
            }
            self.bits = (self.bits << 6 | u32::from(value)) & 0xFF_FFFF;
            self.digits = (self.digits + 1) % 4;
            // The byte that each digit after the first of four completes.
            match self.digits {
                2 => bytes.push((self.bits >> 4) as u8),
                3 => bytes.push((self.bits >> 2) as u8),
                0 => bytes.push(self.bits as u8),
                _ => {}
            }
        }
        Some(bytes)
    }

    /// Whether it ends where base64 may end, with or without padding.
    fn is_whole(&self) -> bool {
        match (self.digits, self.padding) {
            (digits, 0) => digits != 1,
            (digits, padding) => digits + padding == 4,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

    fn decoded(text: &str, step: usize) -> Option<Vec<u8>> {
        let mut decoder = Decoder::default();
        let mut bytes = Vec::new();
        for piece in text.as_bytes().chunks(step) {
            bytes.extend(decoder.decode(piece)?);
        }
        decoder.is_whole().then_some(bytes)
    }

    #[test]
    fn base64_is_decoded_in_pieces_of_any_size() {
        for length in 0..20_u8 {
            let bytes: Vec<u8> = (0..length).map(|at| at.wrapping_mul(97)).collect();
            for step in 1..7 {
                assert_eq!(decoded(&STANDARD.encode(&bytes), step).as_ref(), Some(&bytes));
                assert_eq!(
                    decoded(&URL_SAFE_NO_PAD.encode(&bytes), step).as_ref(),
                    Some(&bytes)
                );
            }
        }
    }

    #[test]
    fn what_is_not_base64_is_refused() {
        for text in ["a", "ab=", "ab===", "a=bc", "a*bc", "=", "abcd="] {
            assert_eq!(decoded(text, 2), None, "{text}");
        }
        assert_eq!(decoded("YW\nJj\r\n", 3).as_deref(), Some(b"abc".as_slice()));
    }
}
