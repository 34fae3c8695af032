//! Content on its way to disk: decoded when it is base64 (§3.10, §5), and counted against the policy's
//! limit (§2.1) and the emulator's.

use actix_web::http::StatusCode;
use bytes::Bytes;

use super::State;
use super::base64::Decoder;
use crate::emulator::errors::{Host, On, Problem};
use crate::emulator::policy::{Grant, Refusal};
use crate::emulator::sink::Sink;
use crate::emulator::store::Scratch;

/// A file that is being received.
pub(super) struct Writer<'a> {
    host: Host,
    app: &'a str,
    grant: &'a Grant,
    sink: Sink<Scratch>,
    decoder: Option<Decoder>,
    most: u64,
    size: u64,
}

impl<'a> Writer<'a> {
    pub(super) fn new(host: Host, state: &State, app: &'a str, grant: &'a Grant, base64: bool) -> Self {
        Self {
            host,
            app,
            grant,
            sink: Sink::create(state.controls.store().clone()),
            decoder: base64.then(Decoder::default),
            most: grant.max_size.unwrap_or(u64::MAX).min(state.max_file_bytes),
            size: 0,
        }
    }

    pub(super) async fn push(&mut self, bytes: Bytes) -> Result<(), Problem> {
        let bytes = match &mut self.decoder {
            Some(decoder) => decoder
                .decode(&bytes)
                .ok_or_else(|| not_base64(self.host))?
                .into(),
            None => bytes,
        };
        self.size += bytes.len() as u64;
        if self.size > self.most {
            // The policy's limit is a refusal, the emulator's own is not.
            return Err(match self.grant.max_size {
                Some(most) if self.size > most => Problem::refused(self.host, self.app, &Refusal::Size),
                _ => Problem::new(self.host, StatusCode::PAYLOAD_TOO_LARGE, "The file is too large"),
            });
        }
        self.sink.push(bytes).await.on(self.host)
    }

    /// The content and its size. The policy's least size is for the caller to check.
    pub(super) async fn finish(self) -> Result<(Scratch, u64), Problem> {
        if !self.decoder.is_none_or(|decoder| decoder.is_whole()) {
            return Err(not_base64(self.host));
        }
        let (scratch, written) = self.sink.finish().await.on(self.host)?;
        Ok((scratch, written.size))
    }
}

fn not_base64(host: Host) -> Problem {
    Problem::bad(host, "The content is not base64")
}
