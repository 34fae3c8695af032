//! Shared commits, counted and not timed: what runs first holds the others up until they are all there.

use std::sync::mpsc;
use std::time::Duration;

use diesel::connection::SimpleConnection as _;
use diesel::sql_types::BigInt;
use diesel::{Connection as _, QueryableByName, RunQueryDsl as _, SqliteConnection, sql_query};
use futures_util::future::join_all;

use super::Turn;
use crate::db::{CommitCounts, Db, DbConn, DbError, Location, Writer};

fn temporary() -> (tempfile::TempDir, Db) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let db = Db::open(Location::Sqlite(directory.path().join("satchel.db"))).expect("a database");
    db.write_blocking(|c| {
        execute(
            c,
            "CREATE TABLE notes (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES notes (id))",
        )
    })
    .expect("a table");
    (directory, db)
}

fn execute(c: &mut DbConn, sql: &str) -> Result<(), DbError> {
    Ok(c.batch_execute(sql)?)
}

fn insert(c: &mut DbConn, id: usize) -> Result<usize, DbError> {
    execute(c, &format!("INSERT INTO notes (id) VALUES ({id})"))?;
    Ok(id)
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

fn number(c: &mut DbConn, sql: &str) -> Result<i64, DbError> {
    let row: Number = sql_query(sql).get_result(c)?;
    Ok(row.n)
}

fn ids(db: &Db) -> Vec<i64> {
    db.write_blocking(|c| {
        let rows: Vec<Number> = sql_query("SELECT id AS n FROM notes ORDER BY id").load(c)?;
        Ok(rows.into_iter().map(|row| row.n).collect())
    })
    .expect("the notes can be read")
}

/// Keeps the writer busy until the value is dropped.
async fn held(db: &Db) -> (mpsc::Sender<()>, tokio::task::JoinHandle<Result<usize, DbError>>) {
    let (release, until) = mpsc::channel::<()>();
    let (began, begun) = tokio::sync::oneshot::channel();
    let holder = db.clone();
    let writing = actix_web::rt::spawn(async move {
        holder
            .write(move |c| {
                let _ = began.send(());
                let _ = until.recv();
                insert(c, 0)
            })
            .await
    });
    begun.await.expect("the writer began");
    (release, writing)
}

/// Lets everything that was spawned come to where it waits.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

#[test]
fn a_commit_is_on_the_disk_before_it_returns() {
    let (_directory, db) = temporary();
    let level = db.write_blocking(|c| number(c, "SELECT synchronous AS n FROM pragma_synchronous"));
    assert_eq!(level.expect("the level"), 2, "FULL");
}

#[actix_web::test]
async fn writes_that_wait_at_the_same_time_share_a_commit() {
    let (_directory, db) = temporary();
    let (release, first) = held(&db).await;
    let writes: Vec<_> = (1..=100)
        .map(|id| {
            actix_web::rt::spawn({
                let db = db.clone();
                async move { db.write(move |c| insert(c, id)).await }
            })
        })
        .collect();
    settle().await;
    drop(release);
    assert_eq!(first.await.expect("no panic").expect("written"), 0);
    for (at, write) in writes.into_iter().enumerate() {
        assert_eq!(
            write.await.expect("no panic").expect("written"),
            at + 1,
            "each gets its own answer"
        );
    }
    assert_eq!(ids(&db), (0..=100).collect::<Vec<_>>());
    assert_eq!(
        db.commit_counts(),
        Some(CommitCounts {
            writes: 101,
            commits: 1
        })
    );
}

#[actix_web::test]
async fn a_commit_takes_a_bounded_number_of_writes() {
    let (_directory, db) = temporary();
    let (release, first) = held(&db).await;
    let all = join_all((1..=300).map(|id| db.write(move |c| insert(c, id))));
    let (all, ()) = tokio::join!(all, async {
        settle().await;
        drop(release);
    });
    assert!(all.iter().all(Result::is_ok) && first.await.is_ok());
    let counts = db.commit_counts().expect("SQLite");
    assert_eq!(counts.writes, 301);
    assert!((3..=4).contains(&counts.commits), "{counts:?}");
}

#[actix_web::test]
async fn x3_a_write_that_fails_or_panics_undoes_itself_and_none_of_its_neighbours() {
    let (_directory, db) = temporary();
    let (release, first) = held(&db).await;
    let fine = |id| db.write(move |c| insert(c, id));
    let fails = db.write(|c| {
        insert(c, 20)?;
        Err::<usize, _>(DbError::NotFound)
    });
    let conflicts = db.write(|c| {
        insert(c, 30)?;
        insert(c, 1)
    });
    let breaks_a_reference =
        db.write(|c| execute(c, "INSERT INTO notes (id, parent) VALUES (40, 999)").map(|()| 0));
    let panics = db.write(|c| {
        insert(c, 50)?;
        c.transaction(|c| -> Result<usize, DbError> {
            insert(c, 51)?;
            panic!("on purpose");
        })
    });
    let sees = db.write(|c| Ok(number(c, "SELECT count(*) AS n FROM notes")? as usize));
    let all = async {
        tokio::join!(
            fine(1),
            fails,
            fine(2),
            conflicts,
            fine(3),
            breaks_a_reference,
            fine(4),
            panics,
            fine(5),
            sees
        )
    };
    let (results, ()) = tokio::join!(all, async {
        settle().await;
        drop(release);
    });
    assert!(first.await.is_ok());
    assert!(matches!(results.1, Err(DbError::NotFound)));
    assert!(matches!(results.3, Err(DbError::Conflict)));
    assert!(matches!(results.5, Err(DbError::Conflict)));
    assert!(matches!(results.7, Err(DbError::Query(text)) if text.contains("panicked")));
    for result in [results.0, results.2, results.4, results.6, results.8] {
        assert!(result.is_ok(), "{result:?}");
    }
    assert_eq!(results.9.expect("counted"), 6, "in the order they came");
    assert_eq!(ids(&db), [0, 1, 2, 3, 4, 5]);
    assert_eq!(
        db.commit_counts(),
        Some(CommitCounts {
            writes: 7,
            commits: 1
        })
    );
}

#[actix_web::test]
async fn a_commit_that_fails_is_an_error_for_everyone_in_it_and_leaves_nothing() {
    let (_directory, db) = temporary();
    db.write_blocking(|c| {
        execute(
            c,
            "CREATE TABLE late (id INTEGER REFERENCES notes (id) DEFERRABLE INITIALLY DEFERRED)",
        )
    })
    .expect("a table whose reference is checked at the commit");
    let (release, first) = held(&db).await;
    let fine = db.write(|c| insert(c, 1));
    let fails = db.write(|c| Err::<usize, _>(insert(c, 2).err().unwrap_or(DbError::NotFound)));
    let spoils = db.write(|c| execute(c, "INSERT INTO late VALUES (999)"));
    let (results, ()) = tokio::join!(async { tokio::join!(fine, fails, spoils) }, async {
        settle().await;
        drop(release);
    });
    assert!(first.await.expect("no panic").is_err());
    assert!(matches!(results.0, Err(DbError::Conflict)), "{:?}", results.0);
    assert!(
        matches!(results.1, Err(DbError::Conflict)),
        "what it found was never so"
    );
    assert!(matches!(results.2, Err(DbError::Conflict)));
    assert_eq!(ids(&db), [0_i64; 0]);
    assert_eq!(db.write(|c| insert(c, 3)).await.expect("the next one is fine"), 3);
}

#[actix_web::test]
async fn a_transaction_that_sqlite_ends_by_itself_takes_nobody_by_surprise() {
    let (_directory, db) = temporary();
    let (release, first) = held(&db).await;
    let fine = db.write(|c| insert(c, 1));
    // As a full disk does: the whole transaction is gone, savepoints and all.
    let gone = db.write(|c| execute(c, "ROLLBACK"));
    let after = db.write(|c| insert(c, 2));
    let (results, ()) = tokio::join!(async { tokio::join!(fine, gone, after) }, async {
        settle().await;
        drop(release);
    });
    assert!(first.await.expect("no panic").is_err());
    assert!(results.0.is_err() && results.1.is_err());
    assert_eq!(results.2.expect("a commit of its own"), 2);
    assert_eq!(ids(&db), [2]);
}

#[actix_web::test]
async fn a_write_whose_caller_leaves_happens_wholly_or_not_at_all() {
    let (_directory, db) = temporary();
    let (release, first) = held(&db).await;
    let mut leaving: Vec<_> = (1..=5)
        .map(|id| Box::pin(db.write(move |c| insert(c, id))))
        .collect();
    for write in &mut leaving {
        assert!(futures_util::poll!(write).is_pending());
    }
    // Before its turn: not done. The one that is at work is done, although nobody waits for it.
    drop(leaving);
    first.abort();
    drop(release);
    assert_eq!(db.write(|c| insert(c, 6)).await.expect("written"), 6);
    assert_eq!(ids(&db), [0, 6]);
}

#[actix_web::test]
async fn r9_while_another_process_writes_those_who_waited_are_told_it_is_busy() {
    let (directory, db) = temporary();
    let path = directory.path().join("satchel.db");
    let mut other = SqliteConnection::establish(path.to_str().expect("UTF-8")).expect("a connection");
    // The wait is five seconds otherwise.
    db.write_blocking(|c| execute(c, "SELECT 1"))
        .expect("the writer is open");
    let impatient = db.write(|c| execute(c, "PRAGMA busy_timeout = 50"));
    impatient.await.expect("set");
    other.batch_execute("BEGIN IMMEDIATE").expect("held");
    let results = join_all((1..=5).map(|id| db.write(move |c| insert(c, id)))).await;
    assert!(
        results
            .iter()
            .all(|result| matches!(result, Err(DbError::Busy(_)))),
        "{results:?}"
    );
    other.batch_execute("ROLLBACK").expect("released");
    assert_eq!(db.write(|c| insert(c, 7)).await.expect("written"), 7);
    assert_eq!(ids(&db), [7]);
}

#[test]
fn a_turn_whose_thread_never_came_leaves_the_next_write_its_own() {
    let (_directory, db) = temporary();
    let system = actix_web::rt::System::new();
    system.block_on(async {
        let mut write = Box::pin(db.write(|c| insert(c, 1)));
        let _ = futures_util::poll!(&mut write);
    });
    // Ends with its threads, whether or not one had come to the write.
    drop(system);
    let next = async { tokio::time::timeout(Duration::from_secs(30), db.write(|c| insert(c, 2))).await };
    let written = actix_web::rt::System::new().block_on(next);
    assert_eq!(written.expect("in time").expect("written"), 2);
}

#[actix_web::test]
async fn who_comes_between_the_last_look_and_the_end_of_a_turn_is_written_for() {
    let (_directory, db) = temporary();
    let Writer::Shared { writer, .. } = &db.0.writer else {
        panic!("SQLite has one writer");
    };
    // It has seen that nobody waits, and has not gone yet.
    let mut turn = Turn::begin(std::sync::Arc::clone(&writer.0));
    turn.write_for_all();
    let (release, holder) = held(&db).await;
    let next = db.clone();
    let waiting = actix_web::rt::spawn(async move { next.write(|c| insert(c, 7)).await });
    while writer.0.queue().waiting.is_empty() {
        tokio::task::yield_now().await;
    }
    drop(turn);
    drop(release);
    holder.await.expect("no panic").expect("the first write");
    assert_eq!(waiting.await.expect("no panic").expect("the second write"), 7);
}
