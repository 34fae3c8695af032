//! Quotas: how much somebody may keep, and everybody together; without one set by an administrator there is no bound.
//!
//! What counts is what is kept, in the trash too, and what uploads under way may still bring: an upload holds its part from its intent
//! to its end (R1). The size of a file that does not say it is taken to be all that can still come, or all that is left. A file whose
//! upload was let in and lost its process is adopted all the same, over the quota if it must be, and the trail says so; a file that a
//! browser stored by itself is refused when there is no room, which is kept for whoever registers it afterwards, and in the trail.

use serde_json::json;

use crate::clock::UtcTime;
use crate::db::models::users::{self, User};
use crate::db::models::{documents::Document, setup, statistics, uploads};
use crate::db::{DbConn, DbError};
use crate::error::AppError;
use crate::ids::{DocumentId, UserId};
use crate::services::audit::{self, Action, Actor, Entry};
use crate::services::{Services, names};

/// Why a file that a browser had stored did not become a document.
pub const OVER_QUOTA: &str = "over-quota";
/// What so many users keep is summed when somebody looks at it.
const FEW: i64 = 500;

/// The most that may be kept; none where nobody has set it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quota {
    /// Bytes of all documents together.
    pub bytes: Option<i64>,
    /// How many documents.
    pub documents: Option<i64>,
}

impl Quota {
    /// Somebody's own.
    pub fn of(user: &User) -> Self {
        Quota {
            bytes: user.quota_bytes,
            documents: user.quota_documents,
        }
    }

    /// Whether nothing is bounded.
    pub fn is_none(self) -> bool {
        self == Quota::default()
    }

    fn json(self) -> serde_json::Value {
        json!({"bytes": self.bytes, "documents": self.documents})
    }

    fn room(self, documents: i64, bytes: i64) -> Room {
        let left = |quota: Option<i64>, used: i64| {
            quota.map(|quota| u64::try_from(quota.saturating_sub(used)).unwrap_or(0))
        };
        Room {
            bytes: left(self.bytes, bytes),
            documents: left(self.documents, documents),
        }
    }
}

/// What is left; none where there is no bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Room {
    /// Bytes.
    pub bytes: Option<u64>,
    /// Documents.
    pub documents: Option<u64>,
}

impl Room {
    fn takes(self, bytes: u64) -> bool {
        self.documents.is_none_or(|left| left > 0) && self.bytes.is_none_or(|left| bytes <= left)
    }

    fn narrowed(self, other: Room) -> Room {
        let least = |a: Option<u64>, b: Option<u64>| match (a, b) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        Room {
            bytes: least(self.bytes, other.bytes),
            documents: least(self.documents, other.documents),
        }
    }
}

/// What somebody may keep, and what is left of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Their own quota.
    pub quota: Quota,
    /// What is left of it.
    own: Room,
    /// What is left for everybody.
    everybody: Room,
}

impl Standing {
    /// What is left for them, whichever bound is the nearest.
    pub fn room(&self) -> Room {
        self.own.narrowed(self.everybody)
    }

    /// With so many bytes of one document more that are left.
    fn with(mut self, bytes: u64) -> Self {
        for room in [&mut self.own, &mut self.everybody] {
            room.bytes = room.bytes.map(|left| left.saturating_add(bytes));
            room.documents = room.documents.map(|left| left.saturating_add(1));
        }
        self
    }

    /// Whether it is not their own quota that stops a file of this size first.
    fn everybody_is_nearer(&self, bytes: u64) -> bool {
        let (own, everybody) = (self.own, self.everybody);
        if own.takes(bytes) || everybody.takes(bytes) {
            return own.takes(bytes);
        }
        let left = |room: Room| (room.documents != Some(0), room.bytes.unwrap_or(u64::MAX));
        left(everybody) < left(own)
    }

    /// The refusal of a file of this size, or of one that is larger than all that is left.
    fn refusal(&self, bytes: Option<u64>) -> AppError {
        let wanted = bytes.unwrap_or(u64::MAX);
        let file = bytes.map_or_else(
            || "this file is larger".to_owned(),
            |bytes| format!("this file has {}", names::human_size(bytes)),
        );
        const WAY_OUT: &str = "Delete documents that you no longer need, or ask your administrator for more.";
        const OTHERS: &str = "Ask your administrator to make room.";
        AppError::OverQuota(if self.everybody_is_nearer(wanted) {
            let left = match self.everybody {
                Room {
                    documents: Some(0), ..
                } => "no document more".to_owned(),
                Room { bytes, .. } => format!("{} more, and {file}", names::human_size(bytes.unwrap_or(0))),
            };
            format!(
                "All users together have reached what may be kept here: there is room for {left}. {OTHERS}"
            )
        } else if self.own.documents == Some(0) {
            let most = self.quota.documents.unwrap_or(0);
            format!("You may keep {most} documents, and there is no room for another one. {WAY_OUT}")
        } else {
            let quota = names::human_size(self.quota.bytes.unwrap_or(0).max(0) as u64);
            let left = names::human_size(self.own.bytes.unwrap_or(0));
            format!("You may keep {quota}; {left} of that is left, and {file}. {WAY_OUT}")
        })
    }
}

