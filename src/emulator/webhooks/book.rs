//! The index of webhooks (§7.1): what is due where, in memory and bounded. Each endpoint has a lane of its own, so one that does
//! not answer holds up no other.
//!
//! A lane sends one webhook after the other, in the order they fall due, to who answers within a second. Others get some at
//! once, and their order is their own doing.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::time::{Duration, Instant};

use super::record::{Webhook, WebhookState};

/// Attempts under way to one endpoint.
const AT_ONCE: usize = 8;
/// After this long without an answer the next attempt begins beside it.
const PATIENCE: Duration = Duration::from_secs(1);
/// Webhooks that may wait; what comes on top is undelivered at once.
pub(super) const MAX_WAITING: usize = 20_000;
/// Webhooks that are over and still kept for looking at.
pub(super) const MAX_SETTLED: usize = 1_000;

/// A webhook's event and endpoint.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key {
    pub(super) event: u64,
    pub(super) endpoint: String,
}

impl Key {
    pub(super) fn of(webhook: &Webhook) -> Self {
        Self {
            event: webhook.event,
            endpoint: webhook.endpoint.clone(),
        }
    }

    /// Reads [`Webhook::id`].
    pub(super) fn parse(id: &str) -> Option<Self> {
        let (event, endpoint) = id.split_once('-')?;
        let key = Self {
            event: event.parse().ok()?,
            endpoint: endpoint.to_owned(),
        };
        (super::endpoint::is_id(endpoint) && key.to_string() == id).then_some(key)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.event, self.endpoint)
    }
}

/// What lists are filtered by, and what is due.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) state: WebhookState,
    pub(super) action: String,
    pub(super) handle: Option<String>,
    /// When it is sent next, in milliseconds since 1970; 0 is at once.
    when: Option<u64>,
    running: bool,
}

/// What is due at one endpoint.
#[derive(Debug, Default)]
struct Lane {
    /// Time and event.
    due: BTreeSet<(u64, u64)>,
    running: Vec<(u64, Instant)>,
    /// Events that wait to be overtaken.
    behind: BTreeSet<u64>,
}

impl Lane {
    /// Whether another attempt may begin, or when that is to be asked again.
    fn may_begin(&self, at: Instant) -> Result<(), Option<Instant>> {
        let Some(latest) = self.running.iter().map(|(_, began)| *began).max() else {
            return Ok(());
        };
        let next = latest + PATIENCE;
        match (self.running.len() < AT_ONCE, next <= at) {
            (true, true) => Ok(()),
            (true, false) => Err(Some(next)),
            (false, _) => Err(None),
        }
    }
}

/// What to wait for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Next {
    /// The emulator's time at which something falls due.
    pub(super) due_ms: Option<u64>,
    /// When an endpoint has been waited for long enough.
    pub(super) at: Option<Instant>,
}

#[derive(Debug, Default)]
pub(super) struct Book {
    entries: BTreeMap<Key, Entry>,
    lanes: HashMap<String, Lane>,
    settled: BTreeSet<Key>,
    /// Counts how often everything was replaced: what was under way then is nothing to us any more.
    generation: u64,
}

impl Book {
    /// Takes over what is known of a webhook, and says which ones to forget for it.
    pub(super) fn put(&mut self, webhook: &Webhook) -> Vec<Key> {
        let key = Key::of(webhook);
        let running = self.entries.get(&key).is_some_and(|entry| entry.running);
        self.unlist(&key);
        let when = webhook.extra.map(|_| 0).or(webhook.due_ms);
        let entry = Entry {
            state: webhook.state,
            action: webhook.action.clone(),
            handle: webhook.handle.clone(),
            when,
            running,
        };
        self.entries.insert(key.clone(), entry);
        self.enlist(&key);
        let lane = self.lanes.entry(key.endpoint.clone()).or_default();
        if when.is_some() && webhook.is_behind() {
            lane.behind.insert(key.event);
        } else {
            lane.behind.remove(&key.event);
        }
        self.prune()
    }

