//! What may be turned while the emulator runs: the clock, security, failures on demand, all files at once; and the log of
//! what arrived. Tests use it as it is; people and other programs reach the same through `console`.

mod calls;
pub(super) mod curl;
pub(super) mod notes;
mod snapshots;
pub(super) mod verdict;

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::apps::Apps;
use super::clock::Clock;
use super::runs::Runs;
use super::store::Store;
use super::webhooks::Webhooks;
use super::workflows::Workflows;
pub use calls::{Call, Calls, Verdict};

/// Handles to a running emulator. Clones are the same handles.
#[derive(Clone, Debug)]
pub struct Controls {
    clock: Clock,
    store: Store,
    apps: Apps,
    faults: Faults,
    calls: Calls,
    webhooks: Webhooks,
    workflows: Workflows,
    runs: Runs,
    /// Snapshots and resets happen one at a time.
    whole: Arc<Mutex<()>>,
}

impl Controls {
    pub(super) fn new(
        store: Store,
        apps: Apps,
        clock: Clock,
        webhooks: Webhooks,
        (workflows, runs): (Workflows, Runs),
    ) -> Self {
        let calls = Calls::default();
        Self {
            clock,
            store,
            apps,
            faults: Faults {
                waiting: Arc::default(),
                calls: calls.clone(),
            },
            calls,
            webhooks,
            workflows,
            runs,
            whole: Arc::default(),
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

    /// The calls that came.
    pub fn calls(&self) -> &Calls {
        &self.calls
    }

    /// Webhooks: endpoints, attempts, failures on demand.
    pub fn webhooks(&self) -> &Webhooks {
        &self.webhooks
    }

    /// The workflows it knows.
    pub fn workflows(&self) -> &Workflows {
        &self.workflows
    }

    /// How long workflows and conversions of film take, by the emulator's clock.
    pub fn processing_time(&self) -> Duration {
        self.runs.takes()
    }

    /// Sets how long those take that begin from now on. With zero they have ended as soon as somebody asks.
    pub fn set_processing_time(&self, time: Duration) {
        self.runs.set_takes(time);
    }

    pub(super) fn runs(&self) -> &Runs {
        &self.runs
    }

    /// The key of every application, and whether its security is on.
    pub fn apps(&self) -> Vec<(String, bool)> {
        self.apps
            .iter()
            .map(|app| (app.key.clone(), app.secured))
            .collect()
    }

    /// Switches an application's security on or off (§2.4); `false` when there is no such application.
    pub fn secure(&self, key: &str, secured: bool) -> bool {
        self.apps.secure(key, secured)
    }
}

/// Classes of calls, by what they do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Start,
        Self::PartUrl,
        Self::Put,
        Self::Commit,
        Self::Complete,
        Self::Store,
        Self::Delivery,
        Self::Metadata,
        Self::Delete,
        Self::Overwrite,
        Self::Other,
    ];

    /// Its name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::PartUrl => "part_url",
            Self::Put => "put",
            Self::Commit => "commit",
            Self::Complete => "complete",
            Self::Store => "store",
            Self::Delivery => "delivery",
            Self::Metadata => "metadata",
            Self::Delete => "delete",
            Self::Overwrite => "overwrite",
            Self::Other => "other",
        }
    }

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
            ("GET" | "HEAD", ["picker" | "filestack-js", ..]) => Self::Other,
            ("GET" | "HEAD", _) => Self::Delivery,
            _ => Self::Other,
        }
    }
}

