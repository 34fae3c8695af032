//! Deliveries: each time that an event came, and a few of those that were refused.
//!
//! The first one is kept in the row of its event, and most events have no other.

use diesel::prelude::*;

use super::columns::InsertDeliveries;
use super::{Event, EventState};
use crate::clock::UtcTime;
use crate::db::schema::{event_deliveries, event_rejections};
use crate::db::{DbConn, DbError};
use crate::ids::EventId;

/// Refused deliveries that are kept.
pub const REJECTIONS_KEPT: i64 = 100;

/// A delivery.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = event_deliveries)]
pub struct Delivery {
    /// Of which event.
    pub event_id: EventId,
    /// The first is 1.
    pub number: i32,
    /// When it came.
    pub received_at: UtcTime,
    /// When it was signed.
    pub signed_at: UtcTime,
    /// Its headers: a JSON list of names and values.
    pub headers: String,
    /// What was made of it: `new`, `late`, `duplicate`, `conflict`, `sample`.
    pub verdict: String,
    /// How long it took to arrive and be checked.
    pub took_micros: i64,
}

/// A delivery that was refused.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = event_rejections)]
pub struct Rejection {
    /// Its number.
    pub seq: i64,
    /// When it came.
    pub received_at: UtcTime,
    /// Why it was refused: nobody but an administrator is told.
    pub reason: String,
    /// From which address.
    pub ip: String,
    /// Its headers: a JSON list of names and values.
    pub headers: String,
    /// The beginning of its body.
    pub body: Vec<u8>,
    /// Bytes of all of the body that was read.
    pub body_bytes: i64,
}

/// A refused delivery to be kept.
#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = event_rejections)]
#[expect(missing_docs, reason = "the same fields as in `Rejection`")]
pub struct NewRejection {
    pub received_at: UtcTime,
    pub reason: String,
    pub ip: String,
    pub headers: String,
    pub body: Vec<u8>,
    pub body_bytes: i64,
}

/// Adds deliveries after the first.
pub fn insert(connection: &mut DbConn, new: &[Delivery]) -> Result<(), DbError> {
    match connection {
        DbConn::Postgres(inner) => {
            InsertDeliveries::of(new.iter()).execute(inner)?;
        }
        // One after the other: the statement for one stays prepared.
        DbConn::Sqlite(inner) => {
            for delivery in new {
                diesel::insert_into(event_deliveries::table)
                    .values(delivery)
                    .execute(inner)?;
            }
        }
    }
    Ok(())
}

/// The deliveries of an event, the first one first.
pub fn list(connection: &mut DbConn, event: &Event) -> Result<Vec<Delivery>, DbError> {
    let further: Vec<Delivery> = event_deliveries::table
        .filter(event_deliveries::event_id.eq(event.id))
        .order(event_deliveries::number)
        .select(Delivery::as_select())
        .load(connection)?;
    Ok(std::iter::once(first(event)).chain(further).collect())
}

fn first(event: &Event) -> Delivery {
    let verdict = match event {
        Event { sample: true, .. } => "sample",
        Event {
            state: EventState::Conflict,
            ..
        } => "conflict",
        Event { late: true, .. } => "late",
        _ => "new",
    };
    Delivery {
        event_id: event.id,
        number: 1,
        received_at: event.received_at,
        signed_at: event.signed_at,
        headers: event.headers.clone(),
        verdict: verdict.to_owned(),
        took_micros: event.took_micros,
    }
}

/// Keeps a refused delivery, and forgets the oldest beyond [`REJECTIONS_KEPT`].
pub fn insert_rejection(connection: &mut DbConn, new: &NewRejection) -> Result<(), DbError> {
    diesel::insert_into(event_rejections::table)
        .values(new)
        .execute(connection)?;
    let kept: Vec<i64> = event_rejections::table
        .order(event_rejections::seq.desc())
        .limit(REJECTIONS_KEPT)
        .select(event_rejections::seq)
        .load(connection)?;
    if let Some(oldest) = kept.last() {
        diesel::delete(event_rejections::table.filter(event_rejections::seq.lt(oldest)))
            .execute(connection)?;
    }
    Ok(())
}

/// The refused deliveries that are kept, the newest first.
pub fn list_rejections(connection: &mut DbConn) -> Result<Vec<Rejection>, DbError> {
    Ok(event_rejections::table
        .order(event_rejections::seq.desc())
        .limit(REJECTIONS_KEPT)
        .select(Rejection::as_select())
        .load(connection)?)
}
