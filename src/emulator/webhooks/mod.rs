//! Webhooks: every event to every endpoint that hears of it, signed, retried and kept (§7).
//!
//! An event is written to disk before the call that caused it is answered, and before it happens: when the emulator is
//! killed in between, the next start looks whether it happened (`record::Proof`). From there each webhook, one event on its
//! way to one endpoint, is delivered at least once: at once, then after the documented 5 minutes, 30 minutes and 12 hours by
//! the emulator's clock, which a test may shift. At most 20,000 wait (more are undelivered at once) and the latest 1,000
//! that are over are kept, with the last 20 attempts of each.
//!
//! `event` words what happened, `record` is a webhook and decides what follows from an attempt, `shelf` is the disk, `book`
//! knows what is due, `sender` sends by way of `delivery`, `held` is what is about to happen, `fault` lets them go wrong.
//! What uses this is `http` (through [`Webhooks::prepare`]), `controls` and `console`.

mod book;
mod delivery;
mod endpoint;
mod event;
mod fault;
mod filter;
mod held;
mod numbers;
mod record;
mod sender;
mod shelf;
mod signing;

use std::fmt;
use std::fs::{File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use self::book::{Book, Key};
use self::fault::Queue;
use self::numbers::Numbers;
pub(super) use self::shelf::Kept;
use self::shelf::Shelf;
use super::clock::{Clock, millis};
use super::store::Store;

pub use endpoint::Endpoint;
pub use event::Event;
pub use fault::{WaitingWebhook, WebhookFault};
pub use filter::WebhookFilter;
pub(super) use record::Proof;
pub use record::{Attempt, Reason, Webhook, WebhookState};
pub(super) use sender::Sender;

/// Endpoints that may be registered.
const MAX_ENDPOINTS: usize = 32;

/// Endpoints and webhooks of a running emulator. Clones are the same ones. Whatever can fail for the disk's sake also
/// waits for it: not for async threads, unless it says `async`.
#[derive(Clone)]
pub struct Webhooks(Arc<Inner>);

struct Inner {
    /// Keeps the directory of an emulator in memory.
    _store: Store,
    clock: Clock,
    shelf: Shelf,
    numbers: Numbers,
    /// Those of the start, which come back with a reset.
    configured: Vec<Endpoint>,
    endpoints: Mutex<Vec<Endpoint>>,
    book: Mutex<Book>,
    faults: Mutex<Queue>,
    /// Records are read, changed and written one at a time. Taken before any other lock.
    disk: Mutex<()>,
    changed: watch::Sender<()>,
}

impl Webhooks {
    /// Opens what the last process left. Nothing is sent before the sender runs.
    pub(super) fn open(
        store: &Store,
        clock: &Clock,
        configured: Vec<Endpoint>,
        within: Duration,
    ) -> io::Result<(Self, Sender)> {
        let shelf = Shelf::open(store.root().join("webhooks"))?;
        let mut endpoints = configured.clone();
        for kept in shelf.endpoints()? {
            if endpoints.iter().all(|own| own.id != kept.id) {
                endpoints.push(kept);
            }
        }
        let lock = lock(&shelf.lock())?;
        let mut book = Book::default();
        // Otherwise they are those of another process, which sends them.
        if lock.is_some() {
            shelf.recover(store, |webhook| {
                for old in book.put(webhook) {
                    shelf.remove(&old);
                }
            })?;
        }
        let webhooks = Self(Arc::new(Inner {
            _store: store.clone(),
            clock: clock.clone(),
            numbers: Numbers::new(shelf.numbers()),
            shelf,
            configured,
            endpoints: Mutex::new(endpoints),
            book: Mutex::new(book),
            faults: Mutex::default(),
            disk: Mutex::default(),
            changed: watch::Sender::default(),
        }));
        let sender = Sender::new(webhooks.clone(), within, lock)?;
        Ok((webhooks, sender))
    }

    /// The endpoints that hear of events.
    pub fn endpoints(&self) -> Vec<Endpoint> {
        hold(&self.0.endpoints).clone()
    }

    /// Registers an endpoint, in place of one with its id. It is kept over restarts.
    ///
    /// # Errors
    /// `InvalidInput` when there are 32 already; otherwise when it cannot be written.
    pub fn register(&self, endpoint: Endpoint) -> io::Result<()> {
        let _one = hold(&self.0.disk);
        let mut endpoints = self.endpoints();
        endpoints.retain(|own| own.id != endpoint.id);
        if endpoints.len() >= MAX_ENDPOINTS {
            let text = format!("{MAX_ENDPOINTS} endpoints are registered already: remove one first");
            return Err(io::Error::new(ErrorKind::InvalidInput, text));
        }
        endpoints.push(endpoint);
        self.set_endpoints(endpoints)
    }

    /// Forgets an endpoint; what waits for it is undelivered. One that was named at the start comes back with the next.
    /// `false` when there is none with this id.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn unregister(&self, id: &str) -> io::Result<bool> {
        let _one = hold(&self.0.disk);
        let mut endpoints = self.endpoints();
        let before = endpoints.len();
        endpoints.retain(|own| own.id != id);
        if endpoints.len() == before {
            return Ok(false);
        }
        self.set_endpoints(endpoints)?;
        let waiting = hold(&self.0.book).waiting_for(id);
        for key in waiting {
            if let Some(mut webhook) = self.0.shelf.read(&key)? {
                webhook.extra = None;
                webhook.settle(WebhookState::Undelivered);
                self.keep(&webhook)?;
            }
        }
        self.tell();
        Ok(true)
    }

    /// Webhooks, newest first.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn list(&self, filter: &WebhookFilter) -> io::Result<Vec<Webhook>> {
        let keys: Vec<Key> = {
            let book = hold(&self.0.book);
            let wanted = book.newest().filter(|(key, entry)| filter.picks(key, entry));
            wanted
                .take(filter.limit.unwrap_or(100))
                .map(|(key, _)| key.clone())
                .collect()
        };
        let mut webhooks = Vec::with_capacity(keys.len());
        for key in keys {
            // One that went meanwhile was an old one.
            webhooks.extend(self.0.shelf.read(&key)?);
        }
        Ok(webhooks)
    }

    /// One webhook by its id; `None` when there is none.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn get(&self, id: &str) -> io::Result<Option<Webhook>> {
        match Key::parse(id).filter(|key| hold(&self.0.book).has(key)) {
            Some(key) => self.0.shelf.read(&key),
            None => Ok(None),
        }
    }

    /// How many are kept.
    pub fn len(&self) -> usize {
        hold(&self.0.book).len()
    }

    /// Whether none is kept.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many will be sent, now or later.
    pub fn waiting(&self) -> usize {
        hold(&self.0.book).waiting()
    }

    /// Sends a webhook once more as soon as possible, whatever became of it; `false` when there is none with this id.
    ///
    /// # Errors
    /// `InvalidInput` when its endpoint is not registered any more; otherwise when it cannot be written.
    pub fn send_again(&self, id: &str) -> io::Result<bool> {
        let _one = hold(&self.0.disk);
        let Some(mut webhook) = self.get(id)? else {
            return Ok(false);
        };
        if self.endpoints().iter().all(|own| own.id != webhook.endpoint) {
            let text = "Its endpoint is not registered any more: register it, then send again";
            return Err(io::Error::new(ErrorKind::InvalidInput, text));
        }
        webhook.extra = Some(Reason::SentAgain);
        self.keep(&webhook)?;
        self.tell();
        Ok(true)
    }

    /// Lets the next `times` webhooks to an endpoint, or to any, go wrong, after those that already wait for it.
    pub fn next_times(&self, endpoint: Option<&str>, times: usize, fault: WebhookFault) {
        self.let_wait(WaitingWebhook {
            webhook: fault,
            endpoint: endpoint.map(str::to_owned),
            times,
        });
    }

    /// Failures that have not happened yet.
    pub fn waiting_faults(&self) -> Vec<WaitingWebhook> {
        hold(&self.0.faults).all()
    }

    /// Forgets failures that have not happened yet.
    pub fn clear_faults(&self) {
        hold(&self.0.faults).clear();
    }

    /// Waits until nothing is under way and nothing is due by the emulator's clock as it is; `false` when that took too
    /// long. What is to be sent later does not count.
    pub async fn settle(&self, within: Duration) -> bool {
        let mut changed = self.watch();
        let quiet = async {
            loop {
                changed.mark_unchanged();
                if self.is_idle() || changed.changed().await.is_err() {
                    return;
                }
            }
        };
        tokio::time::timeout(within, quiet).await.is_ok()
    }

    pub(super) fn let_wait(&self, waiting: WaitingWebhook) {
        hold(&self.0.faults).push(waiting);
    }

    /// Removes every webhook and every failure that waits; endpoints are those of the start.
    pub(super) fn clear(&self) -> io::Result<()> {
        let _one = hold(&self.0.disk);
        self.clear_faults();
        hold(&self.0.book).clear();
        self.0.shelf.clear()?;
        self.set_endpoints(self.0.configured.clone())?;
        self.tell();
        Ok(())
    }

    /// Copies webhooks and endpoints into an empty directory.
    pub(super) fn export(&self, to: &Path) -> io::Result<()> {
        let _one = hold(&self.0.disk);
        self.0.shelf.export(to, &self.added())
    }

    /// Replaces webhooks and endpoints by those of a snapshot; the endpoints of the start stay.
    pub(super) fn replace(&self, by: Kept) -> io::Result<()> {
        let _one = hold(&self.0.disk);
        hold(&self.0.book).clear();
        self.0.shelf.clear()?;
        let is_new = |endpoint: &Endpoint| self.0.configured.iter().all(|own| own.id != endpoint.id);
        let added = by.endpoints.into_iter().filter(is_new);
        self.set_endpoints(self.0.configured.iter().cloned().chain(added).collect())?;
        for webhook in &by.webhooks {
            self.keep(webhook)?;
        }
        self.tell();
        Ok(())
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.0.clock
    }

    fn watch(&self) -> watch::Receiver<()> {
        self.0.changed.subscribe()
    }

    fn tell(&self) {
        self.0.changed.send_replace(());
    }

    /// Endpoints that came after the start.
    fn added(&self) -> Vec<Endpoint> {
        let mut endpoints = self.endpoints();
        endpoints.retain(|endpoint| !self.0.configured.contains(endpoint));
        endpoints
    }

    fn set_endpoints(&self, endpoints: Vec<Endpoint>) -> io::Result<()> {
        let before = std::mem::replace(&mut *hold(&self.0.endpoints), endpoints);
        let kept = self.0.shelf.keep_endpoints(&self.added());
        if kept.is_err() {
            *hold(&self.0.endpoints) = before;
        }
        kept
    }

    fn now_ms(&self) -> u64 {
        millis(self.0.clock.now())
    }

    fn is_idle(&self) -> bool {
        let endpoints = self.endpoints();
        let ids = endpoints.iter().map(|endpoint| endpoint.id.as_str());
        hold(&self.0.book).is_idle(ids, self.now_ms())
    }

    /// Writes a record and what the index knows of it.
    fn keep(&self, webhook: &Webhook) -> io::Result<()> {
        self.0.shelf.write(webhook)?;
        self.index(webhook);
        Ok(())
    }

    fn index(&self, webhook: &Webhook) {
        let old = hold(&self.0.book).put(webhook);
        for key in old {
            self.0.shelf.remove(&key);
        }
    }
}

impl fmt::Debug for Webhooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhooks")
            .field("endpoints", &self.endpoints())
            .field("kept", &self.len())
            .finish_non_exhaustive()
    }
}

fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A lock that goes with the process; `None` when another one has it.
fn lock(path: &Path) -> io::Result<Option<File>> {
    let file = File::options().append(true).create(true).open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}
