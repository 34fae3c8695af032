//! Events that are about to happen: written first, sent once they have (§7.2).

use super::book::MAX_WAITING;
use super::event::Event;
use super::record::{Proof, Webhook, WebhookState};
use super::{Webhooks, hold};
use crate::emulator::clock::{millis, seconds};
use std::io;

impl Webhooks {
    /// Writes what is about to happen in an application, for every endpoint that hears of it. `proof` tells after a crash
    /// whether it happened. Blocks.
    pub(in crate::emulator) fn prepare(
        &self,
        app: &str,
        event: &Event,
        proof: Option<Proof>,
    ) -> io::Result<Held> {
        let mut held = Held {
            webhooks: self.clone(),
            records: Vec::new(),
        };
        let endpoints = self.endpoints();
        let mut hearing = endpoints
            .into_iter()
            .filter(|endpoint| endpoint.hears(app))
            .peekable();
        if hearing.peek().is_none() {
            return Ok(held);
        }
        let (number, now) = (self.0.numbers.next()?, self.0.clock.now());
        let body = event.body(number, seconds(now));
        for endpoint in hearing {
            held.records.push(Webhook {
                event: number,
                endpoint: endpoint.id,
                app: app.to_owned(),
                action: event.action.clone(),
                handle: event.handle.clone(),
                made_ms: millis(now),
                body: body.clone(),
                state: WebhookState::Waiting,
                due_ms: Some(millis(now)),
                fault: None,
                attempts: Vec::new(),
                attempts_made: 0,
                failures: 0,
                extra: None,
                proof: proof.clone(),
            });
        }
        for webhook in &held.records {
            self.0.shelf.hold(webhook)?;
        }
        Ok(held)
    }

    /// Tells every endpoint that hears of an application of something that has happened in it.
    ///
    /// Says the event's number, if anybody hears of it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn emit(&self, app: &str, event: &Event) -> io::Result<Option<u64>> {
        let held = self.prepare(app, event, None)?;
        let number = held.records.first().map(|webhook| webhook.event);
        held.release();
        Ok(number)
    }
}

/// Webhooks whose event is about to happen. Dropped, it has not.
#[must_use = "dropped, the event has not happened"]
pub(in crate::emulator) struct Held {
    webhooks: Webhooks,
    records: Vec<Webhook>,
}

impl Held {
    /// The event has happened: they are sent. Blocks.
    pub(in crate::emulator) fn release(mut self) {
        let records = std::mem::take(&mut self.records);
        if records.is_empty() {
            return;
        }
        let inner = &self.webhooks.0;
        let _one = hold(&inner.disk);
        for mut webhook in records {
            let fault = hold(&inner.faults).take(&webhook.endpoint);
            if let Some(fault) = fault {
                webhook.meet(fault);
            }
            if hold(&inner.book).waiting() >= MAX_WAITING {
                log::warn!("emulator: {MAX_WAITING} webhooks wait already: one more is undelivered");
                webhook.settle(WebhookState::Undelivered);
            }
            let is_changed = fault.is_some() || webhook.state != WebhookState::Waiting;
            let kept = if is_changed {
                inner
                    .shelf
                    .write(&webhook)
                    .map(|()| inner.shelf.discard(&webhook))
            } else {
                inner.shelf.release(&webhook)
            };
            match kept {
                Ok(()) => self.webhooks.index(&webhook),
                // What it tells of has happened, and cannot be taken back: the next start sends it.
                Err(error) => log::error!("emulator: webhook {} waits for a restart: {error}", webhook.id()),
            }
        }
        self.webhooks.tell();
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        for webhook in &self.records {
            self.webhooks.0.shelf.discard(webhook);
        }
    }
}
