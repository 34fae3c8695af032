//! Uploads: intents, written before the first byte goes to Filestack. Once recorded, the document has the same id.

use std::fmt;
use std::str::FromStr;

use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::prelude::*;
use diesel::sql_types::Text;

use crate::clock::UtcTime;
use crate::db::schema::uploads;
use crate::db::{DbConn, DbError};
use crate::ids::{DocumentId, UserId};

/// The failure of an upload of which nobody knows whether Filestack has the file: it is adopted when Filestack says so.
pub const UNCONFIRMED: &str = "filestack-unconfirmed";

/// How far an upload has come: `started → stored → recorded`, or `failed`, or `abandoned`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub enum UploadState {
    /// Bytes may be on their way to Filestack.
    Started,
    /// Filestack has the file, and the document could not be written: the sweep removes the file.
    Stored,
    /// The document is there.
    Recorded,
    /// It ended without a document, and the uploader was told.
    Failed,
    /// It ended without a document, and nobody knows how: the process died.
    Abandoned,
}

impl Upload {
    /// Whether the file becomes the document, should it turn up: nobody was told for good that it has failed.
    pub fn may_be_adopted(&self) -> bool {
        match self.state {
            UploadState::Started | UploadState::Stored | UploadState::Abandoned => true,
            UploadState::Failed => self.failure.as_deref() == Some(UNCONFIRMED),
            UploadState::Recorded => false,
        }
    }
}

impl UploadState {
    /// The word kept in the column.
    pub fn as_str(&self) -> &'static str {
        match self {
            UploadState::Started => "started",
            UploadState::Stored => "stored",
            UploadState::Recorded => "recorded",
            UploadState::Failed => "failed",
            UploadState::Abandoned => "abandoned",
        }
    }
}

impl fmt::Display for UploadState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for UploadState {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "started" => UploadState::Started,
            "stored" => UploadState::Stored,
            "recorded" => UploadState::Recorded,
            "failed" => UploadState::Failed,
            "abandoned" => UploadState::Abandoned,
            other => return Err(format!("no upload state {other}")),
        })
    }
}

crate::db::types::text_column!(UploadState);

/// An intent.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = uploads, treat_none_as_default_value = false)]
pub struct Upload {
    /// Id, of the document too.
    pub id: DocumentId,
    /// Whose.
    pub owner_id: UserId,
    /// How far.
    pub state: UploadState,
    /// The document's name to be.
    pub name: String,
    /// Where Filestack is told to put it: nobody else's upload has this path.
    pub path: String,
    /// Filestack's handle, once known.
    pub handle: Option<String>,
    /// Why it ended without a document.
    pub failure: Option<String>,
    /// What is to be done with the file besides storing it: a word of the services'.
    pub wish: String,
    /// When it began.
    pub started_at: UtcTime,
    /// Last change of state, or last sign of life.
    pub updated_at: UtcTime,
}

/// Adds an intent.
pub fn insert(connection: &mut DbConn, upload: Upload) -> Result<(), DbError> {
    diesel::insert_into(uploads::table)
        .values(upload)
        .execute(connection)?;
    Ok(())
}

/// Adds an intent that holds a part of its owner's quota.
pub fn insert_holding(connection: &mut DbConn, upload: Upload, bytes: i64) -> Result<(), DbError> {
    diesel::insert_into(uploads::table)
        .values((upload, uploads::reserved_bytes.eq(Some(bytes))))
        .execute(connection)?;
    Ok(())
}

/// Ends the hold of an upload, and gives whose it was and of how many bytes; `None` when it has none, or no longer.
pub fn let_go(connection: &mut DbConn, id: DocumentId) -> Result<Option<(UserId, i64)>, DbError> {
    let held: Option<(UserId, Option<i64>)> = uploads::table
        .find(id)
        .select((uploads::owner_id, uploads::reserved_bytes))
        .first(connection)
        .optional()?;
    let Some((owner, Some(bytes))) = held else {
        return Ok(None);
    };
    let changed = diesel::update(
        uploads::table
            .find(id)
            .filter(uploads::reserved_bytes.is_not_null()),
    )
    .set(uploads::reserved_bytes.eq(None::<i64>))
    .execute(connection)?;
    Ok((changed == 1).then_some((owner, bytes)))
}

/// Whether this file of the user's was refused for this reason.
pub fn was_refused(
    connection: &mut DbConn,
    owner: UserId,
    handle: &str,
    failure: &str,
) -> Result<bool, DbError> {
    let refused = uploads::table
        .filter(uploads::handle.eq(handle))
        .filter(uploads::owner_id.eq(owner))
        .filter(uploads::state.eq(UploadState::Failed))
        .filter(uploads::failure.eq(failure));
    Ok(diesel::select(diesel::dsl::exists(refused.select(uploads::id))).get_result(connection)?)
}

