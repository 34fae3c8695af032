//! A file's bytes on their way in: cut into parts, counted against the limit and against what was announced.

use bytes::Bytes;

use super::budget::{Budget, Reservation};
use crate::error::AppError;

/// Where a file's bytes come from, chunk by chunk. Each call waits for the next one no longer than the caller of the service
/// is willing to wait for a byte.
pub trait Source {
    /// The next chunk; `None` at the end of the file.
    fn chunk(&mut self) -> impl Future<Output = Result<Option<Bytes>, AppError>>;
}

/// What is known of a file's size before its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// The client said so; anything else is an error of its own.
    Declared(u64),
    /// What the request's length leaves for the file if nothing follows it.
    Expected(u64),
    /// Nothing, but that there cannot be more than this.
    AtMost(u64),
}

impl Size {
    /// The most that can come, as far as anybody has said.
    pub fn most(self) -> u64 {
        match self {
            Size::Declared(bytes) | Size::Expected(bytes) | Size::AtMost(bytes) => bytes,
        }
    }
}

/// A file's body: reads parts out of a source.
pub(super) struct Body<'a, S> {
    source: &'a mut S,
    budget: &'a Budget,
    rest: Bytes,
    /// Bytes given out or held in `rest`.
    read: u64,
    limit: u64,
    most: u64,
    ended: bool,
}

/// Bytes and the memory set aside for them.
pub(super) struct Part {
    pub(super) bytes: Vec<u8>,
    pub(super) reservation: Reservation,
}

impl<'a, S: Source> Body<'a, S> {
    pub(super) fn new(source: &'a mut S, budget: &'a Budget, size: Size, limit: u64) -> Self {
        Body {
            source,
            budget,
            rest: Bytes::new(),
            read: 0,
            limit,
            most: size.most(),
            ended: false,
        }
    }

    /// Bytes seen so far.
    pub(super) fn read(&self) -> u64 {
        self.read
    }

    /// The next part: this many bytes, or what is left; `None` at the end.
    ///
    /// Memory is set aside once there is a byte to put into it, so that a client that sends nothing holds nothing, and never more than
    /// the file can still bring.
    pub(super) async fn part(&mut self, size: usize) -> Result<Option<Part>, AppError> {
        let Some(first) = self.chunk().await? else {
            return Ok(None);
        };
        self.rest = first;
        let given = self.read - self.rest.len() as u64;
        let left = usize::try_from(self.most.saturating_sub(given))
            .unwrap_or(usize::MAX)
            .max(self.rest.len());
        let size = size.min(left);
        let mut reservation = self.budget.reserve(size).await?;
        let mut bytes = Vec::with_capacity(size);
        while bytes.len() < size {
            let Some(mut chunk) = self.chunk().await? else {
                break;
            };
            let take = chunk.len().min(size - bytes.len());
            bytes.extend_from_slice(&chunk.split_to(take));
            self.rest = chunk;
        }
        reservation.keep(bytes.len());
        Ok(Some(Part { bytes, reservation }))
    }

    /// Whether nothing more comes; waits for the next byte to know.
    pub(super) async fn at_end(&mut self) -> Result<bool, AppError> {
        match self.chunk().await? {
            None => Ok(true),
            Some(chunk) => {
                self.rest = chunk;
                Ok(false)
            }
        }
    }

    /// The next bytes as they come; `None` at the end.
    pub(super) async fn chunk(&mut self) -> Result<Option<Bytes>, AppError> {
        if !self.rest.is_empty() {
            return Ok(Some(std::mem::take(&mut self.rest)));
        }
        while !self.ended {
            match self.source.chunk().await? {
                None => self.ended = true,
                Some(chunk) if chunk.is_empty() => {}
                Some(chunk) => {
                    self.read += chunk.len() as u64;
                    if self.read > self.limit {
                        return Err(too_large(self.limit));
                    }
                    return Ok(Some(chunk));
                }
            }
        }
        Ok(None)
    }
}

/// The answer to a file over the limit.
pub fn too_large(limit: u64) -> AppError {
    AppError::TooLarge(format!(
        "The file is larger than {} ({limit} bytes), the most that is taken here. Choose a smaller one.",
        crate::services::names::human_size(limit)
    ))
}
