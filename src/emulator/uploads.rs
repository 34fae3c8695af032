//! Uploads in progress, on disk like everything else.
//!
//! ```text
//! uploads/ID/start.json             what /multipart/start was told
//!           /parts/00001/000…-MD5   a part, or a chunk of one: its offset and the MD5 of its bytes
//!                       /000…-MD5.SIZE.AT   the same, and empty: the bytes are in the upload's one file, at AT (see `slots`)
//!           /committed/00001        the part is complete (intelligent ingestion, §3.6)
//! ```
//!
//! A part becomes visible by a rename, with its MD5 in its name, so there is no record that could disagree with it.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::dir::{Dir, open_file};
use super::ids;
use super::slots::{self, Slot};
use super::store::{Scratch, Store, found};

/// §11.3.
pub(super) const MAX_PARTS: u64 = 10_000;

/// What an upload said about itself at its start; later calls do not change it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Start {
    pub app: String,
    pub filename: String,
    pub mimetype: String,
    pub size: u64,
    pub location: String,
    pub path: Option<String>,
    pub container: Option<String>,
    pub region: String,
    /// Intelligent ingestion was granted.
    pub intelligent: bool,
    pub uri: String,
    /// Ids of workflows to run on the file; the complete call may name others.
    #[serde(default)]
    pub workflows: Vec<String>,
}

/// Why an upload cannot be completed (now).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Incomplete {
    /// Another request is completing it.
    Busy,
    /// Intelligent ingestion: parts are not committed yet.
    Uncommitted,
    /// It is wrong and stays so.
    Wrong(String),
}

/// Where the bytes of a part are written.
#[derive(Debug)]
pub(super) enum Place {
    /// A file of their own.
    Own(Scratch),
    /// Their slot in the upload's one file.
    Slot(Slot),
}

/// Uploads in progress in a store's directory.
#[derive(Clone, Debug)]
pub(super) struct Uploads {
    store: Store,
    root: PathBuf,
    busy: Arc<Mutex<HashSet<String>>>,
    /// A part that is sent again replaces its predecessor; one at a time, so that one of them stays.
    swap: Arc<Mutex<()>>,
}

impl Uploads {
    pub(super) fn new(store: Store) -> Self {
        Self {
            root: store.uploads(),
            store,
            busy: Arc::default(),
            swap: Arc::default(),
        }
    }

    pub(super) fn begin(&self, id: &str, start: &Start) -> io::Result<()> {
        let scratch = self.store.scratch()?;
        fs::create_dir(scratch.dir.join("parts"))?;
        fs::create_dir(scratch.dir.join("committed"))?;
        fs::write(scratch.dir.join("start.json"), serde_json::to_vec(start)?)?;
        fs::rename(&scratch.dir, self.root.join(id))
    }

    /// The upload's start; `None` for one that never was, is complete or was swept.
    pub(super) fn find(&self, id: &str) -> io::Result<Option<Start>> {
        if !ids::is_upload(id) {
            return Ok(None);
        }
        let Some(upload) = found(Dir::open(&self.root.join(id)))? else {
            return Ok(None);
        };
        let Some(mut file) = found(upload.file("start.json"))? else {
            return Ok(None);
        };
        let mut json = Vec::new();
        file.read_to_end(&mut json)?;
        Ok(Some(serde_json::from_slice(&json)?))
    }

    /// Fixes what size parts have, as far as anybody can know: that of the first one.
    pub(super) fn expect_parts_of(&self, id: &str, start: &Start, first: u64) -> io::Result<()> {
        if start.intelligent || first == 0 || first >= start.size {
            return Ok(());
        }
        slots::lay(&self.root.join(id), first)
    }

    /// Opens the place for the bytes of a part.
    pub(super) fn place(&self, id: &str, part: u64, offset: u64, size: u64) -> io::Result<(File, Place)> {
        if let Some(start) = self.find(id)?.filter(|start| !start.intelligent && offset == 0)
            && let Some((file, slot)) = Slot::take(&self.root.join(id), part, size, start.size)?
        {
            return Ok((file, Place::Slot(slot)));
        }
        let scratch = self.store.scratch()?;
        Ok((File::create_new(scratch.content())?, Place::Own(scratch)))
    }

