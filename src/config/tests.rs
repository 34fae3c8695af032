//! Every setting good, bad and empty; where values come from; what is kept; what is hidden.

mod keeping;
mod services;
mod showing;
mod sources;
mod values;

use super::*;

/// Settings from pairs, as if from the environment.
fn settings(pairs: &[(&str, &str)]) -> Result<Settings, ConfigError> {
    Settings::from_vars(&pairs.iter().copied().collect())
}

/// The message that `pairs` are refused with.
#[track_caller]
fn refusal(pairs: &[(&str, &str)]) -> String {
    match settings(pairs) {
        Ok(_) => panic!("{pairs:?} were accepted"),
        Err(error) => error.to_string(),
    }
}

/// A configuration in a directory of its own, which goes when the directory is dropped.
fn config(pairs: &[(&str, &str)]) -> (tempfile::TempDir, Config) {
    let dir = tempfile::tempdir().unwrap();
    let vars: Vars = pairs.iter().copied().collect();
    let config = Config::from_vars(&vars.with("SATCHEL_DATA_DIR", dir.path().to_str().unwrap())).unwrap();
    (dir, config)
}

const KEY: (&str, &str) = ("FILESTACK_API_KEY", "AreallyMyOwnKeyz");
const SECRET: (&str, &str) = ("FILESTACK_APP_SECRET", "REALLYMYOWNSECRET");
const HEX: &str = "ffeeddccbbaa99887766554433221100FFEEDDCCBBAA99887766554433221100";
