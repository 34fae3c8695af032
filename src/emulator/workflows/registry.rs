//! The workflows an emulator knows (§8): one of every application, those it was started with, and those that came while it ran,
//! which are kept in `workflows.json` and stay until a reset.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Workflow;
use crate::emulator::apps::Apps;
use crate::emulator::store::{Store, found};

/// Workflows that may be added while it runs.
const MAX_ADDED: usize = 200;

/// The workflows of a running emulator. Clones are the same ones.
#[derive(Clone, Debug)]
pub struct Workflows(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    /// Those of the start, each with its application.
    own: Vec<Workflow>,
    /// Key of the first application.
    first: String,
    keys: Vec<String>,
    added: Mutex<Vec<Workflow>>,
}

impl Workflows {
    /// Those of the applications and of the start, and what the last process was told of.
    ///
    /// # Errors
    /// `InvalidInput` when one belongs to an unknown application or two have the same id.
    pub(in crate::emulator) fn open(store: &Store, apps: &Apps, configured: &[Workflow]) -> io::Result<Self> {
        let first = apps.owner(None).key.clone();
        let keys: Vec<String> = apps.iter().map(|app| app.key.clone()).collect();
        let mut own: Vec<Workflow> = keys.iter().map(|key| Workflow::usual(key)).collect();
        for workflow in configured {
            let workflow = owned(workflow.clone(), &first, &keys)?;
            if own.iter().any(|other| other.id == workflow.id) {
                return Err(invalid(format!("The workflow {} is named twice", workflow.id)));
            }
            own.push(workflow);
        }
        let kept = read(&store.root().join("workflows.json"))?;
        Ok(Self(Arc::new(Inner {
            store: store.clone(),
            own,
            first,
            keys,
            added: Mutex::new(kept),
        })))
    }

    /// All of them.
    pub fn all(&self) -> Vec<Workflow> {
        let added = self.added();
        let is_own = |workflow: &&Workflow| self.0.own.iter().any(|own| own.id == workflow.id);
        let news = added.iter().filter(|workflow| !is_own(workflow));
        self.0.own.iter().chain(news).cloned().collect()
    }

    /// Ids of those that came while it ran.
    pub(in crate::emulator) fn added_ids(&self) -> Vec<String> {
        self.added().iter().map(|workflow| workflow.id.clone()).collect()
    }

    /// One of an application's; another one's is as if it were not there.
    pub fn find(&self, app: &str, id: &str) -> Option<Workflow> {
        let is_it = |workflow: &Workflow| workflow.id == id && workflow.app.as_deref() == Some(app);
        self.all().into_iter().find(is_it)
    }

    /// Adds a workflow, in place of an added one with its id.
    ///
    /// # Errors
    /// `InvalidInput` when its id is that of one from the start, its application is not known or 200 were added; otherwise
    /// when it cannot be written.
    pub fn add(&self, workflow: Workflow) -> io::Result<Workflow> {
        let workflow = owned(workflow, &self.0.first, &self.0.keys)?;
        if self.0.own.iter().any(|own| own.id == workflow.id) {
            return Err(invalid(format!(
                "The workflow {} is there from the start and stays as it is",
                workflow.id
            )));
        }
        let mut added = self.added();
        let mut new = added.clone();
        new.retain(|other| other.id != workflow.id);
        if new.len() >= MAX_ADDED {
            return Err(invalid(format!(
                "{MAX_ADDED} workflows were added: remove one first"
            )));
        }
        new.push(workflow.clone());
        self.write(&new)?;
        *added = new;
        Ok(workflow)
    }

    /// Removes an added workflow; `false` when there is none with this id. Runs of it go on.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn remove(&self, id: &str) -> io::Result<bool> {
        let mut added = self.added();
        let mut new = added.clone();
        new.retain(|workflow| workflow.id != id);
        if new.len() == added.len() {
            return Ok(false);
        }
        self.write(&new)?;
        *added = new;
        Ok(true)
    }

    /// Forgets what was added.
    pub(in crate::emulator) fn clear(&self) -> io::Result<()> {
        let mut added = self.added();
        self.write(&[])?;
        added.clear();
        Ok(())
    }

    /// Keeps what was added in a snapshot's directory.
    pub(in crate::emulator) fn export(&self, to: &Path) -> io::Result<()> {
        fs::write(to.join("workflows.json"), serde_json::to_vec(&*self.added())?)
    }

    /// Takes over what a snapshot has, in place of what was added. One without the file has none.
    pub(in crate::emulator) fn import(&self, from: &Path) -> io::Result<()> {
        let kept = read(&from.join("workflows.json"))?;
        let mut added = self.added();
        self.write(&kept)?;
        *added = kept;
        Ok(())
    }

    fn write(&self, workflows: &[Workflow]) -> io::Result<()> {
        let scratch = self.0.store.scratch()?;
        fs::write(scratch.content(), serde_json::to_vec(workflows)?)?;
        fs::rename(scratch.content(), self.path())
    }

    fn path(&self) -> PathBuf {
        self.0.store.root().join("workflows.json")
    }

    fn added(&self) -> MutexGuard<'_, Vec<Workflow>> {
        self.0.added.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(path: &Path) -> io::Result<Vec<Workflow>> {
    match found(fs::read(path))? {
        Some(json) => Ok(serde_json::from_slice(&json)?),
        None => Ok(Vec::new()),
    }
}

fn owned(workflow: Workflow, first: &str, keys: &[String]) -> io::Result<Workflow> {
    let key = workflow.app.clone().unwrap_or_else(|| first.to_owned());
    if keys.contains(&key) {
        Ok(workflow.of_app(&key))
    } else {
        Err(invalid(format!(
            "The workflow {} belongs to {key}, which is no app of this emulator",
            workflow.id
        )))
    }
}

fn invalid(text: String) -> io::Error {
    io::Error::new(ErrorKind::InvalidInput, text)
}
