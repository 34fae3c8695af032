//! Webhooks (§7) on disk, as everything else: looked up there when they are sent or shown, so that only an index is in memory.
//!
//! ```text
//! webhooks/next                      the first number no event has
//!         /endpoints.json            endpoints registered while the emulator ran
//!         /records/EVENT-ENDPOINT.json   a webhook
//!                 /EVENT-ENDPOINT.held   one whose event has not happened yet
//! ```
//!
//! A record is replaced by a rename, never written to: a snapshot may share its bytes.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::book::Key;
use super::endpoint::Endpoint;
use super::record::{Proof, Webhook};
use crate::emulator::root::private_dir;
use crate::emulator::store::{Store, found};

/// The directory of webhooks. Who writes the same record twice at once takes turns.
#[derive(Debug)]
pub(super) struct Shelf {
    root: PathBuf,
}

impl Shelf {
    pub(super) fn open(root: PathBuf) -> io::Result<Self> {
        private_dir(&root.join("records"), true)?;
        Ok(Self { root })
    }

    pub(super) fn numbers(&self) -> PathBuf {
        self.root.join("next")
    }

    /// Who holds a lock on it sends what the last process left.
    pub(super) fn lock(&self) -> PathBuf {
        self.root.join("lock")
    }

    /// Shows every webhook, after settling what the last process left half done: an event that was about to happen did, or
    /// is forgotten.
    pub(super) fn recover(&self, store: &Store, mut each: impl FnMut(&Webhook)) -> io::Result<()> {
        let mut held = Vec::new();
        for entry in fs::read_dir(self.records())? {
            let path = entry?.path();
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("json") => {
                    if let Some(webhook) = usable(&path)? {
                        each(&webhook);
                    }
                }
                Some("held") => held.push(path),
                _ => fs::remove_file(path)?,
            }
        }
        for path in held {
            let Some(webhook) = usable(&path)? else { continue };
            if self.path(&Key::of(&webhook), "json").exists() || !has_happened(store, &webhook)? {
                fs::remove_file(path)?;
            } else {
                self.release(&webhook)?;
                each(&webhook);
            }
        }
        Ok(())
    }

    /// Writes one whose event is about to happen.
    pub(super) fn hold(&self, webhook: &Webhook) -> io::Result<()> {
        fs::write(self.path(&Key::of(webhook), "held"), serde_json::to_vec(webhook)?)
    }

    /// The event happened.
    pub(super) fn release(&self, webhook: &Webhook) -> io::Result<()> {
        let key = Key::of(webhook);
        fs::rename(self.path(&key, "held"), self.path(&key, "json"))
    }

    /// The event did not happen, or the record is there as well.
    pub(super) fn discard(&self, webhook: &Webhook) {
        // Not there when it was never written.
        let _gone = fs::remove_file(self.path(&Key::of(webhook), "held"));
    }

    pub(super) fn write(&self, webhook: &Webhook) -> io::Result<()> {
        let key = Key::of(webhook);
        let fresh = self.path(&key, "new");
        fs::write(&fresh, serde_json::to_vec(webhook)?)?;
        fs::rename(fresh, self.path(&key, "json"))
    }

    pub(super) fn read(&self, key: &Key) -> io::Result<Option<Webhook>> {
        let Some(json) = found(fs::read(self.path(key, "json")))? else {
            return Ok(None);
        };
        Ok(Some(serde_json::from_slice(&json)?))
    }

    pub(super) fn remove(&self, key: &Key) {
        if let Err(error) = found(fs::remove_file(self.path(key, "json"))) {
            log::warn!("emulator: an old webhook stays on disk: {error}");
        }
    }

    /// Removes every webhook whose event happened; one that is about to happen is told of.
    pub(super) fn clear(&self) -> io::Result<()> {
        for path in self.settled()? {
            found(fs::remove_file(path))?;
        }
        Ok(())
    }

    pub(super) fn endpoints(&self) -> io::Result<Vec<Endpoint>> {
        endpoints(&self.root)
    }

    pub(super) fn keep_endpoints(&self, endpoints: &[Endpoint]) -> io::Result<()> {
        keep_endpoints(&self.root, endpoints)
    }

    /// Copies every webhook and the endpoints into an empty directory.
    pub(super) fn export(&self, to: &Path, endpoints: &[Endpoint]) -> io::Result<()> {
        let records = to.join("records");
        private_dir(&records, true)?;
        keep_endpoints(to, endpoints)?;
        for path in self.settled()? {
            if let Some(name) = path.file_name() {
                found(copy(&path, &records.join(name)))?;
            }
        }
        Ok(())
    }

    fn settled(&self) -> io::Result<Vec<PathBuf>> {
        let mut paths = Vec::new();
        for entry in fs::read_dir(self.records())? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "json") {
                paths.push(path);
            }
        }
        Ok(paths)
    }

    fn records(&self) -> PathBuf {
        self.root.join("records")
    }

    fn path(&self, key: &Key, extension: &str) -> PathBuf {
        self.records().join(format!("{key}.{extension}"))
    }
}

