//! Finding documents by what they are called and what is said of them, without looking at every one.
//!
//! Each name is cut into all its runs of three characters, and each run becomes a word with the owner's number before it, so that a
//! search reads only that owner's entries however many users share the database. Names end in two invisible characters, so that one or
//! two letters are always the beginning of some run, and are looked up as such. The whole words of tags, note, recognised tags and
//! recognised text stand beside the runs, and so do each tag, what the type is to people, and the state: a search and its filters are
//! one question to one index. SQLite keeps the words in an FTS5 table, PostgreSQL in a GIN index; no extension is needed on either.
//!
//! What is searched for is cut at its blanks. A document is found when each part is somewhere in its name, or all the part's words are
//! beginnings of words that stand beside the name.

mod entry;

use std::collections::BTreeSet;

use crate::crypto::hex;
use crate::db::DbConn;
use crate::db::models::documents::Family;

pub use entry::{delete, insert, list_to_index, refresh};

/// The longest text searched for, in characters.
pub const MAX_QUERY_CHARS: usize = 100;
/// The most parts of it.
pub const MAX_PARTS: usize = 12;
/// A search that finds more than this is answered by walking the list in its own order instead: matches are then so frequent
/// that a page fills soon.
pub const DENSE: i64 = 5_000;
/// Longer words are found by their beginning.
const MAX_WORD_CHARS: usize = 30;

/// What somebody wants to find.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Text, in the form of [`name_key`].
    pub text: String,
    /// Exactly this tag of the owner's.
    pub tag: Option<String>,
    /// A file of this family.
    pub family: Option<Family>,
    /// In this state.
    pub status: Option<&'static str>,
}

/// A search of one owner's documents.
#[derive(Clone, Debug)]
pub struct Search {
    owner_seq: i64,
    /// The parts of the text.
    pub(super) parts: Vec<Part>,
    tag: Option<String>,
    /// What the column of tags must match.
    pub(super) tag_pattern: Option<String>,
    pub(super) family: Option<&'static str>,
    pub(super) status: Option<&'static str>,
}

/// A part of the text without a blank in it.
#[derive(Clone, Debug)]
pub(super) struct Part {
    key: String,
    words: Vec<String>,
    /// What a name must match: runs may stand together by chance.
    pub(super) name_pattern: String,
    /// What the column of words must match, each.
    pub(super) word_patterns: Vec<String>,
}

impl Part {
    fn new(key: &str) -> Self {
        let words: Vec<String> = words_of(key).collect();
        Part {
            name_pattern: format!("%{}%", escaped(key)),
            word_patterns: words.iter().map(|word| format!("% {word}%")).collect(),
            key: key.to_owned(),
            words,
        }
    }

    fn expression(&self, owner_seq: i64, language: &Language) -> String {
        let characters: Vec<char> = self.key.chars().collect();
        let name = if characters.len() < 3 {
            language.beginning(&run(owner_seq, &characters))
        } else {
            let runs: BTreeSet<String> = characters.windows(3).map(|three| run(owner_seq, three)).collect();
            language.all(runs.iter().map(|run| language.whole(run)))
        };
        if self.words.is_empty() {
            return name;
        }
        let words = self
            .words
            .iter()
            .map(|text| language.beginning(&word(owner_seq, text)));
        format!("({name}{}{})", language.or, language.all(words))
    }
}

impl Search {
    /// The search for this; `None` for nothing.
    pub fn new(owner_seq: i64, wanted: &Wanted) -> Option<Self> {
        let characters = wanted.text.chars().take(MAX_QUERY_CHARS);
        let text: String = characters.map(|c| if c == '\0' { ' ' } else { c }).collect();
        let keys: BTreeSet<&str> = text.split_whitespace().take(MAX_PARTS).collect();
        let search = Search {
            owner_seq,
            parts: keys.into_iter().map(Part::new).collect(),
            tag_pattern: wanted.tag.as_ref().map(|tag| format!("%,{},%", escaped(tag))),
            tag: wanted.tag.clone(),
            family: wanted.family.map(Family::as_str),
            status: wanted.status,
        };
        let is_something = !search.parts.is_empty()
            || search.tag.is_some()
            || search.family.is_some()
            || search.status.is_some();
        is_something.then_some(search)
    }

