//! How long a job waits before its next attempt.

use std::time::Duration;

/// The wait after the first failure.
const FIRST: Duration = Duration::from_secs(5);
/// The longest wait.
const LONGEST: Duration = Duration::from_secs(3_600);

/// The wait after so many attempts: doubling, up to an hour, and each time somewhere between half of that and all of it, so that what
/// failed together does not come back together.
pub fn backoff(attempts: i32) -> Duration {
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(0).min(20);
    let full = FIRST.saturating_mul(1 << doublings).min(LONGEST);
    let mut random = [0_u8; 2];
    crate::crypto::fill_random(&mut random);
    full / 2 + (full / 2).mul_f64(f64::from(u16::from_le_bytes(random)) / f64::from(u16::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_an_hour_and_varies_by_half() {
        for (attempts, full) in [(0, 5), (1, 5), (2, 10), (5, 80), (11, 3_600), (1_000, 3_600)] {
            for _ in 0..20 {
                let wait = backoff(attempts);
                assert!(wait >= Duration::from_secs(full) / 2, "{attempts}: {wait:?}");
                assert!(wait <= Duration::from_secs(full), "{attempts}: {wait:?}");
            }
        }
    }
}
