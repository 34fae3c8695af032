//! Reset, and states of an emulator that are kept under a name and come back.
//!
//! ```text
//! snapshots/NAME/settings.json    clock, security of the applications, failures waiting
//!               /files/           see `archive`
//!               /webhooks/        see `webhooks::shelf`
//!               /workflows.json   those that were added
//!               /runs/            see `runs::record`
//! ```
//!
//! Uploads in progress are not kept. Loading and resetting take the files away one by one: let clients be quiet meanwhile.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::sync::PoisonError;

use serde::{Deserialize, Serialize};

use super::{Controls, Waiting};
use crate::emulator::clock::ClockSetting;
use crate::emulator::root::private_dir;
use crate::emulator::store::found;
use crate::emulator::webhooks::{Kept, WaitingWebhook};

/// Longest name of a snapshot.
const MAX_NAME: usize = 64;

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Settings {
    clock: ClockSetting,
    secured: Vec<(String, bool)>,
    faults: Vec<Waiting>,
    webhook_faults: Vec<WaitingWebhook>,
    processing_ms: Option<u64>,
}

impl Controls {
    /// Makes everything as it was when the emulator was first started: no files, no uploads, no calls, no webhooks, no
    /// failures waiting, the system's time, endpoints and security of the applications as configured. Snapshots stay.
    ///
    /// # Errors
    /// When files cannot be removed.
    pub fn reset(&self) -> io::Result<()> {
        let _one = self.whole.lock().unwrap_or_else(PoisonError::into_inner);
        self.faults.clear();
        self.clock.resume();
        self.apps.reset();
        self.webhooks.clear()?;
        self.workflows.clear()?;
        self.runs.clear()?;
        self.store.clear()?;
        self.calls.forget();
        Ok(())
    }

    /// Keeps files and settings under a name, in place of what had that name; says how many files.
    ///
    /// # Errors
    /// `InvalidInput` when the name is not 1 to 64 of letters, digits, `-` and `_`; otherwise when it cannot be written.
    pub fn save(&self, name: &str) -> io::Result<usize> {
        let place = self.snapshot(name)?;
        let _one = self.whole.lock().unwrap_or_else(PoisonError::into_inner);
        let scratch = self.store.scratch()?;
        let files = scratch.dir.join("files");
        private_dir(&files, false)?;
        let count = self.store.export(&files)?;
        self.webhooks.export(&scratch.dir.join("webhooks"))?;
        self.workflows.export(&scratch.dir)?;
        self.runs.export(&scratch.dir.join("runs"))?;
        let settings = Settings {
            clock: self.clock.setting(),
            secured: self
                .apps
                .iter()
                .map(|app| (app.key.clone(), app.secured))
                .collect(),
            faults: self.faults.waiting(),
            webhook_faults: self.webhooks.waiting_faults(),
            processing_ms: u64::try_from(self.processing_time().as_millis()).ok(),
        };
        fs::write(scratch.dir.join("settings.json"), serde_json::to_vec(&settings)?)?;
        private_dir(&self.store.root().join("snapshots"), true)?;
        let old = self.store.scratch()?;
        found(fs::rename(&place, old.dir.join("old")))?;
        fs::rename(&scratch.dir, place)?;
        Ok(count)
    }

    /// Replaces files and settings by those kept under a name; says how many files.
    ///
    /// # Errors
    /// `NotFound` when there is no such snapshot; otherwise as [`Controls::save`].
    pub fn load(&self, name: &str) -> io::Result<usize> {
        let place = self.existing(name)?;
        let _one = self.whole.lock().unwrap_or_else(PoisonError::into_inner);
        let settings: Settings = serde_json::from_slice(&fs::read(place.join("settings.json"))?)?;
        let webhooks = Kept::read(&place.join("webhooks"))?;
        let count = self.store.import(&place.join("files"))?;
        self.webhooks.replace(webhooks)?;
        self.clock.set(settings.clock);
        self.workflows.import(&place)?;
        self.runs.import(&place.join("runs"))?;
        if let Some(ms) = settings.processing_ms {
            self.set_processing_time(std::time::Duration::from_millis(ms));
        }
        for (key, secured) in &settings.secured {
            // An application that is no longer named has nothing to switch.
            let _known = self.apps.secure(key, *secured);
        }
        self.faults.replace(settings.faults);
        self.webhooks.clear_faults();
        for waiting in settings.webhook_faults {
            self.webhooks.let_wait(waiting);
        }
        Ok(count)
    }

    /// Names of the snapshots, sorted.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn snapshots(&self) -> io::Result<Vec<String>> {
        let Some(entries) = found(fs::read_dir(self.store.root().join("snapshots")))? else {
            return Ok(Vec::new());
        };
        let mut names = Vec::new();
        for entry in entries {
            names.extend(entry?.file_name().into_string().ok().filter(|name| is_name(name)));
        }
        names.sort();
        Ok(names)
    }

    /// Removes a snapshot.
    ///
    /// # Errors
    /// As [`Controls::load`].
    pub fn delete_snapshot(&self, name: &str) -> io::Result<()> {
        let place = self.existing(name)?;
        let grave = self.store.scratch()?;
        fs::rename(place, grave.dir.join("old"))
    }

    fn snapshot(&self, name: &str) -> io::Result<PathBuf> {
        if is_name(name) {
            Ok(self.store.root().join("snapshots").join(name))
        } else {
            Err(io::Error::new(
                ErrorKind::InvalidInput,
                "A snapshot's name is 1 to 64 letters, digits, `-` and `_`",
            ))
        }
    }

    fn existing(&self, name: &str) -> io::Result<PathBuf> {
        let place = self.snapshot(name)?;
        // Not through a symbolic link: what is below it is not ours (U19).
        let is_dir = found(fs::symlink_metadata(&place))?.is_some_and(|kind| kind.is_dir());
        if is_dir {
            Ok(place)
        } else {
            Err(io::Error::new(
                ErrorKind::NotFound,
                format!("There is no snapshot named {name}"),
            ))
        }
    }
}

fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(plain)
}
