//! Threads of their own for moving file bytes and computing digests, so that whoever else shares the caller's threads is not held up.

use std::io;
use std::sync::Arc;
use std::thread;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};

/// How much these threads step back behind others when the processor is busy: nobody waits for one of their turns.
const NICENESS: i32 = 3;

/// One thread that sends and receives, and a few for digests. Clones share them; they end with the last clone.
#[derive(Clone, Debug)]
pub struct Transfers {
    handle: Handle,
    _running: Arc<oneshot::Sender<()>>,
}

impl Transfers {
    /// Starts the threads; so many digests are computed at once.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub fn start(digests: usize) -> io::Result<Self> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .thread_name("digests")
            .max_blocking_threads(digests.max(1))
            .on_thread_start(step_back)
            .build()?;
        let handle = runtime.handle().clone();
        let (running, ended) = oneshot::channel::<()>();
        thread::Builder::new().name("transfers".into()).spawn(move || {
            step_back();
            // An error is the end: the last clone is gone.
            let _ = runtime.block_on(ended);
            runtime.shutdown_background();
        })?;
        Ok(Self {
            handle,
            _running: Arc::new(running),
        })
    }
}

/// Where the work of a client is done: on its own threads, or else on the caller's.
pub(super) fn spawn<T: Send + 'static>(
    transfers: Option<&Transfers>,
    tasks: &mut JoinSet<T>,
    task: impl Future<Output = T> + Send + 'static,
) {
    match transfers {
        Some(transfers) => tasks.spawn_on(task, &transfers.handle),
        None => tasks.spawn(task),
    };
}

/// The same for computing.
pub(super) fn compute<T: Send + 'static>(
    transfers: Option<&Transfers>,
    work: impl FnOnce() -> T + Send + 'static,
) -> JoinHandle<T> {
    match transfers {
        Some(transfers) => transfers.handle.spawn_blocking(work),
        None => tokio::task::spawn_blocking(work),
    }
}

/// Only a wish: where it cannot be had, digests compete with everything else.
#[cfg(target_os = "linux")]
fn step_back() {
    // No process id means this thread.
    let _ = rustix::process::setpriority_process(None, NICENESS);
}

#[cfg(not(target_os = "linux"))]
fn step_back() {}
