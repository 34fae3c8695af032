//! Writes each request into the log of calls: with its policy, what was decided and why, and how to make it again.

use std::time::SystemTime;

use actix_web::{HttpRequest, HttpResponse};
use serde_json::Value;

use super::State;
use super::credentials::Query;
use super::tap::Tap;
use crate::emulator::controls::curl::{Body, Command};
use crate::emulator::controls::notes::{Decision, Notes};
use crate::emulator::controls::verdict::decoded;
use crate::emulator::controls::{Call, Calls, Fault, Route, Verdict};
use crate::emulator::errors::Problem;

/// A call that is being answered. One that is dropped before was given up by the caller, and is logged as that.
pub(super) struct Record {
    calls: Calls,
    notes: Notes,
    tap: Tap,
    at: SystemTime,
    route: Route,
    method: String,
    path: String,
    /// The policy of the query or of a path segment (§2.3).
    policy: Option<String>,
    fault: Option<String>,
    /// Taken when the call is logged.
    command: Option<Command>,
}

impl Record {
    pub(super) fn new(state: &State, req: &HttpRequest, tap: Tap) -> Self {
        let (method, path) = (req.method().as_str(), req.uri().path());
        let target = req.uri().path_and_query().map_or("/", |target| target.as_str());
        let url = state.base(req).url(target.trim_start_matches('/'));
        Self {
            calls: state.controls.calls().clone(),
            notes: Notes::default(),
            tap,
            at: state.controls.clock().now(),
            route: Route::of(method, path),
            method: method.to_owned(),
            path: path.to_owned(),
            policy: Query::of(req)
                .get("policy")
                .map(str::to_owned)
                .or_else(|| in_path(path)),
            fault: None,
            command: Some(Command::new(req.method(), &url, req.headers())),
        }
    }

    pub(super) fn route(&self) -> Route {
        self.route
    }

    pub(super) fn notes(&self) -> &Notes {
        &self.notes
    }

    /// A failure on demand was met.
    pub(super) fn met(&mut self, fault: &Fault) {
        self.fault = Some(fault.to_string());
    }

    pub(super) fn answered(mut self, reply: &HttpResponse) {
        let problem = reply.error().and_then(|error| error.as_error::<Problem>());
        let why = problem.map(|problem| problem.to_string()).unwrap_or_default();
        self.log(reply.status().as_u16(), why);
    }

    fn log(&mut self, status: u16, problem: String) {
        let Some(command) = self.command.take() else {
            return;
        };
        let decision = self.notes.decision();
        let policy = decision.as_ref().and_then(|decision| decision.policy.clone());
        let policy = policy.or_else(|| {
            let sent = self.policy.clone().or_else(|| self.tap.seen(in_body));
            sent.as_deref().map(decoded)
        });
        let (app, verdict, why) = match decision {
            // Refused later than the policy was looked at: by size, for one, which shows while the body is read.
            Some(Decision {
                app,
                verdict: Verdict::Allowed,
                why: _,
                ..
            }) if status == 403 => (Some(app), Verdict::Refused, problem),
            Some(Decision {
                app, verdict, why, ..
            }) => {
                // Allowed, and failed for another reason.
                let is_enough = problem.is_empty() || verdict == Verdict::Refused;
                (
                    Some(app),
                    verdict,
                    if is_enough {
                        why
                    } else {
                        format!("{why}. Then: {problem}")
                    },
                )
            }
            None => (None, Verdict::Unasked, problem),
        };
        let curl = self.tap.seen(|body| command.with(body));
        self.calls.add(Call {
            id: 0,
            at: self.at,
            route: self.route,
            method: std::mem::take(&mut self.method),
            path: std::mem::take(&mut self.path),
            status,
            body_bytes: self.tap.read(),
            fault: self.fault.take(),
            app,
            policy,
            verdict,
            why,
            curl,
        });
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        self.log(0, "The caller went away before it was answered".into());
    }
}

/// `security=policy:P,signature:S`, or `p:` and `s:`, in either order (§2.3).
fn in_path(path: &str) -> Option<String> {
    let segment = path
        .split('/')
        .find_map(|segment| segment.strip_prefix("security="))?;
    segment.split(',').find_map(|pair| {
        let (name, value) = pair.split_once(':')?;
        ["p", "policy"].contains(&name).then(|| value.to_owned())
    })
}

/// The field `policy`, or `security.policy` of `/prefetch` (§2.3).
fn in_body(body: Body<'_>) -> Option<String> {
    let Body::Kept(bytes) = body else { return None };
    if bytes.first() != Some(&b'{') {
        return None;
    }
    let json: Value = serde_json::from_slice(bytes).ok()?;
    let policy = json
        .get("policy")
        .or_else(|| json.get("security")?.get("policy"))?;
    policy.as_str().map(str::to_owned)
}
