//! A file's bytes on their way in: cut into parts, counted against the limit and against what was announced.

use bytes::Bytes;

use super::blocks::Block;
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
    /// Nothing, but that there cannot be more than this.
    AtMost(u64),
}

impl Size {
    /// The most that can come, as far as anybody has said.
    pub fn most(self) -> u64 {
        match self {
            Size::Declared(bytes) | Size::AtMost(bytes) => bytes,
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
    blocks: Vec<Block>,
    length: usize,
    reservation: Reservation,
}

impl Part {
    /// How many bytes it has.
    pub(super) fn len(&self) -> usize {
        self.length
    }

    /// Its first bytes, as many as stand together: a block, or all.
    pub(super) fn head(&self) -> &[u8] {
        self.blocks.first().map_or(&[], Block::as_ref)
    }

    /// The bytes, which hold the memory for as long as they are there.
    pub(super) fn hold(self) -> Vec<Bytes> {
        self.reservation.hold(self.blocks)
    }

    /// Takes a little of the memory out, to be held beside the bytes.
    pub(super) fn take_memory(&mut self, bytes: usize) -> Reservation {
        self.reservation.take(bytes)
    }

    fn extend(&mut self, budget: &Budget, mut bytes: &[u8]) {
        self.length += bytes.len();
        while !bytes.is_empty() {
            if self.blocks.last().is_none_or(|block| block.room() == 0) {
                self.blocks.push(budget.block());
            }
            if let Some(block) = self.blocks.last_mut() {
                let (now, later) = bytes.split_at(bytes.len().min(block.room()));
                block.extend(now);
                bytes = later;
            }
        }
    }
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
        let mut part = Part {
            blocks: Vec::new(),
            length: 0,
            reservation: self.budget.open(size),
        };
        while part.len() < size {
            let room = part.reservation.room(part.len()).await.min(size);
            while part.len() < room {
                let Some(mut chunk) = self.chunk().await? else {
                    part.reservation.keep(part.len());
                    return Ok(Some(part));
                };
                let take = chunk.len().min(room - part.len());
                part.extend(self.budget, &chunk.split_to(take));
                self.rest = chunk;
            }
        }
        part.reservation.keep(part.len());
        Ok(Some(part))
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
