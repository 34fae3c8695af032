//! Time as Satchel keeps it, and where it comes from.
//!
//! Nothing else reads the system's clock, so that a test can stand still or jump. A moment is a whole number of microseconds:
//! PostgreSQL's own precision, equal and sortable on both databases, which their date types are not.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::sql_types::BigInt;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A moment in UTC, in whole microseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, AsExpression, FromSqlRow)]
#[diesel(sql_type = BigInt)]
pub struct UtcTime(i64);

impl UtcTime {
    /// The moment this many microseconds after 1970 began.
    pub const fn from_micros(micros: i64) -> Self {
        UtcTime(micros)
    }

    /// Microseconds since 1970.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// The same, by reference: what a query binds.
    pub(crate) const fn as_micros(&self) -> &i64 {
        &self.0
    }

    /// Whole milliseconds since 1970, never negative.
    pub fn millis(self) -> u64 {
        (self.0 / 1_000).max(0) as u64
    }

    /// Whole seconds since 1970.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// This moment and so much later.
    pub fn plus(self, duration: Duration) -> Self {
        UtcTime(
            self.0
                .saturating_add(duration.as_micros().min(i64::MAX as u128) as i64),
        )
    }

    /// This moment and so much earlier.
    pub fn minus(self, duration: Duration) -> Self {
        UtcTime(
            self.0
                .saturating_sub(duration.as_micros().min(i64::MAX as u128) as i64),
        )
    }

    /// How long after `earlier` this is; zero when it is not.
    pub fn since(self, earlier: UtcTime) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0).max(0) as u64)
    }

    /// The calendar's view of this moment.
    pub fn calendar(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    /// RFC 3339 in UTC, as the API writes times.
    pub fn rfc3339(self) -> String {
        self.calendar().format(&Rfc3339).unwrap_or_default()
    }

    /// The moment of a calendar's time, to the microsecond.
    pub fn of_calendar(time: OffsetDateTime) -> Self {
        UtcTime((time.unix_timestamp_nanos() / 1_000) as i64)
    }

    /// The moment of the standard library's view, to the microsecond.
    pub fn of_system(moment: SystemTime) -> Self {
        let since = moment.duration_since(UNIX_EPOCH).unwrap_or_default();
        UtcTime::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }

    /// The standard library's view of this moment.
    pub fn system(self) -> SystemTime {
        UNIX_EPOCH + Duration::from_micros(self.0.max(0) as u64)
    }
}

/// Where the time comes from: the system, or a test's hand.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    Fixed(Arc<AtomicI64>),
}

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Clock(Source::System)
    }

    /// A clock that stands at `start` until it is told to advance; its clones advance with it.
    pub fn fixed(start: UtcTime) -> Self {
        Clock(Source::Fixed(Arc::new(AtomicI64::new(start.micros()))))
    }

    /// The time now.
    pub fn now(&self) -> UtcTime {
        match &self.0 {
            Source::System => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                UtcTime(since.as_micros().min(i64::MAX as u128) as i64)
            }
            Source::Fixed(micros) => UtcTime(micros.load(Ordering::SeqCst)),
        }
    }

    /// Moves a fixed clock forward; the system's clock is left alone.
    pub fn advance(&self, duration: Duration) {
        if let Source::Fixed(micros) = &self.0 {
            micros.fetch_add(duration.as_micros() as i64, Ordering::SeqCst);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_clock_moves_only_when_told_and_its_clones_move_with_it() {
        let clock = Clock::fixed(UtcTime::from_micros(1_700_000_000_000_000));
        let clone = clock.clone();
        assert_eq!(clock.now(), clone.now());
        clock.advance(Duration::from_secs(300));
        assert_eq!(clone.now().seconds(), 1_700_000_300);
        assert_eq!(clone.now().rfc3339(), "2023-11-14T22:18:20Z");
    }
}
