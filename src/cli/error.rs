//! Why a command failed, as one sentence and what to do next.

use std::fmt;
use std::process::ExitCode;

use crate::config::ConfigError;
use crate::error::AppError;

const FAILED: u8 = 1;
const USAGE: u8 = 2;

/// The failure of a command; displays as sentences for the person who ran it.
#[derive(Debug, thiserror::Error)]
pub struct CliError {
    message: String,
    code: u8,
}

impl CliError {
    /// The command was understood and did not succeed: exit code 1.
    pub fn failed(what: impl fmt::Display, next: impl fmt::Display) -> Self {
        Self {
            message: sentences(what, next),
            code: FAILED,
        }
    }

    /// The command line asks for something impossible: exit code 2, as for anything that clap refuses.
    pub fn usage(what: impl fmt::Display, next: impl fmt::Display) -> Self {
        Self {
            message: sentences(what, next),
            code: USAGE,
        }
    }

    /// What the process exits with.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.code)
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<AppError> for CliError {
    /// The sentence that a page would show, except for what is ours to repair: whoever runs a command may see that.
    fn from(error: AppError) -> Self {
        match error {
            AppError::Internal(text) => Self::failed(text, "Check the database, then run the command again"),
            other => Self {
                message: other.to_string(),
                code: FAILED,
            },
        }
    }
}

impl From<ConfigError> for CliError {
    fn from(error: ConfigError) -> Self {
        Self {
            message: error.to_string(),
            code: FAILED,
        }
    }
}

/// Both as sentences on one line, whatever the lower layers put into their messages.
fn sentences(what: impl fmt::Display, next: impl fmt::Display) -> String {
    let sentence = |text: String| {
        let text = text
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .replace(char::is_control, "\u{fffd}");
        if text.ends_with(['.', '!', '?', '…']) {
            text
        } else {
            format!("{text}.")
        }
    };
    format!("{} {}", sentence(what.to_string()), sentence(next.to_string()))
}
