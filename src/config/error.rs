//! The one error of this module: a variable, what is wrong with it, and what to write instead.

use std::fmt;

/// A setting that cannot be used; displays as one sentence that names the variable and ends in an example.
#[derive(Debug, thiserror::Error)]
pub struct ConfigError {
    variable: String,
    problem: String,
    advice: String,
}

impl ConfigError {
    /// An error that reads "{variable} {problem}; use for example {variable}={example}.".
    pub(super) fn new(variable: &str, problem: impl Into<String>, example: &str) -> Self {
        Self::with_advice(variable, problem, format!("use for example {variable}={example}"))
    }

    /// An error whose remedy needs more words than an example.
    pub(super) fn with_advice(variable: &str, problem: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            variable: variable.to_owned(),
            problem: problem.into(),
            advice: advice.into(),
        }
    }

    /// The variable at fault, or `.env` when the file cannot be read.
    pub fn variable(&self) -> &str {
        &self.variable
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}; {}.", self.variable, self.problem, self.advice)
    }
}

/// A value as it may be repeated in a message: quoted, control characters escaped, cut short.
pub(super) fn quoted(value: &str) -> String {
    const SHOWN_CHARS: usize = 80;
    match value.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{:?}…", &value[..end]),
        None => format!("{value:?}"),
    }
}

/// What the operating system said, without the number that Rust appends.
pub(super) fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}
