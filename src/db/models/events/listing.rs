//! Lists of events, the newest first, a page at a time.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::EventState;
use crate::clock::UtcTime;
use crate::db::keyset::{Part, TimePlace, beyond};
use crate::db::schema::events;
use crate::db::{DbConn, DbError};
use crate::ids::{DocumentId, EventId};

/// Which events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Of this action.
    pub action: Option<String>,
    /// In this state.
    pub state: Option<EventState>,
    /// Received then or later.
    pub since: Option<UtcTime>,
    /// Received before.
    pub until: Option<UtcTime>,
    /// About this file.
    pub handle: Option<String>,
    /// About this document.
    pub document: Option<DocumentId>,
    /// The oldest first.
    pub oldest_first: bool,
}

/// An event in a list: everything but its body.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = events)]
#[expect(missing_docs, reason = "the same fields as in `Event`")]
pub struct EventLine {
    pub id: EventId,
    pub filestack_id: Option<i64>,
    pub action: String,
    pub state: EventState,
    pub reason: Option<String>,
    pub handle: Option<String>,
    pub document_id: Option<DocumentId>,
    pub late: bool,
    pub sample: bool,
    pub received_at: UtcTime,
    pub settled_at: Option<UtcTime>,
    pub deliveries: i32,
    pub attempts: i32,
}

/// A part of those events as it is read: at most `limit`, away from the place.
pub fn list(
    connection: &mut DbConn,
    filter: &EventFilter,
    part: &Part<TimePlace<EventId>>,
    limit: i64,
) -> Result<Vec<EventLine>, DbError> {
    let mut query = events::table.select(EventLine::as_select()).into_boxed();
    if let Some(action) = &filter.action {
        query = query.filter(events::action.eq(action));
    }
    if let Some(state) = filter.state {
        // Spelt out: only so can the partial index be used. The word is one of ours.
        query = query.filter(sql::<Bool>(&format!("state = '{state}'")));
        if !matches!(state, EventState::Applied | EventState::Ignored) {
            query = query.filter(sql::<Bool>("state NOT IN ('applied', 'ignored')"));
        }
    }
    if let Some(since) = filter.since {
        query = query.filter(events::received_at.ge(since));
    }
    if let Some(until) = filter.until {
        query = query.filter(events::received_at.lt(until));
    }
    if let Some(handle) = &filter.handle {
        query = query.filter(events::handle.eq(handle));
    }
    if let Some(document) = filter.document {
        query = query.filter(events::document_id.eq(document));
    }
    let upwards = filter.oldest_first != part.is_backwards();
    let place = part.place().map(TimePlace::pair);
    query = beyond!(query, events::received_at, events::id, place, upwards);
    Ok(query.limit(limit).load(connection)?)
}

/// How many events wait for somebody: those in conflict, unreadable or failed, counted up to a bound.
pub fn count_troubled(connection: &mut DbConn, most: i64) -> Result<i64, DbError> {
    let found: Vec<UtcTime> = events::table
        .filter(sql::<Bool>(
            "state IN ('conflict', 'unreadable', 'failed') AND state NOT IN ('applied', 'ignored')",
        ))
        .limit(most)
        .select(events::received_at)
        .load(connection)?;
    Ok(found.len() as i64)
}

/// How many events are in each state that is not settled, for those in which any are.
pub fn count_open(connection: &mut DbConn) -> Result<Vec<(EventState, i64)>, DbError> {
    Ok(events::table
        .filter(sql::<Bool>("state NOT IN ('applied', 'ignored')"))
        .group_by(events::state)
        .select((events::state, diesel::dsl::count_star()))
        .load(connection)?)
}
