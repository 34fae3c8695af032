//! Documents: a row for each file that somebody keeps.

mod listing;

use diesel::prelude::*;

use super::search;
use crate::clock::UtcTime;
use crate::db::schema::documents;
use crate::db::{DbConn, DbError};
use crate::ids::{DocumentId, UserId};

pub use listing::{ListQuery, Part, list};

/// The state of a document whose file is at Filestack and may be served.
pub const STORED: &str = "stored";

/// A document.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = documents)]
pub struct Document {
    /// Short number: rowid of its entry in the search index.
    pub seq: i64,
    /// Id, of its upload too.
    pub id: DocumentId,
    /// Whose.
    pub owner_id: UserId,
    /// Filestack's handle of the file.
    pub handle: String,
    /// Name shown, sanitised.
    pub name: String,
    /// Name as it is sorted and searched.
    pub name_key: String,
    /// Type, from the bytes.
    pub content_type: String,
    /// Type the uploader named.
    pub declared_type: String,
    /// Bytes.
    pub size_bytes: i64,
    /// SHA-256 of the bytes, hex.
    pub sha256: String,
    /// State: [`STORED`].
    pub status: String,
    /// When the upload ended.
    pub created_at: UtcTime,
    /// Last change of the row.
    pub updated_at: UtcTime,
}

/// A document to be.
#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = documents)]
#[expect(missing_docs, reason = "the same fields as in `Document`")]
pub struct NewDocument {
    pub id: DocumentId,
    pub owner_id: UserId,
    pub handle: String,
    pub name: String,
    pub name_key: String,
    pub content_type: String,
    pub declared_type: String,
    pub size_bytes: i64,
    pub sha256: String,
    pub status: &'static str,
    pub created_at: UtcTime,
    pub updated_at: UtcTime,
}

/// Adds a document; the caller enters it in the search index and counts it.
pub fn insert(connection: &mut DbConn, document: &NewDocument) -> Result<(), DbError> {
    diesel::insert_into(documents::table)
        .values(document)
        .execute(connection)?;
    Ok(())
}

/// Adds many documents with one statement.
pub fn insert_batch(connection: &mut DbConn, batch: &[NewDocument]) -> Result<(), DbError> {
    let insert = diesel::insert_into(documents::table).values(batch);
    match connection {
        DbConn::Postgres(inner) => insert.execute(inner)?,
        DbConn::Sqlite(inner) => insert.execute(inner)?,
    };
    Ok(())
}

/// The owner's document of this id.
pub fn find_owned(
    connection: &mut DbConn,
    owner: UserId,
    id: DocumentId,
) -> Result<Option<Document>, DbError> {
    Ok(documents::table
        .filter(documents::id.eq(id).and(documents::owner_id.eq(owner)))
        .select(Document::as_select())
        .first(connection)
        .optional()?)
}

/// Gives the owner's document another name; `false` when there is none.
pub fn rename(
    connection: &mut DbConn,
    owner: UserId,
    id: DocumentId,
    name: &str,
    now: UtcTime,
) -> Result<bool, DbError> {
    let changed =
        diesel::update(documents::table.filter(documents::id.eq(id).and(documents::owner_id.eq(owner))))
            .set((
                documents::name.eq(name),
                documents::name_key.eq(search::name_key(name)),
                documents::updated_at.eq(now),
            ))
            .execute(connection)?;
    Ok(changed == 1)
}

/// Removes the owner's document; `false` when there is none any more.
pub fn delete(connection: &mut DbConn, owner: UserId, id: DocumentId) -> Result<bool, DbError> {
    let filter = documents::id.eq(id).and(documents::owner_id.eq(owner));
    Ok(diesel::delete(documents::table.filter(filter)).execute(connection)? == 1)
}

/// What a list is sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortKey {
    /// When it was added.
    Created,
    /// Name, ignoring case.
    Name,
    /// Bytes.
    Size,
}

/// An order of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    /// By what.
    pub key: SortKey,
    /// Largest first.
    pub descending: bool,
}

impl Sort {
    /// The newest first.
    pub const NEWEST: Sort = Sort {
        key: SortKey::Created,
        descending: true,
    };

    fn column(self) -> &'static str {
        match self.key {
            SortKey::Created => "created_at",
            SortKey::Name => "name_key",
            SortKey::Size => "size_bytes",
        }
    }
}

/// A place between two rows of a list: the sort key and the id of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Key of the row.
    pub key: PlaceKey,
    /// Id of the row.
    pub id: DocumentId,
}

/// The value a row is sorted by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlaceKey {
    /// Of [`SortKey::Created`] and [`SortKey::Size`].
    Number(i64),
    /// Of [`SortKey::Name`].
    Text(String),
}

impl Document {
    /// Where this document stands in a list of this order.
    pub fn place(&self, sort: Sort) -> Place {
        let key = match sort.key {
            SortKey::Created => PlaceKey::Number(self.created_at.micros()),
            SortKey::Size => PlaceKey::Number(self.size_bytes),
            SortKey::Name => PlaceKey::Text(self.name_key.clone()),
        };
        Place { key, id: self.id }
    }
}
