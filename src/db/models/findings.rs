//! Findings: what was found out about a document's content, one JSON value of each kind.

use diesel::prelude::*;
use serde_json::Value;

use super::search;
use crate::clock::UtcTime;
use crate::db::schema::document_findings;
use crate::db::{DbConn, DbError};
use crate::ids::DocumentId;

/// Kind of the finding that names what is to be seen: an object of names, with how sure that is.
pub const TAGS: &str = "tags";
/// Kind of the finding that has the text on a picture: a text.
pub const TEXT: &str = "text";

/// A list of what was found, without anything in it.
pub const NOTHING: &str = "[]";

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

impl Finding {
    /// What of it can be read: the text, or the names.
    pub fn text(&self) -> String {
        match serde_json::from_str(&self.value) {
            Ok(Value::String(text)) => text,
            Ok(Value::Object(names)) => names.keys().map(String::as_str).collect::<Vec<_>>().join(", "),
            _ => String::new(),
        }
    }
}

/// Keeps a finding in place of the one of this kind, if there is one; its document is found by what can be read of it.
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
    refresh(connection, finding)
}

/// A document is found by what can be read of some of its findings.
fn refresh(connection: &mut DbConn, finding: &Finding) -> Result<(), DbError> {
    if matches!(finding.kind.as_str(), TAGS | TEXT) {
        search::refresh(connection, finding.document_id)?;
    }
    Ok(())
}

/// [`put`] for what may come in any order: the finding of the latest time stays, of one time that with the greater value, and nothing
/// found never stays over something.
pub fn put_latest(connection: &mut DbConn, finding: &Finding) -> Result<(), DbError> {
    use document_findings::{found_at, value};
    if put_if_none(connection, finding)? {
        return refresh(connection, finding);
    }
    let same_time = found_at.eq(finding.found_at).and(value.lt(&finding.value));
    let is_later = value.eq(NOTHING).or(found_at.lt(finding.found_at)).or(same_time);
    let known = document_findings::table.find((finding.document_id, &finding.kind));
    diesel::update(known.filter(is_later))
        .set((value.eq(&finding.value), found_at.eq(finding.found_at)))
        .execute(connection)?;
    refresh(connection, finding)
}

/// Keeps a finding unless there is one of this kind; `false` when there is. It is not entered where documents are found by it.
pub fn put_if_none(connection: &mut DbConn, finding: &Finding) -> Result<bool, DbError> {
    let insert = diesel::insert_into(document_findings::table)
        .values(finding)
        .on_conflict_do_nothing();
    let added = match connection {
        DbConn::Postgres(inner) => insert.execute(inner)?,
        DbConn::Sqlite(inner) => insert.execute(inner)?,
    };
    Ok(added == 1)
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

/// The findings that a document is found by: names of what is to be seen, then text.
pub fn list_searchable(connection: &mut DbConn, document: DocumentId) -> Result<Vec<Finding>, DbError> {
    Ok(document_findings::table
        .filter(document_findings::document_id.eq(document))
        .filter(document_findings::kind.eq_any([TAGS, TEXT]))
        .order(document_findings::kind)
        .select(Finding::as_select())
        .load(connection)?)
}
