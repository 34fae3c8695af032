//! What the clients know: what they sent, what they were promised.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard};

/// What became of one file, as its client saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It was sent, and no answer came.
    Unanswered,
    /// It was refused: there must be no document.
    Refused,
    /// 201: the document is there, with this id.
    Promised(String),
    /// It was to go into the trash and from there for good, and one of the answers did not come.
    DeletionUnanswered(String),
    /// 204 or 202: it is gone.
    Deleted,
}

/// A file that was sent.
#[derive(Clone, Debug)]
pub struct Sent {
    pub sha256: String,
    pub fate: Fate,
}

/// An event that was delivered, once or more.
#[derive(Clone, Debug)]
pub struct Told {
    /// The document that it gives a result.
    pub document: String,
    /// The result: the handle of a file that was made of it.
    pub made: String,
    pub body: String,
    /// Deliveries that were answered with 200.
    pub answered: i64,
}

/// Everything, by names and numbers that nothing else has.
#[derive(Default)]
pub struct Ledger {
    files: Mutex<BTreeMap<String, Sent>>,
    events: Mutex<BTreeMap<i64, Told>>,
    jobs: Mutex<BTreeSet<String>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("nobody panics here")
}

impl Ledger {
    pub fn note(&self, name: &str, sha256: &str, fate: Fate) {
        let sent = Sent {
            sha256: sha256.to_owned(),
            fate,
        };
        lock(&self.files).insert(name.to_owned(), sent);
    }

    pub fn settle(&self, name: &str, fate: Fate) {
        if let Some(sent) = lock(&self.files).get_mut(name) {
            sent.fate = fate;
        }
    }

    pub fn files(&self) -> BTreeMap<String, Sent> {
        lock(&self.files).clone()
    }

    /// How many files have this fate.
    pub fn count(&self, wanted: impl Fn(&Fate) -> bool) -> usize {
        lock(&self.files)
            .values()
            .filter(|sent| wanted(&sent.fate))
            .count()
    }

    /// An event of this number, to be delivered: the one that has it, if there is one.
    pub fn tell(&self, number: i64, told: Told) {
        lock(&self.events).entry(number).or_insert(told);
    }

    pub fn answered(&self, number: i64) {
        if let Some(told) = lock(&self.events).get_mut(&number) {
            told.answered += 1;
        }
    }

    pub fn events(&self) -> BTreeMap<i64, Told> {
        lock(&self.events).clone()
    }

    /// Jobs that a 201 named.
    pub fn promise_jobs(&self, ids: impl Iterator<Item = String>) {
        lock(&self.jobs).extend(ids);
    }

    pub fn jobs(&self) -> BTreeSet<String> {
        lock(&self.jobs).clone()
    }
}
