//! Who asks: looked up in the same turn at the database as what they ask for.

use std::time::{Duration, Instant};

use crate::clock::UtcTime;
use crate::crypto;
use crate::db::models::api_tokens;
use crate::db::models::sessions;
use crate::db::models::users::{Role, User};
use crate::db::{DbConn, DbError};
use crate::error::AppError;
use crate::ids::ApiTokenId;
use crate::services::Services;
use crate::services::accounts::API_TOKEN_PREFIX;
use crate::services::scopes::{self, Scope};

/// A session ends after so long without a request.
pub const SESSION_IDLE: Duration = Duration::from_secs(7 * 24 * 3_600);
/// Sessions and tokens note their last use to this precision: not every request should write.
const TOUCH: Duration = Duration::from_secs(60);
/// A long answer goes on for so long before anybody looks again whether it may.
const LOOK: Duration = Duration::from_secs(1);
/// Longer than any session's or token's value.
const LONGEST: usize = 100;

/// Who asks, and how they said so.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Who.
    pub user: User,
    /// How.
    pub means: Means,
    /// From where: the client's address.
    pub ip: String,
    /// What they showed.
    shown: Shown,
}

/// How somebody showed who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Means {
    /// A session's cookie: sent by the browser unasked, so what changes things needs a form token too.
    Session,
    /// An API token: sent on purpose.
    ApiToken,
}

/// What a request brought to show whose it is. Nobody has looked yet whether it is worth anything.
#[derive(Clone, Debug)]
pub struct Shown {
    means: Means,
    hash: String,
    needs: Scope,
}

impl Shown {
    /// The value of a session's cookie; `None` when it cannot be one.
    pub fn session(token: &str) -> Option<Self> {
        let hash = (token.len() <= LONGEST).then(|| crypto::token_hash(token))?;
        Some(Shown {
            means: Means::Session,
            hash,
            needs: Scope::DocumentsRead,
        })
    }

    /// An API token; `None` when it cannot be one.
    pub fn api_token(token: &str) -> Option<Self> {
        let can_be = token.starts_with(API_TOKEN_PREFIX) && token.len() <= LONGEST;
        let hash = can_be.then(|| crypto::token_hash(token))?;
        Some(Shown {
            means: Means::ApiToken,
            hash,
            needs: Scope::DocumentsRead,
        })
    }

    /// What a token must be allowed, for what is asked with it.
    #[must_use]
    pub fn needing(mut self, scope: Scope) -> Self {
        self.needs = scope;
        self
    }

    /// A name for whoever shows this, known or not: the same for every request of one token or session.
    pub fn fingerprint(&self) -> &str {
        &self.hash
    }

    /// How it was shown.
    pub fn means(&self) -> Means {
        self.means
    }
}

/// Whose request this is.
///
/// # Errors
///
/// [`AppError::SignInNeeded`] when it is nobody's, or no longer.
pub async fn identify(services: &Services, shown: Shown, ip: String) -> Result<Identity, AppError> {
    let (user, ()) = read_as(services, shown.clone(), |_, _| Ok(())).await?;
    Ok(Identity {
        user,
        means: shown.means,
        ip,
        shown,
    })
}

/// Whoever a long answer is being sent to: looked up again while it is, so that what ends their right to it ends the answer (A3).
pub struct Recipient {
    services: Services,
    shown: Shown,
    role: Role,
    looked_at: Instant,
}

impl Recipient {
    /// Whoever has asked just now.
    pub fn new(services: &Services, identity: &Identity) -> Self {
        Recipient {
            services: services.clone(),
            shown: identity.shown.clone(),
            role: identity.user.role,
            looked_at: Instant::now(),
        }
    }

