//! Users: who may sign in, as what, and how much they keep.

pub mod listing;

use std::fmt;
use std::str::FromStr;

use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::prelude::*;
use diesel::sql_types::Text;

use crate::clock::UtcTime;
use crate::db::connection::first_locked;
use crate::db::schema::users;
use crate::db::{DbConn, DbError};
use crate::ids::UserId;

/// What a user may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub enum Role {
    /// Looks after everybody's documents and accounts.
    Admin,
    /// Keeps documents of their own.
    Member,
}

impl Role {
    /// The word kept in the column.
    pub fn as_str(&self) -> &'static str {
        match self {
            Role::Admin => "admin",
            Role::Member => "member",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "admin" => Ok(Role::Admin),
            "member" => Ok(Role::Member),
            other => Err(format!("no role {other}")),
        }
    }
}

crate::db::types::text_column!(Role);

/// A user, without the password's hash: nothing that shows a user can hold it (I12).
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = users)]
pub struct User {
    /// Short number for the words of the search index.
    pub seq: i64,
    /// Id.
    pub id: UserId,
    /// Address, normalised.
    pub email: String,
    /// Role.
    pub role: Role,
    /// How many documents they keep.
    pub document_count: i64,
    /// Bytes of those.
    pub stored_bytes: i64,
    /// When the account was made.
    pub created_at: UtcTime,
    /// Since when they may no longer sign in.
    pub disabled_at: Option<UtcTime>,
    /// The most bytes they may keep, if somebody has set it.
    pub quota_bytes: Option<i64>,
    /// The most documents they may keep, likewise.
    pub quota_documents: Option<i64>,
    /// Bytes that uploads under way may still bring.
    pub reserved_bytes: i64,
    /// Documents that they may still bring.
    pub reserved_documents: i64,
    /// How many of the documents are in the trash.
    pub trashed_count: i64,
    /// Since when they are invited, until they have a password.
    pub invited_at: Option<UtcTime>,
}

impl User {
    /// How the account stands.
    pub fn standing(&self) -> Standing {
        if self.disabled_at.is_some() {
            Standing::Disabled
        } else if self.invited_at.is_some() {
            Standing::Invited
        } else {
            Standing::Active
        }
    }
}

/// How an account stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Its owner may sign in.
    Active,
    /// Its owner has no password yet.
    Invited,
    /// Nobody may sign in.
    Disabled,
}

impl Standing {
    /// All of them, in the order of the filter.
    pub const ALL: [Standing; 3] = [Standing::Active, Standing::Invited, Standing::Disabled];

    /// The word in addresses, for programs too.
    pub fn as_str(self) -> &'static str {
        match self {
            Standing::Active => "active",
            Standing::Invited => "invited",
            Standing::Disabled => "disabled",
        }
    }
}

/// A user to be.
#[derive(Insertable)]
#[diesel(table_name = users)]
pub struct NewUser {
    /// Id.
    pub id: UserId,
    /// Address, normalised.
    pub email: String,
    /// PHC string.
    pub password_hash: String,
    /// Role.
    pub role: Role,
    /// Now.
    pub created_at: UtcTime,
}

/// Adds a user; [`DbError::Conflict`] when the address is taken.
pub fn insert(connection: &mut DbConn, user: NewUser) -> Result<(), DbError> {
    diesel::insert_into(users::table)
        .values(user)
        .execute(connection)?;
    Ok(())
}

/// The user of this id.
pub fn find(connection: &mut DbConn, id: UserId) -> Result<Option<User>, DbError> {
    Ok(users::table
        .find(id)
        .select(User::as_select())
        .get_result(connection)
        .optional()?)
}

/// The user of this id, locked until the transaction ends. Not against rows that refer to it: who has just added one holds the user so far
/// already, and two of them would wait for each other.
pub fn find_for_update(connection: &mut DbConn, id: UserId) -> Result<Option<User>, DbError> {
    let user = users::table.find(id);
    Ok(first_locked!(connection, user, User, for_no_key_update)?)
}

/// Locks the user of this id as [`find_for_update`] does; `false` when this is not the hash of their password any more, or they may not
/// sign in.
pub fn lock_with_password(connection: &mut DbConn, id: UserId, hash: &str) -> Result<bool, DbError> {
    let user = users::table
        .find(id)
        .filter(users::password_hash.eq(hash))
        .filter(users::disabled_at.is_null());
    let found = first_locked!(connection, user, User, for_no_key_update)?;
    Ok(found.is_some())
}

/// The user with this address, and the password's hash.
pub fn find_with_password(connection: &mut DbConn, email: &str) -> Result<Option<(User, String)>, DbError> {
    Ok(users::table
        .filter(users::email.eq(email))
        .select((User::as_select(), users::password_hash))
        .get_result(connection)
        .optional()?)
}

/// The user with this address.
pub fn find_by_email(connection: &mut DbConn, email: &str) -> Result<Option<User>, DbError> {
    Ok(users::table
        .filter(users::email.eq(email))
        .select(User::as_select())
        .get_result(connection)
        .optional()?)
}

