//! What is noted about a request while it is answered: handlers decide deep inside, the log is written round them.
//!
//! The notes belong to the task that answers the request; outside of one nothing is noted.

use std::cell::RefCell;
use std::future::Future;
use std::rc::Rc;
use std::time::SystemTime;

use super::calls::Verdict;
use super::verdict;
use crate::emulator::apps::App;
use crate::emulator::policy::{Ask, Credentials, Grant, Refusal};

tokio::task_local! {
    static NOTES: Notes;
}

/// The notes on one request. Clones are the same notes.
#[derive(Clone, Debug, Default)]
pub(in crate::emulator) struct Notes(Rc<RefCell<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    decision: Option<Decision>,
    ingestion_refused: bool,
}

/// What a policy was found to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::emulator) struct Decision {
    pub app: String,
    pub policy: Option<String>,
    pub verdict: Verdict,
    pub why: String,
}

impl Notes {
    /// Answers a request with these notes at hand.
    pub(in crate::emulator) async fn within<F: Future>(&self, answer: F) -> F::Output {
        NOTES.scope(self.clone(), answer).await
    }

    pub(in crate::emulator) fn decision(&self) -> Option<Decision> {
        self.0.borrow().decision.clone()
    }

    /// Makes the start of an upload deny intelligent ingestion (§3.2).
    pub(in crate::emulator) fn refuse_ingestion(&self) {
        self.0.borrow_mut().ingestion_refused = true;
    }
}

/// Whether a failure on demand denies this upload intelligent ingestion.
pub(in crate::emulator) fn is_ingestion_refused() -> bool {
    NOTES
        .try_with(|notes| notes.0.borrow().ingestion_refused)
        .unwrap_or_default()
}

/// Notes what a policy was found to say. Of several decisions the first refusal stays, or else the last one.
pub(in crate::emulator) fn decided(
    app: &App,
    credentials: &Credentials,
    ask: &Ask<'_>,
    outcome: &Result<Grant, Refusal>,
    now: SystemTime,
) {
    // Without notes there is nobody to tell.
    let _untold = NOTES.try_with(|notes| {
        let slot = &mut notes.0.borrow_mut().decision;
        let is_settled = slot
            .as_ref()
            .is_some_and(|decision| decision.verdict == Verdict::Refused);
        if !is_settled {
            *slot = Some(verdict::decision(app, credentials, ask, outcome, now));
        }
    });
}
