//! A webhook: one event on its way to one endpoint, and what became of every attempt. What follows from an attempt is
//! decided here, without a clock or a disk.

use serde::{Deserialize, Serialize};

use super::fault::WebhookFault;

/// §7.1, as documented: how long after a failed attempt the next one comes; after the last the webhook is undelivered.
const RETRIES_MS: [u64; 3] = [5 * 60_000, 30 * 60_000, 12 * 3_600_000];
/// Attempts whose details are kept. The schedule makes four; the rest are somebody's "send again".
const MAX_ATTEMPTS: usize = 20;
/// How long a reordered webhook waits for a later one, by the emulator's clock.
const OVERTAKEN_WITHIN_MS: u64 = 60_000;

/// What became of a webhook so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WebhookState {
    /// It will be sent, or sent again.
    Waiting,
    /// An attempt was answered 200, 201 or 204.
    Delivered,
    /// Every attempt failed, or its endpoint is gone.
    Undelivered,
    /// A failure on demand: it was not sent.
    Lost,
}

impl WebhookState {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Delivered, Self::Undelivered, Self::Lost];

    /// Its name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Undelivered => "undelivered",
            Self::Lost => "lost",
        }
    }
}

/// Why an attempt was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The schedule: the first attempt or a retry.
    Scheduled,
    /// A failure on demand: the second of two.
    Doubled,
    /// Somebody asked for it.
    SentAgain,
}

/// One attempt to deliver a webhook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Why it was made.
    pub reason: Reason,
    /// The emulator's time then, in milliseconds since 1970.
    pub at_ms: u64,
    /// Where to.
    pub url: String,
    /// The request's headers.
    pub headers: Vec<(String, String)>,
    /// Status of the answer, if one came.
    pub status: Option<u16>,
    /// The beginning of the answer's body.
    pub answer: Option<String>,
    /// Why there was no answer. Neither this nor a status: the attempt goes on, or the emulator ended meanwhile.
    pub error: Option<String>,
    /// Milliseconds until the answer or the failure.
    pub took_ms: Option<u64>,
}

impl Attempt {
    /// §7.1: these and no others mean that it arrived.
    pub fn is_success(&self) -> bool {
        matches!(self.status, Some(200 | 201 | 204))
    }
}

/// What came of an attempt.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    pub(super) status: Option<u16>,
    pub(super) answer: Option<String>,
    pub(super) error: Option<String>,
    pub(super) took_ms: u64,
}

/// What has to be so on disk for the event to have happened; looked at when the emulator ended between writing the webhook
/// and doing what it tells of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::emulator) enum Proof {
    /// There is such a file.
    Stored(String),
    /// There is no such file.
    Gone(String),
    /// The file has this content.
    Version(String, String),
}

/// One event on its way to one endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    /// Number of the event: the `id` in the body, the same for every endpoint.
    pub event: u64,
    /// Id of the endpoint.
    pub endpoint: String,
    /// Key of the application it happened in.
    pub app: String,
    /// `fp.upload` and so on.
    pub action: String,
    /// The file it is about.
    pub handle: Option<String>,
    /// When it happened, in milliseconds since 1970, by the emulator's clock.
    pub made_ms: u64,
    /// The body, byte for byte, of every attempt.
    pub body: String,
    /// What became of it.
    pub state: WebhookState,
    /// When the schedule sends it, by the emulator's clock.
    pub due_ms: Option<u64>,
    /// A failure on demand it met.
    pub fault: Option<WebhookFault>,
    /// The attempts so far, oldest first; the oldest go when there are more than 20.
    pub attempts: Vec<Attempt>,
    /// How many there were.
    pub attempts_made: usize,
    /// How many of the schedule's attempts have failed.
    pub(super) failures: usize,
    /// An attempt beside the schedule, as soon as possible.
    pub(super) extra: Option<Reason>,
    pub(super) proof: Option<Proof>,
}

impl Webhook {
    /// Its name in lists.
    pub fn id(&self) -> String {
        format!("{}-{}", self.event, self.endpoint)
    }

    /// Lets a failure on demand happen to one that was not sent yet.
    pub(super) fn meet(&mut self, fault: WebhookFault) {
        self.fault = Some(fault);
        match fault {
            WebhookFault::Lost => self.settle(WebhookState::Lost),
            WebhookFault::LateMs(ms) => self.due_ms = Some(self.made_ms.saturating_add(ms)),
            WebhookFault::Reordered => self.due_ms = Some(self.made_ms.saturating_add(OVERTAKEN_WITHIN_MS)),
            _ => {}
        }
    }

    /// Whether it waits to be overtaken.
    pub(super) fn is_behind(&self) -> bool {
        self.fault == Some(WebhookFault::Reordered) && self.attempts_made == 0
    }

