//! Claims that were used: how many files each has registered. A claim that nobody used has no row.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use crate::clock::UtcTime;
use crate::db::schema::claims;
use crate::db::{DbConn, DbError};
use crate::ids::DocumentId;

/// Uses a claim once; gives how often it had been used before, or `None` when it is spent after `most` uses.
pub fn spend(
    connection: &mut DbConn,
    id: DocumentId,
    most: i32,
    now: UtcTime,
) -> Result<Option<i32>, DbError> {
    diesel::sql_query(
        "INSERT INTO claims (id, uses, first_used_at) VALUES ($1, 0, $2) ON CONFLICT (id) DO NOTHING",
    )
    .bind::<Text, _>(id)
    .bind::<BigInt, _>(now)
    .execute(connection)?;
    // The comparison and the change in one statement: on PostgreSQL whoever comes second waits here and sees the first one's count.
    let changed = diesel::update(claims::table.find(id).filter(claims::uses.lt(most)))
        .set(claims::uses.eq(claims::uses + 1))
        .execute(connection)?;
    if changed == 0 {
        return Ok(None);
    }
    let uses: i32 = claims::table
        .find(id)
        .select(claims::uses)
        .get_result(connection)?;
    Ok(Some(uses - 1))
}

/// How often a claim has been used.
pub fn uses(connection: &mut DbConn, id: DocumentId) -> Result<i32, DbError> {
    let uses = claims::table
        .find(id)
        .select(claims::uses)
        .get_result(connection)
        .optional()?;
    Ok(uses.unwrap_or(0))
}
