//! Lists of users, in several orders, a page at a time.
//!
//! A part of an address that few have is looked up in an index of all runs of three characters; one that many have, or that is shorter,
//! along the index of the order, where a page of them is soon together.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};

use super::super::search::escaped;
use super::{Role, Standing, User};
use crate::db::keyset::{KeyPlace, Part, PlaceKey, beyond};
use crate::db::schema::users;
use crate::db::{DbConn, DbError};
use crate::ids::UserId;

/// A part that more addresses than this have is looked for along the order: to read one that was looked up costs what some 50 beside
/// each other in an index do.
const DENSE: usize = 100;
/// What is shorter has no run of its own.
const SHORTEST_RUN: usize = 3;

/// Which users, in which order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserFilter {
    /// With this in their address, in lower case.
    pub part: Option<String>,
    /// In this role.
    pub role: Option<Role>,
    /// Whose account stands so.
    pub standing: Option<Standing>,
    /// By what.
    pub key: UserKey,
    /// The largest first.
    pub descending: bool,
}

/// What users are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserKey {
    /// Their address.
    Email,
    /// The bytes that they keep.
    Size,
    /// When the account was made.
    Created,
}

/// A place in a list of users.
pub type Place = KeyPlace<UserId>;

impl User {
    /// Where this user stands in a list that is sorted so.
    pub fn place(&self, key: UserKey) -> Place {
        Place {
            key: match key {
                UserKey::Email => PlaceKey::Text(self.email.clone()),
                UserKey::Size => PlaceKey::Number(self.stored_bytes),
                UserKey::Created => PlaceKey::Number(self.created_at.micros()),
            },
            id: self.id,
        }
    }
}

/// A part of those users as it is read: at most `limit`, away from the place.
pub fn list(
    connection: &mut DbConn,
    filter: &UserFilter,
    part: &Part<Place>,
    limit: i64,
) -> Result<Vec<User>, DbError> {
    use users::{created_at, email, id, stored_bytes};
    let mut query = users::table.select(User::as_select()).limit(limit).into_boxed();
    if let Some(part) = &filter.part {
        let pattern = format!("%{}%", escaped(part));
        let found = sql::<Bool>("users.email LIKE ").bind::<Text, _>(pattern);
        query = query.filter(found.sql(r" ESCAPE '\'"));
        if let Some(few) = few_with(connection, part)? {
            query = query.filter(users::seq.eq_any(few));
        }
    }
    // The words as the indexes of the few have them: only so can those be used.
    if let Some(role) = filter.role {
        query = query.filter(sql::<Bool>(match role {
            Role::Admin => "role = 'admin'",
            Role::Member => "role = 'member'",
        }));
    }
    if let Some(standing) = filter.standing {
        query = query.filter(sql::<Bool>(match standing {
            Standing::Active => "disabled_at IS NULL AND invited_at IS NULL",
            Standing::Invited => {
                "disabled_at IS NULL AND invited_at IS NOT NULL AND (disabled_at IS NOT NULL OR invited_at IS NOT NULL)"
            }
            Standing::Disabled => {
                "disabled_at IS NOT NULL AND (disabled_at IS NOT NULL OR invited_at IS NOT NULL)"
            }
        }));
    }
    let upwards = filter.descending == part.is_backwards();
    let place = part.place();
    query = match filter.key {
        UserKey::Size => beyond!(query, stored_bytes, id, place.and_then(Place::by_number), upwards),
        UserKey::Created => beyond!(query, created_at, id, place.and_then(Place::by_time), upwards),
        UserKey::Email => {
            // No two have the same: no id is needed, and none is in the index.
            let query = match (place.and_then(Place::by_text), upwards) {
                (Some((beside, _)), true) => query.filter(email.gt(beside)),
                (Some((beside, _)), false) => query.filter(email.lt(beside)),
                (None, _) => query,
            };
            if upwards {
                query.order(email.asc())
            } else {
                query.order(email.desc())
            }
        }
    };
    Ok(query.load(connection)?)
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = BigInt)]
    seq: i64,
}

/// Those with this part in their address, as far as the index can tell: no other has it. `None` when the index is not the way to them.
fn few_with(connection: &mut DbConn, part: &str) -> Result<Option<Vec<i64>>, DbError> {
    if part.chars().count() < SHORTEST_RUN {
        return Ok(None);
    }
    let (condition, wanted) = match connection {
        // Quoted, nothing in it is an operator.
        DbConn::Sqlite(_) => (
            "rowid AS seq FROM user_search WHERE user_search MATCH $1",
            format!("\"{}\"", part.replace('"', "\"\"")),
        ),
        DbConn::Postgres(_) => (
            "seq FROM users WHERE runs_of_three(email) @> runs_of_three($1)",
            part.to_owned(),
        ),
    };
    let found: Vec<Found> = diesel::sql_query(format!("SELECT {condition} LIMIT {}", DENSE + 1))
        .bind::<Text, _>(wanted)
        .load(connection)?;
    Ok((found.len() <= DENSE).then(|| found.into_iter().map(|user| user.seq).collect()))
}
