//! A circuit breaker: after a few failures in a row nobody tries any more for a while, then one goes ahead, and the others follow if it
//! comes back well. So an upstream that is down does not hold up every worker, and is not knocked over when it comes back.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::UtcTime;

/// Failures in a row that open it.
const FAILURES: u32 = 5;
/// How long it stays open at first; each probe that fails doubles it.
const FIRST: Duration = Duration::from_secs(15);
/// The longest.
const LONGEST: Duration = Duration::from_secs(300);
/// A probe that has not come back by then is taken to be lost, and another may go.
const PROBE: Duration = Duration::from_secs(300);

/// One for all workers of a process. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Breaker(Arc<Mutex<State>>);

#[derive(Clone, Debug, Default)]
struct State {
    failures: u32,
    open: Option<Open>,
}

#[derive(Clone, Debug)]
struct Open {
    since: UtcTime,
    until: UtcTime,
    wait: Duration,
    probing: bool,
    reason: String,
}

/// Whether to go ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// Yes.
    Closed,
    /// Yes, as the only one; tell how it went.
    Probe,
    /// No.
    Open,
}

/// An open breaker, for whoever looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Since when.
    pub since: UtcTime,
    /// When one goes ahead next.
    pub until: UtcTime,
    /// The last failure.
    pub reason: String,
}

impl Breaker {
    /// Asks whether to go ahead; a [`Gate::Probe`] that finds nothing to do must be given back by [`Breaker::not_needed`].
    pub fn ask(&self, now: UtcTime) -> Gate {
        let mut state = self.lock();
        match &mut state.open {
            None => Gate::Closed,
            Some(open) if now < open.until => Gate::Open,
            Some(open) if open.probing && now < open.until.plus(PROBE) => Gate::Open,
            Some(open) => {
                open.probing = true;
                open.until = now;
                Gate::Probe
            }
        }
    }

    /// The probe found nothing to do: another may go.
    pub fn not_needed(&self) {
        if let Some(open) = &mut self.lock().open {
            open.probing = false;
        }
    }

    /// The upstream answered, well or not.
    pub fn succeeded(&self) {
        *self.lock() = State::default();
    }

    /// The upstream could not be reached; gives when to try next if the breaker is open now.
    pub fn failed(&self, reason: &str, now: UtcTime) -> Option<UtcTime> {
        let mut state = self.lock();
        state.failures = state.failures.saturating_add(1);
        let wait = match &state.open {
            // What was under way when it opened tells nothing new.
            Some(open) if !open.probing => return Some(open.until),
            Some(open) => (open.wait * 2).min(LONGEST),
            None if state.failures < FAILURES => return None,
            None => FIRST,
        };
        let until = now.plus(wait);
        state.open = Some(Open {
            since: state.open.as_ref().map_or(now, |open| open.since),
            until,
            wait,
            probing: false,
            reason: reason.to_owned(),
        });
        Some(until)
    }

    /// Whether it is open, and since when.
    pub fn opened(&self) -> Option<Opened> {
        self.lock().open.as_ref().map(|open| Opened {
            since: open.since,
            until: open.until,
            reason: open.reason.clone(),
        })
    }

    /// A panic while it was held leaves it as usable as before.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> UtcTime {
        UtcTime::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn it_opens_after_five_failures_in_a_row_and_a_success_between_starts_anew() {
        let breaker = Breaker::default();
        for _ in 0..4 {
            assert_eq!(breaker.failed("down", at(0)), None);
        }
        breaker.succeeded();
        for _ in 0..4 {
            assert_eq!(breaker.failed("down", at(0)), None);
        }
        assert_eq!(breaker.ask(at(0)), Gate::Closed);
        assert_eq!(breaker.failed("down", at(0)), Some(at(15)));
        assert_eq!(breaker.ask(at(14)), Gate::Open);
        assert_eq!(breaker.opened().expect("open").reason, "down");
    }

    #[test]
    fn one_probe_goes_ahead_and_decides_for_all() {
        let breaker = Breaker::default();
        for _ in 0..5 {
            breaker.failed("down", at(0));
        }
        assert_eq!(breaker.ask(at(15)), Gate::Probe);
        assert_eq!(breaker.ask(at(15)), Gate::Open, "the others wait for it");
        assert_eq!(
            breaker.failed("still down", at(16)),
            Some(at(46)),
            "twice as long"
        );
        assert_eq!(breaker.failed("a straggler", at(17)), Some(at(46)));
        assert_eq!(breaker.ask(at(46)), Gate::Probe);
        breaker.not_needed();
        assert_eq!(breaker.ask(at(46)), Gate::Probe, "another one");
        breaker.succeeded();
        assert_eq!(breaker.ask(at(46)), Gate::Closed);
        assert_eq!(breaker.opened(), None);
    }

    #[test]
    fn a_probe_that_never_comes_back_is_followed_by_another() {
        let breaker = Breaker::default();
        for _ in 0..5 {
            breaker.failed("down", at(0));
        }
        assert_eq!(breaker.ask(at(15)), Gate::Probe);
        assert_eq!(breaker.ask(at(314)), Gate::Open);
        assert_eq!(breaker.ask(at(315)), Gate::Probe);
    }
}