    /// Takes the bytes of a part that were written to their place; `false` when the upload is gone.
    pub(super) fn keep(&self, id: &str, part: u64, offset: u64, md5: &str, bytes: Place) -> io::Result<bool> {
        let dir = self.part(id, part);
        let _one = self.swap.lock().unwrap_or_else(PoisonError::into_inner);
        if self.find(id)?.is_none() {
            return Ok(false);
        }
        fs::create_dir_all(&dir)?;
        let name = format!("{offset:015}-{md5}");
        let path = match bytes {
            Place::Own(scratch) => {
                let path = dir.join(name);
                fs::rename(scratch.content(), &path)?;
                path
            }
            Place::Slot(slot) => {
                let path = dir.join(format!("{name}.{}.{}", slot.size, slot.at));
                File::create(&path)?;
                slot.keep();
                path
            }
        };
        for chunk in chunks(&dir)? {
            if chunk.offset == offset && chunk.path != path {
                fs::remove_file(chunk.path)?;
            }
        }
        Ok(true)
    }

    /// Marks a part as whole. Its chunks must follow each other without gap.
    pub(super) fn commit(&self, id: &str, part: u64) -> io::Result<Result<(), String>> {
        let dir = self.part(id, part);
        let chunks = chunks(&dir)?;
        if chunks.is_empty() {
            return Ok(Err(format!("part {part} has no bytes")));
        }
        if let Err(problem) = contiguous(part, &chunks) {
            return Ok(Err(problem));
        }
        File::create(self.root.join(id).join("committed").join(format!("{part:05}")))?;
        Ok(Ok(()))
    }

    /// Puts the parts together; the result still has to be published, and [`Uploads::forget`] called.
    ///
    /// `listed` are part numbers and ETags as the client names them; parts but the last may not be smaller than
    /// `smallest_part`.
    pub(super) fn assemble(
        &self,
        id: &str,
        start: &Start,
        listed: &[(u64, String)],
        smallest_part: u64,
    ) -> io::Result<Result<Scratch, Incomplete>> {
        let parts = match self.parts(id, start, listed)? {
            Ok(parts) => parts,
            Err(problem) => return Ok(Err(problem)),
        };
        let sum: u64 = parts.iter().map(|chunk| chunk.size).sum();
        if sum != start.size {
            if start.intelligent && listed.is_empty() && sum < start.size {
                return Ok(Err(Incomplete::Uncommitted));
            }
            let text = format!("parts add up to {sum} bytes, size is {}", start.size);
            return Ok(Err(Incomplete::Wrong(text)));
        }
        if !start.intelligent && parts.iter().rev().skip(1).any(|part| part.size < smallest_part) {
            let text = format!("every part but the last has at least {smallest_part} bytes");
            return Ok(Err(Incomplete::Wrong(text)));
        }
        let scratch = self.store.scratch()?;
        match parts.as_slice() {
            // A second name for the same bytes costs nothing, and the part is still there if we die now.
            [only] if only.at.is_none() => fs::hard_link(&only.path, scratch.content())?,
            several if are_in_slots(several) => {
                let whole = slots::whole(&self.root.join(id));
                if fs::metadata(&whole)?.len() != start.size {
                    return Err(io::Error::other(
                        "an upload's parts are not where they were written",
                    ));
                }
                fs::hard_link(whole, scratch.content())?;
            }
            several => {
                let mut whole = File::create(scratch.content())?;
                for part in several {
                    part.copy(&slots::whole(&self.root.join(id)), &mut whole)?;
                }
            }
        }
        Ok(Ok(scratch))
    }

    /// The bytes of the upload in order. With intelligent ingestion committed parts need not be listed.
    fn parts(
        &self,
        id: &str,
        start: &Start,
        listed: &[(u64, String)],
    ) -> io::Result<Result<Vec<Chunk>, Incomplete>> {
        let mut all = BTreeMap::new();
        for (number, etag) in listed {
            let chunks = chunks(&self.part(id, *number))?;
            let wanted = etag
                .strip_prefix('"')
                .and_then(|tag| tag.strip_suffix('"'))
                .unwrap_or(etag);
            let problem = match chunks.as_slice() {
                [] => format!("part {number} was not uploaded"),
                [one] if one.offset == 0 && one.md5 == wanted => String::new(),
                _ => format!("part {number} has another ETag"),
            };
            if !problem.is_empty() {
                return Ok(Err(Incomplete::Wrong(problem)));
            }
            if all.insert(*number, chunks).is_some() {
                return Ok(Err(Incomplete::Wrong(format!("part {number} is listed twice"))));
            }
        }
        if start.intelligent {
            for entry in fs::read_dir(self.root.join(id).join("parts"))? {
                let Some(number) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else {
                    continue;
                };
                if all.contains_key(&number) {
                    continue;
                }
                if !self
                    .root
                    .join(id)
                    .join("committed")
                    .join(format!("{number:05}"))
                    .exists()
                {
                    return Ok(Err(Incomplete::Uncommitted));
                }
                let chunks = chunks(&self.part(id, number))?;
                if let Err(problem) = contiguous(number, &chunks) {
                    return Ok(Err(Incomplete::Wrong(problem)));
                }
                all.insert(number, chunks);
            }
        }
        Ok(Ok(all.into_values().flatten().collect()))
    }

