//! Numbers that look like chance and are the same every time.

use sha2::{Digest, Sha256};

/// A row of numbers that a task's name and a content begin.
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn new(task: &str, content: &[u8]) -> Self {
        let sum = Sha256::new()
            .chain_update(task.as_bytes())
            .chain_update([0])
            .chain_update(content)
            .finalize();
        let start = sum
            .iter()
            .take(8)
            .fold(0, |number, byte| number << 8 | u64::from(*byte));
        Self(start)
    }

    /// Leaves some numbers out.
    pub(super) fn skip(&mut self, count: u32) {
        for _ in 0..count {
            self.next();
        }
    }

    /// A number less than `limit`, which is not 0.
    pub(super) fn below(&mut self, limit: u32) -> u32 {
        (self.next() % u64::from(limit)) as u32
    }

    pub(super) fn one_of(&mut self, words: &[&'static str]) -> &'static str {
        let count = u32::try_from(words.len()).unwrap_or(u32::MAX);
        words[self.below(count) as usize]
    }

    /// SplitMix64.
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut number = self.0;
        number = (number ^ number >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        number = (number ^ number >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        number ^ number >> 31
    }
}
