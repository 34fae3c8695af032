//! The calls that came, for reading: what was asked, what was answered and why.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use super::Route;

/// Calls kept; older ones are forgotten, so that a long-running emulator does not grow.
const MAX_CALLS: usize = 10_000;
/// What the texts of all kept calls may take together.
const MAX_BYTES: usize = 16 << 20;

/// What the security policies said about a call (§2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The call may be made.
    Allowed,
    /// The call may not be made.
    Refused,
    /// The call was not held to a policy: it needs none, or failed before.
    #[default]
    Unasked,
}

/// A call that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Counts up from 1, in the order the calls ended.
    pub id: u64,
    /// The emulator's time when it came.
    pub at: SystemTime,
    /// Its class.
    pub route: Route,
    /// Its method.
    pub method: String,
    /// Its path without the query, which may hold a policy.
    pub path: String,
    /// Status of the reply; of one that was cut, the status it would have had. 0 when the caller went away before.
    pub status: u16,
    /// Bytes of the request's body that arrived.
    pub body_bytes: u64,
    /// The failure on demand it met, in words.
    pub fault: Option<String>,
    /// Key of the application whose security decided.
    pub app: Option<String>,
    /// The policy that came, decoded: JSON, or whatever it decoded to.
    pub policy: Option<String>,
    /// What the policy allowed.
    pub verdict: Verdict,
    /// Why it was allowed or refused, or how else it failed.
    pub why: String,
    /// A curl command that makes the same call, with the credentials it came with.
    pub curl: String,
}

impl Call {
    /// Whether a reply was made.
    pub fn is_answered(&self) -> bool {
        self.status != 0
    }

    fn bytes(&self) -> usize {
        let texts = [
            Some(&self.path),
            Some(&self.why),
            Some(&self.curl),
            self.policy.as_ref(),
        ];
        texts.into_iter().flatten().map(String::len).sum()
    }
}

/// The log of calls. Clones are the same log.
#[derive(Clone, Debug, Default)]
pub struct Calls(Arc<Mutex<Book>>);

#[derive(Debug, Default)]
struct Book {
    calls: VecDeque<Arc<Call>>,
    bytes: usize,
    last: u64,
}

impl Calls {
    /// The calls kept, oldest first.
    pub fn all(&self) -> Vec<Arc<Call>> {
        self.with(|book| book.calls.iter().cloned().collect())
    }

    /// The latest `most` of the calls that `wanted` picks, oldest first.
    pub fn latest(&self, most: usize, wanted: impl Fn(&Call) -> bool) -> Vec<Arc<Call>> {
        let mut calls: Vec<_> = self.with(|book| {
            let newest = book.calls.iter().rev();
            newest.filter(|call| wanted(call)).take(most).cloned().collect()
        });
        calls.reverse();
        calls
    }

    /// How many are kept.
    pub fn len(&self) -> usize {
        self.with(|book| book.calls.len())
    }

    /// Whether none is kept.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets the calls so far; numbers go on.
    pub fn forget(&self) {
        self.with(|book| {
            book.calls.clear();
            book.bytes = 0;
        });
    }

    /// Adds a call, which gets its number here.
    pub(in crate::emulator) fn add(&self, mut call: Call) {
        self.with(|book| {
            book.last += 1;
            call.id = book.last;
            book.bytes += call.bytes();
            book.calls.push_back(Arc::new(call));
            while book.calls.len() > MAX_CALLS || book.bytes > MAX_BYTES {
                let Some(oldest) = book.calls.pop_front() else {
                    break;
                };
                book.bytes -= oldest.bytes();
            }
        });
    }

    fn with<T>(&self, use_it: impl FnOnce(&mut Book) -> T) -> T {
        use_it(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(curl: String) -> Call {
        Call {
            id: 0,
            at: SystemTime::UNIX_EPOCH,
            route: Route::Other,
            method: "GET".into(),
            path: "/".into(),
            status: 200,
            body_bytes: 0,
            fault: None,
            app: None,
            policy: None,
            verdict: Verdict::Unasked,
            why: String::new(),
            curl,
        }
    }

    #[test]
    fn the_log_of_calls_is_bounded_in_number_and_in_bytes() {
        let calls = Calls::default();
        for _ in 0..=MAX_CALLS {
            calls.add(call(String::new()));
        }
        assert_eq!((calls.len(), calls.all()[0].id), (MAX_CALLS, 2));
        for _ in 0..40 {
            calls.add(call("x".repeat(1 << 20)));
        }
        assert!(calls.len() < 17, "{}", calls.len());
        calls.forget();
        calls.add(call(String::new()));
        assert_eq!((calls.len(), calls.all()[0].id), (1, 10_042));
    }
}