    /// The next webhook that is due at one of these endpoints; it counts as under way from now on.
    pub(super) fn take(&mut self, endpoint: &str, now_ms: u64, at: Instant) -> Option<(Key, u64)> {
        let lane = self.lanes.get_mut(endpoint)?;
        lane.may_begin(at).ok()?;
        let first = *lane.due.first()?;
        if first.0 > now_ms {
            return None;
        }
        lane.due.remove(&first);
        lane.running.push((first.1, at));
        let key = Key {
            event: first.1,
            endpoint: endpoint.to_owned(),
        };
        self.entries.get_mut(&key)?.running = true;
        Some((key, self.generation))
    }

    /// An attempt has ended, well or not. Says which webhooks to forget for it.
    pub(super) fn ended(&mut self, key: &Key) -> Vec<Key> {
        let Some(lane) = self.lanes.get_mut(&key.endpoint) else {
            return Vec::new();
        };
        lane.running.retain(|(event, _)| *event != key.event);
        let still = lane.behind.split_off(&key.event);
        let overtaken = std::mem::replace(&mut lane.behind, still);
        for event in overtaken {
            let key = Key { event, ..key.clone() };
            self.unlist(&key);
            if let Some(entry) = self.entries.get_mut(&key) {
                entry.when = Some(0);
            }
            self.enlist(&key);
        }
        if let Some(entry) = self.entries.get_mut(key) {
            entry.running = false;
        }
        self.enlist(key);
        self.prune()
    }

    /// What to wait for at these endpoints.
    pub(super) fn next<'a>(&self, endpoints: impl Iterator<Item = &'a str>, at: Instant) -> Next {
        let mut next = Next::default();
        for lane in endpoints.filter_map(|endpoint| self.lanes.get(endpoint)) {
            let Some((due, _)) = lane.due.first() else {
                continue;
            };
            match lane.may_begin(at) {
                Ok(()) => next.due_ms = Some(next.due_ms.map_or(*due, |other| other.min(*due))),
                Err(Some(later)) => next.at = Some(next.at.map_or(later, |other| other.min(later))),
                Err(None) => {}
            }
        }
        next
    }

    /// Whether nothing is under way, and nothing due at these endpoints.
    pub(super) fn is_idle<'a>(&self, mut endpoints: impl Iterator<Item = &'a str>, now_ms: u64) -> bool {
        let is_due = |lane: &Lane| lane.due.first().is_some_and(|(due, _)| *due <= now_ms);
        self.lanes.values().all(|lane| lane.running.is_empty())
            && !endpoints.any(|endpoint| self.lanes.get(endpoint).is_some_and(is_due))
    }

    /// Keys and entries, newest first.
    pub(super) fn newest(&self) -> impl Iterator<Item = (&Key, &Entry)> {
        self.entries.iter().rev()
    }

    /// What waits for an endpoint.
    pub(super) fn waiting_for(&self, endpoint: &str) -> Vec<Key> {
        let waits = self
            .entries
            .iter()
            .filter(|(key, entry)| key.endpoint == endpoint && (entry.when.is_some() || entry.running));
        waits.map(|(key, _)| key.clone()).collect()
    }

    pub(super) fn has(&self, key: &Key) -> bool {
        self.entries.contains_key(key)
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn waiting(&self) -> usize {
        self.entries.len() - self.settled.len()
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    /// Forgets one that is not on disk any more.
    pub(super) fn forget(&mut self, key: &Key) {
        self.unlist(key);
        self.entries.remove(key);
    }

    pub(super) fn clear(&mut self) {
        *self = Self {
            generation: self.generation + 1,
            ..Self::default()
        };
    }

    fn enlist(&mut self, key: &Key) {
        let Some(entry) = self.entries.get(key) else {
            return;
        };
        match entry.when {
            _ if entry.running => {}
            Some(when) => {
                let lane = self.lanes.entry(key.endpoint.clone()).or_default();
                lane.due.insert((when, key.event));
            }
            None => {
                self.settled.insert(key.clone());
            }
        }
    }

    fn unlist(&mut self, key: &Key) {
        let Some(entry) = self.entries.get(key) else {
            return;
        };
        if let (Some(when), Some(lane)) = (entry.when, self.lanes.get_mut(&key.endpoint)) {
            lane.due.remove(&(when, key.event));
        }
        self.settled.remove(key);
    }

    fn prune(&mut self) -> Vec<Key> {
        let mut old = Vec::new();
        while self.settled.len() > MAX_SETTLED {
            let Some(key) = self.settled.pop_first() else {
                break;
            };
            self.entries.remove(&key);
            old.push(key);
        }
        old
    }
}
