//! Every list of the administrators reads an index in its own order, on both databases: nothing is sorted, no table is walked.

use diesel::prelude::*;
use diesel::sql_types::Text;
use satchel::db::{Db, DbConn, DbError, Location};

use crate::support::postgres;

/// Statements as the lists and the sweeps make them, and the index of each: two names where each database has given its own.
const STATEMENTS: &[(&str, &str)] = &[
    (
        "SELECT * FROM documents WHERE name_key >= 'a' AND (name_key > 'a' OR id > 'b') ORDER BY name_key, id LIMIT 51",
        "documents_by_any_name",
    ),
    (
        "SELECT * FROM documents WHERE size_bytes <= 5 AND (size_bytes < 5 OR id < 'b') \
         ORDER BY size_bytes DESC, id DESC LIMIT 51",
        "documents_by_any_size",
    ),
    (
        "SELECT * FROM documents WHERE created_at <= 5 AND (created_at < 5 OR id < 'b') \
         ORDER BY created_at DESC, id DESC LIMIT 51",
        "documents_by_time",
    ),
    (
        "SELECT * FROM documents WHERE status = 'gone' AND status <> 'stored' AND created_at <= 5 \
         ORDER BY created_at DESC, id DESC LIMIT 51",
        "documents_unusual",
    ),
    (
        "SELECT * FROM documents WHERE owner_id = 'a' AND trashed_at IS NOT NULL AND trashed_at <= 5 \
         ORDER BY trashed_at DESC, id DESC LIMIT 51",
        "documents_in_trash",
    ),
    (
        "SELECT id FROM documents WHERE trashed_at <= 5 AND trashed_at IS NOT NULL ORDER BY trashed_at, id LIMIT 100",
        "documents_to_purge",
    ),
    (
        "SELECT * FROM users WHERE email LIKE '%x%' ESCAPE '\\' AND email > 'a' ORDER BY email LIMIT 51",
        "sqlite_autoindex_users_2|users_email_key",
    ),
    (
        "SELECT * FROM users WHERE role = 'admin' AND email < 'a' ORDER BY email DESC LIMIT 51",
        "users_who_administer",
    ),
    (
        "SELECT * FROM users WHERE disabled_at IS NOT NULL AND (disabled_at IS NOT NULL OR invited_at IS NOT NULL) \
         AND email > 'a' ORDER BY email LIMIT 51",
        "users_not_active",
    ),
    (
        "SELECT * FROM users WHERE email LIKE '%x%' ESCAPE '\\' AND stored_bytes <= 5 AND (stored_bytes < 5 OR id < 'b') \
         ORDER BY stored_bytes DESC, id DESC LIMIT 51",
        "users_by_size",
    ),
    (
        "SELECT * FROM users WHERE created_at >= 5 AND (created_at > 5 OR id > 'b') ORDER BY created_at, id LIMIT 51",
        "users_by_creation",
    ),
    (
        "SELECT * FROM users WHERE seq IN (1, 2, 3) AND email LIKE '%x%' ESCAPE '\\'",
        "INTEGER PRIMARY KEY|users_pkey",
    ),
    (
        "SELECT * FROM jobs WHERE created_at >= 5 AND (created_at > 5 OR id > 'b') ORDER BY created_at, id LIMIT 51",
        "jobs_by_creation",
    ),
    (
        "SELECT * FROM jobs WHERE (state, created_at, id) < ('done', 5, 'b') \
         ORDER BY state DESC, created_at DESC, id DESC LIMIT 51",
        "jobs_by_state",
    ),
    (
        "SELECT * FROM jobs WHERE state = 'dead' AND created_at >= 5 AND (created_at > 5 OR id > 'b') \
         ORDER BY created_at, id LIMIT 51",
        "jobs_by_state",
    ),
    (
        "SELECT * FROM jobs WHERE state = 'waiting' AND priority = 1 AND run_at <= 5 ORDER BY run_at, id LIMIT 1",
        "jobs_waiting",
    ),
    (
        "SELECT * FROM jobs WHERE state = 'waiting' AND priority = 1 AND run_at <= 5 AND kind = 'a' ORDER BY run_at, id LIMIT 1",
        "jobs_waiting_by_kind",
    ),
    (
        "SELECT * FROM jobs WHERE state IN ('waiting', 'running') AND unique_key IN ('a', 'b')",
        "jobs_active_by_unique_key",
    ),
    (
        "SELECT * FROM events WHERE received_at >= 5 AND (received_at > 5 OR id > 'b') ORDER BY received_at, id LIMIT 51",
        "events_by_time",
    ),
    (
        "SELECT count(*), SUM(first_settled_at - received_at) FROM events \
         WHERE first_settled_at >= 5 AND first_settled_at < 9",
        "events_by_first_settlement",
    ),
    (
        "SELECT events.id FROM events JOIN document_results ON events.handle = document_results.handle \
         WHERE events.state = 'parked' AND events.action = 'fp.delete' AND document_results.handle = 'x' LIMIT 64",
        "document_results_by_handle",
    ),
    (
        "SELECT * FROM audit_entries WHERE at >= 5 AND (at > 5 OR id > 'b') ORDER BY at, id LIMIT 51",
        "audit_entries_by_time",
    ),
    (
        "SELECT * FROM audit_entries WHERE action = 'x' AND at <= 5 ORDER BY at DESC, id DESC LIMIT 51",
        "audit_entries_by_action",
    ),
    (
        "SELECT * FROM audit_entries WHERE actor = 'x' AND at <= 5 ORDER BY at DESC, id DESC LIMIT 51",
        "audit_entries_by_actor",
    ),
    (
        "SELECT * FROM audit_entries WHERE subject = 'x' AND at <= 5 ORDER BY at DESC, id DESC LIMIT 51",
        "audit_entries_by_subject",
    ),
    (
        "SELECT * FROM audit_entries WHERE document_id = 'x' AND document_id IS NOT NULL ORDER BY at DESC, id DESC LIMIT 51",
        "audit_entries_by_document",
    ),
    (
        "SELECT * FROM password_links WHERE user_id = 'x'",
        "password_links_by_user",
    ),
    (
        "SELECT * FROM password_links WHERE expires_at < 5",
        "password_links_by_expiry",
    ),
    (
        "SELECT * FROM idempotency_keys WHERE made_at < 5",
        "idempotency_keys_by_age",
    ),
];

