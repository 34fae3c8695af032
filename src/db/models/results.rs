//! Results: what Filestack made of a document, such as a conversion or a video.

use diesel::prelude::*;

use crate::clock::UtcTime;
use crate::db::schema::document_results;
use crate::db::{DbConn, DbError};
use crate::ids::{DocumentId, ResultId};

/// State of a result that is on its way.
pub const PENDING: &str = "pending";
/// State of a result that is there.
pub const DONE: &str = "done";
/// State of a result that will not come.
pub const FAILED: &str = "failed";

/// A result.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = document_results, treat_none_as_default_value = false)]
pub struct DocumentResult {
    /// Id.
    pub id: ResultId,
    /// Of which document.
    pub document_id: DocumentId,
    /// What: `conversion`, `video`.
    pub kind: String,
    /// What tells it from others of its kind: a video's uuid, a conversion's handle.
    pub key: String,
    /// How far it is: [`PENDING`], [`DONE`], [`FAILED`].
    pub state: String,
    /// Filestack's handle of the file.
    pub handle: Option<String>,
    /// Its name, sanitised.
    pub name: String,
    /// Its type.
    pub content_type: String,
    /// Its size.
    pub size_bytes: Option<i64>,
    /// Whatever else was said of it: JSON.
    pub details: String,
    /// When it was asked for, or came unasked.
    pub created_at: UtcTime,
    /// When it came to its state.
    pub updated_at: UtcTime,
}

/// Adds a result; `false` when there is one of this kind and key.
pub fn insert(connection: &mut DbConn, new: &DocumentResult) -> Result<bool, DbError> {
    let insert = diesel::insert_into(document_results::table).values(new);
    let added = match connection {
        DbConn::Postgres(inner) => insert.on_conflict_do_nothing().execute(inner)?,
        DbConn::Sqlite(inner) => insert.on_conflict_do_nothing().execute(inner)?,
    };
    Ok(added == 1)
}

/// Replaces what is known of a result; `false` when it is gone with its document.
pub fn update(connection: &mut DbConn, result: &DocumentResult) -> Result<bool, DbError> {
    let changed = diesel::update(document_results::table.find(result.id))
        .set(result)
        .execute(connection)?;
    Ok(changed == 1)
}

/// Removes the results of a document, and gives the files that they were.
pub fn delete_of_document(connection: &mut DbConn, document: DocumentId) -> Result<Vec<String>, DbError> {
    let files: Vec<Option<String>> =
        diesel::delete(document_results::table.filter(document_results::document_id.eq(document)))
            .returning(document_results::handle)
            .get_results(connection)?;
    Ok(files.into_iter().flatten().collect())
}

/// Notes that a result that is on its way will not come, and what was said of it.
pub fn give_up(
    connection: &mut DbConn,
    kind: &str,
    key: &str,
    details: &str,
    now: UtcTime,
) -> Result<(), DbError> {
    let pending = document_results::table
        .filter(document_results::kind.eq(kind).and(document_results::key.eq(key)))
        .filter(document_results::state.eq(PENDING));
    diesel::update(pending)
        .set((
            document_results::state.eq(FAILED),
            document_results::details.eq(details),
            document_results::updated_at.eq(now),
        ))
        .execute(connection)?;
    Ok(())
}

/// The result of this kind and key.
pub fn find(connection: &mut DbConn, kind: &str, key: &str) -> Result<Option<DocumentResult>, DbError> {
    Ok(document_results::table
        .filter(document_results::kind.eq(kind).and(document_results::key.eq(key)))
        .select(DocumentResult::as_select())
        .first(connection)
        .optional()?)
}

/// The result that is this file.
pub fn find_by_handle(connection: &mut DbConn, handle: &str) -> Result<Option<DocumentResult>, DbError> {
    Ok(document_results::table
        .filter(document_results::handle.eq(handle))
        .select(DocumentResult::as_select())
        .first(connection)
        .optional()?)
}

/// The result of this id, if it is this document's.
pub fn find_of_document(
    connection: &mut DbConn,
    document: DocumentId,
    id: ResultId,
) -> Result<Option<DocumentResult>, DbError> {
    Ok(document_results::table
        .find(id)
        .filter(document_results::document_id.eq(document))
        .select(DocumentResult::as_select())
        .first(connection)
        .optional()?)
}

/// So many results of a document, the newest first.
pub fn list_latest(
    connection: &mut DbConn,
    document: DocumentId,
    limit: i64,
) -> Result<Vec<DocumentResult>, DbError> {
    Ok(document_results::table
        .filter(document_results::document_id.eq(document))
        .order((document_results::created_at.desc(), document_results::id.desc()))
        .limit(limit)
        .select(DocumentResult::as_select())
        .load(connection)?)
}

/// The results of a document, the oldest first.
pub fn list(connection: &mut DbConn, document: DocumentId) -> Result<Vec<DocumentResult>, DbError> {
    Ok(document_results::table
        .filter(document_results::document_id.eq(document))
        .order((document_results::created_at, document_results::id))
        .select(DocumentResult::as_select())
        .load(connection)?)
}
