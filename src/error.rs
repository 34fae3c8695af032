//! What can go wrong, as far as a caller can tell it apart.
//!
//! Knows neither HTTP's framework nor HTML: `web` dresses it. Every error has a status, a stable code and a sentence that says
//! what to do next; what is ours to repair ([`AppError::Internal`]) is logged where it is answered and never shown.

use std::time::Duration;

use crate::db::DbError;
use crate::filestack::FilestackError;

/// Everything a request can fail with.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// Not there, or not the caller's: the two look the same (S7).
    #[error("There is nothing here, or it is not yours.")]
    NotFound,
    /// The caller may not do this, whoever the thing belongs to.
    #[error("{0}")]
    Forbidden(&'static str),
    /// Nobody is signed in.
    #[error("Sign in first, or send an API token in the Authorization header.")]
    SignInNeeded,
    /// The request cannot be understood or breaks a rule.
    #[error("{detail}")]
    Invalid {
        /// Stable code, kebab-case.
        code: &'static str,
        /// What is wrong and what to do.
        detail: String,
    },
    /// The request is understood and refused as it is: a form's fields, one sentence each.
    #[error("{}", .0.iter().map(|(_, sentence)| sentence.as_str()).collect::<Vec<_>>().join(" "))]
    Fields(Vec<(&'static str, String)>),
    /// The request contradicts the state of things.
    #[error("{detail}")]
    Conflict {
        /// Stable code, kebab-case.
        code: &'static str,
        /// What is wrong and what to do.
        detail: String,
    },
    /// It is not any more what the caller takes it to be.
    #[error("This was changed since you read it. Nothing was done: read it again, then decide anew.")]
    Stale,
    /// The same is being done at this moment.
    #[error(
        "The request with this Idempotency-Key is still being worked on. Wait, then send it again for its answer."
    )]
    InProgress(Duration),
    /// The name of one request, given to another.
    #[error("This Idempotency-Key was used for another request. Send this one with a new key.")]
    KeyReused,
    /// It was here, and is not any more.
    #[error("{detail}")]
    Gone {
        /// Stable code, kebab-case.
        code: &'static str,
        /// What has gone and what to do.
        detail: String,
    },
    /// More bytes than are taken.
    #[error("{0}")]
    TooLarge(String),
    /// More than may be kept: the sentence says what is left.
    #[error("{0}")]
    OverQuota(String),
    /// A body of a kind that is not taken here.
    #[error("{0}")]
    UnsupportedMedia(String),
    /// The body did not come in time.
    #[error("{0}")]
    TooSlow(String),
    /// Too many tries.
    #[error("Too many tries. Wait {} seconds, then try again.", .0.as_secs().max(1))]
    TooMany(Duration),
    /// Filestack refused or failed; the sentence says what that means for the caller.
    #[error("{detail}")]
    Upstream {
        /// Stable code, kebab-case.
        code: &'static str,
        /// What it means for the caller.
        detail: String,
        /// When to try again, if that may help.
        retry_after: Option<Duration>,
        /// What Filestack said, for the log.
        #[source]
        source: FilestackError,
    },
    /// Not now.
    #[error("{detail}")]
    Unavailable {
        /// Stable code, kebab-case.
        code: &'static str,
        /// What is the matter.
        detail: String,
        /// When to try again.
        retry_after: Duration,
    },
    /// Ours to repair; the text is for the log.
    #[error("{0}")]
    Internal(String),
}

/// How long to wait before trying again when nothing better is known.
const RETRY_SOON: Duration = Duration::from_secs(2);

impl AppError {
    /// A request that breaks a rule.
    pub fn invalid(code: &'static str, detail: impl Into<String>) -> Self {
        AppError::Invalid {
            code,
            detail: detail.into(),
        }
    }

    /// HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            AppError::NotFound => 404,
            AppError::Forbidden(_) => 403,
            AppError::SignInNeeded => 401,
            AppError::Invalid { .. } => 400,
            AppError::Fields(_) => 422,
            AppError::Conflict { .. } | AppError::InProgress(_) => 409,
            AppError::Stale => 412,
            AppError::KeyReused => 422,
            AppError::Gone { .. } => 410,
            AppError::TooLarge(_) | AppError::OverQuota(_) => 413,
            AppError::UnsupportedMedia(_) => 415,
            AppError::TooSlow(_) => 408,
            AppError::TooMany(_) => 429,
            AppError::Upstream {
                retry_after: Some(_), ..
            }
            | AppError::Unavailable { .. } => 503,
            AppError::Upstream { .. } => 502,
            AppError::Internal(_) => 500,
        }
    }

    /// Stable code, kebab-case.
    pub fn code(&self) -> &'static str {
        match self {
            AppError::NotFound => "not-found",
            AppError::Forbidden(_) => "forbidden",
            AppError::SignInNeeded => "sign-in-needed",
            AppError::Invalid { code, .. }
            | AppError::Conflict { code, .. }
            | AppError::Gone { code, .. }
            | AppError::Upstream { code, .. }
            | AppError::Unavailable { code, .. } => code,
            AppError::Fields(_) => "invalid-fields",
            AppError::Stale => "changed-meanwhile",
            AppError::InProgress(_) => "request-in-progress",
            AppError::KeyReused => "idempotency-key-reused",
            AppError::TooLarge(_) => "upload-too-large",
            AppError::OverQuota(_) => "over-quota",
            AppError::UnsupportedMedia(_) => "unsupported-media-type",
            AppError::TooSlow(_) => "body-stalled",
            AppError::TooMany(_) => "too-many-tries",
            AppError::Internal(_) => "internal",
        }
    }

    /// The sentence for whoever asked.
    pub fn public_detail(&self) -> String {
        match self {
            AppError::Internal(_) => {
                "Something went wrong on our side. Try again; if it stays, tell the administrator the request id."
                    .to_owned()
            }
            other => other.to_string(),
        }
    }

    /// The whole seconds to tell somebody to wait: never fewer than it takes.
    pub fn seconds_of(wait: Duration) -> u64 {
        (wait.as_micros().div_ceil(1_000_000) as u64).max(1)
    }

    /// When to try again, if that may help.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            AppError::TooMany(wait)
            | AppError::InProgress(wait)
            | AppError::Unavailable {
                retry_after: wait, ..
            } => Some(*wait),
            AppError::Upstream { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

impl From<DbError> for AppError {
    fn from(error: DbError) -> Self {
        match error {
            DbError::NotFound => AppError::NotFound,
            DbError::Conflict => AppError::Conflict {
                code: "conflict",
                detail: "Somebody else changed this at the same moment. Reload and try again.".to_owned(),
            },
            DbError::Busy(_) | DbError::Unreachable(_) => AppError::Unavailable {
                code: "database-busy",
                detail:
                    "The database is busy or cannot be reached. Nothing was changed; try again in a moment."
                        .to_owned(),
                retry_after: RETRY_SOON,
            },
            DbError::Query(text) => AppError::Internal(text),
        }
    }
}
