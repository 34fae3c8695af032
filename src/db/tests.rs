//! The database layer against a real SQLite file; `tests/it` runs the same through PostgreSQL.

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, SqliteConnection};

use super::models::documents::{self, ListQuery, NewDocument, Part, Sort, SortKey};
use super::models::search::{self, Search, Wanted, name_key};
use super::models::users::{self, NewUser, Role};
use super::*;
use crate::clock::UtcTime;
use crate::ids::{DocumentId, UserId};

fn temporary() -> (tempfile::TempDir, Db) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let db = Db::open(Location::Sqlite(directory.path().join("satchel.db"))).expect("a database");
    (directory, db)
}

fn at(seconds: i64) -> UtcTime {
    UtcTime::from_micros(seconds * 1_000_000)
}

fn add_user(c: &mut DbConn, email: &str) -> Result<users::User, DbError> {
    let id = UserId::new(at(1));
    let user = NewUser {
        id,
        email: email.to_owned(),
        password_hash: String::new(),
        role: Role::Member,
        created_at: at(1),
    };
    users::insert(c, user)?;
    users::find(c, id)?.ok_or(DbError::NotFound)
}

fn add_document(
    c: &mut DbConn,
    owner: &users::User,
    n: i64,
    name: &str,
    size: i64,
) -> Result<DocumentId, DbError> {
    let id = DocumentId::new(at(n));
    let key = name_key(name);
    let document = NewDocument {
        id,
        owner_id: owner.id,
        handle: format!("handle{id}"),
        name: name.to_owned(),
        name_key: key.clone(),
        content_type: "text/plain".to_owned(),
        declared_type: "text/plain".to_owned(),
        size_bytes: size,
        sha256: String::new(),
        status: documents::STORED,
        created_at: at(n),
        updated_at: at(n),
    };
    documents::insert(c, &document)?;
    search::insert(c, owner.seq, &document)?;
    Ok(id)
}

#[test]
fn every_migration_can_be_undone_and_done_again() {
    let (_directory, db) = temporary();
    assert!(
        db.migration_status()
            .expect("status")
            .iter()
            .all(|migration| migration.applied)
    );
    db.revert_all().expect("down");
    assert!(
        db.migration_status()
            .expect("status")
            .iter()
            .all(|migration| !migration.applied)
    );
    let all = db.migration_status().expect("status").len();
    assert_eq!(db.migrate().expect("up").len(), all);
}

#[test]
fn whoever_opens_a_file_that_is_locked_waits_longer_than_sqlite_would() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("satchel.db");
    let mut other = SqliteConnection::establish(path.to_str().expect("UTF-8")).expect("a connection");
    other.batch_execute("BEGIN EXCLUSIVE").expect("the whole file");
    let release = std::thread::spawn(move || {
        // SQLite gives up after five seconds; closing a database whose disk is slow takes longer.
        std::thread::sleep(Duration::from_millis(5_500));
        drop(other);
    });
    let manager = connection::Manager {
        location: Location::Sqlite(path),
        read_only: false,
    };
    manager.open().expect("it is free in the end");
    release.join().expect("it was released");
}

#[test]
fn a_failed_write_leaves_nothing_behind() {
    let (_directory, db) = temporary();
    let result: Result<(), DbError> = db.write_blocking(|c| {
        add_user(c, "ana@example.org")?;
        Err(DbError::NotFound)
    });
    assert!(matches!(result, Err(DbError::NotFound)));
    assert!(!db.write_blocking(users::any).expect("any"));
}

#[test]
fn a_taken_address_is_a_conflict() {
    let (_directory, db) = temporary();
    let result = db.write_blocking(|c| {
        add_user(c, "ana@example.org")?;
        add_user(c, "ana@example.org")
    });
    assert!(matches!(result, Err(DbError::Conflict)));
}

#[test]
fn pages_walk_there_and_back_in_every_order_without_a_gap() {
    let (_directory, db) = temporary();
    db.write_blocking(|c| {
        let owner = add_user(c, "ana@example.org")?;
        let other = add_user(c, "bob@example.org")?;
        for n in 0..25 {
            // Equal sizes and names make the id decide.
            add_document(c, &owner, n, &format!("file {}", n % 4), n % 3)?;
            add_document(c, &other, n, "foreign", 1)?;
        }
        for key in [SortKey::Created, SortKey::Name, SortKey::Size] {
            for descending in [false, true] {
                let sort = Sort { key, descending };
                let mut seen = Vec::new();
                let mut pages = Vec::new();
                let mut part = Part::First;
                loop {
                    let query = ListQuery {
                        owner: owner.id,
                        sort,
                        search: None,
                        part,
                        limit: 7,
                    };
                    let page = documents::list(c, &query)?;
                    let Some(last) = page.last() else { break };
                    part = Part::After(last.place(sort));
                    seen.extend(page.iter().map(|document| document.id));
                    pages.push(page);
                }
                assert_eq!(seen.len(), 25, "{sort:?}");
                let first_of_third = pages[2].first().expect("a row").place(sort);
                let query = ListQuery {
                    owner: owner.id,
                    sort,
                    search: None,
                    part: Part::Before(first_of_third),
                    limit: 7,
                };
                let back: Vec<_> = documents::list(c, &query)?.iter().map(|d| d.id).collect();
                assert_eq!(
                    back,
                    pages[1].iter().map(|d| d.id).collect::<Vec<_>>(),
                    "{sort:?}"
                );
            }
        }
        Ok(())
    })
    .expect("no error");
}

