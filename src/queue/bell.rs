//! Wakes this process's workers when something has been enqueued.

use std::sync::Arc;

use tokio::sync::watch;

/// Clones share it. Ringing it costs next to nothing; a ring that nobody waits for is not lost on those who look next.
#[derive(Clone, Debug)]
pub struct Bell(Arc<watch::Sender<u64>>);

impl Default for Bell {
    fn default() -> Self {
        Bell(Arc::new(watch::Sender::new(0)))
    }
}

impl Bell {
    /// Says that there is something to do, after the commit.
    pub fn ring(&self) {
        self.0.send_modify(|rings| *rings = rings.wrapping_add(1));
    }

    /// An ear that hears every ring from now on.
    pub fn listen(&self) -> Ear {
        Ear(self.0.subscribe())
    }
}

/// Hears a [`Bell`].
#[derive(Debug)]
pub struct Ear(watch::Receiver<u64>);

impl Ear {
    /// Ends at the next ring, or at once when there was one since the last call.
    pub async fn heard(&mut self) {
        // The bell may be gone: then nothing rings any more.
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
