//! Finding documents by a part of their name, without looking at every name.
//!
//! Each name is cut into all its runs of three characters, and each run becomes a word with the owner's number before it, so that a
//! search reads only that owner's entries however many users share the database. SQLite keeps the words in an FTS5 table,
//! PostgreSQL in a GIN index; no extension is needed on either. Names end in two invisible characters, so that one or two
//! letters are always the beginning of some run, and are looked up as such.

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use crate::crypto::hex;
use crate::db::{DbConn, DbError};
use crate::ids::{DocumentId, UserId};

/// The longest text searched for, in characters.
pub const MAX_QUERY_CHARS: usize = 100;
/// A search that finds more than this is answered by walking the list in its own order instead: matches are then so frequent
/// that a page fills soon.
pub const DENSE: i64 = 5_000;

/// A search of one owner's documents.
#[derive(Clone, Debug)]
pub struct Search {
    words: Vec<String>,
    prefix: bool,
    /// The pattern that a name must match: words may stand together by chance.
    pub pattern: String,
}

impl Search {
    /// The search for this part of a name, already in the form of [`name_key`]; `None` for nothing.
    pub fn new(owner_seq: i64, key: &str) -> Option<Self> {
        let characters: Vec<char> = key.chars().take(MAX_QUERY_CHARS).collect();
        if characters.is_empty() {
            return None;
        }
        let text: String = characters.iter().collect();
        let escaped = text.replace('\\', r"\\").replace('%', r"\%").replace('_', r"\_");
        let prefix = characters.len() < 3;
        let words = if prefix {
            vec![word(owner_seq, &characters)]
        } else {
            let unique: BTreeSet<String> = characters.windows(3).map(|run| word(owner_seq, run)).collect();
            unique.into_iter().collect()
        };
        Some(Search {
            words,
            prefix,
            pattern: format!("%{escaped}%"),
        })
    }

    /// The question as the database's index takes it. The words are hex digits and a `g`: nothing in them can be an operator.
    pub fn expression(&self, connection: &DbConn) -> String {
        match connection {
            DbConn::Sqlite(_) => {
                let words: Vec<String> = self.words.iter().map(|word| format!("\"{word}\"")).collect();
                if self.prefix {
                    format!("{}*", words.concat())
                } else {
                    words.join(" AND ")
                }
            }
            DbConn::Postgres(_) => {
                let words: Vec<String> = self.words.iter().map(|word| format!("'{word}'")).collect();
                if self.prefix {
                    format!("{}:*", words.concat())
                } else {
                    words.join(" & ")
                }
            }
        }
    }

    /// The condition on `document_search`: what stands before and after the expression.
    pub fn condition(connection: &DbConn) -> (&'static str, &'static str) {
        match connection {
            DbConn::Sqlite(_) => ("document_search MATCH ", ""),
            DbConn::Postgres(_) => ("document_search.words @@ ", "::tsquery"),
        }
    }
}

/// A name as it is sorted and searched: composed, and in lower case.
pub fn name_key(name: &str) -> String {
    use unicode_normalization::UnicodeNormalization as _;
    name.to_lowercase().nfkc().collect()
}

fn word(owner_seq: i64, characters: &[char]) -> String {
    let text: String = characters.iter().collect();
    format!("{owner_seq:x}g{}", hex(text.as_bytes()))
}

fn words(owner_seq: i64, name_key: &str) -> String {
    let characters: Vec<char> = name_key.chars().chain(['\n', '\n']).collect();
    let unique: BTreeSet<String> = characters.windows(3).map(|run| word(owner_seq, run)).collect();
    unique.into_iter().collect::<Vec<_>>().join(" ")
}

/// Enters a document, in the transaction that adds it.
pub fn insert(
    connection: &mut DbConn,
    owner_seq: i64,
    id: DocumentId,
    name_key: &str,
) -> Result<(), DbError> {
    let sql = match connection {
        DbConn::Sqlite(_) => {
            "INSERT INTO document_search (rowid, words) SELECT seq, $1 FROM documents WHERE id = $2"
        }
        DbConn::Postgres(_) => {
            "INSERT INTO document_search (rowid, words) \
             SELECT seq, array_to_tsvector(string_to_array($1, ' ')) FROM documents WHERE id = $2"
        }
    };
    diesel::sql_query(sql)
        .bind::<Text, _>(words(owner_seq, name_key))
        .bind::<Text, _>(id)
        .execute(connection)?;
    Ok(())
}

/// Takes a document out, in the transaction that removes or renames it.
pub fn delete(connection: &mut DbConn, document_seq: i64) -> Result<(), DbError> {
    diesel::sql_query("DELETE FROM document_search WHERE rowid = $1")
        .bind::<BigInt, _>(document_seq)
        .execute(connection)?;
    Ok(())
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// How many of the owner's documents match, counted to one past [`DENSE`].
pub fn count(connection: &mut DbConn, owner: UserId, search: &Search) -> Result<i64, DbError> {
    let join = first_the_found(connection);
    let (before, after) = Search::condition(connection);
    let sql = format!(
        "SELECT COUNT(*) AS count FROM (SELECT documents.seq FROM {join} WHERE {before}$1{after} \
         AND documents.owner_id = $2 AND documents.name_key LIKE $3 ESCAPE '\\' LIMIT {}) AS found",
        DENSE + 1
    );
    let row: Count = diesel::sql_query(sql)
        .bind::<Text, _>(search.expression(connection))
        .bind::<Text, _>(owner)
        .bind::<Text, _>(search.pattern.clone())
        .get_result(connection)?;
    Ok(row.count)
}

/// The join that begins with what the index finds: CROSS JOIN is how SQLite is told to keep that order.
pub(super) fn first_the_found(connection: &DbConn) -> &'static str {
    match connection {
        DbConn::Sqlite(_) => "document_search CROSS JOIN documents ON documents.seq = document_search.rowid",
        DbConn::Postgres(_) => "document_search JOIN documents ON documents.seq = document_search.rowid",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_without_case_and_composed() {
        assert_eq!(name_key("Ärger.PDF"), "ärger.pdf");
        assert_eq!(name_key("A\u{308}rger.pdf"), "ärger.pdf");
    }

    #[test]
    fn one_letter_is_the_beginning_of_a_word_wherever_it_stands() {
        let search = Search::new(17, "f").expect("not empty");
        let all = words(17, "a.pdf");
        assert!(
            all.split(' ').any(|word| word.starts_with(&search.words[0])),
            "{all}"
        );
        let end = Search::new(17, "df").expect("not empty");
        assert!(
            all.split(' ').any(|word| word.starts_with(&end.words[0])),
            "{all}"
        );
    }

    #[test]
    fn x5_words_hold_nothing_but_hex_digits_and_one_g() {
        let search = Search::new(255, "\" OR *'; DROP--").expect("not empty");
        for word in &search.words {
            assert!(
                word.starts_with("ffg") && word[3..].bytes().all(|b| b.is_ascii_hexdigit()),
                "{word}"
            );
        }
        assert_eq!(
            Search::new(1, r"50%_\").expect("not empty").pattern,
            r"%50\%\_\\%"
        );
    }
}
