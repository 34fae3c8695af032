//! Everybody's documents, as administrators look over them.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::{Document, GONE, INFECTED, QUARANTINED, STORED};
use crate::db::keyset::{Part, TimePlace};
use crate::db::schema::{documents, users};
use crate::db::{DbConn, DbError};
use crate::ids::{DocumentId, UserId};

/// Which documents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OverseenFilter {
    /// Of this owner.
    pub owner: Option<UserId>,
    /// In this state.
    pub status: Option<&'static str>,
    /// The oldest first.
    pub oldest_first: bool,
}

/// The states there are.
pub const STATUSES: [&str; 4] = [STORED, QUARANTINED, INFECTED, GONE];

/// A part of all documents with the addresses of their owners, as it is read: at most `limit`, away from the place.
pub fn list(
    connection: &mut DbConn,
    filter: &OverseenFilter,
    part: &Part<TimePlace<DocumentId>>,
    limit: i64,
) -> Result<Vec<(Document, String)>, DbError> {
    use documents::{created_at, id, owner_id};
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
    let upwards = filter.oldest_first != part.is_backwards();
    query = match (part.place(), upwards) {
        (None, _) => query,
        (Some(place), true) => query.filter(
            created_at
                .ge(place.at)
                .and(created_at.gt(place.at).or(id.gt(place.id))),
        ),
        (Some(place), false) => query.filter(
            created_at
                .le(place.at)
                .and(created_at.lt(place.at).or(id.lt(place.id))),
        ),
    };
    query = if upwards {
        query.order((created_at.asc(), id.asc()))
    } else {
        query.order((created_at.desc(), id.desc()))
    };
    Ok(query.load(connection)?)
}
