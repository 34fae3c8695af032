//! Accounts: set-up, users, sessions and API tokens. Signing in with a password is `sign_in`, being known afterwards `identity`.

use std::time::Duration;

use serde_json::json;

use crate::clock::UtcTime;
use crate::crypto::{self, MAX_PASSWORD_BYTES};
use crate::db::models::sessions::{self, Session};
use crate::db::models::setup;
use crate::db::models::users::{self, NewUser, Role, User};
use crate::db::{DbConn, DbError};
use crate::error::AppError;
use crate::ids::UserId;
use crate::services::audit::{self, Action, Actor, Entry};
use crate::services::scopes::Scopes;
use crate::services::sign_in::{Proven, SignInRefused};
use crate::services::tokens::{self, NewToken};
use crate::services::{Services, emails, people};

/// The shortest password taken, in characters: length is the only rule.
pub const MIN_PASSWORD_CHARS: usize = 12;
/// A session ends then, used or not.
pub const SESSION_LIFETIME: Duration = Duration::from_secs(30 * 24 * 3_600);
/// How long a printed set-up link works.
const SETUP_LINK: Duration = Duration::from_secs(24 * 3_600);
/// What API tokens begin with, so that people and scanners know one when they see it.
pub const API_TOKEN_PREFIX: &str = "satchel_";

/// Checks a new password; gives what is wrong with it.
pub fn check_password(password: &str) -> Result<(), String> {
    if password.len() > MAX_PASSWORD_BYTES {
        return Err(format!(
            "A password has at most {MAX_PASSWORD_BYTES} bytes. Choose a shorter one."
        ));
    }
    if password.chars().count() < MIN_PASSWORD_CHARS {
        return Err(format!(
            "A password has at least {MIN_PASSWORD_CHARS} characters. Choose a longer one, for example four words."
        ));
    }
    Ok(())
}

impl Services {
    /// Hashes a password off the async threads, a few at a time.
    pub async fn hash_password(&self, password: String) -> Result<String, AppError> {
        self.hashing
            .run(move |scratch| scratch.hash(&password))
            .await
            .ok_or_else(closed)
    }

    /// Checks a password off the async threads, a few at a time; without a hash it is wrong, and that takes as long (A6).
    pub(super) async fn password_matches(
        &self,
        password: String,
        hash: Option<String>,
    ) -> Result<bool, AppError> {
        if password.len() > MAX_PASSWORD_BYTES {
            return Ok(false);
        }
        self.hashing
            .run(move |scratch| {
                let known = hash.is_some();
                let hash = hash.unwrap_or_else(|| scratch.nobodys_hash().to_owned());
                scratch.verify(&password, &hash) && known
            })
            .await
            .ok_or_else(closed)
    }
}

fn closed() -> AppError {
    AppError::Internal("the password could not be hashed".to_owned())
}

/// The address of a user's account.
pub async fn email_of(services: &Services, id: UserId) -> Result<String, AppError> {
    let user = services.db.run(move |c| users::find(c, id)).await?;
    Ok(user.map(|user| user.email).unwrap_or_default())
}

/// A link that lets one person make the first administrator; `None` once there is one.
pub async fn new_setup_token(services: &Services) -> Result<Option<String>, AppError> {
    let token = crypto::new_token();
    let hash = crypto::token_hash(&token);
    let now = services.clock.now();
    let open = services
        .db
        .write(move |c| {
            if !setup::is_open(c)? {
                return Ok(false);
            }
            setup::add_token(c, &hash, now, now.minus(SETUP_LINK))?;
            Ok(true)
        })
        .await?;
    Ok(open.then_some(token))
}

/// Whether the first administrator is still to be made.
pub async fn setup_is_open(services: &Services) -> Result<bool, AppError> {
    Ok(services.db.run(setup::is_open).await?)
}

/// Whether this is a token of [`new_setup_token`] and set-up is still open.
pub async fn setup_token_is_valid(services: &Services, token: &str) -> Result<bool, AppError> {
    let hash = crypto::token_hash(token);
    let oldest = services.clock.now().minus(SETUP_LINK);
    Ok(services
        .db
        .run(move |c| Ok(setup::is_open(c)? && setup::has_token(c, &hash, oldest)?))
        .await?)
}

/// Makes the first administrator; of several at once, one succeeds (A9).
///
/// # Errors
///
/// [`AppError::Fields`] for a bad address or password, [`AppError::NotFound`] for a wrong token or when set-up is over.
pub async fn set_up(
    services: &Services,
    token: &str,
    email: &str,
    password: String,
    address: &str,
) -> Result<Proven, AppError> {
    let email = checked(email, &password)?;
    if !setup_token_is_valid(services, token).await? {
        return Err(AppError::NotFound);
    }
    let hash = services.hash_password(password).await?;
    let token_hash = crypto::token_hash(token);
    let (now, address) = (services.clock.now(), address.to_owned());
    let password_hash = hash.clone();
    let user = services
        .db
        .write(move |c| {
            // The token is looked at again in the transaction that closes set-up.
            if !setup::has_token(c, &token_hash, now.minus(SETUP_LINK))? || !setup::close(c, now)? {
                return Err(DbError::NotFound);
            }
            let by_link = Actor::nobody(&email, &address);
            let user = add_user(c, email, hash, Role::Admin, &by_link, now)?;
            let entry = Entry::of_user(Action::SetUp, &user);
            audit::record(c, &Actor::of_user(&user, &address), entry, now)?;
            Ok(user)
        })
        .await?;
    Ok(Proven { user, password_hash })
}

