//! Jobs: rows of background work, and the steps from waiting to their end.
//!
//! What a worker does to its job names the fence it was given: once somebody else has claimed the job, or it was cancelled, such a
//! change hits no row. The verbs are in `queue`; what is listed and shown is in [`listing`].

use std::fmt;
use std::str::FromStr;

use diesel::deserialize::FromSqlRow;
use diesel::dsl::sql;
use diesel::expression::AsExpression;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};

use crate::clock::UtcTime;
use crate::db::connection::first_locked;
use crate::db::schema::jobs;
use crate::db::{DbConn, DbError};
use crate::ids::{DocumentId, JobId};

pub mod listing;

/// How far a job has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub enum JobState {
    /// To be run, now or later.
    Waiting,
    /// A worker has it.
    Running,
    /// It succeeded.
    Done,
    /// It failed for good, and says why.
    Dead,
    /// Somebody called it off.
    Cancelled,
}

impl JobState {
    /// All of them, in the order of a job's life.
    pub const ALL: [JobState; 5] = [
        JobState::Waiting,
        JobState::Running,
        JobState::Done,
        JobState::Dead,
        JobState::Cancelled,
    ];

    /// The word kept in the column and shown.
    pub fn as_str(&self) -> &'static str {
        match self {
            JobState::Waiting => "waiting",
            JobState::Running => "running",
            JobState::Done => "done",
            JobState::Dead => "dead",
            JobState::Cancelled => "cancelled",
        }
    }

    /// Whether nothing will happen any more unless somebody asks for it.
    pub fn is_final(self) -> bool {
        !matches!(self, JobState::Waiting | JobState::Running)
    }
}

impl fmt::Display for JobState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for JobState {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| format!("no job state {text}"))
    }
}

crate::db::types::text_column!(JobState);

/// A job.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = jobs, treat_none_as_default_value = false)]
pub struct Job {
    /// Id.
    pub id: JobId,
    /// What is to be done: a word that the workers know.
    pub kind: String,
    /// How far.
    pub state: JobState,
    /// Lower numbers first.
    pub priority: i32,
    /// What it is to be done with: JSON.
    pub payload: String,
    /// The document it is about.
    pub document_id: Option<DocumentId>,
    /// At most one waiting or running job has it.
    pub unique_key: Option<String>,
    /// Not before then.
    pub run_at: UtcTime,
    /// Claims that were not given back.
    pub attempts: i32,
    /// After so many it is dead.
    pub max_attempts: i32,
    /// Per cent.
    pub progress: i32,
    /// What the last attempt had to say.
    pub reason: Option<String>,
    /// Goes up with every claim.
    pub fence: i64,
    /// Until when its worker has it for sure.
    pub lease_until: Option<UtcTime>,
    /// Who has it, or had it last.
    pub worker: Option<String>,
    /// When it became necessary.
    pub created_at: UtcTime,
    /// When it was claimed last.
    pub started_at: Option<UtcTime>,
    /// When it ended.
    pub finished_at: Option<UtcTime>,
}

/// The right of one worker to one job until somebody else claims it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    /// The job.
    pub id: JobId,
    /// The fence of this claim.
    pub fence: i64,
}

impl Job {
    /// The right that goes with this row, as it was claimed.
    pub fn hold(&self) -> Hold {
        Hold {
            id: self.id,
            fence: self.fence,
        }
    }
}

/// Said with the word in the statement and not as a parameter: only so can either database use an index of such rows alone.
fn is_waiting() -> diesel::expression::SqlLiteral<Bool> {
    sql("state = 'waiting'")
}

fn is_running() -> diesel::expression::SqlLiteral<Bool> {
    sql("state = 'running'")
}

fn is_active() -> diesel::expression::SqlLiteral<Bool> {
    sql("state IN ('waiting', 'running')")
}

/// Adds a job; `false` when an active one has its unique key.
pub fn insert(connection: &mut DbConn, job: &Job) -> Result<bool, DbError> {
    let insert = diesel::insert_into(jobs::table)
        .values(job)
        .on_conflict_do_nothing();
    let added = match connection {
        DbConn::Postgres(inner) => insert.execute(inner)?,
        DbConn::Sqlite(inner) => insert.execute(inner)?,
    };
    Ok(added == 1)
}

/// Adds many jobs that have no unique key with one statement.
pub fn insert_batch(connection: &mut DbConn, batch: &[Job]) -> Result<(), DbError> {
    let insert = diesel::insert_into(jobs::table).values(batch);
    match connection {
        DbConn::Postgres(inner) => insert.execute(inner)?,
        DbConn::Sqlite(inner) => insert.execute(inner)?,
    };
    Ok(())
}

/// The waiting or running job with this unique key.
pub fn find_active(connection: &mut DbConn, unique_key: &str) -> Result<Option<Job>, DbError> {
    Ok(jobs::table
        .filter(is_active())
        .filter(jobs::unique_key.eq(unique_key))
        .select(Job::as_select())
        .first(connection)
        .optional()?)
}

