//! Events: what Filestack's webhooks said, once each, and how far they have come.
//!
//! Every step from one state to another is a compare-and-set: two workers with the same event change things once. What is listed and
//! shown is in [`listing`], the single deliveries in [`deliveries`].

use std::fmt;
use std::str::FromStr;

use diesel::deserialize::FromSqlRow;
use diesel::dsl::sql;
use diesel::expression::AsExpression;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};

use crate::clock::UtcTime;
use crate::db::schema::{document_results, documents, events};
use crate::db::{DbConn, DbError};
use crate::ids::{DocumentId, EventId};
use columns::{InsertEvent, InsertEvents};

pub mod batches;
mod columns;
pub mod deliveries;
pub mod listing;

/// How far an event has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub enum EventState {
    /// To be applied.
    Received,
    /// It did what it says, or what it says was so already.
    Applied,
    /// There is nothing to do about it.
    Ignored,
    /// It is about a file that no document has yet.
    Parked,
    /// Another event with the same number and another body came first.
    Conflict,
    /// It is JSON and no event that we know the form of.
    Unreadable,
    /// It could not be applied.
    Failed,
}

impl EventState {
    /// Those in which something is left to happen or to be looked at.
    pub const OPEN: [EventState; 5] = [
        EventState::Received,
        EventState::Parked,
        EventState::Conflict,
        EventState::Unreadable,
        EventState::Failed,
    ];

    /// All of them, in the order in which they are offered.
    pub const ALL: [EventState; 7] = [
        EventState::Received,
        EventState::Applied,
        EventState::Ignored,
        EventState::Parked,
        EventState::Conflict,
        EventState::Unreadable,
        EventState::Failed,
    ];

    /// Whether an event in it can be applied, again or at last. The others are kept for people to look at.
    pub fn can_be_applied(self) -> bool {
        !matches!(self, EventState::Conflict | EventState::Unreadable)
    }

    /// The word kept in the column.
    pub fn as_str(&self) -> &'static str {
        match self {
            EventState::Received => "received",
            EventState::Applied => "applied",
            EventState::Ignored => "ignored",
            EventState::Parked => "parked",
            EventState::Conflict => "conflict",
            EventState::Unreadable => "unreadable",
            EventState::Failed => "failed",
        }
    }
}

impl fmt::Display for EventState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for EventState {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| {
                let words: Vec<_> = Self::ALL.iter().map(EventState::as_str).collect();
                format!(
                    "there is no such state of an event; choose one of {}",
                    words.join(", ")
                )
            })
    }
}

crate::db::types::text_column!(EventState);

/// An event.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = events)]
pub struct Event {
    /// Our id.
    pub id: EventId,
    /// What makes two deliveries the same event.
    pub dedupe_key: String,
    /// Filestack's number.
    pub filestack_id: Option<i64>,
    /// What happened, in Filestack's word; `video` for a finished video, which has none; empty when it cannot be read.
    pub action: String,
    /// The body as it came.
    pub body: Vec<u8>,
    /// SHA-256 of the body, hex.
    pub digest: String,
    /// How far it has come.
    pub state: EventState,
    /// What was done, or why nothing was.
    pub reason: Option<String>,
    /// The file it is about.
    pub handle: Option<String>,
    /// The folder of the upload of ours that it is about.
    pub path: Option<String>,
    /// The document it was found to be about.
    pub document_id: Option<DocumentId>,
    /// Whether it was signed longer ago than is usual.
    pub late: bool,
    /// Whether an administrator made it.
    pub sample: bool,
    /// When the first delivery was signed.
    pub signed_at: UtcTime,
    /// When the first delivery came.
    pub received_at: UtcTime,
    /// When it came to its state, unless that is `received`.
    pub settled_at: Option<UtcTime>,
    /// How often it was delivered.
    pub deliveries: i32,
    /// How often it was tried to be applied.
    pub attempts: i32,
    /// The headers of the first delivery: a JSON list of names and values.
    pub headers: String,
    /// How long the first delivery took to arrive and be checked.
    pub took_micros: i64,
}

/// Adds events; gives the ids of those that were not there yet, by their keys. Sort them by key: two transactions that add the same
/// ones would otherwise wait for each other.
pub fn insert_new(connection: &mut DbConn, new: &[&Event]) -> Result<Vec<EventId>, DbError> {
    match connection {
        DbConn::Postgres(inner) => Ok(InsertEvents::of(new.iter().copied()).load(inner)?),
        DbConn::Sqlite(inner) => {
            let mut added = Vec::new();
            for event in new {
                if InsertEvent(event).execute(inner)? == 1 {
                    added.push(event.id);
                }
            }
            Ok(added)
        }
    }
}

/// The event of this id.
pub fn find(connection: &mut DbConn, id: EventId) -> Result<Option<Event>, DbError> {
    Ok(events::table
        .find(id)
        .select(Event::as_select())
        .get_result(connection)
        .optional()?)
}

/// Id and digest of the event with this key.
pub fn find_by_key(connection: &mut DbConn, key: &str) -> Result<Option<(EventId, String)>, DbError> {
    Ok(events::table
        .filter(events::dedupe_key.eq(key))
        .select((events::id, events::digest))
        .get_result(connection)
        .optional()?)
}

