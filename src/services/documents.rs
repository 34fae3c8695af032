//! Documents: listing, reading, describing, and the signed addresses their files are had from. Deleting begins in [`super::trash`].

use std::time::Duration;

use serde_json::json;
use url::Url;

use crate::clock::UtcTime;
use crate::db::models::documents::{
    self, Description, GONE, INFECTED, ListQuery, Part, QUARANTINED, Sort, count,
};
use crate::db::models::findings::{self, TAGS, TEXT};
use crate::db::models::search::{DENSE, Search};
use crate::db::models::users::User;
use crate::db::{DbConn, DbError};
use crate::error::AppError;
use crate::filestack::transform::{Enhance, Fit, Resize};
use crate::filestack::{Handle, Purpose, Transform};
use crate::ids::{DocumentId, UserId};
use crate::services::audit::{Action, Actor, Entry};
use crate::services::filters::Filter;
use crate::services::identity::Shown;
use crate::services::labels::{self, Tags};
use crate::services::{Services, audit, identity, names, upstream};

pub use crate::db::models::documents::Document;

/// How long a signed address works.
pub const URL_LIFETIME: Duration = Duration::from_secs(300);
/// Thumbnails on pages are signed to the end of the current quarter of an hour and the next one: the address stays the same for a
/// while, so that browsers keep the picture.
const THUMBNAIL_STEP: Duration = Duration::from_secs(900);
/// The thumbnail in our list is 48 pixels wide; twice that for fine screens.
const THUMBNAIL_SIDE: u32 = 96;
/// The preview on a document's page.
const PREVIEW_SIDE: u32 = 960;
/// Whoever has no more documents than this has them looked at one by one: asking the index takes longer the more everybody has.
const FEW: i64 = 200;
/// Documents with the same content that somebody is told of, the one that is asked about included.
pub const MOST_TWINS: i64 = 5;
/// The sides of a thumbnail, pixels.
pub const THUMBNAIL_SIDES: std::ops::RangeInclusive<u32> = 1..=1_024;

/// A part of somebody's documents.
#[derive(Debug)]
pub struct DocumentPage {
    /// The rows, in order.
    pub documents: Vec<Document>,
    /// Whether there are rows before these.
    pub has_previous: bool,
    /// Whether there are rows after these.
    pub has_next: bool,
    /// How many there are in all.
    pub total: Total,
}

/// How many documents a list has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Total {
    /// So many.
    Exactly(u64),
    /// More than so many: counting on would cost more than it tells.
    MoreThan(u64),
}

/// Lists a part of the documents of whoever shows this: one turn at the database, three queries when searching and else two, who asks
/// included.
pub async fn list(
    services: &Services,
    shown: Shown,
    sort: Sort,
    filter: Filter,
    part: Part,
    limit: i64,
) -> Result<(User, DocumentPage), AppError> {
    identity::read_as(services, shown, move |c, user| {
        let (search, total) = search(c, user, &filter)?;
        let mut query = ListQuery {
            owner: user.id,
            sort,
            search,
            part,
            limit: limit + 1,
        };
        let mut rows = documents::list(c, &query)?;
        if rows.is_empty() && query.part != Part::First {
            // What was here has gone: begin again rather than show an empty page with no way on.
            query.part = Part::First;
            rows = documents::list(c, &query)?;
        }
        Ok(cut(rows, &query.part, limit as usize, total))
    })
    .await
}

/// Lists a part for a program that walks through all of them: what follows a place, even when nothing does any more.
pub async fn list_strictly(
    services: &Services,
    shown: Shown,
    sort: Sort,
    filter: Filter,
    part: Part,
    limit: i64,
) -> Result<DocumentPage, AppError> {
    let read = identity::read_as(services, shown, move |c, user| {
        let (search, total) = search(c, user, &filter)?;
        let query = ListQuery {
            owner: user.id,
            sort,
            search,
            part,
            limit: limit + 1,
        };
        let rows = documents::list(c, &query)?;
        Ok(cut(rows, &query.part, limit as usize, total))
    });
    Ok(read.await?.1)
}

/// What is to be searched for, whether the list is walked in its own order for it, and how much is found.
fn search(c: &mut DbConn, user: &User, filter: &Filter) -> Result<(Option<(Search, bool)>, Total), DbError> {
    let Some(search) = Search::new(user.seq, filter.wanted()) else {
        return Ok((None, kept(user)));
    };
    if user.document_count <= FEW {
        let found = count(c, user.id, &search, true)?;
        return Ok((Some((search, true)), Total::Exactly(found as u64)));
    }
    let found = count(c, user.id, &search, false)?;
    let total = if found > DENSE {
        Total::MoreThan(DENSE as u64)
    } else {
        Total::Exactly(found as u64)
    };
    Ok((Some((search, found > DENSE)), total))
}