    /// Removes an upload with all its parts.
    pub(super) fn forget(&self, id: &str) -> io::Result<()> {
        let grave = self.store.scratch()?;
        // Renamed first: an upload is there or not, never half. Removing ten thousand parts is for later, when nobody
        // waits for the lock.
        let _one = self.swap.lock().unwrap_or_else(PoisonError::into_inner);
        found(fs::rename(self.root.join(id), grave.dir.join("upload"))).map(drop)
    }

    /// Holds an upload for one completing request; `None` while another holds it.
    pub(super) fn hold(&self, id: &str) -> Option<Hold> {
        let mut busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        busy.insert(id.to_owned()).then(|| Hold {
            id: id.to_owned(),
            busy: self.busy.clone(),
        })
    }

    fn part(&self, id: &str, part: u64) -> PathBuf {
        self.root.join(id).join("parts").join(format!("{part:05}"))
    }
}

/// See [`Uploads::hold`].
pub(super) struct Hold {
    id: String,
    busy: Arc<Mutex<HashSet<String>>>,
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.busy
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.id);
    }
}

struct Chunk {
    offset: u64,
    md5: String,
    size: u64,
    /// Where in the upload's one file its bytes are, if they are there.
    at: Option<u64>,
    path: PathBuf,
}

impl Chunk {
    fn copy(&self, whole: &Path, to: &mut File) -> io::Result<()> {
        let Some(at) = self.at else {
            return io::copy(&mut open_file(&self.path)?, to).map(drop);
        };
        let mut slot = open_file(whole)?;
        slot.seek(SeekFrom::Start(at))?;
        io::copy(&mut slot.take(self.size), to).map(drop)
    }
}

/// Whether there are parts and they lie in their slots one after the other, from the first byte.
fn are_in_slots(parts: &[Chunk]) -> bool {
    let mut end = 0;
    !parts.is_empty()
        && parts.iter().all(|part| {
            let is_next = part.at == Some(end);
            end += part.size;
            is_next
        })
}

/// A part's chunks by offset; none when there is no such part.
fn chunks(dir: &Path) -> io::Result<Vec<Chunk>> {
    let Some(entries) = found(fs::read_dir(dir))? else {
        return Ok(Vec::new());
    };
    let mut chunks = Vec::new();
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let Some((offset, rest)) = name.to_str().and_then(|name| name.split_once('-')) else {
            continue;
        };
        let Ok(offset) = offset.parse() else { continue };
        let mut rest = rest.split('.');
        let md5 = rest.next().unwrap_or_default().to_owned();
        let mut number = || rest.next()?.parse().ok();
        let (size, at) = match number() {
            Some(size) => (size, number()),
            None => (entry.metadata()?.len(), None),
        };
        chunks.push(Chunk {
            offset,
            md5,
            size,
            at,
            path: entry.path(),
        });
    }
    chunks.sort_by_key(|chunk| chunk.offset);
    Ok(chunks)
}

fn contiguous(part: u64, chunks: &[Chunk]) -> Result<(), String> {
    let mut end = 0;
    for chunk in chunks {
        if chunk.offset != end {
            return Err(format!("part {part} has a gap or an overlap at byte {end}"));
        }
        end += chunk.size;
    }
    Ok(())
}

/// Tags of §11.3: at most ten, short keys, short text values.
pub(super) fn tags(value: Option<&Value>) -> Result<Map<String, Value>, &'static str> {
    let Some(value) = value.filter(|value| !value.is_null()) else {
        return Ok(Map::new());
    };
    let tags = value.as_object().ok_or("upload_tags is not an object")?;
    let short = |(key, value): (&String, &Value)| {
        key.chars().count() <= 128 && value.as_str().is_some_and(|text| text.chars().count() <= 256)
    };
    if tags.len() > 10 || !tags.iter().all(short) {
        return Err("upload_tags are at most 10, keys of 128 and values of 256 characters");
    }
    Ok(tags.clone())
}
