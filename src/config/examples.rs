//! The values that `.env.example` and our own messages show, and the refusal of them as real ones.
//!
//! A secret that is printed in a public repository protects nothing, so outside emulator mode none of these is taken.

use super::error::ConfigError;

pub(super) const API_KEY: &str = "AexampleKeyOfYourAppz";
pub(super) const APP_SECRET: &str = "EXAMPLESECRETOFYOURAPP2345";
pub(super) const WEBHOOK_SECRET: &str = "exampleWebhookSecret";
pub(super) const WEBHOOK_SECRET_PREVIOUS: &str = "exampleWebhookSecretBefore";
pub(super) const SECRET_KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// Refuses `value` when it is the published `example` of `variable`.
pub(super) fn refuse(variable: &str, value: &str, example: &str) -> Result<(), ConfigError> {
    if !value.eq_ignore_ascii_case(example) {
        return Ok(());
    }
    let instead = match variable {
        "SATCHEL_SECRET_KEY" => "make your own with SATCHEL_SECRET_KEY=$(openssl rand -hex 32)".to_owned(),
        _ => format!(
            "write {variable}=… with the one that Filestack's developer portal shows you, or unset \
             FILESTACK_API_KEY and FILESTACK_APP_SECRET to use the emulator"
        ),
    };
    Err(ConfigError::with_advice(
        variable,
        "is still the value of .env.example, which anybody can read",
        instead,
    ))
}
