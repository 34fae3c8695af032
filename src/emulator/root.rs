//! The directory an emulator lives in, kept or removed at the end.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A directory readable by this user only.
#[derive(Debug)]
pub(super) struct Root {
    pub(super) path: PathBuf,
    temporary: bool,
}

impl Root {
    /// One that stays; made when it is not there.
    pub(super) fn open(path: PathBuf) -> io::Result<Self> {
        private_dir(&path, true)?;
        Ok(Self {
            path,
            temporary: false,
        })
    }

    /// One that goes. It must not be there yet: nothing is removed that was not made here.
    pub(super) fn temporary(path: PathBuf) -> io::Result<Self> {
        private_dir(&path, false)?;
        Ok(Self {
            path,
            temporary: true,
        })
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        if self.temporary
            && let Err(error) = fs::remove_dir_all(&self.path)
            && error.kind() != io::ErrorKind::NotFound
        {
            let path = self.path.display();
            log::warn!("emulator: temporary files stay in {path}: {error}");
        }
    }
}

/// Makes a directory that only this user can read; with `or_there`, one that is there will do.
pub(super) fn private_dir(path: &Path, or_there: bool) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(or_there);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}
