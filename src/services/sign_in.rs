//! Signing in with a password, at a pace that makes guessing hopeless and shuts nobody out for long (A5, A6, R8).

use std::time::Duration;

use serde_json::{Value, json};

use crate::clock::UtcTime;
use crate::crypto;
use crate::db::models::sign_in_attempts::{self, SignInAttempts};
use crate::db::models::users::{self, User};
use crate::db::{DbConn, DbError};
use crate::error::AppError;
use crate::services::audit::{Action, Actor, Entry};
use crate::services::{Services, audit, emails};

/// Tries are forgotten after an hour without one.
const CALM: Duration = Duration::from_secs(3_600);

/// Entries of failed sign-ins in the trail, in an hour: nobody can shorten it, so nobody outside may make it grow at will.
const MOST_RECORDED: i32 = 100;
const HOUR: Duration = Duration::from_secs(3_600);

/// How one kind of subject is slowed down: so many tries are free, then each doubles the wait up to a bound.
struct Pace {
    kind: &'static str,
    free: i32,
    longest: Duration,
}

/// Somebody guessing one account from one address waits long; the account as a whole never waits longer than half a minute, so that
/// an attacker cannot keep its owner out.
const ACCOUNT_AND_ADDRESS: Pace = Pace {
    kind: "account+address",
    free: 5,
    longest: Duration::from_secs(900),
};
const ADDRESS: Pace = Pace {
    kind: "address",
    free: 20,
    longest: Duration::from_secs(300),
};
const ACCOUNT: Pace = Pace {
    kind: "account",
    free: 20,
    longest: Duration::from_secs(30),
};

impl Pace {
    /// How long the next try has to wait after so many.
    fn wait(&self, failures: i32) -> Duration {
        let over = failures - self.free;
        if over < 0 {
            return Duration::ZERO;
        }
        Duration::from_secs(1_u64 << over.min(20)).min(self.longest)
    }
}

/// Somebody who has given the password that their account had when it was looked at.
pub struct Proven {
    /// Who.
    pub user: User,
    /// The hash that it was compared with.
    pub password_hash: String,
}

/// Why a password was not taken.
#[derive(Debug)]
pub enum SignInRefused {
    /// Wrong address or password, or a disabled account: all the same to whoever asks.
    Wrong,
    /// Anything else, too many tries included.
    Error(AppError),
}

impl From<AppError> for SignInRefused {
    fn from(error: AppError) -> Self {
        SignInRefused::Error(error)
    }
}

impl From<DbError> for SignInRefused {
    fn from(error: DbError) -> Self {
        SignInRefused::Error(error.into())
    }
}

/// The user with this address and password.
///
/// The try is counted before the password is looked at and struck out when it was right: a hundred at once are a hundred tries.
///
/// # Errors
///
/// [`SignInRefused::Wrong`] for everything about the account, after the same work whether or not there is one;
/// [`AppError::TooMany`] while the account or the address has to wait.
pub async fn sign_in(
    services: &Services,
    email: &str,
    password: String,
    address: &str,
) -> Result<Proven, SignInRefused> {
    let email = emails::normalise(email).unwrap_or_default();
    let subjects = subjects(services, &email, address);
    let tried = email.clone();
    let tries = count_try(services, &subjects).await?;
    let found = services
        .db
        .run(move |c| users::find_with_password(c, &email))
        .await?;
    let hash = found.as_ref().map(|(_, hash)| hash.clone());
    let right = services.password_matches(password, hash).await?;
    match found.filter(|(user, _)| right && user.disabled_at.is_none()) {
        Some((user, password_hash)) => {
            strike_out(services, subjects).await?;
            Ok(Proven { user, password_hash })
        }
        None => {
            log::warn!(event = "sign-in-failed", address; "a sign-in failed");
            record_failure(services, tried, address, tries).await?;
            Err(SignInRefused::Wrong)
        }
    }
}

