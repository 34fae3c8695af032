//! What a failure means for a job: never again, later, or that Filestack is down.

use std::time::Duration;

use crate::error::AppError;
use crate::filestack::FilestackError;
use crate::queue::Failure;

/// Why an attempt failed.
#[derive(Debug)]
pub(super) enum Fault {
    /// As the queue understands it.
    Failed(Failure),
    /// Filestack could not be reached: the breaker wants to know.
    Down(Failure),
}

impl From<AppError> for Fault {
    fn from(error: AppError) -> Self {
        let failure = |transient, retry_after| Failure {
            reason: reason(&error),
            transient,
            retry_after,
        };
        match &error {
            AppError::Upstream { source, .. } => match source {
                FilestackError::Unavailable { retry_after, .. } => Fault::Down(failure(true, *retry_after)),
                FilestackError::RateLimited { retry_after } => Fault::Failed(failure(true, *retry_after)),
                // Filestack understood and said no: it will say so again.
                _ => Fault::Failed(failure(false, None)),
            },
            AppError::Unavailable { retry_after, .. } | AppError::TooMany(retry_after) => {
                Fault::Failed(failure(true, Some(*retry_after)))
            }
            // Two transactions met: the same again will see what the other did.
            AppError::Conflict { code: "conflict", .. } => {
                Fault::Failed(failure(true, Some(Duration::from_secs(1))))
            }
            _ => Fault::Failed(failure(false, None)),
        }
    }
}

/// Filestack's own words where there are some (they hold no address and no credential), else ours.
fn reason(error: &AppError) -> String {
    match error {
        AppError::Upstream { source, .. } => format!("{source}."),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::upstream;

    fn transient(error: FilestackError) -> Option<bool> {
        match Fault::from(upstream(error)) {
            Fault::Failed(failure) => Some(failure.transient),
            Fault::Down(_) => None,
        }
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        let rejected = |status| FilestackError::Rejected {
            status,
            message: "no".to_owned(),
        };
        for status in [400, 401, 403, 422, 501] {
            assert_eq!(transient(rejected(status)), Some(false), "{status}");
        }
        assert_eq!(transient(FilestackError::NotFound), Some(false));
        assert_eq!(transient(FilestackError::Protocol("?".to_owned())), Some(false));
        assert_eq!(
            transient(FilestackError::RateLimited { retry_after: None }),
            Some(true)
        );
        let down = FilestackError::Unavailable {
            reason: "status 503".to_owned(),
            retry_after: None,
        };
        assert_eq!(transient(down), None, "the breaker is told");
    }
}
