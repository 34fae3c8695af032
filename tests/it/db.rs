//! The database layer on PostgreSQL, which `src/db/tests.rs` tests on SQLite, and that the two have the same tables.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::Text;
use satchel::clock::UtcTime;
use satchel::db::models::documents::{self, ListQuery, NewDocument, Part, STORED, Sort, SortKey};
use satchel::db::models::search::{self, Search, Wanted, name_key};
use satchel::db::models::users::{self, NewUser, Role, User};
use satchel::db::{Db, DbConn, DbError, Location};
use satchel::ids::{DocumentId, UserId};

use crate::support::postgres;

fn at(seconds: i64) -> UtcTime {
    UtcTime::from_micros(seconds * 1_000_000)
}

fn add_user(c: &mut DbConn, email: &str) -> Result<User, DbError> {
    let id = UserId::new(at(1));
    users::insert(
        c,
        NewUser {
            id,
            email: email.to_owned(),
            password_hash: String::new(),
            role: Role::Member,
            created_at: at(1),
        },
    )?;
    users::find(c, id)?.ok_or(DbError::NotFound)
}

fn add_document(c: &mut DbConn, owner: &User, n: i64, name: &str) -> Result<(), DbError> {
    let id = DocumentId::new(at(n));
    let document = NewDocument {
        id,
        owner_id: owner.id,
        handle: format!("handle{id}"),
        name: name.to_owned(),
        name_key: name_key(name),
        content_type: "text/plain".to_owned(),
        declared_type: "text/plain".to_owned(),
        size_bytes: n % 3,
        sha256: String::new(),
        status: STORED,
        created_at: at(n),
        updated_at: at(n),
    };
    documents::insert(c, &document)?;
    search::insert(c, owner.seq, &document)
}

#[test]
#[ignore = "needs PostgreSQL"]
fn every_migration_can_be_undone_and_done_again() {
    let database = postgres::database();
    let db = Db::open(Location::Postgres(database.url.clone())).unwrap();
    let all = db.migration_status().unwrap();
    assert!(all.iter().all(|migration| migration.applied));
    db.revert_all().unwrap();
    assert!(
        db.migration_status()
            .unwrap()
            .iter()
            .all(|migration| !migration.applied)
    );
    assert_eq!(db.migrate().unwrap().len(), all.len());
    assert!(db.migrate().unwrap().is_empty());
}

#[test]
#[ignore = "needs PostgreSQL"]
fn pages_walk_there_and_back_in_every_order_without_a_gap() {
    let database = postgres::database();
    let db = Db::open(Location::Postgres(database.url.clone())).unwrap();
    let walked = db.write_blocking(|c| {
        let (owner, other) = (add_user(c, "ana@example.org")?, add_user(c, "bob@example.org")?);
        for n in 0..25 {
            // Equal sizes and names make the id decide. Upper case, accents and blanks sort by bytes, as on SQLite.
            add_document(c, &owner, n, ["File", "file 2", "äpfel", "Zebra"][n as usize % 4])?;
            add_document(c, &other, n, "foreign")?;
        }
        for key in [SortKey::Created, SortKey::Name, SortKey::Size] {
            for descending in [false, true] {
                walk(c, owner.id, Sort { key, descending })?;
            }
        }
        Ok(())
    });
    walked.unwrap();
}

fn walk(c: &mut DbConn, owner: UserId, sort: Sort) -> Result<(), DbError> {
    let query = |part| ListQuery {
        owner,
        sort,
        search: None,
        part,
        limit: 7,
    };
    let (mut part, mut pages) = (Part::First, Vec::new());
    loop {
        let page = documents::list(c, &query(part))?;
        let Some(last) = page.last() else { break };
        part = Part::After(last.place(sort));
        pages.push(page);
    }
    let rows: Vec<_> = pages.iter().flatten().collect();
    assert_eq!(rows.len(), 25, "{sort:?}");
    if sort.key == SortKey::Name {
        let mut expected: Vec<_> = rows.iter().map(|row| row.name_key.clone()).collect();
        expected.sort();
        if sort.descending {
            expected.reverse();
        }
        let keys: Vec<_> = rows.iter().map(|row| row.name_key.clone()).collect();
        assert_eq!(keys, expected, "{sort:?}");
    }
    let back = documents::list(c, &query(Part::Before(pages[2][0].place(sort))))?;
    let ids = |rows: &[documents::Document]| rows.iter().map(|row| row.id).collect::<Vec<_>>();
    assert_eq!(ids(&back), ids(&pages[1]), "{sort:?}");
    Ok(())
}