fn kept(user: &User) -> Total {
    Total::Exactly((user.document_count - user.trashed_count).max(0) as u64)
}

/// One row more than a page was asked for, and says whether the list goes on that way.
pub(super) fn cut(mut rows: Vec<Document>, part: &Part, limit: usize, total: Total) -> DocumentPage {
    let more = rows.len() > limit;
    let (has_previous, has_next) = match part {
        Part::First => (false, more),
        Part::After(_) => (true, more),
        Part::Before(_) => (more, true),
    };
    if more {
        match part {
            Part::Before(_) => drop(rows.remove(0)),
            _ => drop(rows.pop()),
        }
    }
    DocumentPage {
        documents: rows,
        has_previous,
        has_next,
        total,
    }
}

/// The user's document of this id, else [`AppError::NotFound`], whether or not somebody else has one (S7).
pub async fn get(services: &Services, owner: UserId, id: DocumentId) -> Result<Document, AppError> {
    services
        .db
        .run(move |c| documents::find_owned(c, owner, id))
        .await?
        .ok_or(AppError::NotFound)
}

/// The same for whoever shows this, in one turn at the database.
pub async fn get_as(services: &Services, shown: Shown, id: DocumentId) -> Result<(User, Document), AppError> {
    let read = identity::read_as(services, shown, move |c, user| {
        documents::find_owned(c, user.id, id)
    });
    let (user, document) = read.await?;
    Ok((user, document.ok_or(AppError::NotFound)?))
}

/// Other documents of the same owner with the same content, the oldest first.
pub async fn twins(services: &Services, document: &Document) -> Result<Vec<Document>, AppError> {
    let (id, owner, sha256) = (document.id, document.owner_id, document.sha256.clone());
    let found = services
        .db
        .run(move |c| documents::list_by_sha256(c, owner, &sha256, MOST_TWINS));
    let mut others = found.await?;
    others.retain(|other| other.id != id);
    Ok(others)
}

/// What is to be changed; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The name, as it was typed.
    pub name: Option<String>,
    /// All tags.
    pub tags: Option<Vec<String>>,
    /// The note.
    pub note: Option<String>,
}

/// Changes in their form.
struct Checked {
    name: Option<String>,
    tags: Option<Tags>,
    note: Option<String>,
}

impl Changes {
    fn check(self) -> Result<Checked, AppError> {
        let mut wrong = Vec::new();
        let mut or_wrong = |field, sentence| wrong.push((field, sentence));
        let name = self.name.map(|name| names::typed(&name));
        let name = name.and_then(|name| name.map_err(|why| or_wrong("name", why)).ok());
        let tags = self.tags.map(|tags| Tags::read(tags.iter().map(String::as_str)));
        let tags = tags.and_then(|tags| tags.map_err(|why| or_wrong("tags", why)).ok());
        let note = self.note.map(|note| labels::note(&note));
        let note = note.and_then(|note| note.map_err(|why| or_wrong("note", why)).ok());
        if wrong.is_empty() {
            Ok(Checked { name, tags, note })
        } else {
            Err(AppError::Fields(wrong))
        }
    }
}

/// Changes what its owner calls a document and says about it.
///
/// # Errors
///
/// [`AppError::Fields`] when a part breaks a rule; then nothing is changed.
pub async fn change(
    services: &Services,
    actor: &Actor,
    owner: UserId,
    id: DocumentId,
    changes: Changes,
) -> Result<Document, AppError> {
    change_if(services, actor, owner, id, changes, |_| true).await
}

/// The same, if the document still is what the caller takes it to be.
///
/// # Errors
///
/// [`AppError::Stale`] when it is not.
pub async fn change_if(
    services: &Services,
    actor: &Actor,
    owner: UserId,
    id: DocumentId,
    changes: Changes,
    unchanged: impl FnOnce(&Document) -> bool + Send + 'static,
) -> Result<Document, AppError> {
    let changes = changes.check()?;
    let now = services.clock.now();
    let actor = actor.clone();
    let changed = services
        .db
        .write(move |c| {
            let Some(before) = documents::find_owned_for_update(c, owner, id)? else {
                return Ok(None);
            };
            if !unchanged(&before) {
                return Ok(Some(Err(AppError::Stale)));
            }
            Ok(write(c, &actor, &before, &changes, now)?.map(Ok))
        })
        .await?;
    changed.ok_or(AppError::NotFound)?
}

