//! What the sender asks and tells: which webhook is next, that an attempt begins, how it ended (§7.1).

use std::io;
use std::time::{Duration, Instant};

use super::book::Key;
use super::endpoint::Endpoint;
use super::fault::WebhookFault;
use super::record::{Attempt, Outcome, Reason, WebhookState};
use super::{Webhooks, hold, signing};
use crate::emulator::clock::{millis, seconds};

impl Webhooks {
    /// The next webhook to send.
    pub(super) fn take_due(&self) -> Option<(Key, u64, Endpoint)> {
        let (now, at) = (self.now_ms(), Instant::now());
        let mut book = hold(&self.0.book);
        self.endpoints().into_iter().find_map(|endpoint| {
            let (key, generation) = book.take(&endpoint.id, now, at)?;
            Some((key, generation, endpoint))
        })
    }

    /// How long there is nothing to do, unless something changes.
    pub(super) fn pause(&self) -> Option<Duration> {
        let endpoints = self.endpoints();
        let ids = endpoints.iter().map(|endpoint| endpoint.id.as_str());
        let now = Instant::now();
        let next = hold(&self.0.book).next(ids, now);
        let due = next.due_ms.and_then(|due| self.0.clock.until(due));
        let patience = next.at.map(|at| at.saturating_duration_since(now));
        due.into_iter().chain(patience).min()
    }

    /// Writes down that an attempt begins, and says what to send; `None` when there is nothing to send any more.
    pub(super) fn begin(
        &self,
        key: &Key,
        generation: u64,
        endpoint: &Endpoint,
    ) -> io::Result<Option<(Attempt, String)>> {
        let _one = hold(&self.0.disk);
        if hold(&self.0.book).generation() != generation {
            return Ok(None);
        }
        let Some(mut webhook) = self.0.shelf.read(key)? else {
            return Ok(None);
        };
        let is_first = webhook.attempts_made == 0;
        let reason = match (webhook.extra, webhook.due_ms) {
            (Some(reason), _) => reason,
            (None, Some(_)) => Reason::Scheduled,
            (None, None) => return Ok(None),
        };
        let now = self.0.clock.now();
        let fault = webhook.fault.filter(|_| is_first);
        let signed_at = match fault {
            Some(WebhookFault::StaleSeconds(ago)) => seconds(now).saturating_sub(ago),
            _ => seconds(now),
        };
        let secret = match fault {
            Some(WebhookFault::WrongSignature) => format!("not {}", endpoint.secret),
            _ => endpoint.secret.clone(),
        };
        let attempt = Attempt {
            reason,
            at_ms: millis(now),
            url: endpoint.url.clone(),
            headers: signing::headers(&secret, signed_at, &webhook.body),
            status: None,
            answer: None,
            error: None,
            took_ms: None,
        };
        webhook.begin(attempt.clone());
        self.0.shelf.write(&webhook)?;
        Ok(Some((attempt, webhook.body)))
    }

    /// Writes down how an attempt ended; without an outcome it was not made.
    pub(super) fn end(&self, key: &Key, generation: u64, outcome: Option<Outcome>) {
        let _one = hold(&self.0.disk);
        if hold(&self.0.book).generation() != generation {
            return;
        }
        let kept = match outcome {
            Some(outcome) => self.conclude(key, outcome),
            None => Ok(false),
        };
        let mut book = hold(&self.0.book);
        match kept {
            Ok(true) => {}
            // There is nothing to send, or it cannot be: until the next start.
            Ok(false) => book.forget(key),
            Err(error) => {
                log::error!("emulator: webhook {key} cannot be written: {error}");
                book.forget(key);
            }
        }
        let old = book.ended(key);
        drop(book);
        for key in old {
            self.0.shelf.remove(&key);
        }
        self.tell();
    }

    fn conclude(&self, key: &Key, outcome: Outcome) -> io::Result<bool> {
        let Some(mut webhook) = self.0.shelf.read(key)? else {
            return Ok(false);
        };
        let is_gone = self.endpoints().iter().all(|own| own.id != key.endpoint);
        webhook.end(outcome, self.now_ms());
        if is_gone && webhook.state == WebhookState::Waiting {
            webhook.settle(WebhookState::Undelivered);
        }
        self.keep(&webhook)?;
        Ok(true)
    }
}
