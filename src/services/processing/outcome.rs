//! How a piece of background work ended.

use std::time::Duration;

use crate::db::{DbConn, DbError};

/// What a piece of work changes in the database: done in the transaction that ends its job, or not at all.
pub type Effects = Box<dyn FnOnce(&mut DbConn) -> Result<(), DbError> + Send>;

/// How a piece of work ended that did not fail.
pub enum Outcome {
    /// It is done.
    Done {
        /// A sentence for whoever looks at the job, the document's owner too.
        result: String,
        /// What it changes.
        effects: Effects,
    },
    /// It goes on elsewhere: look again after a while.
    Later {
        /// How long.
        after: Duration,
        /// A sentence, as above.
        note: String,
        /// What it changes.
        effects: Effects,
    },
}

impl Outcome {
    /// Done, and nothing to change.
    pub fn done(result: impl Into<String>) -> Self {
        Outcome::Done {
            result: result.into(),
            effects: Box::new(|_| Ok(())),
        }
    }

    /// Done, and this to change.
    pub fn with(
        result: impl Into<String>,
        effects: impl FnOnce(&mut DbConn) -> Result<(), DbError> + Send + 'static,
    ) -> Self {
        Outcome::Done {
            result: result.into(),
            effects: Box::new(effects),
        }
    }

    /// Not done yet, and nothing to change.
    pub fn later(after: Duration, note: impl Into<String>) -> Self {
        Outcome::Later {
            after,
            note: note.into(),
            effects: Box::new(|_| Ok(())),
        }
    }

    /// What it was about is gone, and the work with it.
    pub fn moot() -> Self {
        Outcome::done("The document was deleted before this was done.")
    }
}
