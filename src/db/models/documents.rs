//! Documents: a row for each file that somebody keeps.

mod family;
mod listing;
pub mod overseen;
mod trash;

use diesel::prelude::*;

use super::search;
use crate::clock::UtcTime;
use crate::db::connection::first_locked;
use crate::db::keyset::{KeyPlace, PlaceKey};
use crate::db::schema::documents;
use crate::db::{DbConn, DbError};
use crate::ids::{DocumentId, UserId};

pub use family::Family;
pub use listing::{ListQuery, Part, count, list};
pub use trash::{
    delete_trashed, find_trashed, find_trashed_for_update, list_due, list_trashed, list_trashed_at, restore,
    trash,
};

/// The state of a document whose file is at Filestack and may be served.
pub const STORED: &str = "stored";
/// The state of one that is not served until it has been found clean.
pub const QUARANTINED: &str = "quarantined";
/// The state of one whose file was found infected, and is never served.
pub const INFECTED: &str = "infected";
/// The state of one whose file is no longer at Filestack.
pub const GONE: &str = "gone";

/// What the handle of a made-up document begins with, one of demo data: Filestack has no such file, and is not asked about it.
pub const MADE_UP: &str = "MadeUpOnly";

/// A document.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
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
    /// State: [`STORED`], [`QUARANTINED`], [`INFECTED`] or [`GONE`].
    pub status: String,
    /// When the upload ended.
    pub created_at: UtcTime,
    /// Last change of the row.
    pub updated_at: UtcTime,
    /// Since when it is in the trash.
    pub trashed_at: Option<UtcTime>,
    /// Its owner's tags, between commas: see [`Document::tags`].
    pub tags: String,
    /// What its owner says about it.
    pub note: String,
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
        .values((document, documents::family.eq(document.family())))
        .execute(connection)?;
    Ok(())
}

/// Gives a document that an event has made what only its upload knows; `false` when there is none with this file.
pub fn complete(connection: &mut DbConn, document: &NewDocument) -> Result<bool, DbError> {
    let filter = documents::id
        .eq(document.id)
        .and(documents::handle.eq(&document.handle))
        .and(documents::size_bytes.eq(document.size_bytes));
    let changed = diesel::update(documents::table.filter(filter))
        .set((
            documents::content_type.eq(&document.content_type),
            documents::family.eq(document.family()),
            documents::declared_type.eq(&document.declared_type),
            documents::sha256.eq(&document.sha256),
        ))
        .execute(connection)?;
    if changed == 1 {
        search::refresh(connection, document.id)?;
    }
    Ok(changed == 1)
}

/// Adds many documents with one statement.
pub fn insert_batch(connection: &mut DbConn, batch: &[NewDocument]) -> Result<(), DbError> {
    let rows: Vec<_> = batch
        .iter()
        .map(|document| (document, documents::family.eq(document.family())))
        .collect();
    let insert = diesel::insert_into(documents::table).values(rows);
    match connection {
        DbConn::Postgres(inner) => insert.execute(inner)?,
        DbConn::Sqlite(inner) => insert.execute(inner)?,
    };
    Ok(())
}

/// The owner's document of this id, unless it is in the trash.
pub fn find_owned(
    connection: &mut DbConn,
    owner: UserId,
    id: DocumentId,
) -> Result<Option<Document>, DbError> {
    Ok(documents::table
        .filter(documents::id.eq(id).and(documents::owner_id.eq(owner)))
        .filter(documents::trashed_at.is_null())
        .select(Document::as_select())
        .get_result(connection)
        .optional()?)
}

/// The owner's documents of these ids that are not in the trash, by id.
pub fn find_many_owned(
    connection: &mut DbConn,
    owner: UserId,
    ids: &[DocumentId],
) -> Result<Vec<Document>, DbError> {
    Ok(documents::table
        .filter(
            documents::id
                .eq_any(ids.to_vec())
                .and(documents::owner_id.eq(owner)),
        )
        .filter(documents::trashed_at.is_null())
        .order(documents::id)
        .select(Document::as_select())
        .load(connection)?)
}