    /// Looks again, unless that was done a moment ago. A database that is busy is asked the next time.
    ///
    /// # Errors
    ///
    /// [`AppError::SignInNeeded`] or [`AppError::Forbidden`] when they would be refused by now.
    pub async fn check(&mut self) -> Result<(), AppError> {
        if self.looked_at.elapsed() < LOOK {
            return Ok(());
        }
        self.looked_at = Instant::now();
        match read_as(&self.services, self.shown.clone(), |_, _| Ok(())).await {
            Ok((user, ())) if user.role != self.role => Err(AppError::SignInNeeded),
            Err(error @ (AppError::SignInNeeded | AppError::Forbidden(_))) => Err(error),
            Ok(_) | Err(_) => Ok(()),
        }
    }
}

/// Reads on somebody's behalf: looks up who they are and, if they are somebody, what they want to see. One turn at the database
/// and not two, which under load is half of the time that a small request takes.
///
/// # Errors
///
/// [`AppError::SignInNeeded`] when it is nobody's request, or no longer, and [`AppError::Forbidden`] when the token lacks the scope;
/// then nothing was read.
pub async fn read_as<T: Send + 'static>(
    services: &Services,
    shown: Shown,
    read: impl FnOnce(&mut DbConn, &User) -> Result<T, DbError> + Send + 'static,
) -> Result<(User, T), AppError> {
    let now = services.clock.now();
    let found = services
        .db
        .run(move |c| {
            let (user, unnoted) = match find(c, shown, now)? {
                Found::Known(user, unnoted) => (*user, unnoted),
                Found::Nobody => return Ok(Err(AppError::SignInNeeded)),
                Found::Lacks(scope) => return Ok(Err(AppError::Forbidden(scope.lacking()))),
            };
            let read = read(c, &user)?;
            Ok(Ok((user, unnoted, read)))
        })
        .await?;
    let (user, unnoted, read) = found?;
    if let Some(used) = unnoted {
        note(services, used, now).await;
    }
    Ok((user, read))
}

/// A session or token whose last use was noted too long ago.
enum Used {
    Session(String),
    ApiToken(ApiTokenId),
}

/// What is known of whoever shows something.
enum Found {
    /// It has ended, one way or another.
    Nobody,
    /// The token may not do this.
    Lacks(Scope),
    /// The user, and what is to be noted.
    Known(Box<User>, Option<Used>),
}

fn find(c: &mut DbConn, shown: Shown, now: UtcTime) -> Result<Found, DbError> {
    let mut allowed = true;
    let (user, over, used) = match shown.means {
        Means::Session => {
            let Some((session, user)) = sessions::find_with_user(c, &shown.hash)? else {
                return Ok(Found::Nobody);
            };
            let idle = now.since(session.last_seen_at);
            let over = session.expires_at <= now || idle > SESSION_IDLE;
            (user, over, (idle > TOUCH).then_some(Used::Session(shown.hash)))
        }
        Means::ApiToken => {
            let Some((token, user)) = api_tokens::find_with_user(c, &shown.hash)? else {
                return Ok(Found::Nobody);
            };
            allowed = scopes::allow(&token.scopes, shown.needs);
            let stale = token.last_used_at.is_none_or(|last| now.since(last) > TOUCH);
            let over = token.expires_at <= now;
            (user, over, stale.then_some(Used::ApiToken(token.id)))
        }
    };
    Ok(if over || user.disabled_at.is_some() {
        Found::Nobody
    } else if allowed {
        Found::Known(Box::new(user), used)
    } else {
        Found::Lacks(shown.needs)
    })
}

/// A last use that could not be written down is no reason to turn its user away: the next one will be (R9).
async fn note(services: &Services, used: Used, now: UtcTime) {
    let noted = services
        .db
        .write(move |c| match used {
            Used::Session(hash) => sessions::touch(c, &hash, now),
            Used::ApiToken(id) => api_tokens::touch(c, id, now),
        })
        .await;
    if let Err(error) = noted {
        log::warn!(event = "use-not-noted"; "the last use of a session or token could not be noted: {error}");
    }
}
