//! How patient, how parallel and how large: everything about the client that is a number.

use std::time::Duration;

use super::error::FilestackError;
use super::transfers::Transfers;

/// Storage takes at most this many parts of one upload.
pub(super) const MOST_PARTS: u64 = 10_000;

/// Tuning of a [`Filestack`](super::Filestack); the default suits Filestack itself.
#[derive(Clone, Debug)]
pub struct Options {
    /// Bytes of each part of a regular upload. Filestack's storage wants at least 5 MiB; files that would need more than
    /// 10 000 parts get larger ones.
    pub part_size: usize,
    /// Parts of one upload under way at the same time.
    pub window: usize,
    /// Whether to ask for intelligent ingestion. Where the account does not grant it, uploads are regular.
    pub intelligent: bool,
    /// How often a call or a part is repeated after its first failure.
    pub retries: u32,
    /// The wait before the first repetition; it doubles from one to the next.
    pub backoff: Duration,
    /// Where that doubling ends.
    pub longest_backoff: Duration,
    /// The longest wait that Filestack may ask for (`Retry-After`, `Filestack-Reset`); if it asks for more, the call fails
    /// instead.
    pub longest_wait: Duration,
    /// How often `complete` is sent while Filestack answers that the parts are not merged yet.
    pub complete_attempts: u32,
    /// Time to connect.
    pub connect_timeout: Duration,
    /// Time for a whole call that carries no file bytes, and for each silence of the server while it takes a stream.
    pub response_timeout: Duration,
    /// Time for one part, besides what its bytes take at [`slowest_bytes_per_second`](Self::slowest_bytes_per_second).
    pub part_timeout: Duration,
    /// A part that moves slower than this is given up and sent again.
    pub slowest_bytes_per_second: u64,
    /// Time for one `complete`, and for the answer to a streamed body after its end: storage may be busy merging.
    pub complete_timeout: Duration,
    /// Where parts are sent and digests computed. Without it that happens on the caller's own runtime.
    pub transfers: Option<Transfers>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            part_size: 5 * 1024 * 1024,
            window: 3,
            intelligent: false,
            retries: 5,
            backoff: Duration::from_millis(500),
            longest_backoff: Duration::from_secs(10),
            longest_wait: Duration::from_secs(60),
            complete_attempts: 40,
            connect_timeout: Duration::from_secs(10),
            response_timeout: Duration::from_secs(30),
            part_timeout: Duration::from_secs(30),
            slowest_bytes_per_second: 64 * 1024,
            complete_timeout: Duration::from_secs(120),
            transfers: None,
        }
    }
}

impl Options {
    pub(super) fn check(&self) -> Result<(), FilestackError> {
        if self.part_size == 0 || self.window == 0 || self.slowest_bytes_per_second == 0 {
            return Err(FilestackError::invalid(
                "part size, window and slowest speed must be at least 1",
            ));
        }
        Ok(())
    }

    /// How long sending `bytes` may take.
    pub(super) fn time_for(&self, bytes: usize) -> Duration {
        self.part_timeout + Duration::from_secs(bytes as u64 / self.slowest_bytes_per_second)
    }
}
