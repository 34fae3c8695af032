//! The audit trail: who did what. Rows are added and read; the database itself refuses to change or remove one.

use diesel::prelude::*;

use crate::clock::UtcTime;
use crate::db::keyset::{Part, TimePlace, beyond};
use crate::db::schema::audit_entries;
use crate::db::{DbConn, DbError};
use crate::ids::{AuditEntryId, DocumentId, UserId};

/// An entry, as it is written and read.
#[derive(Clone, Debug, PartialEq, Eq, Insertable, Queryable, Selectable)]
#[diesel(table_name = audit_entries, treat_none_as_default_value = false)]
pub struct AuditEntry {
    /// Id, sortable by time.
    pub id: AuditEntryId,
    /// When.
    pub at: UtcTime,
    /// Who, if a user.
    pub actor_id: Option<UserId>,
    /// Who, in words that outlive the account: the e-mail address of the time.
    pub actor: String,
    /// How whoever it was had shown who they are: `session`, `token`, `nobody`, `command`, `filestack` or `server`.
    pub means: String,
    /// From where; empty for what did not come over the network.
    pub ip: String,
    /// What was done, as a word: `document.rename`.
    pub action: String,
    /// To what: an id, or the name of a setting.
    pub subject: String,
    /// What that was called at the time.
    pub subject_name: String,
    /// The document it was about, if one.
    pub document_id: Option<DocumentId>,
    /// What changed, as it was: a JSON object, or empty.
    pub before: String,
    /// The same, as it has been since.
    pub after: String,
    /// The reason given for it, or empty.
    pub reason: String,
}

/// Adds an entry, in the transaction of what it tells of.
pub fn insert(connection: &mut DbConn, entry: &AuditEntry) -> Result<(), DbError> {
    diesel::insert_into(audit_entries::table)
        .values(entry)
        .execute(connection)?;
    Ok(())
}

/// A document's own slice, the newest first: at most `limit` entries.
pub fn list_of_document(
    connection: &mut DbConn,
    document: DocumentId,
    action: Option<&str>,
    limit: i64,
) -> Result<Vec<AuditEntry>, DbError> {
    let mut query = audit_entries::table
        .filter(audit_entries::document_id.eq(document))
        .order((audit_entries::at.desc(), audit_entries::id.desc()))
        .limit(limit)
        .select(AuditEntry::as_select())
        .into_boxed();
    if let Some(action) = action {
        query = query.filter(audit_entries::action.eq(action));
    }
    Ok(query.load(connection)?)
}

/// A place in the trail.
pub type Place = TimePlace<AuditEntryId>;

/// Which entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EntryFilter {
    /// Of this actor, by name.
    pub actor: Option<String>,
    /// Of this action, as its word.
    pub action: Option<String>,
    /// About this subject, by id.
    pub subject: Option<String>,
    /// Of then or later.
    pub since: Option<UtcTime>,
    /// Of before.
    pub until: Option<UtcTime>,
    /// The oldest first.
    pub oldest_first: bool,
}

/// A part of the trail as it is read: at most `limit` entries, away from the place.
pub fn list(
    connection: &mut DbConn,
    filter: &EntryFilter,
    part: &Part<Place>,
    limit: i64,
) -> Result<Vec<AuditEntry>, DbError> {
    use audit_entries::{action, actor, at, id, subject};
    let mut query = audit_entries::table
        .select(AuditEntry::as_select())
        .limit(limit)
        .into_boxed();
    if let Some(wanted) = &filter.actor {
        query = query.filter(actor.eq(wanted));
    }
    if let Some(wanted) = &filter.action {
        query = query.filter(action.eq(wanted));
    }
    if let Some(wanted) = &filter.subject {
        query = query.filter(subject.eq(wanted));
    }
    if let Some(since) = filter.since {
        query = query.filter(at.ge(since));
    }
    if let Some(until) = filter.until {
        query = query.filter(at.lt(until));
    }
    let upwards = filter.oldest_first != part.is_backwards();
    query = beyond!(query, at, id, part.place().map(Place::pair), upwards);
    Ok(query.load(connection)?)
}

/// Whether a user has done this to a document since then.
pub fn has_done(
    connection: &mut DbConn,
    document: DocumentId,
    user: UserId,
    action: &str,
    since: UtcTime,
) -> Result<bool, DbError> {
    let found = audit_entries::table
        .filter(audit_entries::document_id.eq(document))
        .filter(audit_entries::at.ge(since))
        .filter(audit_entries::action.eq(action))
        .filter(audit_entries::actor_id.eq(user))
        .select(audit_entries::id);
    Ok(diesel::select(diesel::dsl::exists(found)).get_result(connection)?)
}
