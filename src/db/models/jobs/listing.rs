//! Jobs as people look at them: lists and counts.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};

use super::{Job, JobState};
use crate::clock::UtcTime;
use crate::db::keyset::{Part, beyond};
use crate::db::schema::jobs;
use crate::db::{DbConn, DbError};
use crate::ids::{DocumentId, JobId};

/// A place in a list of jobs, in either of its orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The state of the job beside it.
    pub state: JobState,
    /// When that was made.
    pub created_at: UtcTime,
    /// Its id.
    pub id: JobId,
}

impl Job {
    /// Where this job stands.
    pub fn place(&self) -> Place {
        Place {
            state: self.state,
            created_at: self.created_at,
            id: self.id,
        }
    }
}

/// Which jobs, in which order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobFilter {
    /// Only in this state.
    pub state: Option<JobState>,
    /// Only of this kind.
    pub kind: Option<String>,
    /// By state, and by time within each; else by time alone.
    pub by_state: bool,
    /// The oldest first.
    pub oldest_first: bool,
}

/// A part of those jobs as it is read: at most `limit`, away from the place.
pub fn list(
    connection: &mut DbConn,
    filter: &JobFilter,
    part: &Part<Place>,
    limit: i64,
) -> Result<Vec<Job>, DbError> {
    use jobs::{created_at, id, state};
    let mut query = jobs::table.select(Job::as_select()).limit(limit).into_boxed();
    if let Some(wanted) = filter.state {
        // The word in the statement, so that an index of such rows alone can be used.
        query = query.filter(sql::<Bool>(match wanted {
            JobState::Waiting => "state = 'waiting'",
            JobState::Running => "state = 'running'",
            JobState::Done => "state = 'done'",
            JobState::Dead => "state = 'dead'",
            JobState::Cancelled => "state = 'cancelled'",
        }));
    }
    if let Some(kind) = &filter.kind {
        query = query.filter(jobs::kind.eq(kind));
    }
    let upwards = filter.oldest_first != part.is_backwards();
    if !filter.by_state {
        let place = part.place().map(|place| (place.created_at, place.id));
        return Ok(beyond!(query, created_at, id, place, upwards).load(connection)?);
    }
    if let Some(place) = part.place() {
        // As a row: a state has any number of jobs, and only so do both databases begin to read the index amid them.
        let row = if upwards {
            "(state, created_at, id) > ("
        } else {
            "(state, created_at, id) < ("
        };
        let beyond = sql::<Bool>(row)
            .bind::<Text, _>(place.state)
            .sql(", ")
            .bind::<BigInt, _>(place.created_at)
            .sql(", ")
            .bind::<Text, _>(place.id)
            .sql(")");
        query = query.filter(beyond);
    }
    query = if upwards {
        query.order((state.asc(), created_at.asc(), id.asc()))
    } else {
        query.order((state.desc(), created_at.desc(), id.desc()))
    };
    Ok(query.load(connection)?)
}

/// The waiting or running jobs with these unique keys.
pub fn list_active(connection: &mut DbConn, keys: &[&str]) -> Result<Vec<(String, JobId)>, DbError> {
    let rows: Vec<(Option<String>, JobId)> = jobs::table
        .filter(sql::<Bool>("state IN ('waiting', 'running')"))
        .filter(jobs::unique_key.eq_any(keys))
        .select((jobs::unique_key, jobs::id))
        .load(connection)?;
    Ok(rows
        .into_iter()
        .filter_map(|(key, id)| Some((key?, id)))
        .collect())
}

/// The jobs of a document, in the order they were made.
pub fn list_of_document(
    connection: &mut DbConn,
    document: DocumentId,
    limit: i64,
) -> Result<Vec<Job>, DbError> {
    Ok(jobs::table
        .filter(jobs::document_id.eq(document))
        .order((jobs::created_at, jobs::id))
        .limit(limit)
        .select(Job::as_select())
        .load(connection)?)
}

/// How many jobs are in each state, for those in which any are.
pub fn count_by_state(connection: &mut DbConn) -> Result<Vec<(JobState, i64)>, DbError> {
    Ok(jobs::table
        .group_by(jobs::state)
        .select((jobs::state, diesel::dsl::count_star()))
        .load(connection)?)
}

/// How many jobs have failed for good, counted up to a bound, and when the last of them was made.
pub fn count_dead(connection: &mut DbConn, most: i64) -> Result<(i64, Option<UtcTime>), DbError> {
    let made: Vec<UtcTime> = jobs::table
        .filter(sql::<Bool>("state = 'dead'"))
        .order((jobs::created_at.desc(), jobs::id.desc()))
        .limit(most)
        .select(jobs::created_at)
        .load(connection)?;
    Ok((made.len() as i64, made.first().copied()))
}

/// How many jobs wait, counted up to a bound.
pub fn count_waiting(connection: &mut DbConn, most: i64) -> Result<i64, DbError> {
    let waiting: Vec<UtcTime> = jobs::table
        .filter(sql::<Bool>("state = 'waiting'"))
        .limit(most)
        .select(jobs::run_at)
        .load(connection)?;
    Ok(waiting.len() as i64)
}

/// Who runs jobs, and how many each: as many rows as there are workers.
pub fn list_workers(connection: &mut DbConn) -> Result<Vec<(String, i64)>, DbError> {
    let rows: Vec<(Option<String>, i64)> = jobs::table
        .filter(sql::<Bool>("state = 'running'"))
        .group_by(jobs::worker)
        .select((jobs::worker, diesel::dsl::count_star()))
        .load(connection)?;
    Ok(rows
        .into_iter()
        .filter_map(|(worker, count)| Some((worker?, count)))
        .collect())
}

/// When the first of the jobs that are done was claimed, and when the last of them ended.
pub fn span_of_done(connection: &mut DbConn) -> Result<Option<(UtcTime, UtcTime)>, DbError> {
    use diesel::dsl::{max, min};
    let (first, last): (Option<UtcTime>, Option<UtcTime>) = jobs::table
        .filter(sql::<Bool>("state = 'done'"))
        .select((min(jobs::started_at), max(jobs::finished_at)))
        .first(connection)?;
    Ok(first.zip(last))
}

/// When the job that has been due longest was due.
pub fn oldest_due(connection: &mut DbConn, now: UtcTime) -> Result<Option<UtcTime>, DbError> {
    Ok(jobs::table
        .filter(sql::<Bool>("state = 'waiting'"))
        .filter(jobs::run_at.le(now))
        .order(jobs::run_at)
        .select(jobs::run_at)
        .first(connection)
        .optional()?)
}
