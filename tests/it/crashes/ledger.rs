//! What the clients know: what they sent, what they were promised.

use std::collections::BTreeMap;
use std::sync::Mutex;

/// What became of one file, as its client saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It was sent, and no answer came.
    Unanswered,
    /// It was refused: there must be no document.
    Refused,
    /// 201: the document is there, with this id.
    Promised(String),
    /// Its deletion was asked for, and no answer came.
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

/// Every file by its name, which nobody else's has.
#[derive(Default)]
pub struct Ledger(Mutex<BTreeMap<String, Sent>>);

impl Ledger {
    pub fn note(&self, name: &str, sha256: &str, fate: Fate) {
        let sent = Sent {
            sha256: sha256.to_owned(),
            fate,
        };
        self.0
            .lock()
            .expect("nobody panics here")
            .insert(name.to_owned(), sent);
    }

    pub fn settle(&self, name: &str, fate: Fate) {
        if let Some(sent) = self.0.lock().expect("nobody panics here").get_mut(name) {
            sent.fate = fate;
        }
    }

    pub fn all(&self) -> BTreeMap<String, Sent> {
        self.0.lock().expect("nobody panics here").clone()
    }

    /// How many have this fate.
    pub fn count(&self, wanted: impl Fn(&Fate) -> bool) -> usize {
        let all = self.0.lock().expect("nobody panics here");
        all.values().filter(|sent| wanted(&sent.fate)).count()
    }
}
