//! Requests of this process, counted by route.
//!
//! Labels are the route's pattern and never the address, one of nine methods, and the status: as many rows as the table of routes
//! allows, whatever strangers send.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Upper ends of the buckets of durations, seconds.
pub(super) const BUCKETS: [f64; 9] = [0.005, 0.02, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0, 300.0];

/// Requests by method, route and status; durations by method and route.
#[derive(Debug, Default)]
pub struct Requests(Mutex<Seen>);

#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    pub(super) answered: BTreeMap<(&'static str, String, u16), u64>,
    pub(super) took: BTreeMap<(&'static str, String), Took>,
}

/// Durations of one route.
#[derive(Clone, Debug, Default)]
pub(super) struct Took {
    pub(super) buckets: [u64; BUCKETS.len()],
    pub(super) count: u64,
    pub(super) seconds: f64,
}

impl Requests {
    /// A request was answered; `route` is the pattern that it matched, if it matched any.
    pub fn answered(&self, method: &str, route: Option<String>, status: u16, took: Duration) {
        let (method, route) = (known(method), route.unwrap_or_else(|| "none".to_owned()));
        let seconds = took.as_secs_f64();
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *seen.answered.entry((method, route.clone(), status)).or_default() += 1;
        let durations = seen.took.entry((method, route)).or_default();
        durations.count += 1;
        durations.seconds += seconds;
        for (bucket, end) in durations.buckets.iter_mut().zip(BUCKETS) {
            if seconds <= end {
                *bucket += 1;
            }
        }
    }

    pub(super) fn seen(&self) -> Seen {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The methods there are; whatever else is sent is one and the same.
fn known(method: &str) -> &'static str {
    const METHODS: [&str; 9] = [
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT",
    ];
    METHODS
        .into_iter()
        .find(|known| *known == method)
        .unwrap_or("other")
}
