//! API tokens: made once and shown once, listed by their names, revoked.

use std::time::Duration;

use serde_json::json;

use crate::crypto;
use crate::db::DbError;
use crate::db::models::api_tokens::{self, ApiToken, NewApiToken};
use crate::db::models::users::{self, User};
use crate::error::AppError;
use crate::ids::{ApiTokenId, UserId};
use crate::services::Services;
use crate::services::accounts::API_TOKEN_PREFIX;
use crate::services::audit::{self, Action, Actor, Entry};
use crate::services::scopes::Scopes;

/// Tokens that are listed, and that one user may have.
const MOST: i64 = 100;

/// A token to be made.
pub struct NewToken {
    /// What it is for.
    pub name: String,
    /// How long it works.
    pub lifetime: Duration,
    /// What it may do.
    pub scopes: Scopes,
}

/// Makes a token and gives it: it is kept nowhere.
///
/// # Errors
///
/// [`AppError::Fields`] for a name that cannot be used, or when there are too many.
pub async fn create(
    services: &Services,
    actor: &Actor,
    user: UserId,
    new: NewToken,
) -> Result<String, AppError> {
    let wrong = |sentence: &str| AppError::Fields(vec![("name", sentence.to_owned())]);
    let name = new.name.trim().to_owned();
    if name.is_empty() || name.chars().count() > 100 || name.chars().any(char::is_control) {
        return Err(wrong(
            "A token's name has 1 to 100 characters. Name it after the program that uses it.",
        ));
    }
    let token = format!("{API_TOKEN_PREFIX}{}", crypto::new_token());
    let token_hash = crypto::token_hash(&token);
    let (now, actor) = (services.clock.now(), actor.clone());
    let made = services
        .db
        .write(move |c| {
            // Locked, so that the number holds for two at once.
            let user = users::find_for_update(c, user)?.ok_or(DbError::NotFound)?;
            if api_tokens::list_of(c, user.id, MOST)?.len() as i64 >= MOST {
                return Ok(false);
            }
            let expires_at = now.plus(new.lifetime);
            let entry = Entry::of_user(Action::TokenMade, &user).changing(
                serde_json::Value::Null,
                json!({"name": name, "scopes": new.scopes.text(), "expires_at": expires_at.rfc3339()}),
            );
            audit::record(c, &actor, entry, now)?;
            let token = NewApiToken {
                id: ApiTokenId::new(now),
                user_id: user.id,
                name,
                token_hash,
                created_at: now,
                expires_at,
                scopes: new.scopes.text(),
            };
            api_tokens::insert(c, token)?;
            Ok(true)
        })
        .await?;
    if made {
        Ok(token)
    } else {
        Err(wrong(
            "There are 100 tokens already. Revoke those that are not used any more.",
        ))
    }
}

/// The user's tokens, the newest first.
pub async fn list(services: &Services, user: UserId) -> Result<Vec<ApiToken>, AppError> {
    Ok(services
        .db
        .run(move |c| api_tokens::list_of(c, user, MOST))
        .await?)
}

/// Revokes one of the user's tokens.
///
/// # Errors
///
/// [`AppError::NotFound`] when there is no such token of theirs.
pub async fn revoke(services: &Services, actor: &Actor, user: &User, id: ApiTokenId) -> Result<(), AppError> {
    let (now, actor, user) = (services.clock.now(), actor.clone(), user.clone());
    services
        .db
        .write(move |c| {
            let name = api_tokens::delete_owned(c, user.id, id)?.ok_or(DbError::NotFound)?;
            let entry = Entry::of_user(Action::TokenRevoked, &user)
                .changing(json!({"name": name}), serde_json::Value::Null);
            audit::record(c, &actor, entry, now)
        })
        .await?;
    Ok(())
}
