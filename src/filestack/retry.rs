//! When to try again, and how long to wait before.

use std::time::Duration;

use super::error::FilestackError;
use super::options::Options;

/// The repetitions of one call.
pub(super) struct Retries<'a> {
    options: &'a Options,
    used: u32,
}

impl<'a> Retries<'a> {
    pub(super) fn new(options: &'a Options) -> Self {
        Self { options, used: 0 }
    }

    /// Waits until the call should be made again; gives the error back when it should not.
    ///
    /// When the server asks for a longer wait than the options allow, trying earlier would only make things worse: the
    /// error goes to the caller, with the wait in it.
    pub(super) async fn after(&mut self, error: FilestackError) -> Result<(), FilestackError> {
        let asked = error.retry_after().unwrap_or_default();
        if !error.is_transient() || self.used >= self.options.retries || asked > self.options.longest_wait {
            return Err(error);
        }
        // The jitter comes on top of what was asked for: clients told the same moment must not all come back at it.
        let delay = asked + backoff(self.options, self.used);
        self.used += 1;
        tokio::time::sleep(delay).await;
        Ok(())
    }
}

/// A random time between half of the `n`th backoff and all of it.
pub(super) fn backoff(options: &Options, n: u32) -> Duration {
    let full = options
        .backoff
        .saturating_mul(2_u32.saturating_pow(n))
        .min(options.longest_backoff);
    // Without randomness the wait is merely less spread out.
    let chance = f64::from(getrandom::u32().unwrap_or(u32::MAX)) / f64::from(u32::MAX);
    full.mul_f64(0.5 + chance / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_doubles_up_to_its_end_and_varies_by_half() {
        let options = Options {
            backoff: Duration::from_millis(100),
            longest_backoff: Duration::from_millis(450),
            ..Options::default()
        };
        for (n, full) in [(0, 100), (1, 200), (2, 400), (3, 450), (40, 450)] {
            let wait = backoff(&options, n).as_millis();
            assert!((full / 2..=full).contains(&wait), "{n}: {wait}");
        }
    }

    #[actix_web::test]
    async fn only_transient_errors_are_repeated_and_not_for_ever() {
        let options = Options {
            retries: 2,
            backoff: Duration::from_micros(10),
            ..Options::default()
        };
        let mut retries = Retries::new(&options);
        assert!(retries.after(FilestackError::NotFound).await.is_err());
        assert!(retries.after(FilestackError::unavailable("x")).await.is_ok());
        assert!(
            retries
                .after(FilestackError::RateLimited { retry_after: None })
                .await
                .is_ok()
        );
        assert!(retries.after(FilestackError::unavailable("x")).await.is_err());
    }

    #[actix_web::test]
    async fn a_wait_longer_than_allowed_is_the_callers_to_make() {
        let options = Options {
            longest_wait: Duration::from_secs(1),
            ..Options::default()
        };
        let asked = FilestackError::RateLimited {
            retry_after: Some(Duration::from_secs(2)),
        };
        let back = Retries::new(&options).after(asked).await.unwrap_err();
        assert_eq!(back.retry_after(), Some(Duration::from_secs(2)));
    }
}