#[test]
fn i5_search_finds_parts_of_names_of_the_owner_alone() {
    let (_directory, db) = temporary();
    db.write_blocking(|c| {
        let owner = add_user(c, "ana@example.org")?;
        let other = add_user(c, "bob@example.org")?;
        for (n, name) in ["Quarterly Report.pdf", "Ärger.txt", "100%_done.md", "x"]
            .iter()
            .enumerate()
        {
            add_document(c, &owner, n as i64, name, 1)?;
            add_document(c, &other, n as i64, name, 1)?;
        }
        for (text, found) in [
            ("REPORT", 1),
            ("ly r", 1),
            ("ärg", 1),
            ("q", 1),
            ("df", 1),
            ("%_", 1),
            ("x", 2),
            ("pdf.", 0),
            ("zzz", 0),
        ] {
            for dense in [false, true] {
                let wanted = Wanted {
                    text: name_key(text),
                    ..Wanted::default()
                };
                let find = Search::new(owner.seq, &wanted).expect("not empty");
                let query = ListQuery {
                    owner: owner.id,
                    sort: Sort::NEWEST,
                    search: Some((find, dense)),
                    part: Part::First,
                    limit: 10,
                };
                assert_eq!(documents::list(c, &query)?.len(), found, "{text} dense={dense}");
            }
        }
        Ok(())
    })
    .expect("no error");
}

#[derive(diesel::QueryableByName)]
struct Plan {
    #[diesel(sql_type = diesel::sql_types::Text)]
    detail: String,
}

#[test]
fn the_list_and_the_search_read_an_index_and_sort_nothing_they_need_not() {
    use diesel::RunQueryDsl as _;
    let (_directory, db) = temporary();
    db.write_blocking(|c| {
        let plan = |c: &mut DbConn, sql: &str| -> Result<String, DbError> {
            let rows: Vec<Plan> = diesel::sql_query(format!("EXPLAIN QUERY PLAN {sql}")).load(c)?;
            Ok(rows
                .into_iter()
                .map(|row| row.detail)
                .collect::<Vec<_>>()
                .join("; "))
        };
        for column in ["created_at", "name_key", "size_bytes"] {
            let page = plan(
                c,
                &format!(
                    "SELECT * FROM documents WHERE owner_id = 'a' AND trashed_at IS NULL AND ({column}, id) < ('5', 'b') \
                     ORDER BY {column} DESC, id DESC LIMIT 51"
                ),
            )?;
            assert!(
                page.contains("SEARCH documents USING INDEX") && !page.contains("TEMP B-TREE"),
                "{page}"
            );
        }
        let trash = plan(
            c,
            "SELECT * FROM documents WHERE owner_id = 'a' AND trashed_at IS NOT NULL AND (trashed_at, id) < (5, 'b') \
             ORDER BY trashed_at DESC, id DESC LIMIT 51",
        )?;
        assert!(
            trash.contains("USING INDEX documents_in_trash") && !trash.contains("TEMP B-TREE"),
            "{trash}"
        );
        let due = plan(
            c,
            "SELECT owner_id, id FROM documents WHERE trashed_at <= 5 AND trashed_at IS NOT NULL \
             ORDER BY trashed_at, id LIMIT 100",
        )?;
        assert!(
            due.contains("INDEX documents_to_purge") && !due.contains("TEMP B-TREE"),
            "{due}"
        );
        let found = plan(
            c,
            "SELECT * FROM document_search CROSS JOIN documents ON documents.seq = document_search.rowid \
             WHERE owner_id = 'a' AND trashed_at IS NULL AND (name_key LIKE '%x%' ESCAPE '\\' OR (documents.words LIKE '% x%')) \
             AND tags LIKE '%,a,%' ESCAPE '\\' AND family = 'pdf' AND status = 'gone' \
             AND document_search MATCH '((\"1g61\"* OR (\"1w61\"*)) AND \"1t61\" AND \"1kpdf\" AND \"1sgone\")' \
             ORDER BY created_at DESC LIMIT 51",
        )?;
        let walked = plan(
            c,
            "SELECT * FROM documents WHERE owner_id = 'a' AND trashed_at IS NULL AND (created_at, id) < (5, 'b') \
             AND (name_key LIKE '%x%' ESCAPE '\\' OR (words LIKE '% x%')) AND tags LIKE '%,a,%' ESCAPE '\\' \
             AND family = 'pdf' AND status = 'stored' ORDER BY created_at DESC, id DESC LIMIT 51",
        )?;
        assert!(
            walked.contains("USING INDEX documents_by_creation") && !walked.contains("TEMP B-TREE"),
            "{walked}"
        );
        let to_index = plan(
            c,
            "SELECT id FROM documents WHERE words IS NULL AND trashed_at IS NULL ORDER BY id LIMIT 200",
        )?;
        assert!(
            to_index.contains("INDEX documents_to_index") && !to_index.contains("TEMP B-TREE"),
            "{to_index}"
        );
        assert!(
            found.contains("document_search VIRTUAL TABLE INDEX")
                && found.contains("documents USING INTEGER PRIMARY KEY"),
            "{found}"
        );
        Ok(())
    })
    .expect("no error");
}
