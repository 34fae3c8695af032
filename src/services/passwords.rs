//! Passwords: changed by who knows the present one, or chosen by who has a link for it, which works once (R7).

use std::time::Duration;

use crate::crypto;
use crate::db::DbError;
use crate::db::models::password_links::{self, PasswordLink};
use crate::db::models::users::{Role, User};
use crate::db::models::{sessions, users};
use crate::error::AppError;
use crate::ids::UserId;
use crate::services::accounts::{check_password, email_taken};
use crate::services::audit::{self, Action, Actor, Entry};
use crate::services::sign_in::{SignInRefused, sign_in};
use crate::services::{Services, emails, mail};

/// How long an invitation works.
pub const INVITATION: Duration = Duration::from_secs(7 * 24 * 3_600);
/// How long a link to choose another password works.
pub const RESET: Duration = Duration::from_secs(24 * 3_600);

/// A link that lets one person choose their password; it is kept nowhere.
#[derive(Debug)]
pub struct Link {
    /// Whose.
    pub user: User,
    /// What goes into the address.
    pub token: String,
    /// Whether it was mailed; `None` when no mail is sent.
    pub mailed: Option<bool>,
}

/// The address of a link's page, below the public one.
pub fn path_of(token: &str) -> String {
    format!("/password?token={token}")
}

/// Makes an account that has no password yet, and the link with which its owner chooses one.
///
/// # Errors
///
/// [`AppError::Fields`] for a bad address or one that has an account.
pub async fn invite(services: &Services, actor: &Actor, email: &str, role: Role) -> Result<Link, AppError> {
    let wrong = |sentence| AppError::Fields(vec![("email", sentence)]);
    let email = emails::for_new_account(email).map_err(wrong)?;
    let (token, now) = (crypto::new_token(), services.clock.now());
    let (hash, actor, taken) = (crypto::token_hash(&token), actor.clone(), email.clone());
    let user = services
        .db
        .write(move |c| {
            let id = UserId::new(now);
            users::insert_invited(c, id, &email, role, now)?;
            let user = users::find(c, id)?.ok_or(DbError::NotFound)?;
            let entry = Entry::of_user(Action::UserInvited, &user).changing(
                serde_json::Value::Null,
                serde_json::json!({"role": role.as_str()}),
            );
            audit::record(c, &actor, entry, now)?;
            add_link(c, id, hash, now, INVITATION)?;
            Ok(user)
        })
        .await;
    let user = user.map_err(|error| match error {
        DbError::Conflict => wrong(email_taken(&taken)),
        other => other.into(),
    })?;
    Ok(sent(services, user, token, "You are invited to Satchel").await)
}

/// Makes a link with which a user chooses another password; earlier ones stop working.
///
/// # Errors
///
/// [`AppError::NotFound`] when there is no such user, [`AppError::Conflict`] when the account is disabled.
pub async fn reset(services: &Services, actor: &Actor, user: UserId) -> Result<Link, AppError> {
    let (token, now) = (crypto::new_token(), services.clock.now());
    let (hash, actor) = (crypto::token_hash(&token), actor.clone());
    let user = services
        .db
        .write(move |c| {
            let user = users::find_for_update(c, user)?.ok_or(DbError::NotFound)?;
            if user.disabled_at.is_none() {
                password_links::delete_of(c, user.id)?;
                let lifetime = if user.invited_at.is_some() {
                    INVITATION
                } else {
                    RESET
                };
                add_link(c, user.id, hash, now, lifetime)?;
                audit::record(c, &actor, Entry::of_user(Action::PasswordLinkMade, &user), now)?;
            }
            Ok(user)
        })
        .await?;
    if user.disabled_at.is_some() {
        return Err(AppError::Conflict {
            code: "user-disabled",
            detail: "This account is disabled. Enable it first, then make the link.".to_owned(),
        });
    }
    Ok(sent(services, user, token, "Choose a new password for Satchel").await)
}

