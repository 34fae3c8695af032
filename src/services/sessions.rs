//! Sessions as their owner sees them: listed, ended, and trusted for some minutes after the password was given (A1, A15).

use std::time::Duration;

use crate::crypto;
use crate::db::DbError;
use crate::db::models::sessions::{self, Session};
use crate::db::models::users::User;
use crate::error::AppError;
use crate::services::audit::{self, Action, Actor, Entry};
use crate::services::sign_in::{SignInRefused, sign_in};
use crate::services::{Services, identity};

/// Dangerous acts want the password again when it was given longer ago.
pub const TRUSTED: Duration = Duration::from_secs(600);
/// Sessions that are listed.
const MOST: i64 = 100;

/// A session as its owner sees it.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Names it in addresses, and opens nothing.
    pub name: String,
    /// Whether it is the one that asks.
    pub is_this: bool,
    /// The rest.
    pub session: Session,
}

/// The user's sessions, the last one seen first.
pub async fn list(services: &Services, user: &User, asking: Option<&str>) -> Result<Vec<Seen>, AppError> {
    let (id, now) = (user.id, services.clock.now());
    let rows = services
        .db
        .run(move |c| sessions::list_of(c, id, now, now.minus(identity::SESSION_IDLE), MOST))
        .await?;
    let this = asking.map(crypto::token_hash);
    let seen = |session: Session| Seen {
        name: name_of(services, &session),
        is_this: this.as_ref() == Some(&session.id_hash),
        session,
    };
    Ok(rows.into_iter().map(seen).collect())
}

fn name_of(services: &Services, session: &Session) -> String {
    crypto::keyed_token(&services.secret_key, "session-name", &session.id_hash)
}

/// Ends one of the user's sessions.
///
/// # Errors
///
/// [`AppError::NotFound`] when there is no such session of theirs.
pub async fn end_one(services: &Services, actor: &Actor, user: &User, name: &str) -> Result<(), AppError> {
    let seen = list(services, user, None).await?;
    let found = seen.into_iter().find(|seen| crypto::same(&seen.name, name));
    let hash = found.ok_or(AppError::NotFound)?.session.id_hash;
    let (actor, user, now) = (actor.clone(), user.clone(), services.clock.now());
    services
        .db
        .write(move |c| {
            sessions::delete(c, &hash)?;
            audit::record(c, &actor, Entry::of_user(Action::SessionsEnded, &user), now)
        })
        .await?;
    Ok(())
}

/// Ends all sessions of a user, but for one that is to stay.
pub async fn end_others(
    services: &Services,
    actor: &Actor,
    user: &User,
    staying: Option<&str>,
) -> Result<(), AppError> {
    let staying = staying.map(crypto::token_hash).unwrap_or_default();
    let (actor, user, now) = (actor.clone(), user.clone(), services.clock.now());
    services
        .db
        .write(move |c| {
            sessions::delete_of(c, user.id, &staying)?;
            audit::record(c, &actor, Entry::of_user(Action::SessionsEnded, &user), now)
        })
        .await?;
    Ok(())
}

/// Whether the password was given in this session a moment ago.
pub async fn is_trusted(services: &Services, token: &str) -> Result<bool, AppError> {
    let (hash, now) = (crypto::token_hash(token), services.clock.now());
    let session = services.db.run(move |c| sessions::find(c, &hash)).await?;
    Ok(session.is_some_and(|session| now.since(session.reauthenticated_at) <= TRUSTED))
}

/// Takes the password once more and gives the session's new cookie; the old one is worth nothing from then on (A1).
///
/// # Errors
///
/// [`SignInRefused::Wrong`] for a wrong password, [`AppError::TooMany`] after many.
pub async fn trust(
    services: &Services,
    user: &User,
    token: &str,
    password: String,
    address: &str,
) -> Result<String, SignInRefused> {
    sign_in(services, &user.email, password, address).await?;
    let (old, new, now) = (
        crypto::token_hash(token),
        crypto::new_token(),
        services.clock.now(),
    );
    let hash = crypto::token_hash(&new);
    services
        .db
        .write(move |c| {
            if sessions::renew(c, &old, &hash, now)? {
                Ok(())
            } else {
                Err(DbError::NotFound)
            }
        })
        .await
        .map_err(|error| match error {
            DbError::NotFound => AppError::SignInNeeded,
            other => other.into(),
        })?;
    Ok(new)
}
