//! What is known of a run (§6.7, §8), on disk.
//!
//! ```text
//! runs/all/ID/record.json    everything but the bytes
//!            /source         what it works on, until it has ended
//!            /HASH           what its steps made
//!            /lock           held while it is carried out
//! runs/open/ID               there is still something to do; empty
//! ```
//!
//! A run appears by one rename of its whole directory, and its record changes by one rename of a file.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::emulator::dir::open_file;
use crate::emulator::root::private_dir;
use crate::emulator::store::{Scratch, Store, found};
use crate::emulator::transform::Video;
use crate::emulator::workflows::{Made, Workflow};

/// One run of a workflow or one conversion of a film.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::emulator) struct Run {
    pub id: String,
    /// Key of the application.
    pub app: String,
    /// Scheme and authority that who began it reached us by.
    pub base: String,
    /// Handle or URL.
    pub source: String,
    pub filename: String,
    pub mimetype: String,
    pub created_ms: u64,
    pub changed_ms: u64,
    /// When it ends.
    pub due_ms: u64,
    pub state: State,
    pub work: Work,
    /// Handles for the files it will store: chosen before, so that carrying it out twice stores them once.
    pub handles: Vec<String>,
    /// What came out, with URLs that begin with `/`; null until it has ended.
    pub outcome: Value,
    pub made: Vec<Made>,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::emulator) enum State {
    /// Its file is being stored: it begins with it, or never.
    Reserved,
    Started,
    /// It has ended, and nobody has been told.
    Ended,
    Told,
}

/// What it does.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::emulator) enum Work {
    Workflow(Workflow),
    Video(Box<Video>),
}

/// The runs of a store's directory.
#[derive(Clone, Debug)]
pub(super) struct Records {
    store: Store,
}

impl Records {
    pub(super) fn open(store: &Store) -> io::Result<Self> {
        let records = Self { store: store.clone() };
        private_dir(&records.root(), true)?;
        private_dir(&records.root().join("all"), true)?;
        private_dir(&records.root().join("open"), true)?;
        Ok(records)
    }

    /// Makes a run known that works on the content in a scratch place, if it has its content already; `false` when one with
    /// its id is there.
    pub(super) fn begin(&self, run: &Run, scratch: Scratch) -> io::Result<bool> {
        let dir = self.dir(&run.id).ok_or(ErrorKind::InvalidInput)?;
        if dir.exists() {
            return Ok(false);
        }
        fs::write(scratch.dir.join("record.json"), serde_json::to_vec(run)?)?;
        // The mark first: a run without one would never end.
        File::create(self.mark(&run.id))?;
        match fs::rename(&scratch.dir, &dir) {
            Ok(()) => Ok(true),
            // Somebody else was faster.
            Err(_) if dir.exists() => Ok(false),
            Err(error) => Err(error),
        }
    }

    pub(super) fn read(&self, id: &str) -> io::Result<Option<Run>> {
        let Some(dir) = self.dir(id) else { return Ok(None) };
        let json = found(fs::read(dir.join("record.json")))?;
        Ok(json.map(|json| serde_json::from_slice(&json)).transpose()?)
    }

    pub(super) fn write(&self, run: &Run) -> io::Result<()> {
        let dir = self.dir(&run.id).ok_or(ErrorKind::InvalidInput)?;
        let new = dir.join("record.new");
        fs::write(&new, serde_json::to_vec(run)?)?;
        fs::rename(new, dir.join("record.json"))
    }

    /// Nothing is left to do: the mark goes, and what it worked on.
    pub(super) fn close(&self, id: &str) -> io::Result<()> {
        if let Some(dir) = self.dir(id) {
            found(fs::remove_file(dir.join("source")))?;
            found(fs::remove_file(self.mark(id)))?;
        }
        Ok(())
    }

    /// Takes a run away with all it made.
    pub(super) fn remove(&self, id: &str) -> io::Result<()> {
        if let Some(dir) = self.dir(id) {
            let grave = self.store.scratch()?;
            found(fs::rename(dir, grave.dir.join("run")))?;
            found(fs::remove_file(self.mark(id)))?;
        }
        Ok(())
    }

    /// Ids of the runs with something left to do.
    pub(super) fn unfinished(&self) -> io::Result<Vec<String>> {
        names(&self.root().join("open"))
    }

    pub(super) fn all(&self) -> io::Result<Vec<String>> {
        names(&self.root().join("all"))
    }

    /// Holds a run for whoever carries it out, in this process or another one; `None` when it is gone.
    pub(super) fn hold(&self, id: &str) -> io::Result<Option<File>> {
        let Some(dir) = self.dir(id) else { return Ok(None) };
        let mut options = File::options();
        let file = found(options.append(true).create(true).open(dir.join("lock")))?;
        if let Some(file) = &file {
            file.lock()?;
        }
        Ok(file)
    }

    /// What one of its steps made, open, if there is such a file.
    pub(super) fn made(&self, run: &Run, hash: &str) -> io::Result<Option<(Made, File)>> {
        let Some(made) = run.made.iter().find(|made| made.hash == hash) else {
            return Ok(None);
        };
        let Some(dir) = self.dir(&run.id) else {
            return Ok(None);
        };
        Ok(found(open_file(&dir.join(&made.hash)))?.map(|file| (made.clone(), file)))
    }

    /// Takes every run away.
    pub(super) fn clear(&self) -> io::Result<()> {
        for id in self.all()? {
            self.remove(&id)?;
        }
        for id in self.unfinished()? {
            found(fs::remove_file(self.mark(&id)))?;
        }
        Ok(())
    }

    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    pub(super) fn root(&self) -> PathBuf {
        self.store.root().join("runs")
    }

    /// Where a run is, if the text is an id of one: only such text becomes part of a path.
    pub(super) fn dir(&self, id: &str) -> Option<PathBuf> {
        is_id(id).then(|| self.root().join("all").join(id))
    }

    fn mark(&self, id: &str) -> PathBuf {
        self.root().join("open").join(id)
    }
}

fn names(dir: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(dir)? {
        names.extend(entry?.file_name().into_string().ok().filter(|name| is_id(name)));
    }
    Ok(names)
}

/// A UUID with its dashes (a workflow's run), or 32 hex digits (a conversion).
pub(super) fn is_id(text: &str) -> bool {
    let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    match text.len() {
        32 => text.bytes().all(hex),
        36 => text.bytes().enumerate().all(|(at, byte)| {
            if [8, 13, 18, 23].contains(&at) {
                byte == b'-'
            } else {
                hex(byte)
            }
        }),
        _ => false,
    }
}
