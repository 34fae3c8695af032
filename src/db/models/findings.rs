//! Findings: what was found out about a document's content, one JSON value of each kind.

use diesel::prelude::*;

use crate::clock::UtcTime;
use crate::db::schema::document_findings;
use crate::db::{DbConn, DbError};
use crate::ids::DocumentId;

/// A finding.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = document_findings)]
pub struct Finding {
    /// About which document.
    pub document_id: DocumentId,
    /// Of what: `tags`, `sfw`, `viruses`.
    pub kind: String,
    /// What: JSON.
    pub value: String,
    /// When.
    pub found_at: UtcTime,
}

/// Keeps a finding in place of the one of this kind, if there is one.
pub fn put(connection: &mut DbConn, finding: &Finding) -> Result<(), DbError> {
    let change = (
        document_findings::value.eq(&finding.value),
        document_findings::found_at.eq(finding.found_at),
    );
    let key = (document_findings::document_id, document_findings::kind);
    let insert = diesel::insert_into(document_findings::table).values(finding);
    match connection {
        DbConn::Postgres(inner) => insert.on_conflict(key).do_update().set(change).execute(inner)?,
        DbConn::Sqlite(inner) => insert.on_conflict(key).do_update().set(change).execute(inner)?,
    };
    Ok(())
}

/// The finding of this kind.
pub fn find(connection: &mut DbConn, document: DocumentId, kind: &str) -> Result<Option<Finding>, DbError> {
    Ok(document_findings::table
        .find((document, kind))
        .select(Finding::as_select())
        .get_result(connection)
        .optional()?)
}

/// All findings about a document.
pub fn list(connection: &mut DbConn, document: DocumentId) -> Result<Vec<Finding>, DbError> {
    Ok(document_findings::table
        .filter(document_findings::document_id.eq(document))
        .order(document_findings::kind)
        .select(Finding::as_select())
        .load(connection)?)
}