    /// The question as the database's index takes it. Its words are digits and letters: nothing in them can be an operator.
    pub fn expression(&self, connection: &DbConn) -> String {
        let language = match connection {
            DbConn::Sqlite(_) => &SQLITE,
            DbConn::Postgres(_) => &POSTGRES,
        };
        let owner = self.owner_seq;
        let parts = self.parts.iter().map(|part| part.expression(owner, language));
        let others = [
            self.tag.as_deref().map(|text| tag(owner, text)),
            self.family.map(|name| family(owner, name)),
            self.status.map(|name| status(owner, name)),
        ];
        let others = others.into_iter().flatten().map(|word| language.whole(&word));
        language.all(parts.chain(others))
    }

    /// The condition on `document_search`: what stands before and after the expression.
    pub fn condition(connection: &DbConn) -> (&'static str, &'static str) {
        match connection {
            DbConn::Sqlite(_) => ("document_search MATCH ", ""),
            DbConn::Postgres(_) => ("document_search.words @@ ", "::tsquery"),
        }
    }
}

/// How a database writes a question to its index.
struct Language {
    quote: char,
    beginning: &'static str,
    and: &'static str,
    or: &'static str,
}

const SQLITE: Language = Language {
    quote: '"',
    beginning: "*",
    and: " AND ",
    or: " OR ",
};
const POSTGRES: Language = Language {
    quote: '\'',
    beginning: ":*",
    and: " & ",
    or: " | ",
};

impl Language {
    fn whole(&self, word: &str) -> String {
        format!("{0}{word}{0}", self.quote)
    }

    fn beginning(&self, word: &str) -> String {
        format!("{}{}", self.whole(word), self.beginning)
    }

    fn all(&self, questions: impl Iterator<Item = String>) -> String {
        format!("({})", questions.collect::<Vec<_>>().join(self.and))
    }
}

/// A name as it is sorted and searched: composed, and in lower case.
pub fn name_key(name: &str) -> String {
    use unicode_normalization::UnicodeNormalization as _;
    name.to_lowercase().nfkc().collect()
}

/// The join that begins with what the index finds: CROSS JOIN is how SQLite is told to keep that order.
pub(super) fn first_the_found(connection: &DbConn) -> &'static str {
    match connection {
        DbConn::Sqlite(_) => "document_search CROSS JOIN documents ON documents.seq = document_search.rowid",
        DbConn::Postgres(_) => "document_search JOIN documents ON documents.seq = document_search.rowid",
    }
}

/// Text that stands for itself in a pattern.
pub(super) fn escaped(text: &str) -> String {
    text.replace('\\', r"\\").replace('%', r"\%").replace('_', r"\_")
}

/// The words of a text in the form of [`name_key`]: letters and digits that stand together.
fn words_of(key: &str) -> impl Iterator<Item = String> {
    key.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(|word| word.chars().take(MAX_WORD_CHARS).collect())
}

// The words of the index. The number of the owner ends at the first letter that is no hex digit, which says what follows.

fn run(owner_seq: i64, characters: &[char]) -> String {
    let text: String = characters.iter().collect();
    format!("{owner_seq:x}g{}", hex(text.as_bytes()))
}

fn word(owner_seq: i64, text: &str) -> String {
    format!("{owner_seq:x}w{}", hex(text.as_bytes()))
}

fn tag(owner_seq: i64, text: &str) -> String {
    format!("{owner_seq:x}t{}", hex(text.as_bytes()))
}

fn family(owner_seq: i64, name: &str) -> String {
    format!("{owner_seq:x}k{name}")
}

fn status(owner_seq: i64, name: &str) -> String {
    format!("{owner_seq:x}s{name}")
}

#[cfg(test)]
mod tests;
