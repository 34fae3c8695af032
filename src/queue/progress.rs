//! How far a running job is: said by its work, written down with its worker's signs of life.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

/// Clones share it.
#[derive(Clone, Debug)]
pub struct Progress(Arc<AtomicI32>);

/// Before anything was said.
const UNKNOWN: i32 = -1;

impl Default for Progress {
    fn default() -> Self {
        Progress(Arc::new(AtomicI32::new(UNKNOWN)))
    }
}

impl Progress {
    /// Says that so much of all is done. The last hundredth is for the end of the job.
    pub fn say(&self, done: u64, all: u64) {
        let percent = done.saturating_mul(100).checked_div(all).unwrap_or(0).min(99);
        self.0
            .store(i32::try_from(percent).unwrap_or(99), Ordering::Relaxed);
    }

    /// Per cent, if anything was said.
    pub fn percent(&self) -> Option<i32> {
        Some(self.0.load(Ordering::Relaxed)).filter(|percent| *percent != UNKNOWN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_unknown_until_something_is_said_and_never_whole() {
        let progress = Progress::default();
        assert_eq!(progress.percent(), None);
        for (done, all, percent) in [(0, 10, 0), (1, 3, 33), (10, 10, 99), (5, 0, 0), (u64::MAX, 1, 99)] {
            progress.say(done, all);
            assert_eq!(progress.percent(), Some(percent), "{done} of {all}");
        }
    }
}
