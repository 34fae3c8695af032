//! The workers' threads, from their start to their end.

use std::io;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::run::{self, Step, step};
use crate::services::Services;

/// A worker with nothing to do looks again after so long; less when the bell rings.
const PAUSE: Duration = Duration::from_secs(1);
/// After the database did not answer.
const RECOVERY: Duration = Duration::from_secs(3);
/// Between two looks for jobs of workers that have died.
const RECLAIM: Duration = Duration::from_secs(5);

/// Threads that take jobs until they are told to stop.
pub struct Workers {
    threads: Vec<JoinHandle<()>>,
    draining: watch::Sender<bool>,
}

impl Workers {
    /// Starts so many; their names begin with `name`, which tells this process from others.
    ///
    /// # Errors
    ///
    /// When the system refuses threads.
    pub fn start(services: &Services, name: &str, count: usize) -> io::Result<Self> {
        let draining = watch::Sender::new(false);
        let mut threads = Vec::with_capacity(count);
        for number in 1..=count {
            let services = services.clone();
            let worker = format!("{name}/{number}");
            let draining = draining.subscribe();
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            let thread = std::thread::Builder::new()
                .name(format!("job-{number}"))
                .spawn(move || runtime.block_on(work(&services, &worker, draining)))?;
            threads.push(thread);
        }
        Ok(Workers { threads, draining })
    }

    /// From now on no job is taken any more; those that run go on.
    pub fn drain(&self) {
        self.draining.send_replace(true);
    }

    /// Ends when no job runs any more. Once the services are stopped those that still do are given back, so that it ends soon.
    pub async fn ended(self) {
        self.drain();
        let joined = tokio::task::spawn_blocking(move || {
            for thread in self.threads {
                // A worker's panic has been printed; its job's lease ends by itself.
                let _ = thread.join();
            }
        });
        let _ = joined.await;
    }
}

async fn work(services: &Services, worker: &str, mut draining: watch::Receiver<bool>) {
    let mut ear = services.bell.listen();
    let mut looked: Option<Instant> = None;
    while !*draining.borrow() {
        if looked.is_none_or(|looked| looked.elapsed() >= RECLAIM) {
            looked = Some(Instant::now());
            reclaim(services).await;
        }
        let pause = match step(services, worker, services.stopped()).await {
            Ok(Step::Ran { .. }) => continue,
            Ok(Step::Idle) => PAUSE,
            Err(error) => {
                log::warn!(event = "job-worker"; "a job could not be taken or ended: {error}");
                RECOVERY
            }
        };
        tokio::select! {
            _ = draining.wait_for(|draining| *draining) => return,
            () = tokio::time::sleep(pause) => {}
            () = ear.heard(), if pause == PAUSE => {}
        }
    }
}

async fn reclaim(services: &Services) {
    match run::reclaim(services).await {
        Ok(0) => {}
        Ok(count) => {
            log::warn!(event = "jobs-reclaimed", count; "{count} jobs were taken back from workers that had stopped");
        }
        Err(error) => log::warn!(event = "job-worker"; "jobs could not be taken back: {error}"),
    }
}
