//! Secrets that Satchel makes up at the first start and keeps, mode 0600, one file each in the data directory.
//!
//! Several processes may start at once on one directory: the first to take the lock makes the value, the others read it.
//! A value appears by rename, so a crash leaves either none or a whole one.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::error::{ConfigError, quoted, reason};
use super::secrets::SecretKey;

const LOCK_FILE: &str = ".secrets.lock";
const DATA_DIR: &str = "SATCHEL_DATA_DIR";

/// What can be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeptSecret {
    SecretKey,
    EmulatorApiKey,
    EmulatorAppSecret,
    WebhookSecret,
}

impl KeptSecret {
    pub(super) fn file_name(self) -> &'static str {
        match self {
            Self::SecretKey => "secret-key",
            Self::EmulatorApiKey => "emulator-api-key",
            Self::EmulatorAppSecret => "emulator-app-secret",
            Self::WebhookSecret => "webhook-secret",
        }
    }

    /// A new random value, shaped like Filestack's own where it has one; a key says that it is not Filestack's (X8).
    fn make(self) -> Result<String, getrandom::Error> {
        const LOWER: &[u8; 32] = b"abcdefghijkmnopqrstuvwxyz2345679";
        const UPPER: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        match self {
            Self::SecretKey => {
                let mut key = [0; 32];
                getrandom::fill(&mut key)?;
                Ok(key.iter().map(|byte| format!("{byte:02x}")).collect())
            }
            Self::EmulatorApiKey => Ok(format!("Aemulator{}z", random_text::<12>(LOWER)?)),
            Self::EmulatorAppSecret => random_text::<26>(UPPER),
            Self::WebhookSecret => random_text::<32>(LOWER),
        }
    }

    fn is_valid(self, value: &str) -> bool {
        match self {
            Self::SecretKey => SecretKey::from_hex(value).is_some(),
            _ => !value.is_empty(),
        }
    }
}

/// The secrets of one data directory.
#[derive(Debug)]
pub(super) struct Kept<'a> {
    dir: &'a Path,
    /// What the directory was named with.
    named: &'a str,
}

impl<'a> Kept<'a> {
    pub(super) fn new(dir: &'a Path) -> Self {
        Self::named(dir, DATA_DIR)
    }

    /// The same for a directory that something else than the setting names.
    pub(super) fn named(dir: &'a Path, named: &'a str) -> Self {
        Self { dir, named }
    }

    /// The kept value, if there is one; changes nothing on disk.
    pub(super) fn find(&self, secret: KeptSecret) -> Result<Option<String>, ConfigError> {
        let path = self.path(secret);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            // Not a directory: whoever has to write there will say so better.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                return Ok(None);
            }
            Err(error) => return Err(self.unreadable(secret, &reason(&error))),
        };
        let value = text.trim();
        if !secret.is_valid(value) {
            return Err(self.unreadable(secret, "it does not hold what was once written"));
        }
        Ok(Some(value.to_owned()))
    }

    /// The kept value, made up and written first if there is none.
    pub(super) fn get_or_make(&self, secret: KeptSecret) -> Result<String, ConfigError> {
        if let Some(value) = self.find(secret)? {
            return Ok(value);
        }
        let _lock = self.lock().map_err(|error| self.unwritable(&error))?;
        if let Some(value) = self.find(secret)? {
            return Ok(value);
        }
        let value = secret
            .make()
            .map_err(|error| self.unwritable(&io::Error::other(error)))?;
        self.write(secret, &value)
            .map_err(|error| self.unwritable(&error))?;
        Ok(value)
    }

    fn path(&self, secret: KeptSecret) -> PathBuf {
        self.dir.join(secret.file_name())
    }

    /// Holds off other processes until the file is dropped; the operating system lets go if we are killed.
    fn lock(&self) -> io::Result<File> {
        DirBuilder::new().recursive(true).mode(0o700).create(self.dir)?;
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(self.dir.join(LOCK_FILE))?;
        file.lock()?;
        Ok(file)
    }

    fn write(&self, secret: KeptSecret, value: &str) -> io::Result<()> {
        let unfinished = self.dir.join(format!(".{}.new", secret.file_name()));
        // Left by a process that was killed in between; nobody else is here, we hold the lock.
        match fs::remove_file(&unfinished) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&unfinished)?;
        file.write_all(format!("{value}\n").as_bytes())?;
        file.sync_all()?;
        fs::rename(&unfinished, self.path(secret))?;
        File::open(self.dir)?.sync_all()
    }

    fn unwritable(&self, error: &io::Error) -> ConfigError {
        let dir = quoted(&self.dir.display().to_string());
        let problem = format!("is {dir}, where nothing can be written ({})", reason(error));
        let advice = format!(
            "let this user write there or choose another directory, for example {}=/var/lib/satchel",
            self.named
        );
        ConfigError::with_advice(self.named, problem, advice)
    }

    fn unreadable(&self, secret: KeptSecret, why: &str) -> ConfigError {
        let path = quoted(&self.path(secret).display().to_string());
        let problem = format!("holds the file {path}, which cannot be used ({why})");
        let advice = format!(
            "restore that file, remove it to have a new secret made up, or choose another directory, for example \
             {}=/var/lib/satchel",
            self.named
        );
        ConfigError::with_advice(self.named, problem, advice)
    }
}

/// `N` characters, five random bits each.
fn random_text<const N: usize>(alphabet: &[u8; 32]) -> Result<String, getrandom::Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes
        .iter()
        .map(|byte| char::from(alphabet[usize::from(byte & 31)]))
        .collect())
}
