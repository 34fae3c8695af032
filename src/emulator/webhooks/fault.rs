//! Webhooks that go wrong on demand (the switches of §13).

use std::collections::VecDeque;
use std::fmt;

use serde::{Deserialize, Serialize};

/// One way for a webhook to go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WebhookFault {
    /// It is never sent.
    Lost,
    /// It is sent twice, one right after the other.
    Doubled,
    /// It is sent after a later one to the same endpoint, or after a minute when none comes.
    Reordered,
    /// Its first attempt comes so many milliseconds later, by the emulator's clock.
    LateMs(u64),
    /// The signature of its first attempt is another one's.
    WrongSignature,
    /// Its first attempt says, and is signed for, a time so many seconds ago.
    StaleSeconds(u64),
}

impl fmt::Display for WebhookFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost => f.write_str("lost"),
            Self::Doubled => f.write_str("doubled"),
            Self::Reordered => f.write_str("sent after a later one"),
            Self::LateMs(ms) => write!(f, "{ms} ms late"),
            Self::WrongSignature => f.write_str("signed wrongly"),
            Self::StaleSeconds(seconds) => write!(f, "signed {seconds} s ago"),
        }
    }
}

/// A failure that waits for webhooks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WaitingWebhook {
    /// What they meet.
    pub webhook: WebhookFault,
    /// Id of the endpoint whose webhooks meet it; any one's when unset.
    #[serde(default)]
    pub endpoint: Option<String>,
    /// How many of them; one when it is not said.
    #[serde(default = "once")]
    pub times: usize,
}

fn once() -> usize {
    1
}

/// Failures that wait, in the order they will happen.
#[derive(Debug, Default)]
pub(super) struct Queue(VecDeque<WaitingWebhook>);

impl Queue {
    pub(super) fn push(&mut self, waiting: WaitingWebhook) {
        if waiting.times > 0 {
            self.0.push_back(waiting);
        }
    }

    pub(super) fn all(&self) -> Vec<WaitingWebhook> {
        self.0.iter().cloned().collect()
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// What the next webhook to an endpoint meets.
    pub(super) fn take(&mut self, endpoint: &str) -> Option<WebhookFault> {
        let meets = |waiting: &WaitingWebhook| waiting.endpoint.as_deref().is_none_or(|id| id == endpoint);
        let at = self.0.iter().position(meets)?;
        let waiting = self.0.get_mut(at)?;
        let fault = waiting.webhook;
        waiting.times -= 1;
        if waiting.times == 0 {
            self.0.remove(at);
        }
        Some(fault)
    }
}
