//! Everybody's documents, as administrators look over them.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::{Document, GONE, INFECTED, Place, QUARANTINED, STORED, Sort, SortKey};
use crate::db::keyset::{Part, beyond};
use crate::db::schema::{documents, users};
use crate::db::{DbConn, DbError};
use crate::ids::UserId;

/// Which documents.
#[derive(Clone, Debug)]
pub struct OverseenFilter {
    /// Of this owner.
    pub owner: Option<UserId>,
    /// In this state.
    pub status: Option<&'static str>,
    /// In this order.
    pub sort: Sort,
}

/// The states there are.
pub const STATUSES: [&str; 4] = [STORED, QUARANTINED, INFECTED, GONE];

/// A part of all documents with the addresses of their owners, as it is read: at most `limit`, away from the place.
pub fn list(
    connection: &mut DbConn,
    filter: &OverseenFilter,
    part: &Part<Place>,
    limit: i64,
) -> Result<Vec<(Document, String)>, DbError> {
    use documents::{created_at, id, name_key, owner_id, size_bytes};
    let mut query = documents::table
        .inner_join(users::table.on(users::id.eq(owner_id)))
        .select((Document::as_select(), users::email))
        .limit(limit)
        .into_boxed();
    if let Some(owner) = filter.owner {
        query = query.filter(owner_id.eq(owner));
    }
    if let Some(status) = filter.status {
        // Spelt out: only so can the index of the unusual ones be used. The word is one of ours.
        query = query.filter(sql::<Bool>(&format!("documents.status = '{status}'")));
        if status != STORED {
            query = query.filter(sql::<Bool>("documents.status <> 'stored'"));
        }
    }
    let upwards = filter.sort.descending == part.is_backwards();
    let place = part.place();
    query = match filter.sort.key {
        SortKey::Name => beyond!(query, name_key, id, place.and_then(Place::by_text), upwards),
        SortKey::Size => beyond!(query, size_bytes, id, place.and_then(Place::by_number), upwards),
        SortKey::Created | SortKey::Trashed => {
            beyond!(query, created_at, id, place.and_then(Place::by_time), upwards)
        }
    };
    Ok(query.load(connection)?)
}