/// The job of this id.
pub fn find(connection: &mut DbConn, id: JobId) -> Result<Option<Job>, DbError> {
    Ok(jobs::table
        .find(id)
        .select(Job::as_select())
        .get_result(connection)
        .optional()?)
}

/// The job of this id, locked until the transaction ends.
pub fn find_for_update(connection: &mut DbConn, id: JobId) -> Result<Option<Job>, DbError> {
    let job = jobs::table.find(id);
    Ok(first_locked!(connection, job, Job, for_update)?)
}

/// The first job of this priority that is due, locked on PostgreSQL, where those locked by others are passed over.
pub fn next_due(
    connection: &mut DbConn,
    kind: Option<&str>,
    priority: i32,
    now: UtcTime,
) -> Result<Option<Job>, DbError> {
    macro_rules! first {
        ($query:expr) => {
            match connection {
                DbConn::Postgres(inner) => $query
                    .select(Job::as_select())
                    .for_update()
                    .skip_locked()
                    .first::<Job>(inner)
                    .optional()?,
                DbConn::Sqlite(inner) => $query
                    .select(Job::as_select())
                    .first::<Job>(inner)
                    .optional()?,
            }
        };
    }
    let due = jobs::table
        .filter(is_waiting())
        .filter(jobs::priority.eq(priority))
        .filter(jobs::run_at.le(now))
        .order((jobs::run_at, jobs::id))
        .limit(1);
    Ok(match kind {
        Some(kind) => first!(due.filter(jobs::kind.eq(kind))),
        None => first!(due),
    })
}

/// How many of these kinds are running, for those of which any are.
pub fn count_running(connection: &mut DbConn, kinds: &[&str]) -> Result<Vec<(String, i64)>, DbError> {
    Ok(jobs::table
        .filter(is_running())
        .filter(jobs::kind.eq_any(kinds))
        .group_by(jobs::kind)
        .select((jobs::kind, diesel::dsl::count_star()))
        .load(connection)?)
}

/// Gives a waiting job to a worker; `false` when somebody else was faster.
pub fn claim(
    connection: &mut DbConn,
    id: JobId,
    worker: &str,
    lease_until: UtcTime,
    now: UtcTime,
) -> Result<bool, DbError> {
    let changed = diesel::update(jobs::table.find(id).filter(is_waiting()))
        .set((
            jobs::state.eq(JobState::Running),
            jobs::fence.eq(jobs::fence + 1),
            jobs::attempts.eq(jobs::attempts + 1),
            jobs::worker.eq(worker),
            jobs::lease_until.eq(lease_until),
            jobs::started_at.eq(now),
        ))
        .execute(connection)?;
    Ok(changed == 1)
}

/// Makes the worker's lease longer and says how far the job is; `false` when the worker has lost it.
pub fn heartbeat(
    connection: &mut DbConn,
    hold: Hold,
    lease_until: UtcTime,
    progress: Option<i32>,
) -> Result<bool, DbError> {
    let held = jobs::table
        .find(hold.id)
        .filter(is_running())
        .filter(jobs::fence.eq(hold.fence));
    let changed = match progress {
        Some(progress) => diesel::update(held)
            .set((
                jobs::lease_until.eq(lease_until),
                jobs::progress.eq(progress.clamp(0, 100)),
            ))
            .execute(connection)?,
        None => diesel::update(held)
            .set(jobs::lease_until.eq(lease_until))
            .execute(connection)?,
    };
    Ok(changed == 1)
}

/// Ends a worker's job; `false` when the worker has lost it.
pub fn end(
    connection: &mut DbConn,
    hold: Hold,
    state: JobState,
    reason: Option<&str>,
    now: UtcTime,
) -> Result<bool, DbError> {
    let held = jobs::table
        .find(hold.id)
        .filter(is_running())
        .filter(jobs::fence.eq(hold.fence));
    let changed = if state == JobState::Done {
        diesel::update(held)
            .set((
                jobs::state.eq(state),
                jobs::reason.eq(reason),
                jobs::progress.eq(100),
                jobs::lease_until.eq(None::<UtcTime>),
                jobs::finished_at.eq(now),
            ))
            .execute(connection)?
    } else {
        diesel::update(held)
            .set((
                jobs::state.eq(state),
                jobs::reason.eq(reason),
                jobs::lease_until.eq(None::<UtcTime>),
                jobs::finished_at.eq(now),
            ))
            .execute(connection)?
    };
    Ok(changed == 1)
}

/// Lets a worker's job wait again, with or without counting the attempt; `false` when the worker has lost it.
pub fn put_back(
    connection: &mut DbConn,
    hold: Hold,
    run_at: UtcTime,
    reason: Option<&str>,
    counts: bool,
) -> Result<bool, DbError> {
    let changed = diesel::update(
        jobs::table
            .find(hold.id)
            .filter(is_running())
            .filter(jobs::fence.eq(hold.fence)),
    )
    .set((
        jobs::state.eq(JobState::Waiting),
        jobs::run_at.eq(run_at),
        jobs::reason.eq(reason),
        jobs::attempts.eq(jobs::attempts - i32::from(!counts)),
        jobs::lease_until.eq(None::<UtcTime>),
    ))
    .execute(connection)?;
    Ok(changed == 1)
}

