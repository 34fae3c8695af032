//! Files on disk, looked up there on every request: several processes may share a directory, and whatever was stored is
//! there after a restart.
//!
//! ```text
//! files/AB/ABCD…/meta.json        what the file is; names its content
//!               /content          the bytes (content.NAME after an overwrite)
//! uploads/ID/…                    uploads in progress, see `uploads`
//! tmp/NAME/                       what is being written; a file appears by one rename of its whole directory
//! ```
//!
//! Handles are random and checked before they become part of a path; nothing else a client says ever does. Nothing is
//! synced: a killed process loses nothing, a power cut may.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::clock::{Clock, millis};
use super::dir::Dir;
use super::ids::{self, HANDLE_LENGTH};
use super::root::{Root, private_dir};

/// What is older than this and unfinished was left by a process that is gone.
const LEFTOVER_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// What is known about a file besides its bytes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Meta {
    /// Key of the application it belongs to; the first one's when unset or no longer known.
    #[serde(default)]
    pub app: Option<String>,
    /// Name given by whoever uploaded it: for showing, never for paths.
    pub filename: String,
    /// Type given at upload.
    pub mimetype: String,
    /// Bytes.
    pub size: u64,
    /// When it was uploaded, milliseconds since 1970.
    pub uploaded_ms: u64,
    /// When its content was last written.
    pub changed_ms: u64,
    /// Storage key: path, random prefix and name (§11.4).
    pub key: String,
    /// Storage location, such as `S3`.
    pub location: String,
    /// Bucket, when one was named.
    #[serde(default)]
    pub container: Option<String>,
    /// Where it was fetched from, if it was.
    #[serde(default)]
    pub source_url: Option<String>,
    /// Tags given at upload.
    #[serde(default)]
    pub upload_tags: Map<String, Value>,
    /// Random, new with each content: the ETag of delivery.
    pub version: String,
    /// File name of the content inside the file's directory.
    pub content: String,
}

impl Meta {
    /// A file as it is when nobody asked for anything special. `size` and content come when it is published.
    pub(super) fn new(filename: &str, mimetype: &str, path: Option<&str>, now: SystemTime) -> Self {
        Self {
            filename: filename.to_owned(),
            mimetype: mimetype.to_owned(),
            uploaded_ms: millis(now),
            changed_ms: millis(now),
            key: storage_key(path, filename),
            location: "S3".into(),
            ..Self::default()
        }
    }
}

/// §11.4: a path ending in `/` is a folder, another one is the key itself, none is the root folder.
pub(super) fn storage_key(path: Option<&str>, filename: &str) -> String {
    let name = || {
        let plain = |letter: char| {
            if letter.is_control() || "/\\".contains(letter) {
                '-'
            } else {
                letter
            }
        };
        format!(
            "{}_{}",
            ids::alphanumeric(20),
            filename.chars().map(plain).collect::<String>()
        )
    };
    match path.map(|path| path.trim_start_matches('/')) {
        None | Some("") => name(),
        Some(folder) if folder.ends_with('/') => format!("{folder}{}", name()),
        Some(key) => key.to_owned(),
    }
}

/// The files of an emulator's directory. Clones are the same store.
#[derive(Clone, Debug)]
pub struct Store {
    root: Arc<Root>,
    /// `files`, which everything about a file is done relative to.
    files: Arc<Dir>,
    /// Overwrites swap two files; one at a time leaves no content behind.
    swap: Arc<Mutex<()>>,
}

impl Store {
    /// Opens the directory, making it (readable by this user only) when it is not there.
    ///
    /// # Errors
    /// When the directory cannot be made.
    pub fn open(dir: impl Into<PathBuf>) -> io::Result<Self> {
        Self::in_root(Root::open(dir.into())?)
    }

    /// Makes the directory, which must not be there yet, and removes it with all that is in it when the last clone of
    /// this store goes.
    ///
    /// # Errors
    /// When the directory is there already or cannot be made.
    pub fn temporary(dir: impl Into<PathBuf>) -> io::Result<Self> {
        Self::in_root(Root::temporary(dir.into())?)
    }

    fn in_root(root: Root) -> io::Result<Self> {
        for part in ["files", "uploads", "tmp"] {
            private_dir(&root.path.join(part), true)?;
        }
        let files = Dir::open(&root.path.join("files"))?;
        Ok(Self {
            root: Arc::new(root),
            files: Arc::new(files),
            swap: Arc::default(),
        })
    }

