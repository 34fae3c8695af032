//! Password hashes, a few at a time.
//!
//! A hash takes 19 MiB and a core. The memory is kept and used again: freed, it would stay with the thread that freed it, and after a
//! flood of sign-ins every thread for blocking work would have some.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;

use crate::crypto::Scratch;

/// Hashes computed at once: a flood of sign-ins must leave some memory and some of the processor.
const AT_ONCE: usize = 2;

/// The turns, and the memory of those whose turn it is not.
pub(super) struct Hashing {
    turns: Arc<Semaphore>,
    idle: Arc<Mutex<Vec<Scratch>>>,
}

impl Hashing {
    pub(super) fn new() -> Self {
        Hashing {
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            idle: Arc::default(),
        }
    }

    /// Does this off the async threads when it is its turn; `None` when it panicked. Whoever goes away while waiting costs nothing.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Scratch) -> T + Send + 'static,
    ) -> Option<T> {
        let turn = Arc::clone(&self.turns).acquire_owned().await.ok()?;
        let idle = Arc::clone(&self.idle);
        let working = tokio::task::spawn_blocking(move || {
            let mut scratch = lock(&idle).pop().unwrap_or_default();
            let done = work(&mut scratch);
            lock(&idle).push(scratch);
            // Only now: whoever waited for the answer may have gone, and the memory was in use all the same.
            drop(turn);
            done
        });
        working.await.ok()
    }
}

fn lock(idle: &Mutex<Vec<Scratch>>) -> std::sync::MutexGuard<'_, Vec<Scratch>> {
    // Nothing is half done in there: it is only pushed and popped.
    idle.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::FutureExt as _;
    use futures_util::future::join_all;

    use super::*;

    #[actix_web::test]
    async fn r8_a_flood_of_hashes_takes_the_memory_of_two_even_when_nobody_waits_for_them() {
        let hashing = Hashing::new();
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let one = || {
            let (now, most) = (Arc::clone(&now), Arc::clone(&most));
            hashing.run(move |scratch| {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                scratch.nobodys_hash();
                now.fetch_sub(1, Ordering::SeqCst);
            })
        };
        for _ in 0..50 {
            // Begun, and given up.
            assert!(one().now_or_never().is_none());
        }
        let done = join_all((0..50).map(|_| one())).await;
        assert!(done.into_iter().all(|done| done.is_some()));
        assert!(most.load(Ordering::SeqCst) <= AT_ONCE);
        assert!(lock(&hashing.idle).len() <= AT_ONCE);
        assert_eq!(hashing.run(|_| panic!("as asked")).await, None::<()>);
        assert_eq!(hashing.run(|_| 1).await, Some(1));
    }
}