/// How the user stands now.
pub async fn standing(services: &Services, user: UserId) -> Result<Standing, AppError> {
    Ok(services
        .db
        .run(move |c| {
            let user = users::find(c, user)?.ok_or(DbError::NotFound)?;
            look(c, &user)
        })
        .await?)
}

/// The same, when there must be room for one document at least.
///
/// # Errors
///
/// [`AppError::OverQuota`] when there is none.
pub async fn some_room(services: &Services, user: UserId) -> Result<Room, AppError> {
    let standing = standing(services, user).await?;
    if standing.room().takes(1) {
        Ok(standing.room())
    } else {
        Err(standing.refusal(Some(1)))
    }
}

/// What to tell somebody whose file turned out larger than what was held for it, which counts as left.
pub async fn refusal(services: &Services, user: UserId, held: Option<u64>) -> AppError {
    match standing(services, user).await {
        Ok(standing) => standing.with(held.unwrap_or(0)).refusal(None),
        Err(error) => error,
    }
}

/// Whether there is room for a file, and how much an upload holds of it.
pub enum Verdict {
    /// There is no bound: nothing is held.
    Unbounded,
    /// So many bytes are held for it.
    Held(i64),
    /// There is no room.
    Refused(AppError),
}

/// Holds room for an upload: for this size, or, when only a bound of it is known, for as much of that as is left, but no less than what
/// has come already.
pub fn hold(c: &mut DbConn, owner: UserId, most: u64, least: u64) -> Result<Verdict, DbError> {
    let Some(standing) = compare(c, owner)? else {
        return Ok(Verdict::Unbounded);
    };
    let room = standing.room();
    let bytes = most.min(room.bytes.unwrap_or(u64::MAX)).max(least);
    if !room.takes(bytes) {
        return Ok(Verdict::Refused(
            standing.refusal((most == least).then_some(most)),
        ));
    }
    let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
    users::add_reserved(c, owner, 1, bytes)?;
    Ok(Verdict::Held(bytes))
}

/// Gives back what an upload holds, if it holds anything: when it becomes a document, which then counts, or ends without one.
pub fn release(c: &mut DbConn, upload: DocumentId) -> Result<(), DbError> {
    if let Some((owner, bytes)) = uploads::let_go(c, upload)? {
        users::add_reserved(c, owner, -1, -bytes)?;
    }
    Ok(())
}

/// The refusal of a file that is stored already, if there is no room for it. Until the transaction ends nobody else takes the room.
pub fn refusal_of(c: &mut DbConn, owner: UserId, bytes: i64) -> Result<Option<AppError>, DbError> {
    let Some(standing) = compare(c, owner)? else {
        return Ok(None);
    };
    let bytes = u64::try_from(bytes).unwrap_or(0);
    Ok((!standing.room().takes(bytes)).then(|| standing.refusal(Some(bytes))))
}

/// Notes that a document that could not be refused has taken its owner over the quota, and why it could not be.
pub fn note_excess(c: &mut DbConn, document: &Document, why: &str, now: UtcTime) -> Result<(), DbError> {
    let Some(owner) = users::find(c, document.owner_id)? else {
        return Ok(());
    };
    let quota = Quota::of(&owner);
    let is_over = quota.bytes.is_some_and(|most| owner.stored_bytes > most)
        || quota.documents.is_some_and(|most| owner.document_count > most);
    if is_over {
        let kept = json!({"bytes": owner.stored_bytes, "documents": owner.document_count});
        let entry = Entry::of_document(Action::QuotaExceeded, document)
            .changing(quota.json(), kept)
            .because(why);
        audit::record(c, &Actor::filestack(), entry, now)?;
    }
    Ok(())
}

/// Sets or takes away what a user may keep.
///
/// # Errors
///
/// [`AppError::NotFound`] when there is no such user.
pub async fn set(services: &Services, actor: &Actor, user: UserId, quota: Quota) -> Result<(), AppError> {
    let (now, actor) = (services.clock.now(), actor.clone());
    services
        .db
        .write(move |c| {
            let before = users::find_for_update(c, user)?.ok_or(DbError::NotFound)?;
            users::set_quota(c, user, quota.bytes, quota.documents)?;
            let entry =
                Entry::of_user(Action::QuotaSet, &before).changing(Quota::of(&before).json(), quota.json());
            audit::record(c, &actor, entry, now)
        })
        .await?;
    Ok(())
}

/// What everybody together keeps.
#[derive(Clone, Copy, Debug)]
pub struct Kept {
    /// Documents.
    pub documents: i64,
    /// Bytes of them.
    pub bytes: i64,
    /// When that was counted, if it was not just now.
    pub counted_at: Option<UtcTime>,
}