/// The owner's document of this id, and nobody else changes it until the transaction ends. Rows that refer to it may come meanwhile.
pub fn find_owned_for_update(
    connection: &mut DbConn,
    owner: UserId,
    id: DocumentId,
) -> Result<Option<Document>, DbError> {
    let wanted = documents::table.filter(
        documents::id
            .eq(id)
            .and(documents::owner_id.eq(owner))
            .and(documents::trashed_at.is_null()),
    );
    Ok(first_locked!(connection, wanted, Document, for_no_key_update)?)
}

/// The owner's document that has this file, unless it is in the trash.
pub fn find_by_handle_owned(
    connection: &mut DbConn,
    owner: UserId,
    handle: &str,
) -> Result<Option<Document>, DbError> {
    Ok(documents::table
        .filter(documents::handle.eq(handle).and(documents::owner_id.eq(owner)))
        .filter(documents::trashed_at.is_null())
        .select(Document::as_select())
        .get_result(connection)
        .optional()?)
}

/// The document of this id, whosever, in the trash or not: for what is not done on somebody's behalf.
pub fn find(connection: &mut DbConn, id: DocumentId) -> Result<Option<Document>, DbError> {
    Ok(documents::table
        .filter(documents::id.eq(id))
        .select(Document::as_select())
        .get_result(connection)
        .optional()?)
}

/// The owner's documents with these bytes, the oldest first and without the trash; none for a digest that is not known.
pub fn list_by_sha256(
    connection: &mut DbConn,
    owner: UserId,
    sha256: &str,
    limit: i64,
) -> Result<Vec<Document>, DbError> {
    if sha256.is_empty() {
        return Ok(Vec::new());
    }
    Ok(documents::table
        .filter(documents::owner_id.eq(owner).and(documents::sha256.eq(sha256)))
        .filter(documents::trashed_at.is_null())
        .order(documents::id)
        .limit(limit)
        .select(Document::as_select())
        .load(connection)?)
}

/// The document that has this file, whosever.
pub fn find_by_handle(connection: &mut DbConn, handle: &str) -> Result<Option<Document>, DbError> {
    Ok(documents::table
        .filter(documents::handle.eq(handle))
        .select(Document::as_select())
        .get_result(connection)
        .optional()?)
}

/// Moves a document from one of these states to another; `false` when it is in none of them.
pub fn move_on(
    connection: &mut DbConn,
    id: DocumentId,
    from: &[&str],
    to: &str,
    now: UtcTime,
) -> Result<bool, DbError> {
    let changed = diesel::update(
        documents::table.filter(documents::id.eq(id).and(documents::status.eq_any(from.to_vec()))),
    )
    .set((documents::status.eq(to), documents::updated_at.eq(now)))
    .execute(connection)?;
    if changed == 1 {
        search::refresh(connection, id)?;
    }
    Ok(changed == 1)
}

/// What Filestack says of a file whose content was replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content<'a> {
    /// Bytes.
    pub size_bytes: i64,
    /// SHA-256, hex; empty when nobody knows it.
    pub sha256: &'a str,
    /// Type.
    pub content_type: &'a str,
}

/// Notes that a document has other content; `false` when it is no longer as it was `known`, with the size that its owner was charged for.
pub fn refresh(
    connection: &mut DbConn,
    known: &Document,
    content: &Content<'_>,
    now: UtcTime,
) -> Result<bool, DbError> {
    let filter = documents::id
        .eq(known.id)
        .and(documents::size_bytes.eq(known.size_bytes))
        .and(documents::sha256.eq(&known.sha256))
        .and(documents::content_type.eq(&known.content_type))
        .and(documents::updated_at.eq(known.updated_at));
    let changed = diesel::update(documents::table.filter(filter))
        .set((
            documents::size_bytes.eq(content.size_bytes),
            documents::sha256.eq(content.sha256),
            documents::content_type.eq(content.content_type),
            documents::family.eq(Family::of(content.content_type).as_str()),
            documents::updated_at.eq(now),
        ))
        .execute(connection)?;
    if changed == 1 {
        search::refresh(connection, known.id)?;
    }
    Ok(changed == 1)
}

