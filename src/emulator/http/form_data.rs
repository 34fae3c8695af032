//! `multipart/form-data` from whoever sends it: field by field, in pieces, with an end to everything (§3.8, §3.10,
//! §5). It knows nothing of hosts and their wording, so that it can be fuzzed by itself.

use std::time::Duration;

use actix_multipart::{Multipart, MultipartError};
use actix_web::error::PayloadError;
use actix_web::http::header::HeaderMap;
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use tokio::time::timeout;

/// The largest form has some twenty fields; each costs a header besides its bytes.
pub(super) const MAX_FIELDS: usize = 100;

/// Why a form could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Nothing came for too long.
    Silent,
    /// It is no form, or broke off.
    Unreadable,
    /// It has more fields or bytes than it may.
    TooLarge,
}

/// A form that is being read.
pub(super) struct FormData {
    form: Multipart,
    silence: Duration,
    fields: usize,
}

/// One of its fields; what is not read of it is read over.
pub(super) struct Field {
    field: actix_multipart::Field,
    silence: Duration,
}

impl FormData {
    /// Reads a body whose boundary is in `headers`; `silence` is how long the next bytes may take.
    pub(super) fn new<S>(headers: &HeaderMap, body: S, silence: Duration) -> Self
    where
        S: Stream<Item = Result<Bytes, PayloadError>> + 'static,
    {
        Self {
            form: Multipart::new(headers, body),
            silence,
            fields: 0,
        }
    }

    pub(super) async fn next(&mut self) -> Result<Option<Field>, Trouble> {
        let Some(field) = in_time(self.silence, self.form.next()).await? else {
            return Ok(None);
        };
        self.fields += 1;
        if self.fields > MAX_FIELDS {
            return Err(Trouble::TooLarge);
        }
        Ok(Some(Field {
            field,
            silence: self.silence,
        }))
    }

    /// All fields as text, with at most `most` bytes of values together.
    pub(super) async fn pairs(mut self, most: usize) -> Result<Vec<(String, String)>, Trouble> {
        let mut pairs = Vec::new();
        let mut left = most;
        while let Some(mut field) = self.next().await? {
            let value = field.text(left).await?;
            left -= value.len();
            pairs.push((field.name().to_owned(), value));
        }
        Ok(pairs)
    }
}

impl Field {
    pub(super) fn name(&self) -> &str {
        self.field.name().unwrap_or_default()
    }

    pub(super) fn filename(&self) -> Option<&str> {
        self.field.content_disposition()?.get_filename()
    }

    pub(super) fn mimetype(&self) -> Option<String> {
        self.field.content_type().map(ToString::to_string)
    }

    pub(super) async fn bytes(&mut self) -> Result<Option<Bytes>, Trouble> {
        in_time(self.silence, self.field.next()).await
    }

    pub(super) async fn text(&mut self, most: usize) -> Result<String, Trouble> {
        let mut text = Vec::new();
        while let Some(bytes) = self.bytes().await? {
            if text.len() + bytes.len() > most {
                return Err(Trouble::TooLarge);
            }
            text.extend_from_slice(&bytes);
        }
        String::from_utf8(text).map_err(|_| Trouble::Unreadable)
    }
}

async fn in_time<T>(
    silence: Duration,
    next: impl Future<Output = Option<Result<T, MultipartError>>>,
) -> Result<Option<T>, Trouble> {
    let next = timeout(silence, next).await.map_err(|_| Trouble::Silent)?;
    next.transpose().map_err(|_| Trouble::Unreadable)
}
