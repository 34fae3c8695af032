//! Administrators and other people's documents: a list of what there is, and a way to open one, for a reason that its owner can read.

use std::time::Duration;

use crate::db::keyset::{Part, Slice};
use crate::db::models::audit_entries;
use crate::db::models::documents::overseen::{self, OverseenFilter};
use crate::db::models::documents::{self, Document, Place, Sort};
use crate::db::models::users::{self, User};
use crate::error::AppError;
use crate::ids::DocumentId;
use crate::services::audit::{Action, Actor, Entry};
use crate::services::{Services, audit};

/// For so long a reason that was given holds.
pub const OPEN_FOR: Duration = Duration::from_secs(15 * 60);
/// Letters and digits that a reason has at least.
const LEAST_LETTERS: usize = 4;
/// The longest reason.
pub const REASON_CHARS: usize = 500;

/// What the list is filtered by.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The owner's address.
    pub owner: Option<String>,
    /// The state.
    pub status: Option<&'static str>,
    /// The order.
    pub sort: Sort,
}

/// A part of everybody's documents, with the addresses of their owners.
pub async fn list(
    services: &Services,
    wanted: Wanted,
    part: Part<Place>,
    limit: i64,
) -> Result<Slice<(Document, String)>, AppError> {
    let read = services.db.run(move |c| {
        let owner = match &wanted.owner {
            None => None,
            Some(email) => match users::find_by_email(c, email)? {
                Some(user) => Some(user.id),
                None => return Ok(Slice::cut(Vec::new(), &part, limit)),
            },
        };
        let filter = OverseenFilter {
            owner,
            status: wanted.status,
            sort: wanted.sort,
        };
        let rows = overseen::list(c, &filter, &part, limit + 1)?;
        Ok(Slice::cut(rows, &part, limit))
    });
    Ok(read.await?)
}

/// Somebody's document, as an administrator finds it.
#[derive(Debug)]
pub struct Found {
    /// The document.
    pub document: Document,
    /// Whose.
    pub owner: User,
    /// Whether this administrator has given a reason lately.
    pub is_open: bool,
}

/// The document of this id, whosever, else [`AppError::NotFound`].
pub async fn find(services: &Services, admin: &User, id: DocumentId) -> Result<Found, AppError> {
    let (now, admin) = (services.clock.now(), admin.id);
    let found = services
        .db
        .run(move |c| {
            let Some(document) = documents::find(c, id)? else {
                return Ok(None);
            };
            let Some(owner) = users::find(c, document.owner_id)? else {
                return Ok(None);
            };
            let opened = Action::DocumentOpened.as_str();
            let is_open = document.trashed_at.is_none()
                && audit_entries::has_done(c, id, admin, opened, now.minus(OPEN_FOR))?;
            Ok(Some(Found {
                document,
                owner,
                is_open,
            }))
        })
        .await?;
    found.ok_or(AppError::NotFound)
}

/// Opens somebody's document for [`OPEN_FOR`]: the reason is written into the trail, where its owner reads it too; not in the trash, where
/// they could not.
///
/// # Errors
///
/// [`AppError::Fields`] without a reason that says something and for what is in the trash, [`AppError::NotFound`] without such a document.
pub async fn open(services: &Services, actor: &Actor, id: DocumentId, reason: &str) -> Result<(), AppError> {
    let wrong = |sentence: &str| AppError::Fields(vec![("reason", sentence.to_owned())]);
    let parts = reason.split(|c: char| c.is_whitespace() || c.is_control());
    let reason: String = parts
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    // What cannot be seen says nothing.
    if reason.chars().filter(|c| c.is_alphanumeric()).count() < LEAST_LETTERS {
        return Err(wrong(
            "Say in a few words why you open it. Its owner can read them.",
        ));
    }
    if reason.chars().count() > REASON_CHARS {
        return Err(wrong("Say it shorter: a reason has at most 500 characters."));
    }
    let (now, actor) = (services.clock.now(), actor.clone());
    let opened = services
        .db
        .write(move |c| {
            let Some(document) = documents::find(c, id)? else {
                return Ok(Some(false));
            };
            if document.trashed_at.is_some() {
                return Ok(None);
            }
            let entry = Entry::of_document(Action::DocumentOpened, &document).because(&reason);
            audit::record(c, &actor, entry, now)?;
            Ok(Some(true))
        })
        .await?;
    match opened {
        Some(true) => Ok(()),
        Some(false) => Err(AppError::NotFound),
        None => Err(wrong(
            "It is in the trash, where nobody can open it. Its owner can put it back.",
        )),
    }
}
