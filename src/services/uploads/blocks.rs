//! Memory for parts in blocks of one size, used again and again.
//!
//! Pieces of every size between a step and a part, made and freed by hundreds of uploads at once, leave holes between each other: the
//! process held twice of what was set aside. A block fits wherever a block was.

use std::sync::{Arc, Mutex, PoisonError};

/// Bytes of a block.
pub(super) const BLOCK: usize = 16 * 1_024;
/// Blocks that are kept for the next part (16 MiB); more go back to the system.
const KEPT: usize = 1_024;

/// Blocks that nobody uses now. Clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct Pool(Arc<Mutex<Vec<Vec<u8>>>>);

impl Pool {
    /// An empty block.
    pub(super) fn block(&self) -> Block {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Block {
            bytes: kept.unwrap_or_else(|| Vec::with_capacity(BLOCK)),
            pool: self.clone(),
        }
    }
}

/// A block; it goes back to the pool when dropped.
#[derive(Debug)]
pub(super) struct Block {
    bytes: Vec<u8>,
    pool: Pool,
}

impl Block {
    /// Bytes that it can still take.
    pub(super) fn room(&self) -> usize {
        BLOCK - self.bytes.len()
    }

    /// Takes bytes, no more than there is room for.
    pub(super) fn extend(&mut self, bytes: &[u8]) {
        debug_assert!(bytes.len() <= self.room(), "a block never grows");
        self.bytes.extend_from_slice(bytes);
    }
}

impl AsRef<[u8]> for Block {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.clear();
        let mut kept = self.pool.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT {
            kept.push(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_used_again_and_empty() {
        let pool = Pool::default();
        let mut block = pool.block();
        block.extend(b"somebody's");
        let place = block.as_ref().as_ptr();
        drop(block);
        let again = pool.block();
        assert_eq!((again.room(), again.as_ref().len()), (BLOCK, 0));
        assert_eq!(again.as_ref().as_ptr(), place);
    }
}
