//! The figures of the administrators' first screen: counted a minute at a time by the sweep, read as a few rows a day.
//!
//! Each row of the trail, each job and each event is looked at once, through an index by time, whatever there is besides.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::clock::UtcTime;
use crate::db::models::events::listing as event_listing;
use crate::db::models::jobs::{JobState, listing as job_listing};
use crate::db::models::statistics::{self, Figure};
use crate::db::{DbConn, DbError};
use crate::error::AppError;
use crate::services::Services;
use crate::services::audit::Action;

/// What ended so lately is left to the next round: a transaction that began before may still be writing.
const LAG: Duration = Duration::from_secs(30);
/// Days that charts show.
pub const DAYS: i32 = 30;
const DAY_SECONDS: i64 = 86_400;
/// Rounds a sweep makes at most: it catches up with as many days.
const ROUNDS: usize = 31;
/// Beyond so many, a figure is "more than".
pub const MANY: i64 = 1_000;

/// Counts what is new since the last time. Of several servers one counts each stretch.
pub async fn gather(services: &Services) -> Result<(), AppError> {
    for _ in 0..ROUNDS {
        let now = services.clock.now();
        if !services.db.write(move |c| round(c, now)).await? {
            break;
        }
    }
    Ok(())
}

/// Counts a stretch within one day; whether there may be more.
fn round(c: &mut DbConn, now: UtcTime) -> Result<bool, DbError> {
    let until = now.minus(LAG);
    let Some(from) = statistics::mark(c)? else {
        statistics::begin(c, start_of(day_of(until)))?;
        return Ok(true);
    };
    let until = until.min(start_of(day_of(from) + 1));
    if until <= from || !statistics::move_mark(c, from, until)? {
        return Ok(false);
    }
    let day = day_of(from);
    let mut found = BTreeMap::new();
    let uploads = statistics::count_done(c, Action::DocumentAdded.as_str(), from, until)?;
    found.insert("uploads".to_owned(), uploads);
    for (kind, state, count, micros) in statistics::count_jobs(c, from, until)? {
        match state {
            JobState::Done => {
                *found.entry("jobs".to_owned()).or_default() += count;
                *found.entry("job-micros".to_owned()).or_default() += micros;
            }
            JobState::Dead => *found.entry(format!("failed {kind}")).or_default() += count,
            _ => {}
        }
    }
    let (events, micros) = statistics::count_events(c, from, until)?;
    found.insert("events".to_owned(), events);
    found.insert("event-micros".to_owned(), micros);
    for (name, value) in found.into_iter().filter(|(_, value)| *value != 0) {
        statistics::add(c, &Figure { day, name, value })?;
    }
    let (bytes, documents) = statistics::stored(c)?;
    for (name, value) in [("bytes", bytes), ("documents", documents)] {
        let name = name.to_owned();
        statistics::set(c, &Figure { day, name, value })?;
    }
    Ok(until < now.minus(LAG))
}

/// The number of a day.
pub fn day_of(at: UtcTime) -> i32 {
    i32::try_from(at.seconds().div_euclid(DAY_SECONDS)).unwrap_or(i32::MAX)
}

/// The first moment of a day.
pub fn start_of(day: i32) -> UtcTime {
    UtcTime::from_micros(i64::from(day) * DAY_SECONDS * 1_000_000)
}

/// What the first screen shows.
#[derive(Clone, Debug)]
pub struct Overview {
    /// The figures of [`DAYS`] days.
    pub figures: Vec<Figure>,
    /// The last day of them.
    pub today: i32,
    /// Up to when they are counted.
    pub counted_until: Option<UtcTime>,
    /// Jobs that have failed for good, up to [`MANY`]; when the last one was made.
    pub dead_jobs: (i64, Option<UtcTime>),
    /// Jobs that wait, up to [`MANY`].
    pub waiting_jobs: i64,
    /// When the job was due that has been due longest.
    pub oldest_due: Option<UtcTime>,
    /// Events that need somebody's eyes, up to [`MANY`].
    pub troubled_events: i64,
}

/// Reads what the first screen shows: seven queries, each of a bounded number of rows.
pub async fn overview(services: &Services) -> Result<Overview, AppError> {
    let now = services.clock.now();
    let today = day_of(now);
    let read = services.db.run(move |c| {
        Ok(Overview {
            figures: statistics::list_since(c, today - DAYS + 1)?,
            today,
            counted_until: statistics::mark(c)?,
            dead_jobs: job_listing::count_dead(c, MANY)?,
            waiting_jobs: job_listing::count_waiting(c, MANY)?,
            oldest_due: job_listing::oldest_due(c, now)?,
            troubled_events: event_listing::count_troubled(c, MANY)?,
        })
    });
    Ok(read.await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_begin_at_midnight() {
        let at = UtcTime::from_micros(1_773_324_300_000_000);
        let day = day_of(at);
        assert!(start_of(day) <= at && at < start_of(day + 1));
        assert_eq!(day_of(start_of(day)), day);
        assert_eq!(start_of(day).rfc3339(), "2026-03-12T00:00:00Z");
    }
}