#[test]
#[ignore = "needs PostgreSQL"]
fn i5_search_finds_parts_of_names_of_the_owner_alone() {
    let database = postgres::database();
    let db = Db::open(Location::Postgres(database.url.clone())).unwrap();
    let searched = db.write_blocking(|c| {
        let (owner, other) = (add_user(c, "ana@example.org")?, add_user(c, "bob@example.org")?);
        for (n, name) in ["Quarterly Report.pdf", "Ärger.txt", "100%_done.md", "x"]
            .iter()
            .enumerate()
        {
            add_document(c, &owner, n as i64, name)?;
            add_document(c, &other, n as i64, name)?;
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
            ("' & '", 0),
            ("\\", 0),
        ] {
            for dense in [false, true] {
                let wanted = Wanted {
                    text: name_key(text),
                    ..Wanted::default()
                };
                let wanted = Search::new(owner.seq, &wanted).ok_or(DbError::NotFound)?;
                let query = ListQuery {
                    owner: owner.id,
                    sort: Sort::NEWEST,
                    search: Some((wanted, dense)),
                    part: Part::First,
                    limit: 10,
                };
                assert_eq!(documents::list(c, &query)?.len(), found, "{text} dense={dense}");
            }
        }
        Ok(())
    });
    searched.unwrap();
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_failed_write_leaves_nothing_behind_and_a_taken_address_is_a_conflict() {
    let database = postgres::database();
    let db = Db::open(Location::Postgres(database.url.clone())).unwrap();
    let failed: Result<(), DbError> = db.write_blocking(|c| {
        add_user(c, "ana@example.org")?;
        Err(DbError::NotFound)
    });
    assert!(matches!(failed, Err(DbError::NotFound)));
    let twice = db.write_blocking(|c| {
        add_user(c, "ana@example.org")?;
        add_user(c, "ana@example.org")
    });
    assert!(matches!(twice, Err(DbError::Conflict)));
    assert!(!db.write_blocking(users::any).unwrap());
}

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = Text)]
    column_name: String,
}

/// Tables that only one of them has, by the beginning of their names: each has search indexes of its own kind.
const NOT_COMPARED: [&str; 3] = ["document_search", "user_search", "__diesel"];

/// The columns of every table that both must have.
fn columns(db: &Db, sql: &str) -> BTreeMap<String, Vec<String>> {
    let rows: Vec<Column> = db
        .write_blocking(|c| Ok(diesel::sql_query(sql).load(c)?))
        .expect("the tables can be listed");
    let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in rows {
        if !NOT_COMPARED.iter().any(|name| row.table_name.starts_with(name)) {
            tables.entry(row.table_name).or_default().push(row.column_name);
        }
    }
    tables
}

#[test]
#[ignore = "needs PostgreSQL"]
fn both_databases_have_the_same_tables_and_columns() {
    let database = postgres::database();
    let postgres = Db::open(Location::Postgres(database.url.clone())).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let sqlite = Db::open(Location::Sqlite(directory.path().join("satchel.db"))).unwrap();
    let theirs = columns(
        &postgres,
        "SELECT table_name::text AS table_name, column_name::text AS column_name FROM information_schema.columns \
         WHERE table_schema = 'public' ORDER BY 1, 2",
    );
    let ours = columns(
        &sqlite,
        "SELECT m.name AS table_name, c.name AS column_name FROM sqlite_master m, pragma_table_info(m.name) c \
         WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY 1, 2",
    );
    assert!(ours.len() >= 9, "{:?}", ours.keys());
    assert_eq!(theirs, ours);
}