/// One way to misbehave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Reads the request, does nothing and answers with this status. 202 on `Complete` says "not merged yet".
    Status(u16),
    /// Reads the request, does nothing and answers exactly this.
    Reply {
        /// Status code.
        status: u16,
        /// Header names and values.
        #[serde(default)]
        headers: Vec<(String, String)>,
        /// Body text.
        #[serde(default)]
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
    #[serde(rename = "delay_ms")]
    Delay(#[serde(with = "milliseconds")] Duration),
    /// Behaves, but takes the request's body and sends the reply's no faster than this.
    SlowBody {
        /// Bytes of a body in each second, at least 1.
        bytes_per_second: u64,
    },
    /// Behaves, with an `ETag` that belongs to other bytes.
    WrongEtag,
    /// Behaves, without the `ETag`.
    NoEtag,
    /// On `Start`: denies intelligent ingestion to a client that asks for it (§3.2).
    RefuseIngestion,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "answers {status}"),
            Self::Reply { status, .. } => write!(f, "answers {status} with a given body"),
            Self::CutRequest { after } => write!(f, "cuts the connection after {after} B of the request"),
            Self::CutBeforeReply => f.write_str("does it and cuts the connection before the reply"),
            Self::CutReply { after } => write!(f, "cuts the connection after {after} B of the reply"),
            Self::Delay(time) => write!(f, "waits {} ms", time.as_millis()),
            Self::SlowBody { bytes_per_second } => write!(f, "moves {bytes_per_second} B/s"),
            Self::WrongEtag => f.write_str("gives a wrong ETag"),
            Self::NoEtag => f.write_str("gives no ETag"),
            Self::RefuseIngestion => f.write_str("denies intelligent ingestion"),
        }
    }
}

/// Durations as whole milliseconds.
mod milliseconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_millis)
    }
}

/// A failure that waits for calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waiting {
    /// The class of calls that meet it.
    pub route: Route,
    /// What they meet.
    pub fault: Fault,
    /// How many of them; one when it is not said.
    #[serde(default = "once")]
    pub times: usize,
}

fn once() -> usize {
    1
}

/// Failures waiting for their call, and the calls that came.
#[derive(Clone, Debug)]
pub struct Faults {
    waiting: Arc<Mutex<Queues>>,
    calls: Calls,
}

/// Each route's failures, in order, with how often each is still to happen.
type Queues = HashMap<Route, VecDeque<(Fault, usize)>>;

impl Faults {
    /// Makes the next call of a class fail.
    pub fn next(&self, route: Route, fault: Fault) {
        self.next_times(route, 1, fault);
    }

    /// Makes the next `times` calls of a class fail, after those that already wait.
    pub fn next_times(&self, route: Route, times: usize, fault: Fault) {
        if times > 0 {
            self.with(|waiting| waiting.entry(route).or_default().push_back((fault, times)));
        }
    }

    /// Failures that have not happened yet, by route and in the order they will.
    pub fn waiting(&self) -> Vec<Waiting> {
        self.with(|waiting| {
            let queues = Route::ALL
                .iter()
                .filter_map(|route| Some((*route, waiting.get(route)?)));
            queues
                .flat_map(|(route, queue)| {
                    queue.iter().map(move |(fault, times)| Waiting {
                        route,
                        fault: fault.clone(),
                        times: *times,
                    })
                })
                .collect()
        })
    }

    /// Forgets failures that have not happened yet.
    pub fn clear(&self) {
        self.with(HashMap::clear);
    }

    /// Forgets those of one class.
    pub fn clear_route(&self, route: Route) {
        self.with(|waiting| waiting.remove(&route));
    }

    /// The calls answered so far, oldest first.
    pub fn calls(&self) -> Vec<Call> {
        let calls = self.calls.all();
        let answered = calls.iter().filter(|call| call.is_answered());
        answered.map(|call| Call::clone(call)).collect()
    }

    /// How many calls of a class were answered.
    pub fn count(&self, route: Route) -> usize {
        let calls = self.calls.all();
        let answered = calls.iter().filter(|call| call.is_answered());
        answered.filter(|call| call.route == route).count()
    }

    /// Forgets the calls so far.
    pub fn forget_calls(&self) {
        self.calls.forget();
    }

    pub(super) fn take(&self, route: Route) -> Option<Fault> {
        self.with(|waiting| {
            let queue = waiting.get_mut(&route)?;
            let (fault, times) = queue.front_mut()?;
            let fault = fault.clone();
            *times -= 1;
            if *times == 0 {
                queue.pop_front();
            }
            Some(fault)
        })
    }

    fn replace(&self, by: Vec<Waiting>) {
        self.clear();
        for Waiting { route, fault, times } in by {
            self.next_times(route, times, fault);
        }
    }

    fn with<T>(&self, use_it: impl FnOnce(&mut Queues) -> T) -> T {
        use_it(&mut self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
