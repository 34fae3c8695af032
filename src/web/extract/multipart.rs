//! Upload forms, read as they come in: small fields first, files as sources of bytes (U7, U9, U10).
//!
//! A form ends with its closing boundary, whatever the request still announces: what may follow is an epilogue, which RFC 2046 §5.1.1
//! says to ignore. Nobody waits for it: the answer is sent, and the connection is closed after it.

mod wire;

use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use actix_multipart::{Field, Multipart, MultipartConfig, MultipartError};
use actix_web::error::PayloadError;
use actix_web::http::header::{CONTENT_LENGTH, CONTENT_TYPE, ContentDisposition};
use actix_web::web::Payload;
use actix_web::{FromRequest as _, HttpRequest, dev};
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt as _, stream};

use crate::error::AppError;
use crate::services::uploads::{Size, Source};
use crate::web::AppState;
use crate::web::meter::Meter;
use wire::{TOLD_LENGTH, Wire};

/// Bytes of a form that its parser holds: enough for the headers of a part, and little for a form that waits.
const PARSER_BYTES: usize = 32 * 1_024;
/// Most parts of one form.
const MAX_PARTS: usize = 1_000;
/// The longest text field, and what all of them may have together.
const MAX_FIELD_BYTES: usize = 8 * 1_024;
const MAX_FIELDS_BYTES: usize = 64 * 1_024;

/// How the parser of forms is set, for the application.
pub fn parser() -> MultipartConfig {
    MultipartConfig::default().buffer_limit(PARSER_BYTES)
}

/// A part of the form.
pub enum Item {
    /// A text field: name and value.
    Field(String, String),
    /// A file.
    File(Box<FilePart>),
}

/// A file in the form: what its headers say, and its bytes as they come.
pub struct FilePart {
    /// Name of the field.
    pub field: String,
    /// Name of the file, as it came; may be empty.
    pub filename: String,
    /// Type of the file, as it came.
    pub declared_type: String,
    /// Size that the part's own headers tell, as some HTTP libraries have them do.
    declared_size: Option<u64>,
    /// `None` once it has ended: the form goes on only when the field is gone.
    bytes: Option<Field>,
    stall: Duration,
}

/// A form being read.
pub struct UploadForm {
    parts: Multipart,
    length: Option<u64>,
    seen: usize,
    text_bytes: usize,
    /// No byte for so long while we are ready to read: the client has stalled.
    stall: Duration,
}

impl UploadForm {
    /// Begins to read the request as a form.
    ///
    /// # Errors
    ///
    /// [`AppError::UnsupportedMedia`] when it is none, [`AppError::Invalid`] without a usable boundary.
    pub fn new(state: &AppState, request: &HttpRequest, payload: Payload) -> Result<Self, AppError> {
        let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
        let kind = header(&CONTENT_TYPE).unwrap_or_default();
        if !kind
            .trim_start()
            .to_ascii_lowercase()
            .starts_with("multipart/form-data")
        {
            return Err(AppError::UnsupportedMedia(
                "Send the file as multipart/form-data, in a field named file.".to_owned(),
            ));
        }
        let boundary = boundary(kind).ok_or_else(malformed)?;
        let mut wire = Wire::new(&boundary);
        let counting = request.conn_data::<Meter>().map(Meter::count);
        let mut payload = payload;
        let bytes = stream::poll_fn(move |context| {
            let next = payload.poll_next_unpin(context);
            match (&next, &counting) {
                (Poll::Ready(Some(Ok(chunk))), Some(counting)) => counting.take(chunk.len()),
                (Poll::Pending, Some(counting)) => counting.want(),
                _ => {}
            }
            next.map(|chunk| chunk.map(|chunk: Result<Bytes, PayloadError>| wire.pass(chunk?)))
        });
        let length = header(&CONTENT_LENGTH).and_then(|length| length.parse().ok());
        let bytes: Pin<Box<dyn Stream<Item = Result<Bytes, PayloadError>>>> = Box::pin(bytes);
        let parts = Multipart::from_request(request, &mut dev::Payload::from(bytes)).into_inner();
        Ok(UploadForm {
            parts: parts.map_err(|_| malformed())?,
            length,
            seen: 0,
            text_bytes: 0,
            stall: state.settings.stall,
        })
    }