    /// Stores bytes as a new file and returns its handle. `path` is a folder when it ends in `/`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn put(
        &self,
        bytes: &[u8],
        filename: &str,
        mimetype: &str,
        path: Option<&str>,
    ) -> io::Result<String> {
        let scratch = self.scratch()?;
        fs::write(scratch.content(), bytes)?;
        self.publish(
            scratch,
            Meta::new(filename, mimetype, path, Clock::default().now()),
        )
    }

    /// Stores bytes under a handle of the caller's choice, of the usual form: for data that must be the same every time.
    ///
    /// # Errors
    /// When the handle is none or has a file, or it cannot be written.
    pub fn put_as(
        &self,
        handle: &str,
        bytes: &[u8],
        filename: &str,
        mimetype: &str,
        path: Option<&str>,
    ) -> io::Result<()> {
        let scratch = self.scratch()?;
        fs::write(scratch.content(), bytes)?;
        self.publish_as(
            handle,
            scratch,
            Meta::new(filename, mimetype, path, Clock::default().now()),
        )
    }

    /// What is known about a file; `None` when there is no such file.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn get(&self, handle: &str) -> io::Result<Option<Meta>> {
        match self.entry(handle)? {
            Some(entry) => record(&entry),
            None => Ok(None),
        }
    }

    /// Whether there is such a file.
    pub fn exists(&self, handle: &str) -> bool {
        matches!(self.entry(handle), Ok(Some(entry)) if entry.file("meta.json").is_ok())
    }

    /// A file's bytes, all of them; for tests and small files.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn read(&self, handle: &str) -> io::Result<Option<Vec<u8>>> {
        let Some((_, mut file)) = self.content(handle)? else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        io::Read::read_to_end(&mut file, &mut bytes)?;
        Ok(Some(bytes))
    }

    /// Removes a file; `false` when there was none.
    ///
    /// # Errors
    /// When it is there and cannot be removed.
    pub fn delete(&self, handle: &str) -> io::Result<bool> {
        let Some(shard) = self.shard(handle)? else {
            return Ok(false);
        };
        let grave = self.root.path.join("tmp").join(ids::alphanumeric(HANDLE_LENGTH));
        // Gone for everybody at once; readers that have it open finish.
        if found(shard.give(handle, &grave))?.is_none() {
            return Ok(false);
        }
        if let Err(error) = fs::remove_dir_all(&grave) {
            log::warn!("emulator: a deleted file's bytes stay until the next start: {error}");
        }
        Ok(true)
    }

    /// How many files there are.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn len(&self) -> io::Result<usize> {
        self.handles().map(|handles| handles.len())
    }

    /// Whether there are no files.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn is_empty(&self) -> io::Result<bool> {
        self.len().map(|count| count == 0)
    }

    /// The handles of all files, in no order.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn handles(&self) -> io::Result<Vec<String>> {
        let mut handles = Vec::new();
        for shard in fs::read_dir(self.root.path.join("files"))? {
            let shard = shard?;
            // A link is no shard.
            if !shard.file_type()?.is_dir() {
                continue;
            }
            for file in fs::read_dir(shard.path())? {
                handles.extend(
                    file?
                        .file_name()
                        .into_string()
                        .ok()
                        .filter(|name| ids::is_handle(name)),
                );
            }
        }
        Ok(handles)
    }

    /// A file with its content open; what was opened stays whole through overwrite and delete.
    pub(super) fn content(&self, handle: &str) -> io::Result<Option<(Meta, File)>> {
        // An overwrite between the two reads takes the content away: look again, it is there under another name.
        for _ in 0..8 {
            let Some(entry) = self.entry(handle)? else {
                return Ok(None);
            };
            let Some(meta) = record(&entry)? else {
                return Ok(None);
            };
            if let Some(file) = found(entry.file(&meta.content))? {
                return Ok(Some((meta, file)));
            }
        }
        Err(io::Error::other("a file's content is not where its record says"))
    }

    /// Gives a file's content a second name, and copies it where that cannot be done; `false` when there is no such file.
    pub(super) fn link(&self, handle: &str, to: &Path) -> io::Result<bool> {
        let Some(dir) = self.dir(handle) else {
            return Ok(false);
        };
        // An overwrite between the two reads takes the content away: look again, it is there under another name.
        for _ in 0..8 {
            let Some(meta) = self.get(handle)? else {
                return Ok(false);
            };
            if found(super::archive::copy(&dir.join(&meta.content), to))?.is_some() {
                return Ok(true);
            }
        }
        Err(io::Error::other("a file's content is not where its record says"))
    }

    /// A place to write a new file or a new content.
    pub(super) fn scratch(&self) -> io::Result<Scratch> {
        let dir = self.root.path.join("tmp").join(ids::alphanumeric(HANDLE_LENGTH));
        fs::create_dir(&dir)?;
        Ok(Scratch { dir })
    }

    /// Makes what was written a file, all at once.
    pub(super) fn publish(&self, scratch: Scratch, meta: Meta) -> io::Result<String> {
        let handle = ids::alphanumeric(HANDLE_LENGTH);
        self.publish_as(&handle, scratch, meta)?;
        Ok(handle)
    }

    /// The same under a handle that is random and of the caller's choice.
    pub(super) fn publish_as(&self, handle: &str, scratch: Scratch, mut meta: Meta) -> io::Result<()> {
        if !ids::is_handle(handle) {
            return Err(ErrorKind::InvalidInput.into());
        }
        meta.size = fs::metadata(scratch.content())?.len();
        meta.content = "content".into();
        meta.version = ids::alphanumeric(HANDLE_LENGTH);
        fs::write(scratch.dir.join("meta.json"), serde_json::to_vec(&meta)?)?;
        // Over a file that is there this fails: a directory is not replaced by one with something in it.
        self.files.sub_or_new(&handle[..2])?.take(&scratch.dir, handle)
    }

    /// Gives a file new bytes, known by a version that is random; name and type stay (§5). `None` when there is no such file.
    pub(super) fn replace(
        &self,
        handle: &str,
        scratch: &Scratch,
        version: String,
        now: SystemTime,
    ) -> io::Result<Option<Meta>> {
        let _one = self.swap.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(entry) = self.entry(handle)? else {
            return Ok(None);
        };
        let Some(mut meta) = record(&entry)? else {
            return Ok(None);
        };
        let old = meta.content;
        meta.size = fs::metadata(scratch.content())?.len();
        meta.version = version;
        meta.content = format!("content.{}", meta.version);
        meta.changed_ms = millis(now);
        let new = scratch.dir.join("meta.json");
        fs::write(&new, serde_json::to_vec(&meta)?)?;
        // A delete in between moves the directory away, and what is in it goes: the file is gone then, not half there.
        if found(entry.take(&scratch.content(), &meta.content))?.is_none()
            || found(entry.take(&new, "meta.json"))?.is_none()
        {
            return Ok(None);
        }
        let _already_gone = entry.remove_file(&old);
        // The directory is still ours by its handle when it was moved away meanwhile.
        Ok(self.get(handle)?.map(|_| meta))
    }

    /// Removes what killed processes left half done.
    pub(super) fn sweep(&self) -> io::Result<()> {
        for place in ["tmp", "uploads"] {
            for entry in fs::read_dir(self.root.path.join(place))? {
                let path = entry?.path();
                let parts = fs::metadata(path.join("parts")).and_then(|parts| parts.modified());
                let own = fs::symlink_metadata(&path).and_then(|own| own.modified());
                let Ok(touched) = parts.or(own) else { continue };
                if touched.elapsed().is_ok_and(|age| age > LEFTOVER_AGE) {
                    fs::remove_dir_all(path)?;
                }
            }
        }
        Ok(())
    }

    /// The directory it is in.
    pub(super) fn root(&self) -> &Path {
        &self.root.path
    }

    pub(super) fn uploads(&self) -> PathBuf {
        self.root.path.join("uploads")
    }

    /// The directory of files with the same beginning, when there is one and the text is a handle.
    fn shard(&self, handle: &str) -> io::Result<Option<Dir>> {
        if !ids::is_handle(handle) {
            return Ok(None);
        }
        found(self.files.sub(&handle[..2]))
    }

    /// The directory of a file, when there is one.
    fn entry(&self, handle: &str) -> io::Result<Option<Dir>> {
        match self.shard(handle)? {
            Some(shard) => found(shard.sub(handle)),
            None => Ok(None),
        }
    }

    /// Where a file is, if the text is a handle.
    pub(super) fn dir(&self, handle: &str) -> Option<PathBuf> {
        ids::is_handle(handle).then(|| self.root.path.join("files").join(&handle[..2]).join(handle))
    }
}

/// A directory of its own for what is being written; removed unless it became a file.
#[derive(Debug)]
pub(super) struct Scratch {
    pub(super) dir: PathBuf,
}

impl Scratch {
    pub(super) fn content(&self) -> PathBuf {
        self.dir.join("content")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Not there any more once it was published.
        let _gone = fs::remove_dir_all(&self.dir);
    }
}

/// What is written down in a file's directory.
fn record(entry: &Dir) -> io::Result<Option<Meta>> {
    let Some(mut file) = found(entry.file("meta.json"))? else {
        return Ok(None);
    };
    let mut json = Vec::new();
    io::Read::read_to_end(&mut file, &mut json)?;
    let meta: Meta = serde_json::from_slice(&json)?;
    // It comes from disk, where a name with a slash could lead anywhere.
    let safe = meta
        .content
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'.');
    if safe && !meta.content.starts_with('.') {
        Ok(Some(meta))
    } else {
        Err(ErrorKind::InvalidData.into())
    }
}

/// `None` for what is not there.
pub(super) fn found<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
#[path = "tests/store.rs"]
mod tests;
