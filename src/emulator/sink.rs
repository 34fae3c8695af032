//! Bytes to disk while they arrive: written and summed off the async threads, one block behind the network, so memory
//! stays at two blocks per upload.

use std::fs::File;
use std::io::{self, Write};
use std::mem;

use bytes::Bytes;
use md5::{Digest, Md5};
use tokio::task::{JoinHandle, spawn_blocking};

use super::store::{Scratch, Store};

/// Large enough that the hand-over to another thread does not matter.
const BLOCK_BYTES: usize = 512 * 1024;

/// A file that is being written, at a place `P` that knows what becomes of it.
pub(super) struct Sink<P> {
    pending: JoinHandle<io::Result<Output<P>>>,
    block: Vec<Bytes>,
    block_bytes: usize,
    size: u64,
}

/// Travels to the blocking threads and back. The place is in it so that an abandoned sink gives the place up after the
/// write that was under way, not during it.
struct Output<P> {
    file: File,
    md5: Md5,
    place: P,
}

/// What was written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Written {
    pub size: u64,
    pub md5: [u8; 16],
}

impl Sink<Scratch> {
    /// A new file at a scratch place of its own.
    pub(super) fn create(store: Store) -> Self {
        Self::open(move || {
            let scratch = store.scratch()?;
            Ok((File::create_new(scratch.content())?, scratch))
        })
    }
}

impl<P: Send + 'static> Sink<P> {
    /// The file that `open` opens, from where it stands.
    pub(super) fn open(open: impl FnOnce() -> io::Result<(File, P)> + Send + 'static) -> Self {
        let begin = move || {
            let (file, place) = open()?;
            Ok(Output {
                file,
                md5: Md5::new(),
                place,
            })
        };
        Self {
            pending: spawn_blocking(begin),
            block: Vec::new(),
            block_bytes: 0,
            size: 0,
        }
    }

    pub(super) async fn push(&mut self, bytes: Bytes) -> io::Result<()> {
        self.size += bytes.len() as u64;
        self.block_bytes += bytes.len();
        self.block.push(bytes);
        if self.block_bytes < BLOCK_BYTES {
            Ok(())
        } else {
            self.flush().await
        }
    }

    pub(super) async fn finish(mut self) -> io::Result<(P, Written)> {
        self.flush().await?;
        let output = self.pending.await.map_err(io::Error::other)??;
        let md5 = output.md5.finalize();
        Ok((
            output.place,
            Written {
                size: self.size,
                md5: md5.into(),
            },
        ))
    }

    async fn flush(&mut self) -> io::Result<()> {
        let block = mem::take(&mut self.block);
        self.block_bytes = 0;
        let mut output = (&mut self.pending).await.map_err(io::Error::other)??;
        self.pending = spawn_blocking(move || {
            for bytes in block {
                output.md5.update(&bytes);
                output.file.write_all(&bytes)?;
            }
            Ok(output)
        });
        Ok(())
    }
}