/// Counts one more delivery; gives their number.
pub fn count_delivery(connection: &mut DbConn, id: EventId) -> Result<i32, DbError> {
    diesel::update(events::table.find(id))
        .set(events::deliveries.eq(events::deliveries + 1))
        .execute(connection)?;
    Ok(events::table
        .find(id)
        .select(events::deliveries)
        .get_result(connection)?)
}

/// Where an event is brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// The state.
    pub state: EventState,
    /// What was done, or why nothing was.
    pub reason: String,
    /// The document it is about.
    pub document: Option<DocumentId>,
}

/// Settles an event that is still `from`; `false` when it is not any more.
pub fn settle(
    connection: &mut DbConn,
    id: EventId,
    from: EventState,
    to: &Settlement,
    now: UtcTime,
) -> Result<bool, DbError> {
    let changed = diesel::update(events::table.find(id).filter(events::state.eq(from)))
        .set((
            events::state.eq(to.state),
            events::reason.eq(Some(&to.reason)),
            events::document_id.eq(to.document),
            events::settled_at.eq(Some(now)),
            events::first_settled_at.eq(sql::<Nullable<BigInt>>("COALESCE(first_settled_at, ")
                .bind::<BigInt, _>(now)
                .sql(")")),
            events::attempts.eq(events::attempts + 1),
        ))
        .execute(connection)?;
    Ok(changed == 1)
}

/// Notes why an event that stays as it is could not be applied this time.
pub fn note(connection: &mut DbConn, id: EventId, reason: &str) -> Result<(), DbError> {
    diesel::update(
        events::table
            .find(id)
            .filter(events::state.eq(EventState::Received)),
    )
    .set((
        events::reason.eq(Some(reason)),
        events::attempts.eq(events::attempts + 1),
    ))
    .execute(connection)?;
    Ok(())
}

/// Sends an event back to be applied anew; `false` when it is none that can be. One that has not been applied yet stays as it is.
pub fn reopen(connection: &mut DbConn, id: EventId) -> Result<bool, DbError> {
    let fixed = [EventState::Conflict, EventState::Unreadable];
    let changed = diesel::update(events::table.find(id).filter(events::state.ne_all(fixed)))
        .set((
            events::state.eq(EventState::Received),
            events::settled_at.eq(None::<UtcTime>),
            // One from before this was kept has been settled, too.
            events::first_settled_at.eq(sql::<Nullable<BigInt>>("COALESCE(first_settled_at, settled_at)")),
        ))
        .execute(connection)?;
    Ok(changed == 1)
}

/// Parked events about a file or an upload that has just become known, the oldest first.
pub fn list_parked(
    connection: &mut DbConn,
    handle: Option<&str>,
    path: Option<&str>,
) -> Result<Vec<EventId>, DbError> {
    let parked = || sql::<Bool>("state = 'parked'");
    let mut found = Vec::new();
    if let Some(handle) = handle {
        found = events::table
            .filter(events::handle.eq(handle))
            .filter(parked())
            .order((events::received_at, events::id))
            .select(events::id)
            .load(connection)?;
    }
    if let Some(path) = path {
        let by_path: Vec<EventId> = events::table
            .filter(events::path.eq(path))
            .filter(parked())
            .order((events::received_at, events::id))
            .select(events::id)
            .load(connection)?;
        found.extend(by_path);
    }
    found.sort();
    found.dedup();
    Ok(found)
}

/// Parked events whose document is there after all, or whose file was made of one and is said to be gone: the two can come about at the
/// same moment and miss each other.
pub fn list_missed(connection: &mut DbConn, limit: i64) -> Result<Vec<EventId>, DbError> {
    let parked = || sql::<Bool>("events.state = 'parked'");
    let mut missed: Vec<EventId> = events::table
        .inner_join(documents::table.on(events::handle.eq(documents::handle.nullable())))
        .filter(parked())
        .order((events::received_at, events::id))
        .limit(limit)
        .select(events::id)
        .load(connection)?;
    // Of a file that was made nothing else is told: other events about one stay parked.
    let of_made_files: Vec<EventId> = events::table
        .inner_join(document_results::table.on(events::handle.eq(document_results::handle)))
        .filter(parked())
        .filter(events::action.eq("fp.delete"))
        .order((events::received_at, events::id))
        .limit(limit)
        .select(events::id)
        .load(connection)?;
    missed.extend(of_made_files);
    Ok(missed)
}

/// Events in this state since before `before`, the oldest first.
pub fn list_since(
    connection: &mut DbConn,
    state: EventState,
    before: UtcTime,
    limit: i64,
) -> Result<Vec<EventId>, DbError> {
    Ok(events::table
        .filter(sql::<Bool>(&format!("state = '{state}'")))
        .filter(events::received_at.lt(before))
        .order((events::received_at, events::id))
        .limit(limit)
        .select(events::id)
        .load(connection)?)
}

/// Forgets events that were received before `before` and have come to their end.
pub fn delete_older(connection: &mut DbConn, before: UtcTime, limit: i64) -> Result<usize, DbError> {
    let open = [EventState::Received, EventState::Parked];
    let old: Vec<EventId> = events::table
        .filter(events::received_at.lt(before))
        .filter(events::state.ne_all(open))
        .order((events::received_at, events::id))
        .limit(limit)
        .select(events::id)
        .load(connection)?;
    // Looked at again: one may be applied anew since.
    let ended = events::table
        .filter(events::id.eq_any(old))
        .filter(events::state.ne_all(open));
    Ok(diesel::delete(ended).execute(connection)?)
}
