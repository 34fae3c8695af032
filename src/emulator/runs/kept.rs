//! All runs at once: kept in a snapshot, brought back, removed.

use std::fs;
use std::io;
use std::path::Path;

use super::Runs;
use super::record::is_id;
use crate::emulator::archive::copy;
use crate::emulator::root::private_dir;
use crate::emulator::store::found;

impl Runs {
    /// Takes every run away; new ones take the usual time again.
    pub(in crate::emulator) fn clear(&self) -> io::Result<()> {
        self.due().clear();
        self.set_usual();
        self.0.records.clear()
    }

    /// Copies every run into a directory that is not there yet.
    pub(in crate::emulator) fn export(&self, to: &Path) -> io::Result<()> {
        for place in ["", "all", "open"] {
            private_dir(&to.join(place), true)?;
        }
        let records = &self.0.records;
        // The marks first: a run that ends meanwhile is kept as one with something left to do, and has nothing left.
        for id in records.unfinished()? {
            fs::write(to.join("open").join(id), b"")?;
        }
        for id in records.all()? {
            if let Some(dir) = records.dir(&id) {
                found(copy_run(&dir, &to.join("all").join(&id)))?;
            }
        }
        Ok(())
    }

    /// Replaces every run by those that [`Runs::export`] kept; a snapshot without any has none.
    pub(in crate::emulator) fn import(&self, from: &Path) -> io::Result<()> {
        self.clear()?;
        let records = &self.0.records;
        let Some(entries) = found(fs::read_dir(from.join("all")))? else {
            return Ok(());
        };
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name().into_string().unwrap_or_default();
            // Not through a symbolic link: what is below it is not ours (U19).
            if !is_id(&name) || !entry.file_type()?.is_dir() {
                continue;
            }
            let scratch = records.store().scratch()?;
            copy_run(&entry.path(), &scratch.dir.join("run"))?;
            if from.join("open").join(&name).exists() {
                fs::write(records.root().join("open").join(&name), b"")?;
            }
            if let Some(dir) = records.dir(&name) {
                fs::rename(scratch.dir.join("run"), dir)?;
            }
        }
        self.recover()
    }
}

/// Its record and its bytes; a record is replaced and never written to, so second names do.
fn copy_run(from: &Path, to: &Path) -> io::Result<()> {
    private_dir(to, true)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() && entry.file_name() != "lock" {
            found(copy(&entry.path(), &to.join(entry.file_name())))?;
        }
    }
    Ok(())
}
