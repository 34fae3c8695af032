//! SQLite's writer: every commit is on the disk before anybody is told of it, and those who wait share one.
//!
//! A commit that survives a loss of power costs a flush of the disk, which takes longer than everything before it. So whoever finds
//! nobody writing writes for all who come meanwhile: each write in a savepoint of its own, one commit for the lot, then the
//! answers. A write that fails or panics undoes its own savepoint alone. Nobody is answered before the commit, not even with a
//! failure: it may rest on what a neighbour wrote. PostgreSQL does the same by itself, between transactions of their own.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::{DbConn, DbError, PATIENCE, Pool, transaction};

/// Writes in one commit: a neighbour that is slow keeps no more than this many others waiting.
const MOST_WRITES: usize = 128;

/// How many writes took how many commits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CommitCounts {
    /// Writes that were answered with success.
    pub writes: u64,
    /// Commits that made them last.
    pub commits: u64,
}

/// The writer. Clones share it.
#[derive(Clone)]
pub(super) struct SharedWriter(Arc<Shared>);

struct Shared {
    pool: Pool,
    queue: Mutex<Queue>,
    writes: AtomicU64,
    commits: AtomicU64,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Box<dyn Write>>,
    /// Somebody writes for all, or is about to.
    writing: bool,
}

impl SharedWriter {
    pub(super) fn new(pool: Pool) -> Self {
        SharedWriter(Arc::new(Shared {
            pool,
            queue: Mutex::default(),
            writes: AtomicU64::new(0),
            commits: AtomicU64::new(0),
        }))
    }

    pub(super) fn counts(&self) -> CommitCounts {
        CommitCounts {
            writes: self.0.writes.load(Ordering::Relaxed),
            commits: self.0.commits.load(Ordering::Relaxed),
        }
    }

    /// Waits its turn for so long; once the work has begun, waits for its end. Dropped before that, it is not done.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut DbConn) -> Result<T, DbError> + Send + 'static,
    ) -> Result<T, DbError> {
        let (sender, mut answer) = oneshot::channel();
        let place = Place::default();
        let write = Task {
            place: place.clone(),
            work: Some(work),
            result: None,
            answer: sender,
        };
        let is_first = {
            let mut queue = self.0.queue();
            queue.waiting.push_back(Box::new(write));
            !std::mem::replace(&mut queue.writing, true)
        };
        if is_first {
            let mut turn = Turn::begin(Arc::clone(&self.0));
            // It writes for others too, so it goes on without us.
            drop(actix_web::web::block(move || turn.write_for_all()));
        }
        let withdrawn = WithdrawnOnDrop(place);
        match tokio::time::timeout(PATIENCE, &mut answer).await {
            Ok(answered) => answered,
            Err(_) if withdrawn.0.take() => {
                return Err(DbError::Busy("the writer did not come to this write".to_owned()));
            }
            Err(_) => answer.await,
        }
        .unwrap_or_else(|_| Err(DbError::Unreachable("the writer has stopped".to_owned())))
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        // Nothing in here can panic half-way.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One commit for all who wait, and for who comes while it is prepared; `waiting` waited before it began.
    fn commit_some(&self, waiting: usize) {
        let mut pooled = match self.pool.get() {
            Ok(pooled) => pooled,
            Err(error) => return self.refuse(waiting, &DbError::Unreachable(error.to_string())),
        };
        let connection: &mut DbConn = &mut pooled;
        if let Err(error) = transaction::begin(connection) {
            return self.refuse(waiting, &error.into());
        }
        let mut done = Vec::new();
        let mut outcome = Ok(());
        while outcome.is_ok()
            && done.len() < MOST_WRITES
            && let Some(mut write) = self.next()
        {
            if write.begin() {
                outcome = write.run(connection);
                done.push(write);
            }
        }
        if outcome.is_ok() && !done.is_empty() {
            outcome = transaction::commit(connection).map_err(DbError::from);
            self.commits
                .fetch_add(u64::from(outcome.is_ok()), Ordering::Relaxed);
        }
        transaction::roll_back_all(connection);
        // A connection that broke must be gone before anybody who was told so tries again.
        drop(pooled);
        for write in done {
            // Counted before anybody is answered, so that whoever counts after an answer finds it.
            let is_kept = outcome.is_ok() && write.lasts();
            self.writes.fetch_add(u64::from(is_kept), Ordering::Relaxed);
            write.answer(outcome.as_ref().err());
        }
    }

    fn next(&self) -> Option<Box<dyn Write>> {
        self.queue().waiting.pop_front()
    }

    /// Tells those who have waited; who came since may have more luck.
    fn refuse(&self, waiting: usize, error: &DbError) {
        let refused: Vec<_> = {
            let mut queue = self.queue();
            let count = waiting.min(queue.waiting.len());
            queue.waiting.drain(..count).collect()
        };
        for mut write in refused {
            if write.begin() {
                write.answer(Some(error));
            }
        }
    }
}

