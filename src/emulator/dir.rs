//! Directories by handle: what is in one is opened, made and moved relative to it and through no symbolic link (U19). Whoever
//! can put a link into the emulator's directory must not make it read or write what is elsewhere.

use std::fs::File;
use std::io;
use std::path::Path;

/// A directory that is open.
#[derive(Debug)]
pub(super) struct Dir(imp::Handle);

impl Dir {
    /// Opens a directory that whoever started the emulator named: the last step is no link.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        imp::open(path).map(Self)
    }

    /// A directory in it.
    pub(super) fn sub(&self, name: &str) -> io::Result<Self> {
        imp::sub(&self.0, name).map(Self)
    }

    /// The same, made for its owner only when it is not there.
    pub(super) fn sub_or_new(&self, name: &str) -> io::Result<Self> {
        match imp::make(&self.0, name) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => self.sub(name),
        }
    }

    /// A file in it, to be read; nothing but a regular one is opened.
    pub(super) fn file(&self, name: &str) -> io::Result<File> {
        regular(imp::file(&self.0, name)?)
    }

    /// Moves a path into it under this name.
    pub(super) fn take(&self, from: &Path, name: &str) -> io::Result<()> {
        imp::take(&self.0, from, name)
    }

    /// Moves what has this name in it, whatever that is, to a path.
    pub(super) fn give(&self, name: &str, to: &Path) -> io::Result<()> {
        imp::give(&self.0, name, to)
    }

    /// Removes a file in it.
    pub(super) fn remove_file(&self, name: &str) -> io::Result<()> {
        imp::remove_file(&self.0, name)
    }
}

/// Opens a file to be read when its path's last step is no link.
pub(super) fn open_file(path: &Path) -> io::Result<File> {
    regular(imp::open_file(path)?)
}

/// Opens a file to be written, made when it is not there, when its path's last step is no link.
pub(super) fn open_file_to_write(path: &Path) -> io::Result<File> {
    regular(imp::open_file_to_write(path)?)
}

fn regular(file: File) -> io::Result<File> {
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::ErrorKind::InvalidData.into())
    }
}

#[cfg(unix)]
mod imp {
    use std::fs::File;
    use std::io;
    use std::os::fd::OwnedFd;
    use std::path::Path;

    use rustix::fs::{AtFlags, CWD, Mode, OFlags, mkdirat, openat, renameat, unlinkat};

    pub(super) type Handle = OwnedFd;

    const DIRECTORY: OFlags = OFlags::RDONLY
        .union(OFlags::DIRECTORY)
        .union(OFlags::NOFOLLOW)
        .union(OFlags::CLOEXEC);
    // A pipe of this name would be waited for.
    const FILE: OFlags = OFlags::RDONLY
        .union(OFlags::NONBLOCK)
        .union(OFlags::NOFOLLOW)
        .union(OFlags::CLOEXEC);

    pub(super) fn open(path: &Path) -> io::Result<Handle> {
        Ok(openat(CWD, path, DIRECTORY, Mode::empty())?)
    }

    pub(super) fn sub(dir: &Handle, name: &str) -> io::Result<Handle> {
        Ok(openat(dir, name, DIRECTORY, Mode::empty())?)
    }

    pub(super) fn make(dir: &Handle, name: &str) -> io::Result<()> {
        Ok(mkdirat(dir, name, Mode::RWXU)?)
    }

    pub(super) fn file(dir: &Handle, name: &str) -> io::Result<File> {
        Ok(openat(dir, name, FILE, Mode::empty())?.into())
    }

    pub(super) fn take(dir: &Handle, from: &Path, name: &str) -> io::Result<()> {
        Ok(renameat(CWD, from, dir, name)?)
    }

    pub(super) fn give(dir: &Handle, name: &str, to: &Path) -> io::Result<()> {
        Ok(renameat(dir, name, CWD, to)?)
    }

    pub(super) fn remove_file(dir: &Handle, name: &str) -> io::Result<()> {
        Ok(unlinkat(dir, name, AtFlags::empty())?)
    }

    pub(super) fn open_file(path: &Path) -> io::Result<File> {
        Ok(openat(CWD, path, FILE, Mode::empty())?.into())
    }

    pub(super) fn open_file_to_write(path: &Path) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(openat(CWD, path, flags, Mode::RUSR | Mode::WUSR)?.into())
    }
}

/// Elsewhere there are no such handles: links are looked for before.
#[cfg(not(unix))]
mod imp {
    use std::fs::{self, File};
    use std::io;
    use std::path::{Path, PathBuf};

    pub(super) type Handle = PathBuf;

    pub(super) fn open(path: &Path) -> io::Result<Handle> {
        if fs::symlink_metadata(path)?.is_dir() {
            Ok(path.to_owned())
        } else {
            Err(io::ErrorKind::InvalidData.into())
        }
    }

    pub(super) fn sub(dir: &Handle, name: &str) -> io::Result<Handle> {
        open(&dir.join(name))
    }

    pub(super) fn make(dir: &Handle, name: &str) -> io::Result<()> {
        fs::create_dir(dir.join(name))
    }

    pub(super) fn file(dir: &Handle, name: &str) -> io::Result<File> {
        open_file(&dir.join(name))
    }

    pub(super) fn take(dir: &Handle, from: &Path, name: &str) -> io::Result<()> {
        fs::rename(from, dir.join(name))
    }

    pub(super) fn give(dir: &Handle, name: &str, to: &Path) -> io::Result<()> {
        fs::rename(dir.join(name), to)
    }

    pub(super) fn remove_file(dir: &Handle, name: &str) -> io::Result<()> {
        fs::remove_file(dir.join(name))
    }

    pub(super) fn open_file(path: &Path) -> io::Result<File> {
        if fs::symlink_metadata(path)?.is_file() {
            File::open(path)
        } else {
            Err(io::ErrorKind::InvalidData.into())
        }
    }

    pub(super) fn open_file_to_write(path: &Path) -> io::Result<File> {
        let is_link = fs::symlink_metadata(path).is_ok_and(|found| !found.is_file());
        if is_link {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut options = File::options();
        options.create(true).truncate(false).write(true).open(path)
    }
}
