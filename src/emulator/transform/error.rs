//! What can be wrong with a path, and what can go wrong while its tasks run; each knows its status and its text
//! (§6.1, §11.1).

use thiserror::Error;

/// Why a delivery path was refused. Its text is the body of the answer, as `text/plain`.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum GrammarError {
    /// The first segment names neither a task nor anything a file could be called.
    #[error("`{0}` is not a handle")]
    NotFound(String),
    /// The path, its number of tasks, or its nesting is beyond the limits.
    #[error("the path is too {what}: the limit is {limit} {unit}")]
    TooMuch {
        /// What there is too much of, as an adjective: `long`, `deep`.
        what: &'static str,
        /// The limit itself.
        limit: usize,
        /// What the limit counts.
        unit: &'static str,
    },
    /// No such task exists.
    #[error("invalid task `{0}`")]
    UnknownTask(String),
    /// The task exists and has no such parameter.
    #[error("invalid parameter `{parameter}` for `{task}` task")]
    UnknownParameter {
        /// The task as the path names it.
        task: String,
        /// The parameter as the path names it.
        parameter: String,
    },
    /// The parameter exists and its value does not fit.
    #[error("invalid value `{value}` of parameter `{parameter}` for `{task}` task: it must be {expected}")]
    InvalidValue {
        /// The task's name.
        task: &'static str,
        /// The parameter's full name.
        parameter: &'static str,
        /// The value as the path has it.
        value: String,
        /// What would have been right.
        expected: String,
    },
    /// The same parameter stands there twice, perhaps once by its short name.
    #[error("parameter `{parameter}` for `{task}` task is given twice")]
    Repeated {
        /// The task's name.
        task: &'static str,
        /// The parameter's full name.
        parameter: String,
    },
    /// The parameters fit one by one and not together.
    #[error("invalid `{task}` task: {reason}")]
    InvalidTask {
        /// The task's name.
        task: &'static str,
        /// What is missing or contradicts itself.
        reason: &'static str,
    },
    /// The text cannot be taken apart.
    #[error("invalid path: {0}")]
    Syntax(&'static str),
    /// Tasks without anything to apply them to.
    #[error("invalid path: there is no source after the tasks")]
    NoSource,
    /// Text that is neither a handle nor an address.
    #[error("invalid source `{0}`")]
    InvalidSource(String),
}

impl GrammarError {
    /// The HTTP status of the answer.
    pub fn status(&self) -> u16 {
        match self {
            Self::NotFound(_) => 404,
            Self::TooMuch { what: "long", .. } => 414,
            _ => 400,
        }
    }
}

/// Why tasks could not be carried out. Its text is the body of the answer, as `application/json`.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TransformError {
    /// The source is nothing the tasks can work on, or not what it says it is.
    #[error(r#"{{"error":"Unsupported conversion"}}"#)]
    Unsupported,
    /// The task or format is documented by Filestack, and not done here.
    #[error(r#"{{"error":"{0}: not done by the emulator yet"}}"#)]
    NotYet(&'static str),
    /// The picture, or the one asked for, is beyond the limits.
    #[error(r#"{{"error":"{0}"}}"#)]
    TooLarge(&'static str),
    /// The picture breaks off or is broken.
    #[error(r#"{{"error":"The image is damaged and cannot be read"}}"#)]
    Damaged,
    /// The task does not fit this picture.
    #[error(r#"{{"error":"{0}"}}"#)]
    Invalid(&'static str),
}

impl TransformError {
    /// The HTTP status of the answer.
    pub fn status(&self) -> u16 {
        match self {
            Self::NotYet(_) => 501,
            Self::TooLarge(_) => 413,
            Self::Unsupported | Self::Damaged | Self::Invalid(_) => 400,
        }
    }
}