/// Whether there is any user at all.
pub fn any(connection: &mut DbConn) -> Result<bool, DbError> {
    Ok(diesel::select(diesel::dsl::exists(users::table.select(users::id))).get_result(connection)?)
}

/// Adds to what a user keeps, in the transaction that adds or removes the document.
pub fn add_usage(connection: &mut DbConn, id: UserId, documents: i64, bytes: i64) -> Result<(), DbError> {
    diesel::update(users::table.find(id))
        .set((
            users::document_count.eq(users::document_count + documents),
            users::stored_bytes.eq(users::stored_bytes + bytes),
        ))
        .execute(connection)?;
    Ok(())
}

/// Adds to what a user's uploads under way may still bring.
pub fn add_reserved(connection: &mut DbConn, id: UserId, documents: i64, bytes: i64) -> Result<(), DbError> {
    diesel::update(users::table.find(id))
        .set((
            users::reserved_documents.eq(users::reserved_documents + documents),
            users::reserved_bytes.eq(users::reserved_bytes + bytes),
        ))
        .execute(connection)?;
    Ok(())
}

/// Sets or takes away what a user may keep.
pub fn set_quota(
    connection: &mut DbConn,
    id: UserId,
    bytes: Option<i64>,
    documents: Option<i64>,
) -> Result<(), DbError> {
    diesel::update(users::table.find(id))
        .set((users::quota_bytes.eq(bytes), users::quota_documents.eq(documents)))
        .execute(connection)?;
    Ok(())
}

/// What everybody keeps, with what uploads under way may still bring: documents and bytes.
pub fn sum_usage(connection: &mut DbConn) -> Result<(i64, i64), DbError> {
    let sum: Sum = diesel::sql_query(
        "SELECT CAST(COALESCE(SUM(document_count + reserved_documents), 0) AS BIGINT) AS documents, \
         CAST(COALESCE(SUM(stored_bytes + reserved_bytes), 0) AS BIGINT) AS bytes FROM users",
    )
    .get_result(connection)?;
    Ok((sum.documents, sum.bytes))
}

/// What everybody keeps, documents and bytes, when that is no more than so many users; reads no more rows.
pub fn kept_by_few(connection: &mut DbConn, most: i64) -> Result<Option<(i64, i64)>, DbError> {
    let few: Few = diesel::sql_query(format!(
        "SELECT count(*) AS users, CAST(COALESCE(SUM(document_count), 0) AS BIGINT) AS documents, \
         CAST(COALESCE(SUM(stored_bytes), 0) AS BIGINT) AS bytes \
         FROM (SELECT document_count, stored_bytes FROM users LIMIT {}) AS few",
        most + 1
    ))
    .get_result(connection)?;
    Ok((few.users <= most).then_some((few.documents, few.bytes)))
}

#[derive(QueryableByName)]
struct Few {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    users: i64,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    documents: i64,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    bytes: i64,
}

#[derive(QueryableByName)]
struct Sum {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    documents: i64,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    bytes: i64,
}

/// Adds to how many of a user's documents are in the trash, in the transaction that moves them.
pub fn add_trashed(connection: &mut DbConn, id: UserId, documents: i64) -> Result<(), DbError> {
    diesel::update(users::table.find(id))
        .set(users::trashed_count.eq(users::trashed_count + documents))
        .execute(connection)?;
    Ok(())
}

/// Adds a user who has no password yet; [`DbError::Conflict`] when the address is taken.
pub fn insert_invited(
    connection: &mut DbConn,
    id: UserId,
    email: &str,
    role: Role,
    now: UtcTime,
) -> Result<(), DbError> {
    diesel::insert_into(users::table)
        .values((
            users::id.eq(id),
            users::email.eq(email),
            // Matches no password.
            users::password_hash.eq(""),
            users::role.eq(role),
            users::created_at.eq(now),
            users::invited_at.eq(Some(now)),
        ))
        .execute(connection)?;
    Ok(())
}

/// Gives a user another password; an invitation is accepted with it.
pub fn set_password(connection: &mut DbConn, id: UserId, hash: &str) -> Result<(), DbError> {
    diesel::update(users::table.find(id))
        .set((
            users::password_hash.eq(hash),
            users::invited_at.eq(None::<UtcTime>),
        ))
        .execute(connection)?;
    Ok(())
}

/// Gives a user another role.
pub fn set_role(connection: &mut DbConn, id: UserId, role: Role) -> Result<(), DbError> {
    diesel::update(users::table.find(id))
        .set(users::role.eq(role))
        .execute(connection)?;
    Ok(())
}

/// Disables a user, or enables them with `None`.
pub fn set_disabled(connection: &mut DbConn, id: UserId, since: Option<UtcTime>) -> Result<(), DbError> {
    diesel::update(users::table.find(id))
        .set(users::disabled_at.eq(since))
        .execute(connection)?;
    Ok(())
}

/// How many administrators can sign in.
pub fn count_administrators(connection: &mut DbConn) -> Result<i64, DbError> {
    Ok(users::table
        .filter(users::role.eq(Role::Admin))
        .filter(users::disabled_at.is_null())
        .filter(users::invited_at.is_null())
        .count()
        .get_result(connection)?)
}