/// Jobs whose workers have not been heard of in time; locked on PostgreSQL, where those locked by others are passed over.
pub fn list_expired(connection: &mut DbConn, now: UtcTime, limit: i64) -> Result<Vec<Job>, DbError> {
    let expired = jobs::table
        .filter(is_running())
        .filter(jobs::lease_until.lt(now))
        .order(jobs::lease_until)
        .limit(limit);
    Ok(match connection {
        DbConn::Postgres(inner) => expired
            .select(Job::as_select())
            .for_update()
            .skip_locked()
            .load(inner)?,
        DbConn::Sqlite(inner) => expired.select(Job::as_select()).load(inner)?,
    })
}

/// Calls off a job that has not ended; `false` when it has. A worker that has it loses it.
pub fn cancel(connection: &mut DbConn, id: JobId, reason: &str, now: UtcTime) -> Result<bool, DbError> {
    let changed = diesel::update(jobs::table.find(id).filter(is_active()))
        .set((
            jobs::state.eq(JobState::Cancelled),
            jobs::reason.eq(reason),
            jobs::lease_until.eq(None::<UtcTime>),
            jobs::finished_at.eq(now),
        ))
        .execute(connection)?;
    Ok(changed == 1)
}

/// Waits for those who are ending a job of the document, and holds its jobs until this transaction ends: a worker takes the job before the
/// document, so whoever removes a document does the same, and the two never wait for each other in a ring. SQLite's writers are alone.
pub fn lock_of_document(connection: &mut DbConn, document: DocumentId) -> Result<(), DbError> {
    if let DbConn::Postgres(inner) = connection {
        jobs::table
            .filter(is_active())
            .filter(jobs::document_id.eq(document))
            .order(jobs::id)
            .select(jobs::id)
            .for_update()
            .load::<JobId>(inner)?;
    }
    Ok(())
}

/// Calls off what still waits or runs for a document.
pub fn cancel_of_document(
    connection: &mut DbConn,
    document: DocumentId,
    reason: &str,
    now: UtcTime,
) -> Result<usize, DbError> {
    Ok(diesel::update(
        jobs::table
            .filter(is_active())
            .filter(jobs::document_id.eq(document)),
    )
    .set((
        jobs::state.eq(JobState::Cancelled),
        jobs::reason.eq(reason),
        jobs::lease_until.eq(None::<UtcTime>),
        jobs::finished_at.eq(now),
    ))
    .execute(connection)?)
}

/// Lets an ended job wait anew, with all its attempts; `false` when it has not ended or succeeded.
pub fn revive(connection: &mut DbConn, id: JobId, now: UtcTime) -> Result<bool, DbError> {
    let changed = diesel::update(
        jobs::table
            .find(id)
            .filter(sql::<Bool>("state IN ('dead', 'cancelled')")),
    )
    .set((
        jobs::state.eq(JobState::Waiting),
        jobs::attempts.eq(0),
        jobs::progress.eq(0),
        jobs::reason.eq(None::<String>),
        jobs::run_at.eq(now),
        jobs::started_at.eq(None::<UtcTime>),
        jobs::finished_at.eq(None::<UtcTime>),
    ))
    .execute(connection)?;
    Ok(changed == 1)
}

/// Lets a waiting job run now; `false` when it does not wait.
pub fn hasten(connection: &mut DbConn, id: JobId, now: UtcTime) -> Result<bool, DbError> {
    let changed = diesel::update(jobs::table.find(id).filter(is_waiting()))
        .set(jobs::run_at.eq(now))
        .execute(connection)?;
    Ok(changed == 1)
}

/// Forgets jobs that ended before `before`, at most so many: done and cancelled ones, or with `dead` the dead ones.
pub fn delete_ended(
    connection: &mut DbConn,
    dead: bool,
    before: UtcTime,
    limit: i64,
) -> Result<usize, DbError> {
    let which = || {
        sql::<Bool>(if dead {
            "state = 'dead'"
        } else {
            "state IN ('done', 'cancelled')"
        })
    };
    let ids: Vec<JobId> = jobs::table
        .filter(jobs::finished_at.lt(before))
        .filter(which())
        .order(jobs::finished_at)
        .limit(limit)
        .select(jobs::id)
        .load(connection)?;
    if ids.is_empty() {
        return Ok(0);
    }
    // Looked at again: one may be tried again since.
    let ended = jobs::table
        .filter(jobs::id.eq_any(ids))
        .filter(jobs::finished_at.lt(before))
        .filter(which());
    Ok(diesel::delete(ended).execute(connection)?)
}
