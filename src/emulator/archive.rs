//! All files of a store at once: kept elsewhere, brought back, removed.
//!
//! ```text
//! HANDLE/meta.json, HANDLE/content    of a kept file
//! ```
//!
//! A file's bytes are never written to again once they have their name, so a copy is a second name for the same bytes where
//! the file system has hard links. Uploads in progress are not kept.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use super::ids;
use super::root::private_dir;
use super::store::{Meta, Scratch, Store, found};

impl Store {
    /// Copies every file into a directory that is there and empty; says how many.
    pub(super) fn export(&self, to: &Path) -> io::Result<usize> {
        let mut count = 0;
        for handle in self.handles()? {
            count += usize::from(self.export_one(&handle, &to.join(&handle))?);
        }
        Ok(count)
    }

    /// `false` when the file was deleted meanwhile.
    fn export_one(&self, handle: &str, to: &Path) -> io::Result<bool> {
        let Some(dir) = self.dir(handle) else {
            return Ok(false);
        };
        // An overwrite between the two reads takes the content away: look again, it is there under another name.
        for _ in 0..8 {
            let Some(meta) = self.get(handle)? else {
                return Ok(false);
            };
            private_dir(to, true)?;
            if found(copy(&dir.join(&meta.content), &to.join("content")))?.is_some() {
                write_meta(to, meta)?;
                return Ok(true);
            }
        }
        fs::remove_dir_all(to)?;
        Ok(false)
    }

    /// Replaces every file by those in a directory that [`Store::export`] filled; says how many.
    ///
    /// All of them are read before the first of ours goes, so a damaged directory changes nothing.
    pub(super) fn import(&self, from: &Path) -> io::Result<usize> {
        let mut ready = Vec::new();
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            let name = entry.file_name().into_string().unwrap_or_default();
            let is_file = ids::is_handle(&name) && entry.file_type()?.is_dir();
            if is_file {
                ready.push((name, self.import_one(&entry.path())?));
            }
        }
        self.clear()?;
        for (handle, scratch) in &ready {
            let dir = self.dir(handle).ok_or(ErrorKind::InvalidData)?;
            fs::create_dir_all(dir.parent().ok_or(ErrorKind::InvalidData)?)?;
            fs::rename(&scratch.dir, dir)?;
        }
        Ok(ready.len())
    }

    fn import_one(&self, from: &Path) -> io::Result<Scratch> {
        let scratch = self.scratch()?;
        let meta = from.join("meta.json");
        // It was on disk where a symbolic link could have taken its place (U19).
        if !fs::symlink_metadata(&meta)?.is_file() {
            return Err(ErrorKind::InvalidData.into());
        }
        let meta: Meta = serde_json::from_slice(&fs::read(meta)?)?;
        copy(&from.join("content"), &scratch.content())?;
        write_meta(&scratch.dir, meta)?;
        Ok(scratch)
    }

    /// Removes every file and every upload in progress.
    pub(super) fn clear(&self) -> io::Result<()> {
        for handle in self.handles()? {
            self.delete(&handle)?;
        }
        for upload in fs::read_dir(self.uploads())? {
            let grave = self.scratch()?;
            // Completed or removed by somebody else meanwhile.
            found(fs::rename(upload?.path(), grave.dir.join("upload")))?;
        }
        Ok(())
    }
}

fn write_meta(dir: &Path, meta: Meta) -> io::Result<()> {
    let meta = Meta {
        content: "content".into(),
        ..meta
    };
    fs::write(dir.join("meta.json"), serde_json::to_vec(&meta)?)
}

/// A second name for the same bytes where the file system has hard links; not through a symbolic link.
pub(super) fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if !fs::symlink_metadata(from)?.is_file() {
        return Err(ErrorKind::InvalidData.into());
    }
    match fs::hard_link(from, to) {
        Err(error) if error.kind() == ErrorKind::NotFound => Err(error),
        Err(_) => fs::copy(from, to).map(drop),
        Ok(()) => Ok(()),
    }
}