    /// The next part; `None` at the end of the form.
    pub async fn next(&mut self) -> Result<Option<Item>, AppError> {
        let Some(mut field) = next_in_time(&mut self.parts, self.stall).await? else {
            return Ok(None);
        };
        self.seen += 1;
        if self.seen > MAX_PARTS {
            return Err(AppError::invalid(
                "too-many-fields",
                format!("A form has at most {MAX_PARTS} fields. Send fewer files at once."),
            ));
        }
        let name = field.name().unwrap_or_default().to_owned();
        let filename = field.content_disposition().and_then(filename);
        if let Some(filename) = filename {
            let declared_type = field.content_type().map(ToString::to_string).unwrap_or_default();
            let declared_size = told_length(&field);
            return Ok(Some(Item::File(Box::new(FilePart {
                field: name,
                filename,
                declared_type,
                declared_size,
                bytes: Some(field),
                stall: self.stall,
            }))));
        }
        let mut value = BytesMut::new();
        while let Some(chunk) = next_in_time(&mut field, self.stall).await? {
            self.text_bytes += chunk.len();
            if value.len() + chunk.len() > MAX_FIELD_BYTES || self.text_bytes > MAX_FIELDS_BYTES {
                return Err(AppError::TooLarge(
                    "A text field of the form is too long. A file needs a filename in its part of the form."
                        .to_owned(),
                ));
            }
            value.extend_from_slice(&chunk);
        }
        let value = String::from_utf8(value.to_vec()).map_err(|_| malformed())?;
        Ok(Some(Item::Field(name, value)))
    }

    /// The most that any file of the form can have.
    pub fn at_most(&self) -> u64 {
        self.length.unwrap_or(u64::MAX)
    }

    /// Size of a file, as far as the form tells: `declared` by a field of its own, or by the part's headers.
    pub fn size(&self, file: &FilePart, declared: Option<u64>) -> Size {
        let declared = declared.or(file.declared_size);
        declared.map_or(Size::AtMost(self.at_most()), Size::Declared)
    }
}

fn told_length(field: &Field) -> Option<u64> {
    let mut told = field.headers().get_all(TOLD_LENGTH);
    let length = told.next()?.to_str().ok()?;
    let digits = length.bytes().all(|byte| byte.is_ascii_digit());
    length.parse().ok().filter(|_| digits && told.next().is_none())
}

/// The file's name: in the extended spelling, which says its own encoding, before the plain one (RFC 6266 §4.3).
fn filename(disposition: &ContentDisposition) -> Option<String> {
    let extended = disposition
        .get_filename_ext()
        .and_then(|name| String::from_utf8(name.value.clone()).ok());
    extended.or_else(|| disposition.get_filename().map(str::to_owned))
}

impl Source for FilePart {
    async fn chunk(&mut self) -> Result<Option<Bytes>, AppError> {
        let Some(field) = &mut self.bytes else {
            return Ok(None);
        };
        let chunk = next_in_time(field, self.stall).await?;
        if chunk.is_none() {
            self.bytes = None;
        }
        Ok(chunk)
    }
}

async fn next_in_time<T>(
    stream: &mut (impl Stream<Item = Result<T, MultipartError>> + Unpin),
    stall: Duration,
) -> Result<Option<T>, AppError> {
    match tokio::time::timeout(stall, stream.next()).await {
        Ok(next) => next.transpose().map_err(broken),
        Err(_) => Err(AppError::TooSlow(format!(
            "No data came for {} seconds. Check the connection, then send the file again.",
            stall.as_secs()
        ))),
    }
}

fn broken(error: MultipartError) -> AppError {
    match error {
        MultipartError::Payload(PayloadError::Overflow) => malformed(),
        MultipartError::Incomplete | MultipartError::Payload(_) => AppError::invalid(
            "body-incomplete",
            "The request ended before the form did. Check the connection, then send it again.",
        ),
        _ => malformed(),
    }
}

fn malformed() -> AppError {
    AppError::invalid(
        "malformed-form",
        "The form is not valid multipart/form-data. Let your HTTP library build it, boundary included.",
    )
}

fn boundary(kind: &str) -> Option<Vec<u8>> {
    let media_type: mime_guess::Mime = kind.parse().ok()?;
    let boundary = media_type
        .get_param(mime_guess::mime::BOUNDARY)?
        .as_str()
        .as_bytes()
        .to_vec();
    (!boundary.is_empty() && boundary.len() <= 70).then_some(boundary)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_boundary_is_read_quoted_or_not_and_never_missing() {
        assert_eq!(
            boundary("multipart/form-data; boundary=abc").as_deref(),
            Some(&b"abc"[..])
        );
        assert_eq!(
            boundary("multipart/form-data; boundary=\"a b\"").as_deref(),
            Some(&b"a b"[..])
        );
        for bad in [
            "multipart/form-data",
            "multipart/form-data; boundary=",
            "multipart/form-data; boundary",
        ] {
            assert_eq!(boundary(bad), None, "{bad}");
        }
    }
}
