//! Ends runs when they are due (§6.7, §8).

use std::time::Duration;

use tokio::time::sleep;

use super::Runs;

/// The system's clock may be set; nobody waits longer than this to notice.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// Ends every run when it is due, for as long as it is awaited.
pub(in crate::emulator) async fn clockwork(runs: Runs) {
    let mut moved = runs.0.clock.watch();
    let mut changed = runs.0.changed.subscribe();
    loop {
        moved.mark_unchanged();
        changed.mark_unchanged();
        let (ready, next) = runs.agenda();
        for id in ready {
            if let Err(error) = runs.end(&id).await {
                log::error!("emulator: the run {id} is tried again later: {error}");
            }
        }
        let until = next.and_then(|at| runs.0.clock.until(at));
        let wait = until.unwrap_or(LONGEST_SLEEP).min(LONGEST_SLEEP);
        tokio::select! {
            _ = moved.changed() => {}
            _ = changed.changed() => {}
            () = sleep(wait) => {}
        }
    }
}