/// What everybody together may keep, and what they do. Of very many users it is what was counted within the last minutes.
pub async fn total(services: &Services) -> Result<(Quota, Kept), AppError> {
    Ok(services.db.run(|c| Ok((total_quota(c)?, kept(c)?))).await?)
}

fn kept(c: &mut DbConn) -> Result<Kept, DbError> {
    let (documents, bytes, counted_at) = match users::kept_by_few(c, FEW)? {
        Some((documents, bytes)) => (documents, bytes, None),
        None => match (
            statistics::newest(c, "documents")?,
            statistics::newest(c, "bytes")?,
            statistics::mark(c)?,
        ) {
            (Some(documents), Some(bytes), Some(at)) => (documents, bytes, Some(at)),
            // A server that has just begun.
            _ => {
                let (bytes, documents) = statistics::stored(c)?;
                (documents, bytes, None)
            }
        },
    };
    Ok(Kept {
        documents,
        bytes,
        counted_at,
    })
}

/// Sets or takes away what everybody together may keep.
pub async fn set_total(services: &Services, actor: &Actor, quota: Quota) -> Result<(), AppError> {
    let (now, actor) = (services.clock.now(), actor.clone());
    services
        .db
        .write(move |c| {
            setup::lock(c)?;
            let before = total_quota(c)?;
            setup::set_quota(c, quota.bytes, quota.documents)?;
            let entry = Entry::new(Action::QuotaSet, "everybody")
                .named("All users together")
                .changing(before.json(), quota.json());
            audit::record(c, &actor, entry, now)
        })
        .await?;
    Ok(())
}

/// How the user stands, with whatever it was compared with locked; `None` when nothing is bounded, and nothing is locked.
///
/// The installation's row comes first, always: two that compare never wait for each other.
fn compare(c: &mut DbConn, owner: UserId) -> Result<Option<Standing>, DbError> {
    let is_total = !total_quota(c)?.is_none();
    let user = users::find(c, owner)?.ok_or(DbError::NotFound)?;
    if !is_total && Quota::of(&user).is_none() {
        return Ok(None);
    }
    if is_total {
        setup::lock(c)?;
    }
    let user = users::find_for_update(c, owner)?.ok_or(DbError::NotFound)?;
    look(c, &user).map(Some)
}

fn look(c: &mut DbConn, user: &User) -> Result<Standing, DbError> {
    let quota = Quota::of(user);
    let total = total_quota(c)?;
    let everybody = if total.is_none() {
        Room::default()
    } else {
        let (documents, bytes) = users::sum_usage(c)?;
        total.room(documents, bytes)
    };
    Ok(Standing {
        quota,
        own: quota.room(
            user.document_count + user.reserved_documents,
            user.stored_bytes.saturating_add(user.reserved_bytes),
        ),
        everybody,
    })
}

fn total_quota(c: &mut DbConn) -> Result<Quota, DbError> {
    let (bytes, documents) = setup::quota(c)?;
    Ok(Quota { bytes, documents })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(own: Quota, everybody: Quota) -> Standing {
        Standing {
            quota: own,
            own: own.room(3, 1_000_000),
            everybody: everybody.room(30, 10_000_000),
        }
    }

    fn bytes(bytes: i64) -> Quota {
        Quota {
            bytes: Some(bytes),
            documents: None,
        }
    }

    fn documents(documents: i64) -> Quota {
        Quota {
            bytes: None,
            documents: Some(documents),
        }
    }

    #[test]
    fn the_nearest_bound_counts() {
        let none = Quota::default();
        assert_eq!(standing(none, none).room(), Room::default());
        assert_eq!(standing(bytes(1_500_000), none).room().bytes, Some(500_000));
        assert_eq!(
            standing(bytes(1_500_000), bytes(10_000_100)).room().bytes,
            Some(100)
        );
        assert_eq!(standing(documents(2), documents(40)).room().documents, Some(0));
    }

    #[test]
    fn a_refusal_says_what_is_left_and_what_to_do() {
        let none = Quota::default();
        for (standing, size, words) in [
            (
                standing(bytes(1_048_576), none),
                Some(100_000),
                "47 KiB of that is left, and this file has 98 KiB",
            ),
            (
                standing(bytes(1_048_576), none),
                None,
                "47 KiB of that is left, and this file is larger",
            ),
            (
                standing(documents(3), none),
                Some(1),
                "You may keep 3 documents, and there is no room for another one",
            ),
            (
                standing(none, bytes(10_000_100)),
                Some(4_096),
                "there is room for 100 bytes more, and this file has 4 KiB",
            ),
            (
                standing(none, documents(30)),
                Some(1),
                "there is room for no document more",
            ),
        ] {
            let sentence = standing.refusal(size).to_string();
            assert!(sentence.contains(words), "{sentence}");
            assert!(sentence.contains("administrator"), "{sentence}");
        }
    }
}
