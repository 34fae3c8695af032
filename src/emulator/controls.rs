//! What tests may turn while the emulator runs: the clock, failures on demand, a log of what arrived.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::clock::Clock;
use super::store::Store;

/// Calls kept in the log; older ones are forgotten, so that a long-running emulator does not grow.
const LOG_LENGTH: usize = 10_000;

/// Handles to a running emulator. Clones are the same handles.
#[derive(Clone, Debug)]
pub struct Controls {
    clock: Clock,
    store: Store,
    faults: Faults,
}

impl Controls {
    pub(super) fn new(store: Store) -> Self {
        Self {
            clock: Clock::default(),
            store,
            faults: Faults::default(),
        }
    }

    /// The emulator's time.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The files it holds.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Failures on demand, and the log of calls.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }
}

/// Classes of calls, by what they do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Route {
    /// `POST /multipart/start`.
    Start,
    /// `POST /multipart/upload`: asks where to put a part.
    PartUrl,
    /// `PUT` of a part's bytes.
    Put,
    /// `POST /multipart/commit`.
    Commit,
    /// `POST /multipart/complete`.
    Complete,
    /// `POST /api/store/…`.
    Store,
    /// `GET` or `HEAD` of a file or of a transformation.
    Delivery,
    /// Metadata by either host's route.
    Metadata,
    /// Deletion by either form.
    Delete,
    /// New content for a file.
    Overwrite,
    /// Everything else.
    Other,
}

impl Route {
    /// The class of a request.
    pub(super) fn of(method: &str, path: &str) -> Self {
        let segments: Vec<&str> = path.split('/').skip(1).collect();
        match (method, segments.as_slice()) {
            ("POST", ["multipart", "start"]) => Self::Start,
            ("POST", ["multipart", "upload"]) => Self::PartUrl,
            ("POST", ["multipart", "commit"]) => Self::Commit,
            ("POST", ["multipart", "complete"]) => Self::Complete,
            ("PUT", ["storage", ..]) => Self::Put,
            ("POST", ["api", "store", _]) => Self::Store,
            ("GET", [.., "metadata"]) => Self::Metadata,
            ("DELETE", ["api", "file", _]) | ("POST", ["api", "file", _, "remove"]) => Self::Delete,
            ("POST", ["api", "file", _]) => Self::Overwrite,
            ("GET" | "HEAD", _) => Self::Delivery,
            _ => Self::Other,
        }
    }
}

/// One way to misbehave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Reads the request, does nothing and answers with this status. 202 on `Complete` says "not merged yet".
    Status(u16),
    /// Reads the request, does nothing and answers exactly this.
    Reply {
        /// Status code.
        status: u16,
        /// Header names and values.
        headers: Vec<(String, String)>,
        /// Body text.
        body: String,
    },
    /// Reads so many bytes of the request's body, then cuts the connection.
    CutRequest {
        /// Bytes of the body that still arrive.
        after: u64,
    },
    /// Does what was asked, then cuts the connection before a byte of the reply.
    CutBeforeReply,
    /// Does what was asked, and cuts the connection after so many bytes of the reply's body.
    CutReply {
        /// Bytes of the body that still leave.
        after: u64,
    },
    /// Waits, then behaves.
    Delay(Duration),
    /// Behaves, with an `ETag` that belongs to other bytes.
    WrongEtag,
    /// Behaves, without the `ETag`.
    NoEtag,
}

/// A call that was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Its class.
    pub route: Route,
    /// Its method.
    pub method: String,
    /// Its path without the query, which may hold a policy.
    pub path: String,
    /// Status of the reply; of one that was cut, the status it would have had.
    pub status: u16,
    /// Bytes of the request's body that arrived.
    pub body_bytes: u64,
}

/// Failures waiting for their call, and the calls that came.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Mutex<Book>>);

#[derive(Debug, Default)]
struct Book {
    waiting: HashMap<Route, VecDeque<Fault>>,
    calls: VecDeque<Call>,
}

impl Faults {
    /// Makes the next call of a class fail.
    pub fn next(&self, route: Route, fault: Fault) {
        self.next_times(route, 1, fault);
    }

    /// Makes the next `times` calls of a class fail, after those that already wait.
    pub fn next_times(&self, route: Route, times: usize, fault: Fault) {
        self.with(|book| {
            let queue = book.waiting.entry(route).or_default();
            queue.extend(std::iter::repeat_n(fault, times));
        });
    }

    /// Forgets failures that have not happened yet.
    pub fn clear(&self) {
        self.with(|book| book.waiting.clear());
    }

    /// The calls answered so far, oldest first.
    pub fn calls(&self) -> Vec<Call> {
        self.with(|book| book.calls.iter().cloned().collect())
    }

    /// How many calls of a class were answered.
    pub fn count(&self, route: Route) -> usize {
        self.with(|book| book.calls.iter().filter(|call| call.route == route).count())
    }

    /// Forgets the calls so far.
    pub fn forget_calls(&self) {
        self.with(|book| book.calls.clear());
    }

    pub(super) fn take(&self, route: Route) -> Option<Fault> {
        self.with(|book| book.waiting.get_mut(&route)?.pop_front())
    }

    pub(super) fn log(&self, call: Call) {
        self.with(|book| {
            if book.calls.len() == LOG_LENGTH {
                book.calls.pop_front();
            }
            book.calls.push_back(call);
        });
    }

    fn with<T>(&self, use_it: impl FnOnce(&mut Book) -> T) -> T {
        use_it(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
