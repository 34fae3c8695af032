//! Users as administrators look after them: listed, given a role, disabled and enabled.

use serde_json::{Value, json};

use crate::db::keyset::{Part, Slice};
use crate::db::models::users::{self, Role, User, listing};
use crate::db::models::{sessions, setup};
use crate::db::{DbConn, DbError};
use crate::error::AppError;
use crate::ids::UserId;
use crate::services::Services;
use crate::services::audit::{self, Action, Actor, Entry};

pub use listing::{Place, UserFilter, UserKey};

/// A part of all users.
pub async fn list(
    services: &Services,
    filter: UserFilter,
    part: Part<Place>,
    limit: i64,
) -> Result<Slice<User>, AppError> {
    let read = services.db.run(move |c| {
        let rows = listing::list(c, &filter, &part, limit + 1)?;
        Ok(Slice::cut(rows, &part, limit))
    });
    Ok(read.await?)
}

/// A user as programs read it.
pub fn to_json(user: &User) -> Value {
    json!({
        "id": user.id,
        "email": user.email,
        "role": user.role.as_str(),
        "state": user.standing().as_str(),
        "created_at": user.created_at.rfc3339(),
        "documents": user.document_count,
        "bytes": user.stored_bytes,
        "quota_documents": user.quota_documents,
        "quota_bytes": user.quota_bytes,
    })
}

/// The user of this id.
///
/// # Errors
///
/// [`AppError::NotFound`].
pub async fn get(services: &Services, id: UserId) -> Result<User, AppError> {
    let found = services.db.run(move |c| users::find(c, id)).await?;
    found.ok_or(AppError::NotFound)
}

/// The user with this address.
///
/// # Errors
///
/// [`AppError::Invalid`] when there is none.
pub async fn with_email(services: &Services, email: &str) -> Result<User, AppError> {
    let email = crate::services::emails::normalise(email)
        .map_err(|wrong| AppError::invalid("invalid-email", wrong))?;
    let wanted = email.clone();
    let found = services.db.run(move |c| users::find_by_email(c, &wanted)).await?;
    found.ok_or_else(|| {
        AppError::invalid(
            "no-such-user",
            format!("There is no account for {email}. Make one first with `satchel user create`."),
        )
    })
}

/// Gives a user another role. What is signed in as the old one ends (A1).
///
/// # Errors
///
/// [`AppError::NotFound`], and [`AppError::Conflict`] for the last administrator.
pub async fn set_role(services: &Services, actor: &Actor, id: UserId, role: Role) -> Result<(), AppError> {
    change(services, actor, id, move |c, user, actor, now| {
        if user.role == role {
            return Ok(true);
        }
        if role != Role::Admin && !others_administer(c, user)? {
            return Ok(false);
        }
        users::set_role(c, user.id, role)?;
        sessions::delete_of(c, user.id, "")?;
        let entry = Entry::of_user(Action::RoleChanged, user).changing(
            json!({"role": user.role.as_str()}),
            json!({"role": role.as_str()}),
        );
        audit::record(c, actor, entry, now)?;
        Ok(true)
    })
    .await
}

/// Takes away the right to sign in, at once and everywhere (A3), or gives it back.
///
/// # Errors
///
/// [`AppError::NotFound`], and [`AppError::Conflict`] for the last administrator.
pub async fn set_enabled(
    services: &Services,
    actor: &Actor,
    id: UserId,
    enabled: bool,
) -> Result<(), AppError> {
    change(services, actor, id, move |c, user, actor, now| {
        if user.disabled_at.is_none() == enabled {
            return Ok(true);
        }
        if !enabled && !others_administer(c, user)? {
            return Ok(false);
        }
        users::set_disabled(c, user.id, (!enabled).then_some(now))?;
        sessions::delete_of(c, user.id, "")?;
        let action = if enabled {
            Action::UserEnabled
        } else {
            Action::UserDisabled
        };
        audit::record(c, actor, Entry::of_user(action, user), now)?;
        Ok(true)
    })
    .await
}

/// Does something to a user while nobody else changes who administers.
async fn change(
    services: &Services,
    actor: &Actor,
    id: UserId,
    work: impl FnOnce(&mut DbConn, &User, &Actor, crate::clock::UtcTime) -> Result<bool, DbError> + Send + 'static,
) -> Result<(), AppError> {
    let (actor, now) = (actor.clone(), services.clock.now());
    let changed = services
        .db
        .write(move |c| {
            setup::lock(c)?;
            let user = users::find_for_update(c, id)?.ok_or(DbError::NotFound)?;
            work(c, &user, &actor, now)
        })
        .await?;
    if changed {
        return Ok(());
    }
    Err(AppError::Conflict {
        code: "last-administrator",
        detail: "This is the last administrator who can sign in. Make another one first.".to_owned(),
    })
}

/// Whether somebody else who can sign in administers, or this user does not anyway.
fn others_administer(c: &mut DbConn, user: &User) -> Result<bool, DbError> {
    let counts = user.role == Role::Admin && user.disabled_at.is_none() && user.invited_at.is_none();
    Ok(!counts || users::count_administrators(c)? > 1)
}
