//! The audit trail: who did what. Rows are added and read; the database itself refuses to change or remove one.

use diesel::prelude::*;

use crate::clock::UtcTime;
use crate::db::schema::audit_entries;
use crate::db::{DbConn, DbError};
use crate::ids::{AuditEntryId, DocumentId, UserId};

/// An entry, as it is written and read.
#[derive(Clone, Debug, PartialEq, Eq, Insertable, Queryable, Selectable)]
#[diesel(table_name = audit_entries)]
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
    limit: i64,
) -> Result<Vec<AuditEntry>, DbError> {
    Ok(audit_entries::table
        .filter(audit_entries::document_id.eq(document))
        .order((audit_entries::at.desc(), audit_entries::id.desc()))
        .limit(limit)
        .select(AuditEntry::as_select())
        .load(connection)?)
}