/// Moves a started upload on; `false` when it had already ended otherwise.
pub fn finish(
    connection: &mut DbConn,
    id: DocumentId,
    state: UploadState,
    handle: Option<&str>,
    failure: Option<&str>,
    now: UtcTime,
) -> Result<bool, DbError> {
    let changed = diesel::update(
        uploads::table
            .find(id)
            .filter(uploads::state.eq(UploadState::Started)),
    )
    .set((
        uploads::state.eq(state),
        uploads::handle.eq(handle),
        uploads::failure.eq(failure),
        uploads::updated_at.eq(now),
    ))
    .execute(connection)?;
    Ok(changed == 1)
}

/// Says that a started upload is still at work.
pub fn touch(connection: &mut DbConn, id: DocumentId, now: UtcTime) -> Result<(), DbError> {
    diesel::update(
        uploads::table
            .find(id)
            .filter(uploads::state.eq(UploadState::Started)),
    )
    .set(uploads::updated_at.eq(now))
    .execute(connection)?;
    Ok(())
}

/// The upload of this id.
pub fn find(connection: &mut DbConn, id: DocumentId) -> Result<Option<Upload>, DbError> {
    Ok(uploads::table
        .find(id)
        .select(Upload::as_select())
        .get_result(connection)
        .optional()?)
}

/// Moves an upload that ended without a document, or has not ended, to `recorded`; `false` when it is there already, or the
/// uploader was told for good that there is none.
pub fn adopt(connection: &mut DbConn, id: DocumentId, handle: &str, now: UtcTime) -> Result<bool, DbError> {
    let open = [UploadState::Started, UploadState::Stored, UploadState::Abandoned];
    let changed = diesel::update(
        uploads::table.find(id).filter(
            uploads::state
                .eq_any(open)
                .or(uploads::state.eq(UploadState::Failed).and(
                    uploads::failure
                        .is_not_null()
                        .and(uploads::failure.assume_not_null().eq(UNCONFIRMED)),
                )),
        ),
    )
    .set((
        uploads::state.eq(UploadState::Recorded),
        uploads::handle.eq(Some(handle)),
        uploads::failure.eq(None::<String>),
        uploads::updated_at.eq(now),
    ))
    .execute(connection)?;
    Ok(changed == 1)
}

/// Ends an upload that may still be adopted, so that it never is: another does its work. `false` when it has ended for good.
pub fn supersede(connection: &mut DbConn, id: DocumentId, now: UtcTime) -> Result<bool, DbError> {
    let open = [UploadState::Started, UploadState::Stored, UploadState::Abandoned];
    let changed = diesel::update(
        uploads::table.find(id).filter(
            uploads::state
                .eq_any(open)
                .or(uploads::state.eq(UploadState::Failed).and(
                    uploads::failure
                        .is_not_null()
                        .and(uploads::failure.assume_not_null().eq(UNCONFIRMED)),
                )),
        ),
    )
    .set((
        uploads::state.eq(UploadState::Failed),
        uploads::failure.eq(Some("the request was sent again")),
        uploads::updated_at.eq(now),
    ))
    .execute(connection)?;
    Ok(changed == 1)
}

/// Whether an upload whose document is gone had this file.
pub fn had_handle(connection: &mut DbConn, handle: &str) -> Result<bool, DbError> {
    Ok(diesel::select(diesel::dsl::exists(
        uploads::table
            .filter(uploads::handle.eq(handle))
            .select(uploads::id),
    ))
    .get_result(connection)?)
}

/// Uploads that began before `before` and have not settled.
pub fn list_unsettled(connection: &mut DbConn, before: UtcTime, limit: i64) -> Result<Vec<Upload>, DbError> {
    Ok(uploads::table
        .filter(uploads::state.eq_any([UploadState::Started, UploadState::Stored]))
        .filter(uploads::updated_at.lt(before))
        .order(uploads::updated_at)
        .limit(limit)
        .select(Upload::as_select())
        .load(connection)?)
}

/// Settles an upload that nobody finished; `false` when it has ended, or has given a sign of life since `before`.
pub fn abandon(
    connection: &mut DbConn,
    id: DocumentId,
    before: UtcTime,
    now: UtcTime,
) -> Result<bool, DbError> {
    let changed = diesel::update(
        uploads::table
            .find(id)
            .filter(uploads::state.eq_any([UploadState::Started, UploadState::Stored]))
            .filter(uploads::updated_at.lt(before)),
    )
    .set((
        uploads::state.eq(UploadState::Abandoned),
        uploads::failure.eq(Some("the server stopped before the upload ended")),
        uploads::updated_at.eq(now),
    ))
    .execute(connection)?;
    Ok(changed == 1)
}