fn add_link(
    c: &mut crate::db::DbConn,
    user_id: UserId,
    token_hash: String,
    now: crate::clock::UtcTime,
    lifetime: Duration,
) -> Result<(), DbError> {
    password_links::insert(
        c,
        PasswordLink {
            token_hash,
            user_id,
            created_at: now,
            expires_at: now.plus(lifetime),
        },
    )
}

/// Mails the link, where mail is sent: at once and not by a job, whose row would keep it.
async fn sent(services: &Services, user: User, token: String, subject: &str) -> Link {
    let address = services.background.link(&path_of(&token));
    let text = format!("Open this link to choose your password. It works once.\n\n{address}\n");
    let mailed = mail::send_now(services, &user.email, subject, text).await;
    Link { user, token, mailed }
}

/// Whose password this link chooses, while it does.
pub async fn owner_of(services: &Services, token: &str) -> Result<User, AppError> {
    let (hash, now) = (crypto::token_hash(token), services.clock.now());
    let found = services
        .db
        .run(move |c| password_links::find_user(c, &hash, now))
        .await?;
    found.ok_or(AppError::NotFound)
}

/// Chooses the password of whoever has this link. All sessions end; of two at once one succeeds (R7).
///
/// # Errors
///
/// [`AppError::Fields`] for a bad password, [`AppError::NotFound`] for a link that is wrong, used or over.
pub async fn choose(
    services: &Services,
    token: &str,
    password: String,
    address: &str,
) -> Result<User, AppError> {
    let user = owner_of(services, token).await?;
    check_password(&password).map_err(|wrong| AppError::Fields(vec![("password", wrong)]))?;
    let hash = services.hash_password(password).await?;
    let (link, now) = (crypto::token_hash(token), services.clock.now());
    let actor = Actor::nobody(&user.email, address);
    let chosen = user.clone();
    services
        .db
        .write(move |c| {
            // The user first, as whoever makes or takes back a link does, so that neither waits for the other with what it wants.
            users::find_for_update(c, user.id)?.ok_or(DbError::NotFound)?;
            // Looked at again: the account may have been disabled in the meantime.
            let is_open = password_links::find_user(c, &link, now)?.is_some();
            if !is_open || !password_links::spend(c, &link, now)? {
                return Err(DbError::NotFound);
            }
            users::set_password(c, user.id, &hash)?;
            sessions::delete_of(c, user.id, "")?;
            audit::record(c, &actor, Entry::of_user(Action::PasswordChosen, &user), now)
        })
        .await?;
    Ok(chosen)
}

/// Changes the password of who knows the present one; the other sessions end, and links to choose another with them. Gives the new
/// cookie of this session.
///
/// # Errors
///
/// [`AppError::Fields`] for a wrong present password or a bad new one, [`AppError::TooMany`] after many wrong ones.
pub async fn change(
    services: &Services,
    actor: &Actor,
    user: &User,
    session: &str,
    (present, password): (String, String),
    address: &str,
) -> Result<String, AppError> {
    check_password(&password).map_err(|wrong| AppError::Fields(vec![("password", wrong)]))?;
    sign_in(services, &user.email, present, address)
        .await
        .map_err(|refused| match refused {
            SignInRefused::Wrong => AppError::Fields(vec![(
                "current_password",
                "This is not your present password. Enter the one that you sign in with.".to_owned(),
            )]),
            SignInRefused::Error(error) => error,
        })?;
    let hash = services.hash_password(password).await?;
    let (old, new, now) = (
        crypto::token_hash(session),
        crypto::new_token(),
        services.clock.now(),
    );
    let (renewed, user, actor) = (crypto::token_hash(&new), user.clone(), actor.clone());
    services
        .db
        .write(move |c| {
            users::set_password(c, user.id, &hash)?;
            password_links::delete_of(c, user.id)?;
            sessions::delete_of(c, user.id, &old)?;
            if !sessions::renew(c, &old, &renewed, now)? {
                return Err(DbError::NotFound);
            }
            audit::record(c, &actor, Entry::of_user(Action::PasswordChanged, &user), now)
        })
        .await
        .map_err(|error| match error {
            DbError::NotFound => AppError::SignInNeeded,
            other => other.into(),
        })?;
    Ok(new)
}
