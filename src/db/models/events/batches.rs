//! Batches: deliveries that were answered, until they are entered in the ledger.

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};

use crate::db::models::jobs::Job;
use crate::db::schema::{event_batches, jobs};
use crate::db::{DbConn, DbError};
use crate::ids::BatchId;

/// Adds a batch, a JSON list, with the job that enters it: both or neither, on PostgreSQL with one statement.
pub fn insert(connection: &mut DbConn, id: BatchId, deliveries: &str, job: &Job) -> Result<(), DbError> {
    let batch = diesel::insert_into(event_batches::table)
        .values((event_batches::id.eq(id), event_batches::deliveries.eq(deliveries)));
    let job = diesel::insert_into(jobs::table).values(job);
    match connection {
        DbConn::Postgres(inner) => Both(batch, job).execute(inner)?,
        DbConn::Sqlite(inner) => batch.execute(inner)? + job.execute(inner)?,
    };
    Ok(())
}

/// Two inserts that are one statement, which the builder cannot say.
#[derive(QueryId)]
struct Both<First, Second>(First, Second);

impl<First: QueryFragment<Pg>, Second: QueryFragment<Pg>> QueryFragment<Pg> for Both<First, Second> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("WITH first AS (");
        self.0.walk_ast(out.reborrow())?;
        out.push_sql(") ");
        self.1.walk_ast(out)
    }
}

impl<C, First, Second> RunQueryDsl<C> for Both<First, Second> {}

/// Takes a batch out; `None` when somebody else has.
pub fn take(connection: &mut DbConn, id: BatchId) -> Result<Option<String>, DbError> {
    Ok(diesel::delete(event_batches::table.find(id))
        .returning(event_batches::deliveries)
        .get_result(connection)
        .optional()?)
}

/// The batches that have waited longest.
pub fn list(connection: &mut DbConn, limit: i64) -> Result<Vec<BatchId>, DbError> {
    Ok(event_batches::table
        .order(event_batches::id)
        .limit(limit)
        .select(event_batches::id)
        .load(connection)?)
}
