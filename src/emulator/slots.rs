//! One file for a whole upload (§3.3, §3.5), with a slot for each part: parts that come are written where they belong, and completing the
//! upload copies nothing.
//!
//! ```text
//! uploads/ID/grid           the size of a slot, which is that of the first part
//!           /whole          all slots, one after the other
//!           /slots/00003    taken: part 3 is, or was, being written there
//! ```
//!
//! A slot is written once: who finds it taken, by a part that was sent before or by a process that was killed, writes a file of
//! its own. Slots do not overlap, so when every part of a file lies in its own, nobody can be writing to `whole` any more: what
//! becomes the content is never written to again.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::dir::open_file_to_write;
use super::store::found;

/// A slot that nobody else writes to. It is free again when this is dropped, unless it was kept.
#[derive(Debug)]
pub(super) struct Slot {
    taken: PathBuf,
    /// Where in `whole` it begins.
    pub at: u64,
    /// Bytes of the part in it.
    pub size: u64,
    kept: bool,
}

/// The file that has the slots of an upload.
pub(super) fn whole(upload: &Path) -> PathBuf {
    upload.join("whole")
}

/// Fixes the size of the slots; what was fixed before stays.
pub(super) fn lay(upload: &Path, size: u64) -> io::Result<()> {
    // Half-written it has no number in it, and the parts get files of their own.
    match File::create_new(upload.join("grid")) {
        Ok(mut file) => io::Write::write_all(&mut file, size.to_string().as_bytes()),
        Err(error) if matches!(error.kind(), ErrorKind::AlreadyExists | ErrorKind::NotFound) => Ok(()),
        Err(error) => Err(error),
    }
}

impl Slot {
    /// Takes the slot of a part and opens it; `None` when the part does not fit there or somebody had it before.
    pub(super) fn take(upload: &Path, part: u64, size: u64, total: u64) -> io::Result<Option<(File, Self)>> {
        let grid = found(fs::read_to_string(upload.join("grid")))?;
        let Some(slot) = grid.and_then(|grid| grid.parse::<u64>().ok()) else {
            return Ok(None);
        };
        let Some(at) = part.checked_sub(1).and_then(|before| before.checked_mul(slot)) else {
            return Ok(None);
        };
        let end = at.saturating_add(size);
        // Only the last part may be shorter than its slot.
        if size == 0 || size > slot || end > total || (size < slot && end != total) {
            return Ok(None);
        }
        let slots = upload.join("slots");
        match fs::create_dir(&slots) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        }
        let taken = slots.join(format!("{part:05}"));
        match File::create_new(&taken) {
            Ok(_) => {}
            Err(error) if matches!(error.kind(), ErrorKind::AlreadyExists | ErrorKind::NotFound) => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        }
        let slot = Self {
            taken,
            at,
            size,
            kept: false,
        };
        let mut file = open_file_to_write(&whole(upload))?;
        file.seek(SeekFrom::Start(at))?;
        Ok(Some((file, slot)))
    }

    /// It holds a part now, and stays taken.
    pub(super) fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if !self.kept {
            // With the upload, perhaps, which is gone then.
            let _gone = fs::remove_file(&self.taken);
        }
    }
}