/// The one who writes for all.
struct Turn {
    shared: Arc<Shared>,
    /// Nobody was left: whoever has come since has a turn of their own.
    is_over: bool,
}

impl Turn {
    fn begin(shared: Arc<Shared>) -> Self {
        Turn {
            shared,
            is_over: false,
        }
    }

    fn write_for_all(&mut self) {
        while let Some(waiting) = self.waiting() {
            self.shared.commit_some(waiting);
        }
        self.is_over = true;
    }

    /// How many wait; with nobody left the turn is over, and the next to come begins another.
    fn waiting(&self) -> Option<usize> {
        let mut queue = self.shared.queue();
        queue.writing = !queue.waiting.is_empty();
        queue.writing.then_some(queue.waiting.len())
    }
}

impl Drop for Turn {
    /// A turn that never came, because the threads are being stopped, leaves nobody waiting.
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        let left = {
            let mut queue = self.shared.queue();
            queue.writing = false;
            std::mem::take(&mut queue.waiting)
        };
        drop(left);
    }
}

/// One write, whatever it gives.
trait Write: Send {
    /// Takes it out of the queue for good; `false` when its caller has given up.
    fn begin(&mut self) -> bool;
    /// Does it in a savepoint; fails when that could not be kept apart from its neighbours.
    fn run(&mut self, connection: &mut DbConn) -> Result<(), DbError>;
    /// Whether it lasts once the transaction does.
    fn lasts(&self) -> bool;
    /// Tells the caller what it gave, or why nothing of it lasts.
    fn answer(self: Box<Self>, failure: Option<&DbError>);
}

struct Task<T, W> {
    place: Place,
    work: Option<W>,
    result: Option<Result<T, DbError>>,
    answer: oneshot::Sender<Result<T, DbError>>,
}

impl<T: Send, W: FnOnce(&mut DbConn) -> Result<T, DbError> + Send> Write for Task<T, W> {
    fn begin(&mut self) -> bool {
        self.place.take()
    }

    fn run(&mut self, connection: &mut DbConn) -> Result<(), DbError> {
        let Some(work) = self.work.take() else {
            return Ok(());
        };
        self.result = Some(transaction::savepoint(connection, work)?);
        Ok(())
    }

    fn lasts(&self) -> bool {
        matches!(self.result, Some(Ok(_)))
    }

    fn answer(self: Box<Self>, failure: Option<&DbError>) {
        let result = match (failure, self.result) {
            (None, Some(result)) => result,
            (Some(error), _) => Err(error.clone()),
            (None, None) => Err(DbError::Unreachable("the writer has stopped".to_owned())),
        };
        // Nobody may be left to hear it: the write lasts all the same.
        let _ = self.answer.send(result);
    }
}

/// A place in the queue, which the writer and its caller may both want to take out: one of them does.
#[derive(Clone, Default)]
struct Place(Arc<AtomicBool>);

impl Place {
    /// `true` for the first.
    fn take(&self) -> bool {
        !self.0.swap(true, Ordering::AcqRel)
    }
}

struct WithdrawnOnDrop(Place);

impl Drop for WithdrawnOnDrop {
    fn drop(&mut self) {
        self.0.take();
    }
}

#[cfg(test)]
mod tests;