#[derive(QueryableByName)]
struct OfSqlite {
    #[diesel(sql_type = Text)]
    detail: String,
}

#[derive(QueryableByName)]
struct OfPostgres {
    #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
    line: String,
}

#[test]
fn every_list_reads_its_index_on_sqlite() {
    let directory = tempfile::tempdir().unwrap();
    let db = Db::open(Location::Sqlite(directory.path().join("satchel.db"))).unwrap();
    read_their_indexes(&db, &["TEMP B-TREE", "SCAN"], |c, sql| {
        let rows: Vec<OfSqlite> = diesel::sql_query(format!("EXPLAIN QUERY PLAN {sql}")).load(c)?;
        Ok(rows.into_iter().map(|row| row.detail + "\n").collect())
    });
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_part_of_an_address_is_looked_up_on_postgres() {
    let database = postgres::database();
    let db = Db::open(Location::Postgres(database.url.clone())).unwrap();
    let plan = db.write_blocking(|c| {
        diesel::sql_query("SET LOCAL enable_seqscan = off").execute(c)?;
        let found =
            "EXPLAIN SELECT seq FROM users WHERE runs_of_three(email) @> runs_of_three('ana@') LIMIT 501";
        let rows: Vec<OfPostgres> = diesel::sql_query(found).load(c)?;
        Ok(rows.into_iter().map(|row| row.line).collect::<String>())
    });
    let plan = plan.unwrap();
    assert!(plan.contains("users_by_part_of_address"), "{plan}");
}

#[test]
fn what_everybody_keeps_is_summed_without_the_accounts() {
    let directory = tempfile::tempdir().unwrap();
    let db = Db::open(Location::Sqlite(directory.path().join("satchel.db"))).unwrap();
    let plan = db.write_blocking(|c| {
        let sum = "EXPLAIN QUERY PLAN SELECT SUM(document_count + reserved_documents), SUM(stored_bytes + reserved_bytes) FROM users";
        let rows: Vec<OfSqlite> = diesel::sql_query(sum).load(c)?;
        Ok(rows.into_iter().map(|row| row.detail).collect::<String>())
    });
    assert_eq!(plan.unwrap(), "SCAN users USING COVERING INDEX users_by_size");
}

#[test]
#[ignore = "needs PostgreSQL"]
fn every_list_reads_its_index_on_postgres() {
    let database = postgres::database();
    let db = Db::open(Location::Postgres(database.url.clone())).unwrap();
    read_their_indexes(&db, &["Sort", "Seq Scan"], |c, sql| {
        // With so few rows it would walk the table: what matters is what it can do when there are many.
        for way in ["seqscan", "bitmapscan", "sort"] {
            diesel::sql_query(format!("SET LOCAL enable_{way} = off")).execute(c)?;
        }
        let rows: Vec<OfPostgres> = diesel::sql_query(format!("EXPLAIN {sql}")).load(c)?;
        Ok(rows.into_iter().map(|row| row.line + "\n").collect())
    });
}

fn read_their_indexes(db: &Db, never: &[&str], plan: impl Fn(&mut DbConn, &str) -> Result<String, DbError>) {
    db.write_blocking(|c| {
        for (sql, index) in STATEMENTS {
            let plan = plan(c, sql)?;
            let is_read = index.split('|').any(|name| plan.contains(name));
            assert!(is_read, "{sql}\n{plan}");
            for word in never {
                assert!(!plan.contains(word), "{sql}\n{plan}");
            }
        }
        Ok(())
    })
    .expect("every plan");
}