    /// Writes down that an attempt begins.
    pub(super) fn begin(&mut self, attempt: Attempt) {
        self.attempts.push(attempt);
        self.attempts_made += 1;
        if self.attempts.len() > MAX_ATTEMPTS {
            self.attempts.remove(0);
        }
    }

    /// Writes down how the attempt that began last went, and what follows from it.
    pub(super) fn end(&mut self, outcome: Outcome, now_ms: u64) {
        let is_first = self.attempts_made == 1;
        let Some(attempt) = self.attempts.last_mut() else {
            return;
        };
        attempt.status = outcome.status;
        attempt.answer = outcome.answer;
        attempt.error = outcome.error;
        attempt.took_ms = Some(outcome.took_ms);
        let (arrived, reason) = (attempt.is_success(), attempt.reason);
        if reason == Reason::Scheduled && !arrived {
            self.failures += 1;
        }
        if reason != Reason::Scheduled {
            self.extra = None;
        }
        if arrived {
            self.settle(WebhookState::Delivered);
        } else if reason == Reason::Scheduled {
            match RETRIES_MS.get(self.failures - 1) {
                Some(wait) => self.due_ms = Some(now_ms.saturating_add(*wait)),
                None => self.settle(WebhookState::Undelivered),
            }
        }
        if is_first && self.fault == Some(WebhookFault::Doubled) {
            self.extra = Some(Reason::Doubled);
        }
    }

    /// It is over, until somebody sends it again.
    pub(super) fn settle(&mut self, state: WebhookState) {
        self.state = state;
        self.due_ms = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn webhook() -> Webhook {
        Webhook {
            event: 1,
            endpoint: "e".into(),
            app: "AKeyz".into(),
            action: "fp.upload".into(),
            handle: None,
            made_ms: 0,
            body: "{}".into(),
            state: WebhookState::Waiting,
            due_ms: Some(0),
            fault: None,
            attempts: Vec::new(),
            attempts_made: 0,
            failures: 0,
            extra: None,
            proof: None,
        }
    }

    fn try_it(webhook: &mut Webhook, reason: Reason, status: Option<u16>, now_ms: u64) {
        webhook.begin(Attempt {
            reason,
            at_ms: now_ms,
            url: "http://127.0.0.1/".into(),
            headers: Vec::new(),
            status: None,
            answer: None,
            error: None,
            took_ms: None,
        });
        let outcome = Outcome {
            status,
            answer: None,
            error: None,
            took_ms: 1,
        };
        webhook.end(outcome, now_ms);
    }

    #[test]
    fn three_retries_follow_and_then_it_is_undelivered() {
        let mut webhook = webhook();
        for (now, due) in [(0, 300_000), (300_000, 2_100_000), (2_100_000, 45_300_000)] {
            try_it(&mut webhook, Reason::Scheduled, Some(500), now);
            assert_eq!(
                (webhook.state, webhook.due_ms),
                (WebhookState::Waiting, Some(due))
            );
        }
        try_it(&mut webhook, Reason::Scheduled, None, 45_300_000);
        assert_eq!((webhook.state, webhook.due_ms), (WebhookState::Undelivered, None));
    }

    #[test]
    fn only_200_201_and_204_are_success() {
        for status in [200, 201, 202, 203, 204, 205, 206, 301, 400, 404, 500] {
            let mut webhook = webhook();
            try_it(&mut webhook, Reason::Scheduled, Some(status), 0);
            let arrived = webhook.state == WebhookState::Delivered;
            assert_eq!(arrived, matches!(status, 200 | 201 | 204), "{status}");
        }
    }

    #[test]
    fn what_is_sent_again_leaves_the_schedule_alone_unless_it_arrives() {
        let mut webhook = webhook();
        try_it(&mut webhook, Reason::Scheduled, Some(500), 0);
        webhook.extra = Some(Reason::SentAgain);
        try_it(&mut webhook, Reason::SentAgain, Some(500), 1_000);
        assert_eq!((webhook.due_ms, webhook.extra), (Some(300_000), None));
        try_it(&mut webhook, Reason::SentAgain, Some(204), 2_000);
        assert_eq!((webhook.state, webhook.due_ms), (WebhookState::Delivered, None));
        try_it(&mut webhook, Reason::SentAgain, Some(500), 3_000);
        assert_eq!(webhook.state, WebhookState::Delivered);
        for now in 0..100 {
            try_it(&mut webhook, Reason::SentAgain, Some(500), now);
        }
        assert_eq!(
            (webhook.attempts.len(), webhook.attempts_made),
            (MAX_ATTEMPTS, 104)
        );
    }
}
