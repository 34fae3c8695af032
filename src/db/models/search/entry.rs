//! A document's entry in the search index: written in the transaction that changes what it is found by.

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::{family, name_key, run, status, tag, word, words_of};
use crate::db::connection::first_locked;
use crate::db::models::documents::NewDocument;
use crate::db::models::findings;
use crate::db::schema::{documents, users};
use crate::db::{DbConn, DbError};
use crate::ids::DocumentId;

/// Words beside the name that a document is found by: more than a page of a book has. Tags come first, then the note.
const MOST_WORDS: usize = 3_000;

/// Enters a new document, in the transaction that adds it.
pub fn insert(connection: &mut DbConn, owner_seq: i64, document: &NewDocument) -> Result<(), DbError> {
    let mut entry = runs(owner_seq, &document.name_key);
    entry.insert(family(owner_seq, document.family()));
    entry.insert(status(owner_seq, document.status));
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
        .bind::<Text, _>(joined(entry))
        .bind::<Text, _>(document.id)
        .execute(connection)?;
    Ok(())
}

/// Takes a document out, in the transaction that removes it or puts it into the trash.
pub fn delete(connection: &mut DbConn, document_seq: i64) -> Result<(), DbError> {
    diesel::sql_query("DELETE FROM document_search WHERE rowid = $1")
        .bind::<BigInt, _>(document_seq)
        .execute(connection)?;
    Ok(())
}

/// What a document is found by.
#[derive(Queryable, Selectable)]
#[diesel(table_name = documents)]
struct Known {
    seq: i64,
    owner_id: String,
    name_key: String,
    status: String,
    content_type: String,
    tags: String,
    note: String,
    trashed_at: Option<i64>,
}

/// Enters a document anew, in the transaction that changes what it is found by. One that is in the trash is in no index.
///
/// Its row is locked first: of two changes at once, the later one sees what the earlier one wrote. Not against rows that refer to it: who
/// has just added a finding holds it so far already, and two of them would wait for each other.
pub fn refresh(connection: &mut DbConn, id: DocumentId) -> Result<(), DbError> {
    let row = documents::table.filter(documents::id.eq(id));
    let known: Option<Known> = first_locked!(connection, row, Known, for_no_key_update)?;
    let Some(known) = known.filter(|known| known.trashed_at.is_none()) else {
        return Ok(());
    };
    let owner_seq: i64 = users::table
        .filter(users::id.eq(&known.owner_id))
        .select(users::seq)
        .first(connection)?;
    let said = words_beside(connection, id, &known)?;
    let mut entry = runs(owner_seq, &known.name_key);
    let type_of = crate::db::models::documents::Family::of(&known.content_type).as_str();
    entry.insert(family(owner_seq, type_of));
    entry.insert(status(owner_seq, &known.status));
    entry.extend(
        known
            .tags
            .split(',')
            .filter(|text| !text.is_empty())
            .map(|text| tag(owner_seq, text)),
    );
    entry.extend(said.iter().map(|text| word(owner_seq, text)));
    let column: String = said.iter().flat_map(|text| [" ", text]).collect();
    diesel::update(documents::table.filter(documents::id.eq(id)))
        .set((documents::family.eq(type_of), documents::words.eq(column)))
        .execute(connection)?;
    delete(connection, known.seq)?;
    let sql = match connection {
        DbConn::Sqlite(_) => "INSERT INTO document_search (rowid, words) VALUES ($1, $2)",
        DbConn::Postgres(_) => {
            "INSERT INTO document_search (rowid, words) VALUES ($1, array_to_tsvector(string_to_array($2, ' ')))"
        }
    };
    diesel::sql_query(sql)
        .bind::<BigInt, _>(known.seq)
        .bind::<Text, _>(joined(entry))
        .execute(connection)?;
    Ok(())
}

/// Documents from before the index had all of their words, by id.
pub fn list_to_index(connection: &mut DbConn, limit: i64) -> Result<Vec<DocumentId>, DbError> {
    Ok(documents::table
        .filter(documents::words.is_null())
        .filter(documents::trashed_at.is_null())
        .order(documents::id)
        .limit(limit)
        .select(documents::id)
        .load(connection)?)
}

/// The words of tags, note, and what was recognised, each once, in that order.
fn words_beside(connection: &mut DbConn, id: DocumentId, known: &Known) -> Result<Vec<String>, DbError> {
    let mut texts = vec![known.tags.clone(), known.note.clone()];
    for finding in findings::list_searchable(connection, id)? {
        texts.push(finding.text());
    }
    let mut seen = BTreeSet::new();
    let mut words = Vec::new();
    for text in texts {
        for word in words_of(&name_key(&text)) {
            if words.len() == MOST_WORDS {
                return Ok(words);
            }
            if seen.insert(word.clone()) {
                words.push(word);
            }
        }
    }
    Ok(words)
}

/// All runs of three characters in a name that has two invisible ones behind it.
pub(super) fn runs(owner_seq: i64, name_key: &str) -> BTreeSet<String> {
    let characters: Vec<char> = name_key.chars().chain(['\n', '\n']).collect();
    characters.windows(3).map(|three| run(owner_seq, three)).collect()
}

fn joined(words: BTreeSet<String>) -> String {
    words.into_iter().collect::<Vec<_>>().join(" ")
}