/// What a snapshot has.
pub(in crate::emulator) struct Kept {
    pub(super) endpoints: Vec<Endpoint>,
    pub(super) webhooks: Vec<Webhook>,
}

impl Kept {
    /// Reads what [`Shelf::export`] wrote, all of it, so a damaged one changes nothing.
    pub(in crate::emulator) fn read(from: &Path) -> io::Result<Self> {
        let mut webhooks = Vec::new();
        // A snapshot of an older version has none.
        for entry in found(fs::read_dir(from.join("records")))?.into_iter().flatten() {
            let path = entry?.path();
            // It was on disk where a symbolic link could have taken its place (U19).
            if !fs::symlink_metadata(&path)?.is_file() {
                return Err(ErrorKind::InvalidData.into());
            }
            let webhook: Webhook = serde_json::from_slice(&fs::read(&path)?)?;
            if !is_named(&path, &webhook) {
                return Err(ErrorKind::InvalidData.into());
            }
            webhooks.push(webhook);
        }
        Ok(Self {
            endpoints: endpoints(from)?,
            webhooks,
        })
    }
}

/// Whether a record is where its own words put it; only then do they become part of a path.
fn is_named(path: &Path, webhook: &Webhook) -> bool {
    path.file_stem().and_then(|stem| stem.to_str()) == Some(&webhook.id())
        && Key::parse(&webhook.id()).is_some()
}

/// A record; one that cannot be read is removed, so that it does not keep the emulator from starting.
fn usable(path: &Path) -> io::Result<Option<Webhook>> {
    let webhook = serde_json::from_slice::<Webhook>(&fs::read(path)?).ok();
    let webhook = webhook.filter(|webhook| is_named(path, webhook));
    if webhook.is_none() {
        log::warn!("emulator: a damaged webhook was removed: {}", path.display());
        fs::remove_file(path)?;
    }
    Ok(webhook)
}

fn has_happened(store: &Store, webhook: &Webhook) -> io::Result<bool> {
    Ok(match &webhook.proof {
        None => true,
        Some(Proof::Stored(handle)) => store.exists(handle),
        Some(Proof::Gone(handle)) => !store.exists(handle),
        Some(Proof::Version(handle, version)) => {
            store.get(handle)?.is_some_and(|meta| meta.version == *version)
        }
    })
}

fn endpoints(root: &Path) -> io::Result<Vec<Endpoint>> {
    let Some(json) = found(fs::read(root.join("endpoints.json")))? else {
        return Ok(Vec::new());
    };
    let endpoints: Vec<Endpoint> = serde_json::from_slice(&json)?;
    // What was edited by hand is held to the same rules.
    let checked = endpoints.into_iter().map(|endpoint| {
        let same = Endpoint::new(&endpoint.url, &endpoint.secret)?.named(&endpoint.id)?;
        Ok(Endpoint {
            app: endpoint.app,
            ..same
        })
    });
    checked
        .collect::<Result<_, String>>()
        .map_err(|problem| io::Error::new(ErrorKind::InvalidData, format!("endpoints.json: {problem}")))
}

fn keep_endpoints(root: &Path, endpoints: &[Endpoint]) -> io::Result<()> {
    let fresh = root.join("endpoints.new");
    fs::write(&fresh, serde_json::to_vec(endpoints)?)?;
    fs::rename(fresh, root.join("endpoints.json"))
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(from, to) {
        Err(error) if error.kind() == ErrorKind::NotFound => Err(error),
        Err(_) => fs::copy(from, to).map(drop),
        Ok(()) => Ok(()),
    }
}
