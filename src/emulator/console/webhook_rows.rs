//! Webhooks as the page shows them.

use crate::emulator::clock::written_ms;
use crate::emulator::webhooks::{Attempt, Endpoint, Webhook, WebhookState};

pub(super) struct WebhookRow {
    pub(super) webhook: Webhook,
    pub(super) id: String,
    pub(super) time: String,
    /// Where its endpoint is, unless that is not registered any more.
    pub(super) url: Option<String>,
}

impl WebhookRow {
    pub(super) fn new(webhook: Webhook, endpoints: &[Endpoint]) -> Self {
        let endpoint = endpoints.iter().find(|endpoint| endpoint.id == webhook.endpoint);
        Self {
            id: webhook.id(),
            time: written_ms(webhook.made_ms),
            url: endpoint.map(|endpoint| endpoint.url.clone()),
            webhook,
        }
    }

    /// Hours to milliseconds: the day is in the `<time>`.
    pub(super) fn short_time(&self) -> &str {
        self.time.get(11..23).unwrap_or(&self.time)
    }

    pub(super) fn state_class(&self) -> &'static str {
        match self.webhook.state {
            WebhookState::Delivered => "good",
            WebhookState::Waiting => "caution",
            WebhookState::Undelivered | WebhookState::Lost => "bad",
        }
    }

    pub(super) fn due(&self) -> Option<String> {
        self.webhook.due_ms.map(written_ms)
    }

    pub(super) fn attempts(&self) -> Vec<String> {
        self.webhook.attempts.iter().map(sentence).collect()
    }

    pub(super) fn body(&self) -> String {
        let value = serde_json::from_str::<serde_json::Value>(&self.webhook.body);
        let pretty = value.and_then(|value| serde_json::to_string_pretty(&value));
        pretty.unwrap_or_else(|_| self.webhook.body.clone())
    }
}

fn sentence(attempt: &Attempt) -> String {
    let time = written_ms(attempt.at_ms);
    let took = attempt.took_ms.unwrap_or_default();
    match (attempt.status, &attempt.error) {
        (Some(status), _) => {
            let answer = attempt.answer.as_deref().unwrap_or_default();
            format!("{time}: {status} after {took} ms: {answer}")
        }
        (None, Some(error)) => format!("{time}: {error}"),
        (None, None) => format!("{time}: no answer yet"),
    }
}
