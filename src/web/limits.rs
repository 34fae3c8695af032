//! How often one address, or one API token, may do what costs or what only somebody who guesses does.
//!
//! Each process counts for itself and in memory: with several servers the bounds are that many times as wide. Signing in is counted in
//! the database (`services::sign_in`), since there a guess that gets through matters.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::UtcTime;

/// Callers that are remembered; beyond that the ones with the fullest buckets are forgotten.
const MOST: usize = 10_000;

/// What is bounded in this process.
pub struct Limits {
    /// Ids and links that lead nowhere, by address.
    pub guesses: Limiter,
    /// Wrong tokens at set-up, by address.
    pub set_up: Limiter,
    /// Webhooks without Filestack's signature, by address.
    pub webhooks: Limiter,
    /// Requests with one API token, where a bound is set.
    pub api: Option<Limiter>,
}

impl Limits {
    /// The usual ones; `api_rate` is how many requests a minute each API token may make.
    pub fn new(api_rate: Option<u32>) -> Self {
        Limits {
            guesses: Limiter::new(300, Duration::from_secs(1)),
            set_up: Limiter::new(20, Duration::from_secs(10)),
            webhooks: Limiter::new(600, Duration::from_secs(1)),
            api: api_rate.map(|rate| Limiter::new(rate, Duration::from_secs(60) / rate.max(1))),
        }
    }
}

/// So many at once, and one more each time a while has passed.
pub struct Limiter {
    at_once: f64,
    every: Duration,
    buckets: Mutex<HashMap<String, Bucket>>,
}

struct Bucket {
    left: f64,
    at: UtcTime,
}

impl Limiter {
    /// So many at once, and one more every while.
    pub fn new(at_once: u32, every: Duration) -> Self {
        Limiter {
            at_once: f64::from(at_once.max(1)),
            every,
            buckets: Mutex::default(),
        }
    }

    /// How long this caller has to wait, if at all.
    pub fn wait(&self, caller: &str, now: UtcTime) -> Option<Duration> {
        let buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let left = self.filled(buckets.get(caller)?, now);
        (left < 1.0).then(|| self.every.mul_f64(1.0 - left).max(Duration::from_secs(1)))
    }

    /// Counts one of this caller's.
    pub fn count(&self, caller: &str, now: UtcTime) {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MOST && !buckets.contains_key(caller) {
            self.forget(&mut buckets, now);
        }
        let left = buckets
            .get(caller)
            .map_or(self.at_once, |bucket| self.filled(bucket, now));
        let bucket = Bucket {
            left: (left - 1.0).max(0.0),
            at: now,
        };
        buckets.insert(caller.to_owned(), bucket);
    }

    /// Counts one, unless this caller has to wait.
    ///
    /// # Errors
    ///
    /// How long.
    pub fn take(&self, caller: &str, now: UtcTime) -> Result<(), Duration> {
        match self.wait(caller, now) {
            Some(wait) => Err(wait),
            None => {
                self.count(caller, now);
                Ok(())
            }
        }
    }

    fn filled(&self, bucket: &Bucket, now: UtcTime) -> f64 {
        let passed = now.since(bucket.at).as_secs_f64() / self.every.as_secs_f64();
        (bucket.left + passed).min(self.at_once)
    }

    /// Those who have done nothing for long go; if that is not enough, all do: memory is bounded whatever comes.
    fn forget(&self, buckets: &mut HashMap<String, Bucket>, now: UtcTime) {
        buckets.retain(|_, bucket| self.filled(bucket, now) < self.at_once);
        if buckets.len() >= MOST {
            buckets.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> UtcTime {
        UtcTime::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn so_many_at_once_and_then_one_every_while() {
        let limiter = Limiter::new(3, Duration::from_secs(10));
        for _ in 0..3 {
            assert_eq!(limiter.take("a", at(0)), Ok(()));
        }
        assert_eq!(limiter.take("a", at(0)), Err(Duration::from_secs(10)));
        assert_eq!(limiter.take("b", at(0)), Ok(()), "another caller");
        assert_eq!(limiter.take("a", at(4)), Err(Duration::from_secs(6)));
        assert_eq!(limiter.take("a", at(10)), Ok(()));
        assert!(limiter.take("a", at(10)).is_err());
        for _ in 0..3 {
            assert_eq!(limiter.take("a", at(1_000)), Ok(()));
        }
        assert!(limiter.take("a", at(1_000)).is_err(), "no more than at once");
    }

    #[test]
    fn a_flood_of_callers_is_forgotten() {
        let limiter = Limiter::new(1, Duration::from_secs(10));
        for n in 0..3 * MOST {
            limiter.count(&n.to_string(), at(0));
        }
        assert!(limiter.buckets.lock().expect("no panic").len() <= MOST);
    }
}