/// Tags a document anew, in the caller's transaction that holds it; gives it as it is then.
pub(super) fn retag(
    c: &mut DbConn,
    actor: &Actor,
    before: &Document,
    tags: Tags,
    now: UtcTime,
) -> Result<Option<Document>, DbError> {
    let changes = Checked {
        name: None,
        tags: Some(tags),
        note: None,
    };
    write(c, actor, before, &changes, now)
}

/// Writes changes to a document that this transaction holds, and each into its history.
fn write(
    c: &mut DbConn,
    actor: &Actor,
    before: &Document,
    changes: &Checked,
    now: UtcTime,
) -> Result<Option<Document>, DbError> {
    let row = changes.tags.as_ref().map(Tags::row);
    let description = Description {
        name: changes.name.as_deref().unwrap_or(&before.name),
        tags: row.as_deref().unwrap_or(&before.tags),
        note: changes.note.as_deref().unwrap_or(&before.note),
    };
    let same = description.tags == before.tags && description.note == before.note;
    if same && changes.name.is_none() {
        return Ok(Some(before.clone()));
    }
    if !documents::describe(c, before.owner_id, before.id, &description, now)? {
        return Ok(None);
    }
    let Some(document) = documents::find_owned(c, before.owner_id, before.id)? else {
        return Ok(None);
    };
    let mut record = |action, before, after| {
        let entry = Entry::of_document(action, &document).changing(before, after);
        audit::record(c, actor, entry, now)
    };
    if changes.name.is_some() {
        record(
            Action::DocumentRenamed,
            json!({"name": before.name}),
            json!({"name": document.name}),
        )?;
    }
    if document.tags != before.tags {
        let of = |document: &Document| json!({"tags": document.tags().collect::<Vec<_>>().join(", ")});
        record(Action::DocumentTagged, of(before), of(&document))?;
    }
    if document.note != before.note {
        record(
            Action::DocumentNoted,
            json!({"note": before.note}),
            json!({"note": document.note}),
        )?;
    }
    Ok(Some(document))
}

/// What was recognised in a document: names of what is to be seen, and text. Whose it is, the caller has made sure.
pub async fn recognised(services: &Services, id: DocumentId) -> Result<(String, String), AppError> {
    let read = services.db.run(move |c| findings::list_searchable(c, id));
    let found = read.await?;
    let of = |kind| {
        let finding = found.iter().find(|finding| finding.kind == kind);
        finding.map(findings::Finding::text).unwrap_or_default()
    };
    Ok((of(TAGS), of(TEXT)))
}

/// An address that gives the file to whoever has it, and when that ends.
#[derive(Debug)]
pub struct SignedUrl {
    /// Address.
    pub url: Url,
    /// End.
    pub expires_at: UtcTime,
}

/// Whether the document's file may be given out now.
///
/// # Errors
///
/// [`AppError::Gone`] when Filestack has it no longer, [`AppError::Conflict`] while it is in quarantine or when it is infected.
pub fn check_servable(document: &Document) -> Result<(), AppError> {
    let refused = |code, detail: &str| {
        Err(AppError::Conflict {
            code,
            detail: detail.to_owned(),
        })
    };
    match document.status.as_str() {
        GONE => Err(AppError::Gone {
            code: "file-gone",
            detail: "The file was deleted at Filestack, so it cannot be opened any more. Delete the document, and upload \
                     the file again if you still have it."
                .to_owned(),
        }),
        QUARANTINED => refused(
            "document-quarantined",
            "The document is being looked at for viruses. Try again in a moment.",
        ),
        INFECTED => refused(
            "document-infected",
            "A virus was found in this document, so it cannot be opened. Delete it.",
        ),
        _ => Ok(()),
    }
}

/// The document's file for [`URL_LIFETIME`], to show or, as `attachment`, to save.
pub fn download_url(
    services: &Services,
    document: &Document,
    attachment: bool,
) -> Result<SignedUrl, AppError> {
    check_servable(document)?;
    Ok(signed(services, &handle(document)?, attachment))
}

