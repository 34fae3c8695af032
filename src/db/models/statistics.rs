//! Daily figures: what the administrators' first screen draws, counted once from rows that are newer than a mark.

use diesel::dsl::{count_star, sql};
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::jobs::JobState;
use crate::clock::UtcTime;
use crate::db::schema::{audit_entries, daily_figures, events, jobs, statistics_mark, users};
use crate::db::{DbConn, DbError};

/// A figure of one day.
#[derive(Clone, Debug, PartialEq, Eq, Insertable, Queryable, Selectable)]
#[diesel(table_name = daily_figures)]
pub struct Figure {
    /// Days since 1970.
    pub day: i32,
    /// What it is.
    pub name: String,
    /// How many.
    pub value: i64,
}

/// Up to when everything is counted; `None` when nothing was yet.
pub fn mark(connection: &mut DbConn) -> Result<Option<UtcTime>, DbError> {
    Ok(statistics_mark::table
        .select(statistics_mark::counted_until)
        .first(connection)
        .optional()?)
}

/// Sets the first mark, unless somebody else has.
pub fn begin(connection: &mut DbConn, at: UtcTime) -> Result<(), DbError> {
    let insert = diesel::insert_into(statistics_mark::table)
        .values((statistics_mark::id.eq(1), statistics_mark::counted_until.eq(at)))
        .on_conflict_do_nothing();
    match connection {
        DbConn::Postgres(inner) => insert.execute(inner)?,
        DbConn::Sqlite(inner) => insert.execute(inner)?,
    };
    Ok(())
}

/// Moves the mark on; `false` when somebody else has moved it.
pub fn move_mark(connection: &mut DbConn, from: UtcTime, to: UtcTime) -> Result<bool, DbError> {
    let known = statistics_mark::table.filter(statistics_mark::counted_until.eq(from));
    let moved = diesel::update(known)
        .set(statistics_mark::counted_until.eq(to))
        .execute(connection)?;
    Ok(moved == 1)
}

/// Adds to a figure. Whoever calls has moved the mark, and so nobody else does.
pub fn add(connection: &mut DbConn, figure: &Figure) -> Result<(), DbError> {
    let row = daily_figures::table.find((figure.day, figure.name.as_str()));
    let changed = diesel::update(row)
        .set(daily_figures::value.eq(daily_figures::value + figure.value))
        .execute(connection)?;
    if changed == 0 {
        diesel::insert_into(daily_figures::table)
            .values(figure)
            .execute(connection)?;
    }
    Ok(())
}

/// Sets a figure, under the same condition.
pub fn set(connection: &mut DbConn, figure: &Figure) -> Result<(), DbError> {
    let row = daily_figures::table.find((figure.day, figure.name.as_str()));
    let changed = diesel::update(row)
        .set(daily_figures::value.eq(figure.value))
        .execute(connection)?;
    if changed == 0 {
        diesel::insert_into(daily_figures::table)
            .values(figure)
            .execute(connection)?;
    }
    Ok(())
}

/// All figures from that day on.
pub fn list_since(connection: &mut DbConn, day: i32) -> Result<Vec<Figure>, DbError> {
    Ok(daily_figures::table
        .filter(daily_figures::day.ge(day))
        .order((daily_figures::day, daily_figures::name))
        .select(Figure::as_select())
        .load(connection)?)
}

/// A figure of the newest day that has it.
pub fn newest(connection: &mut DbConn, name: &str) -> Result<Option<i64>, DbError> {
    Ok(daily_figures::table
        .filter(daily_figures::name.eq(name))
        .order(daily_figures::day.desc())
        .select(daily_figures::value)
        .first(connection)
        .optional()?)
}

/// How often this was done in that time, from then and before then.
pub fn count_done(
    connection: &mut DbConn,
    action: &str,
    from: UtcTime,
    until: UtcTime,
) -> Result<i64, DbError> {
    Ok(audit_entries::table
        .filter(audit_entries::action.eq(action))
        .filter(audit_entries::at.ge(from).and(audit_entries::at.lt(until)))
        .count()
        .get_result(connection)?)
}

/// The jobs that ended in that time: of each kind and state how many, and the microseconds from when they were due to their end.
pub fn count_jobs(
    connection: &mut DbConn,
    from: UtcTime,
    until: UtcTime,
) -> Result<Vec<(String, JobState, i64, i64)>, DbError> {
    Ok(jobs::table
        .filter(jobs::finished_at.ge(from).and(jobs::finished_at.lt(until)))
        .group_by((jobs::kind, jobs::state))
        .select((
            jobs::kind,
            jobs::state,
            count_star(),
            sql::<BigInt>("CAST(COALESCE(SUM(finished_at - run_at), 0) AS BIGINT)"),
        ))
        .load(connection)?)
}

/// The events that were settled for the first time in that time: how many, and the microseconds that took.
pub fn count_events(connection: &mut DbConn, from: UtcTime, until: UtcTime) -> Result<(i64, i64), DbError> {
    Ok(events::table
        .filter(
            events::first_settled_at
                .ge(from)
                .and(events::first_settled_at.lt(until)),
        )
        .select((
            count_star(),
            sql::<BigInt>("CAST(COALESCE(SUM(first_settled_at - received_at), 0) AS BIGINT)"),
        ))
        .first(connection)?)
}

/// Bytes and documents of all users together, from their accounts.
pub fn stored(connection: &mut DbConn) -> Result<(i64, i64), DbError> {
    Ok(users::table
        .select((
            sql::<BigInt>("CAST(COALESCE(SUM(stored_bytes), 0) AS BIGINT)"),
            sql::<BigInt>("CAST(COALESCE(SUM(document_count), 0) AS BIGINT)"),
        ))
        .first(connection)?)
}