/// Documents whose files should be there, by id, after a place: for walking through all of them.
pub fn list_served_after(
    connection: &mut DbConn,
    after: Option<DocumentId>,
    limit: i64,
) -> Result<Vec<Document>, DbError> {
    let mut query = documents::table
        .select(Document::as_select())
        .filter(documents::status.ne(GONE))
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(documents::id.gt(after));
    }
    Ok(query.order(documents::id).limit(limit).load(connection)?)
}

/// How many of those there are.
pub fn count_served(connection: &mut DbConn) -> Result<u64, DbError> {
    let count: i64 = documents::table
        .filter(documents::status.ne(GONE))
        .count()
        .get_result(connection)?;
    Ok(u64::try_from(count).unwrap_or_default())
}

/// What its owner says about a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its tags, between commas: see [`Document::tags`].
    pub tags: &'a str,
    /// The note.
    pub note: &'a str,
}

/// Has the owner's document called and described otherwise, and found by that; `false` when there is none.
pub fn describe(
    connection: &mut DbConn,
    owner: UserId,
    id: DocumentId,
    description: &Description<'_>,
    now: UtcTime,
) -> Result<bool, DbError> {
    let filter = documents::id
        .eq(id)
        .and(documents::owner_id.eq(owner))
        .and(documents::trashed_at.is_null());
    let changed = diesel::update(documents::table.filter(filter))
        .set((
            documents::name.eq(description.name),
            documents::name_key.eq(search::name_key(description.name)),
            documents::tags.eq(description.tags),
            documents::note.eq(description.note),
            documents::updated_at.eq(now),
        ))
        .execute(connection)?;
    if changed == 1 {
        search::refresh(connection, id)?;
    }
    Ok(changed == 1)
}

/// What a document counted for when it was removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Queryable)]
pub struct Removed {
    /// Whose it was.
    pub owner_id: UserId,
    /// Its number in the search index.
    pub seq: i64,
    /// Its bytes.
    pub size_bytes: i64,
    /// When it was put into the trash, if it was there.
    pub trashed_at: Option<UtcTime>,
}

/// Removes the document that has this file, wherever it is, and gives what it counted for at that moment; `None` when there is none.
pub fn delete(connection: &mut DbConn, id: DocumentId, handle: &str) -> Result<Option<Removed>, DbError> {
    let filter = documents::id.eq(id).and(documents::handle.eq(handle));
    Ok(diesel::delete(documents::table.filter(filter))
        .returning((
            documents::owner_id,
            documents::seq,
            documents::size_bytes,
            documents::trashed_at,
        ))
        .get_result(connection)
        .optional()?)
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
    /// When it was put into the trash: the order of the trash, which has no other.
    Trashed,
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
    /// What was put into the trash last comes first.
    pub const TRASH: Sort = Sort {
        key: SortKey::Trashed,
        descending: true,
    };

    fn column(self) -> &'static str {
        match self.key {
            SortKey::Created => "created_at",
            SortKey::Name => "name_key",
            SortKey::Size => "size_bytes",
            SortKey::Trashed => "trashed_at",
        }
    }
}

/// A place between two rows of a list.
pub type Place = KeyPlace<DocumentId>;

impl NewDocument {
    /// The word for what its type is to people.
    pub fn family(&self) -> &'static str {
        Family::of(&self.content_type).as_str()
    }
}

impl Document {
    /// Its owner's tags.
    pub fn tags(&self) -> impl Iterator<Item = &str> {
        self.tags.split(',').filter(|tag| !tag.is_empty())
    }

    /// Where this document stands in a list of this order.
    pub fn place(&self, sort: Sort) -> Place {
        let key = match sort.key {
            SortKey::Created => PlaceKey::Number(self.created_at.micros()),
            SortKey::Size => PlaceKey::Number(self.size_bytes),
            SortKey::Name => PlaceKey::Text(self.name_key.clone()),
            SortKey::Trashed => PlaceKey::Number(self.trashed_at.map_or(0, UtcTime::micros)),
        };
        Place { key, id: self.id }
    }
}
