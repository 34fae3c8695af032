//! What the list is narrowed to: the form that does it, and a chip for each part that takes it away again.

use url::form_urlencoded::Serializer;

use crate::services::filters::{statuses, types};

/// What the list is narrowed to, as it was entered; empty texts narrow nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Narrowed {
    /// What was searched for.
    pub query: String,
    /// The tag.
    pub tag: String,
    /// The word for the type.
    pub family: String,
    /// The word for the state.
    pub status: String,
}

/// A part of it, and the way to the list without it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chip {
    /// What it is called.
    pub label: &'static str,
    /// What it is.
    pub value: String,
    /// The parameter.
    pub name: &'static str,
}

impl Narrowed {
    /// Whether nothing is narrowed.
    pub fn is_empty(&self) -> bool {
        self.query.is_empty() && !self.has_filters()
    }

    /// Whether it is narrowed by more than a search.
    pub fn has_filters(&self) -> bool {
        !(self.tag.is_empty() && self.family.is_empty() && self.status.is_empty())
    }

    /// The types to choose from: word, label, and whether it is chosen.
    pub fn types(&self) -> impl Iterator<Item = (&'static str, &'static str, bool)> {
        types().map(|(word, label)| (word, label, word == self.family))
    }

    /// The states to choose from, likewise.
    pub fn statuses(&self) -> impl Iterator<Item = (&'static str, &'static str, bool)> {
        statuses().map(|(word, label)| (word, label, word == self.status))
    }

    /// Its parts.
    pub fn chips(&self) -> Vec<Chip> {
        let label_of = |mut all: Box<dyn Iterator<Item = (&'static str, &'static str)>>, word: &str| {
            let found = all.find(|(known, _)| *known == word);
            found.map_or(word, |(_, label)| label).to_owned()
        };
        let parts = [
            ("Search", self.query.clone(), "q"),
            ("Tag", self.tag.clone(), "tag"),
            ("Type", label_of(Box::new(types()), &self.family), "type"),
            ("Status", label_of(Box::new(statuses()), &self.status), "status"),
        ];
        parts
            .into_iter()
            .filter(|(_, value, _)| !value.is_empty())
            .map(|(label, value, name)| Chip { label, value, name })
            .collect()
    }

    /// The same without the part of this parameter.
    pub fn without(&self, name: &str) -> Self {
        let mut rest = self.clone();
        match name {
            "q" => rest.query.clear(),
            "tag" => rest.tag.clear(),
            "type" => rest.family.clear(),
            _ => rest.status.clear(),
        }
        rest
    }

    /// Writes it into an address.
    pub(super) fn append(&self, pairs: &mut Serializer<'_, String>) {
        for (name, value) in [
            ("q", &self.query),
            ("tag", &self.tag),
            ("type", &self.family),
            ("status", &self.status),
        ] {
            if !value.is_empty() {
                pairs.append_pair(name, value);
            }
        }
    }
}
