//! A file's bytes on their way in: cut into parts, counted against the limit and against what was announced.

use bytes::Bytes;

use super::budget::{Budget, Reservation};
use crate::error::AppError;
use crate::services::names;

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
    /// Memory is set aside before the bytes that go into it are read, in steps as they come, so that a client that sends little holds
    /// little, and never more than the file can still bring.
    pub(super) async fn part(&mut self, size: usize) -> Result<Option<Part>, AppError> {
        if self.at_end().await? {
            return Ok(None);
        }
        let given = self.read - self.rest.len() as u64;
        let left = usize::try_from(self.most.saturating_sub(given)).unwrap_or(usize::MAX);
        let size = size.min(left.max(self.rest.len()));
        let mut reservation = self.budget.open(size);
        let mut bytes = Vec::new();
        while bytes.len() < size {
            let room = reservation.room(bytes.len()).await.min(size);
            bytes.reserve_exact(room - bytes.len());
            while bytes.len() < room {
                let Some(mut chunk) = self.chunk().await? else {
                    reservation.keep(bytes.len());
                    return Ok(Some(Part { bytes, reservation }));
                };
                let take = chunk.len().min(room - bytes.len());
                bytes.extend_from_slice(&chunk.split_to(take));
                self.rest = chunk;
            }
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
    let size = names::human_size(limit);
    let exactly = if limit < 1_024 {
        String::new()
    } else {
        format!(" ({limit} bytes)")
    };
    AppError::TooLarge(format!(
        "The file is larger than {size}{exactly}, the most that is taken here. Choose a smaller one."
    ))
}
