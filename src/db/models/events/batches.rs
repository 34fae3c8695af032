//! Batches: deliveries that were answered, until they are entered in the ledger.

use diesel::prelude::*;

use crate::db::schema::event_batches;
use crate::db::{DbConn, DbError};
use crate::ids::BatchId;

/// Adds a batch: a JSON list.
pub fn insert(connection: &mut DbConn, id: BatchId, deliveries: &str) -> Result<(), DbError> {
    diesel::insert_into(event_batches::table)
        .values((event_batches::id.eq(id), event_batches::deliveries.eq(deliveries)))
        .execute(connection)?;
    Ok(())
}

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
