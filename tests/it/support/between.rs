//! Two transactions at once on PostgreSQL, in a known order: one holds what it has changed until another waits for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::BigInt;
use satchel::db::{DbConn, DbError};

use super::app::TestApp;
use super::eventually;

/// The other transaction, as the first one sees it.
pub struct Other(Arc<AtomicBool>);

#[derive(QueryableByName)]
struct Waiting {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

impl Other {
    /// Lets the other one begin, and returns once it waits for a lock of this one.
    pub fn waits(&self, c: &mut DbConn) -> Result<(), DbError> {
        self.0.store(true, Ordering::SeqCst);
        let waiting = "SELECT count(*) AS count FROM pg_locks \
             WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))";
        for _ in 0..1_500 {
            if sql_query(waiting).get_result::<Waiting>(c)?.count > 0 {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Err(DbError::Query("nothing waits for this".to_owned()))
    }
}

impl TestApp {
    /// Does `work` in one transaction, which says when the other is to begin and must succeed; gives what the other came to.
    pub async fn in_between<T>(
        &self,
        work: impl FnOnce(&mut DbConn, &Other) -> Result<(), DbError> + Send + 'static,
        other: impl Future<Output = T>,
    ) -> T {
        let begun = Arc::new(AtomicBool::new(false));
        let first = Other(begun.clone());
        let first = self.services.db.write(move |c| work(c, &first));
        let other = async {
            eventually("the first transaction is under way", async || {
                begun.load(Ordering::SeqCst)
            })
            .await;
            other.await
        };
        let (done, other) = futures_util::join!(first, other);
        done.expect("the first transaction");
        other
    }
}