/// A file for [`URL_LIFETIME`]. That it may be given out, the caller has made sure.
pub(super) fn signed(services: &Services, handle: &Handle, attachment: bool) -> SignedUrl {
    let now = services.clock.now();
    let grant = services
        .filestack
        .grant(Purpose::Read { handle }, now.system(), URL_LIFETIME);
    let url = if attachment {
        services.filestack.download_url(handle, Some(&grant))
    } else {
        services.filestack.delivery_url(handle, Some(&grant))
    };
    SignedUrl {
        url,
        expires_at: now.plus(URL_LIFETIME),
    }
}

/// The document's plain address at Filestack, which works for nobody without a signature.
pub fn plain_url(services: &Services, document: &Document) -> Result<Url, AppError> {
    Ok(services.filestack.delivery_url(&handle(document)?, None))
}

/// A picture of the document that fills a box of this size, for [`URL_LIFETIME`].
///
/// # Errors
///
/// [`AppError::Invalid`] when a side is out of [`THUMBNAIL_SIDES`], [`AppError::Conflict`] when the document is no picture.
pub fn thumbnail_url(
    services: &Services,
    document: &Document,
    width: u32,
    height: u32,
) -> Result<SignedUrl, AppError> {
    if !THUMBNAIL_SIDES.contains(&width) || !THUMBNAIL_SIDES.contains(&height) {
        return Err(AppError::invalid(
            "invalid-size",
            "A thumbnail is 1 to 1024 pixels wide and high. Choose a width and a height in that range.",
        ));
    }
    check_servable(document)?;
    if !has_thumbnail(document) {
        return Err(AppError::Conflict {
            code: "no-thumbnail",
            detail: "Thumbnails are made of JPEG, PNG, GIF and WebP pictures, and this document is none."
                .to_owned(),
        });
    }
    let resize = Resize::within(width, height).map_err(upstream)?.fit(Fit::Crop);
    let transform = Transform::new().resize(resize).enhance(Enhance::Auto);
    let now = services.clock.now();
    let url = signed_picture(services, document, &transform, now, URL_LIFETIME)?;
    Ok(SignedUrl {
        url,
        expires_at: now.plus(URL_LIFETIME),
    })
}

/// A square picture of the document for a list on one of our own pages; `None` when there can be none.
pub fn page_thumbnail(services: &Services, document: &Document) -> Option<Url> {
    page_picture(services, document, &thumbnail_transform()?)
}

/// A picture of the whole document within a square; `None` when there can be none.
pub fn page_preview(services: &Services, document: &Document) -> Option<Url> {
    page_picture(services, document, &preview_transform()?)
}

/// What our own pages show of a picture.
pub(super) fn page_transforms() -> impl Iterator<Item = Transform> {
    thumbnail_transform().into_iter().chain(preview_transform())
}

fn thumbnail_transform() -> Option<Transform> {
    let resize = Resize::within(THUMBNAIL_SIDE, THUMBNAIL_SIDE)
        .ok()?
        .fit(Fit::Crop);
    Some(Transform::new().resize(resize).enhance(Enhance::Auto))
}

fn preview_transform() -> Option<Transform> {
    let resize = Resize::within(PREVIEW_SIDE, PREVIEW_SIDE).ok()?.fit(Fit::Max);
    Some(Transform::new().resize(resize))
}

fn page_picture(services: &Services, document: &Document, transform: &Transform) -> Option<Url> {
    if !has_thumbnail(document) || check_servable(document).is_err() {
        return None;
    }
    let step = THUMBNAIL_STEP.as_micros() as i64;
    let begun = UtcTime::from_micros(services.clock.now().micros() / step * step);
    signed_picture(services, document, transform, begun, THUMBNAIL_STEP * 2).ok()
}

/// Whether Filestack makes pictures of this type without a doubt.
pub fn has_thumbnail(document: &Document) -> bool {
    matches!(
        document.content_type.as_str(),
        "image/jpeg" | "image/png" | "image/gif" | "image/webp"
    )
}

fn signed_picture(
    services: &Services,
    document: &Document,
    transform: &Transform,
    from: UtcTime,
    lifetime: Duration,
) -> Result<Url, AppError> {
    let handle = handle(document)?;
    let grant = services
        .filestack
        .grant(Purpose::Convert { handle: &handle }, from.system(), lifetime);
    Ok(services.filestack.transform_url(&handle, transform, Some(&grant)))
}

/// A handle in the database was valid when it was written.
pub(super) fn handle(document: &Document) -> Result<Handle, AppError> {
    Handle::new(document.handle.as_str())
        .map_err(|error| AppError::Internal(format!("document {} has a bad handle: {error}", document.id)))
}