type Subjects = [(&'static Pace, String); 3];

/// Keyed, so that the table holds no addresses of people who mistyped theirs.
fn subjects(services: &Services, email: &str, address: &str) -> Subjects {
    let name = |pace: &'static Pace, about: String| {
        (pace, crypto::keyed_token(&services.secret_key, pace.kind, &about))
    };
    [
        name(&ACCOUNT, email.to_owned()),
        name(&ACCOUNT_AND_ADDRESS, format!("{email}\n{address}")),
        name(&ADDRESS, address.to_owned()),
    ]
}

/// Counts a try, and gives how many this address has had on this account.
async fn count_try(services: &Services, subjects: &Subjects) -> Result<i32, AppError> {
    let now = services.clock.now();
    let subjects = subjects.clone();
    let counted = services
        .db
        .write(move |c| {
            let mut known = Vec::with_capacity(subjects.len());
            for (pace, subject) in &subjects {
                let attempts = lock(c, subject, now)?;
                if attempts.blocked_until > now {
                    return Ok(Err(attempts.blocked_until.since(now)));
                }
                known.push((*pace, attempts));
            }
            let mut tries = 0;
            for (pace, mut attempts) in known {
                attempts.failures += 1;
                if pace.kind == ACCOUNT_AND_ADDRESS.kind {
                    tries = attempts.failures;
                }
                attempts.last_at = now;
                attempts.blocked_until = now.plus(pace.wait(attempts.failures));
                sign_in_attempts::save(c, &attempts)?;
            }
            Ok(Ok(tries))
        })
        .await?;
    match counted {
        Ok(tries) => Ok(tries),
        Err(wait) => {
            log::warn!(event = "sign-in-slowed"; "a sign-in has to wait");
            Err(AppError::TooMany(wait))
        }
    }
}

/// Whether this try of one address on one account is written down: the free ones are, and then every one that doubles their number.
fn is_notable(tries: i32) -> bool {
    tries <= ACCOUNT_AND_ADDRESS.free || tries.unsigned_abs().is_power_of_two()
}

/// Writes a failed try into the trail, with how many there have been, unless it is one of many. What is written depends on how often
/// was tried and never on whether there is such an account: else the time it takes would tell.
async fn record_failure(
    services: &Services,
    tried: String,
    address: &str,
    tries: i32,
) -> Result<(), AppError> {
    if !is_notable(tries) {
        return Ok(());
    }
    let (now, actor) = (services.clock.now(), Actor::nobody(&tried, address));
    // A row like those of the tries: how many entries there were, and when they are counted anew.
    let subject = crypto::keyed_token(&services.secret_key, "recorded", "everybody");
    services
        .db
        .write(move |c| {
            sign_in_attempts::ensure(c, &subject, now)?;
            let mut hour = sign_in_attempts::find_for_update(c, &subject)?.ok_or(DbError::NotFound)?;
            if hour.blocked_until <= now {
                hour.failures = 0;
                hour.blocked_until = now.plus(HOUR);
            }
            if hour.failures > MOST_RECORDED {
                return Ok(());
            }
            hour.failures += 1;
            hour.last_at = now;
            sign_in_attempts::save(c, &hour)?;
            if hour.failures <= MOST_RECORDED {
                let entry = Entry::new(Action::SignInFailed, tried);
                let entry = entry.changing(Value::Null, json!({"tries": tries}));
                return audit::record(c, &actor, entry, now);
            }
            let entry = Entry::new(Action::SignInFailed, "everybody").because(&format!(
                "{MOST_RECORDED} failed sign-ins are written down in this hour. Further ones are in the log alone until {}.",
                hour.blocked_until.rfc3339()
            ));
            audit::record(c, &Actor::server(), entry, now)
        })
        .await?;
    Ok(())
}

/// The subject's row, there and locked. The subjects come in one fixed order, so that two tries never wait for each other.
fn lock(c: &mut DbConn, subject: &str, now: UtcTime) -> Result<SignInAttempts, DbError> {
    sign_in_attempts::ensure(c, subject, now)?;
    let mut attempts = sign_in_attempts::find_for_update(c, subject)?.ok_or(DbError::NotFound)?;
    if now.since(attempts.last_at) > CALM {
        attempts.failures = 0;
    }
    Ok(attempts)
}

/// The try was no guess. What others tried from this address or on this account stays counted.
async fn strike_out(services: &Services, subjects: Subjects) -> Result<(), AppError> {
    let now = services.clock.now();
    services
        .db
        .write(move |c| {
            for (pace, subject) in &subjects {
                if pace.kind == ACCOUNT_AND_ADDRESS.kind {
                    sign_in_attempts::delete(c, subject)?;
                } else if let Some(mut attempts) = sign_in_attempts::find_for_update(c, subject)? {
                    attempts.failures = (attempts.failures - 1).max(0);
                    attempts.blocked_until = now;
                    sign_in_attempts::save(c, &attempts)?;
                }
            }
            Ok(())
        })
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_of_many_tries_are_written_down() {
        let notable: Vec<i32> = (1..=100).filter(|tries| is_notable(*tries)).collect();
        assert_eq!(notable, [1, 2, 3, 4, 5, 8, 16, 32, 64]);
    }

    #[test]
    fn a5_the_wait_doubles_up_to_a_bound() {
        let waits: Vec<u64> = (3..9).map(|n| ACCOUNT_AND_ADDRESS.wait(n).as_secs()).collect();
        assert_eq!(waits, [0, 0, 1, 2, 4, 8]);
        assert_eq!(ACCOUNT_AND_ADDRESS.wait(1_000_000).as_secs(), 900);
        assert_eq!(ACCOUNT.wait(1_000_000).as_secs(), 30);
    }
}