/// Makes a user; the first one closes set-up.
///
/// # Errors
///
/// [`AppError::Fields`] for a bad address or password, [`AppError::Conflict`] when the address has an account.
pub async fn create_user(
    services: &Services,
    actor: &Actor,
    email: &str,
    password: String,
    role: Role,
) -> Result<User, AppError> {
    let email = checked(email, &password)?;
    let hash = services.hash_password(password).await?;
    let (now, actor) = (services.clock.now(), actor.clone());
    let taken = email.clone();
    let user = services
        .db
        .write(move |c| {
            let user = add_user(c, email, hash, role, &actor, now)?;
            setup::close(c, now)?;
            Ok(user)
        })
        .await;
    user.map_err(|error| match error {
        DbError::Conflict => AppError::Conflict {
            code: "email-taken",
            detail: email_taken(&taken),
        },
        other => other.into(),
    })
}

/// What is said of an address that has an account.
pub(super) fn email_taken(email: &str) -> String {
    format!("{email} already has an account. Choose another address.")
}

fn checked(email: &str, password: &str) -> Result<String, AppError> {
    let email = emails::for_new_account(email);
    let password = check_password(password);
    match (email, password) {
        (Ok(email), Ok(())) => Ok(email),
        (email, password) => {
            let fields = [("email", email.err()), ("password", password.err())];
            Err(AppError::Fields(
                fields
                    .into_iter()
                    .filter_map(|(name, wrong)| Some((name, wrong?)))
                    .collect(),
            ))
        }
    }
}

fn add_user(
    c: &mut DbConn,
    email: String,
    password_hash: String,
    role: Role,
    actor: &Actor,
    now: UtcTime,
) -> Result<User, DbError> {
    let id = UserId::new(now);
    users::insert(
        c,
        NewUser {
            id,
            email,
            password_hash,
            role,
            created_at: now,
        },
    )?;
    let user = users::find(c, id)?.ok_or(DbError::NotFound)?;
    let entry = Entry::of_user(Action::UserCreated, &user)
        .changing(serde_json::Value::Null, json!({"role": role.as_str()}));
    audit::record(c, actor, entry, now)?;
    Ok(user)
}

/// Begins a session and gives the cookie's value, which is kept nowhere. A session the browser already had is ended (A1).
///
/// The user is held from here on: whoever changes the password or disables the account does so first, and there is no session, or
/// afterwards, and ends this one too (A3).
///
/// # Errors
///
/// [`SignInRefused::Wrong`] when the password was changed since it was looked at, or the account was disabled.
pub async fn begin_session(
    services: &Services,
    proven: &Proven,
    previous: Option<String>,
    ip: String,
    user_agent: String,
) -> Result<String, SignInRefused> {
    let Proven { user, password_hash } = proven;
    let (token, password_hash) = (crypto::new_token(), password_hash.clone());
    let now = services.clock.now();
    let (actor, entry) = (Actor::of_user(user, &ip), Entry::of_user(Action::SignedIn, user));
    let session = Session {
        id_hash: crypto::token_hash(&token),
        user_id: user.id,
        created_at: now,
        last_seen_at: now,
        expires_at: now.plus(SESSION_LIFETIME),
        ip,
        user_agent: user_agent.chars().take(200).collect(),
        reauthenticated_at: now,
    };
    let begun = services
        .db
        .write(move |c| {
            if !users::lock_with_password(c, session.user_id, &password_hash)? {
                return Ok(false);
            }
            if let Some(previous) = previous {
                sessions::delete(c, &crypto::token_hash(&previous))?;
            }
            audit::record(c, &actor, entry, now)?;
            sessions::insert(c, session)?;
            Ok(true)
        })
        .await?;
    if begun {
        Ok(token)
    } else {
        Err(SignInRefused::Wrong)
    }
}

/// Ends a session.
pub async fn end_session(
    services: &Services,
    actor: &Actor,
    user: &User,
    token: &str,
) -> Result<(), AppError> {
    let hash = crypto::token_hash(token);
    let (now, actor, entry) = (
        services.clock.now(),
        actor.clone(),
        Entry::of_user(Action::SignedOut, user),
    );
    let ended = services.db.write(move |c| {
        sessions::delete(c, &hash)?;
        audit::record(c, &actor, entry, now)
    });
    Ok(ended.await?)
}

/// Makes an API token for the account with this address, and gives it: it is kept nowhere.
///
/// # Errors
///
/// [`AppError::Invalid`] when there is no such account, [`AppError::Fields`] when the name is empty or too long.
pub async fn create_api_token(
    services: &Services,
    actor: &Actor,
    email: &str,
    name: &str,
    lifetime: Duration,
) -> Result<String, AppError> {
    create_scoped_token(services, actor, email, name, lifetime, Scopes::default()).await
}

/// The same for a token that may do what its scopes name.
pub async fn create_scoped_token(
    services: &Services,
    actor: &Actor,
    email: &str,
    name: &str,
    lifetime: Duration,
    scopes: Scopes,
) -> Result<String, AppError> {
    let user = people::with_email(services, email).await?;
    let new = NewToken {
        name: name.to_owned(),
        lifetime,
        scopes,
    };
    tokens::create(services, actor, user.id, new).await
}
