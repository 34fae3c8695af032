//! Two transactions at once on PostgreSQL, in a known order: one holds what it has changed until another waits for it.

use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::Integer;
use satchel::db::{Db, DbConn, DbError};
use std::sync::Arc;
use tokio::sync::Notify;

use super::app::TestApp;

/// Waits until somebody waits for what this transaction holds; `false` when nobody does for fifteen seconds.
pub fn is_waited_for(c: &mut DbConn) -> Result<bool, DbError> {
    Ok(!waiting(c, "pid")?.is_empty())
}

/// Waits for the same, and takes what they wait for from them: they are told that the database is busy.
pub fn cancel_who_waits(c: &mut DbConn) -> Result<bool, DbError> {
    Ok(!waiting(c, "pg_cancel_backend(pid)::int")?.is_empty())
}

fn waiting(c: &mut DbConn, what: &str) -> Result<Vec<Waiting>, DbError> {
    // Of what is known about sessions a transaction sees only how it was at the first look; locks are looked at anew.
    let query = format!(
        "SELECT {what} AS n FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"
    );
    for _ in 0..1_500 {
        let found: Vec<Waiting> = sql_query(&query).load(c)?;
        if !found.is_empty() {
            return Ok(found);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(Vec::new())
}

#[derive(QueryableByName)]
struct Waiting {
    #[diesel(sql_type = Integer)]
    #[expect(dead_code, reason = "a row is all that is asked for")]
    n: i32,
}

/// The other transaction, as the first one sees it.
pub struct Other(Arc<Notify>);

impl Other {
    /// Lets the other one begin, and returns once it waits for a lock of this one.
    pub fn waits(&self, c: &mut DbConn) -> Result<(), DbError> {
        self.0.notify_one();
        if is_waited_for(c)? {
            Ok(())
        } else {
            Err(DbError::Query("nothing waits for this".to_owned()))
        }
    }
}

/// Does `first` in one transaction, which says when the other is to begin and must succeed; gives what both came to.
async fn in_between<T: Send + 'static, U>(
    db: &Db,
    first: impl FnOnce(&mut DbConn, &Other) -> Result<T, DbError> + Send + 'static,
    other: impl Future<Output = U>,
) -> (T, U) {
    let begun = Arc::new(Notify::new());
    let seen = Other(Arc::clone(&begun));
    let first = db.write(move |c| first(c, &seen));
    let other = async {
        begun.notified().await;
        other.await
    };
    let (done, other) = futures_util::join!(first, other);
    (done.expect("the first transaction"), other)
}

/// Two write transactions of which the second begins when the first has done its work, and waits for it: only then the first commits.
pub async fn second_waits<T: Send + 'static, U: Send + 'static>(
    db: &Db,
    first: impl FnOnce(&mut DbConn) -> Result<T, DbError> + Send + 'static,
    second: impl FnOnce(&mut DbConn) -> Result<U, DbError> + Send + 'static,
) -> (T, U) {
    let held = |c: &mut DbConn, other: &Other| {
        let done = first(c)?;
        other.waits(c)?;
        Ok(done)
    };
    let (done, second) = in_between(db, held, db.write(second)).await;
    (done, second.expect("the second commits"))
}

impl TestApp {
    /// Does `first` in one transaction, which says when the other is to begin and must succeed; gives what the other came to.
    pub async fn in_between<T>(
        &self,
        first: impl FnOnce(&mut DbConn, &Other) -> Result<(), DbError> + Send + 'static,
        other: impl Future<Output = T>,
    ) -> T {
        in_between(&self.services.db, first, other).await.1
    }
}
