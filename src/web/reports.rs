//! `/csp-reports`: what browsers refused to run or load because our pages' policy forbids it (A14). Somebody tried to inject something,
//! or we have broken a page of our own.
//!
//! Anybody can send one, so nothing is written to the database: a few are kept in memory, at most one a second, and each of these is one
//! line in the log.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use actix_web::{HttpResponse, web};
use futures_util::StreamExt as _;
use serde_json::Value;
use tokio::time::timeout;

use crate::clock::UtcTime;
use crate::error::AppError;
use crate::services::events::inbox::legible;
use crate::web::AppState;

/// Where browsers send them; stands in every policy.
pub const PATH: &str = "/csp-reports";
/// A report is a few hundred bytes.
const MOST_BYTES: usize = 8 * 1_024;
/// How long one may take to arrive.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many are kept, and how many characters of each value.
const KEPT: usize = 20;
const VALUE_CHARS: usize = 200;
/// Between two that are kept.
const PAUSE: Duration = Duration::from_secs(1);

/// A report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// When it came.
    pub at: UtcTime,
    /// The page.
    pub page: String,
    /// What the policy says of it.
    pub directive: String,
    /// What was not run or loaded.
    pub blocked: String,
}

/// The last reports.
#[derive(Debug, Default)]
pub struct Reports(Mutex<VecDeque<Report>>);

impl Reports {
    /// The newest first.
    pub fn list(&self) -> Vec<Report> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().rev().cloned().collect()
    }

    /// Keeps a report, unless one was kept a moment ago.
    fn keep(&self, report: &Report) -> bool {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.back().is_some_and(|last| report.at.since(last.at) < PAUSE) {
            return false;
        }
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(report.clone());
        true
    }
}

/// `POST /csp-reports`: the answer is the same whatever becomes of it.
pub async fn create(state: web::Data<AppState>, payload: web::Payload) -> Result<HttpResponse, AppError> {
    let body = timeout(PATIENCE, read(payload)).await.unwrap_or(Ok(Vec::new()))?;
    if let Some(report) = parse(&body, state.services.clock.now())
        && state.reports.keep(&report)
    {
        log::warn!(
            event = "csp-violation", page = report.page.as_str(), directive = report.directive.as_str(),
            blocked = report.blocked.as_str(); "a browser has blocked something on one of our pages"
        );
    }
    Ok(HttpResponse::NoContent().finish())
}

async fn read(mut payload: web::Payload) -> Result<Vec<u8>, AppError> {
    let mut body = Vec::new();
    while let Some(chunk) = payload.next().await {
        // Half a report is none.
        let Ok(chunk) = chunk else {
            return Ok(Vec::new());
        };
        if body.len() + chunk.len() > MOST_BYTES {
            return Err(AppError::TooLarge(
                "A report has at most 8 KiB. Send a smaller one.".to_owned(),
            ));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Reads a report as browsers send them; `None` for anything else. Addresses lose what may be secret in them.
fn parse(body: &[u8], at: UtcTime) -> Option<Report> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let report = body.get("csp-report")?.as_object()?;
    let value = |name: &str| {
        let text = report.get(name).and_then(Value::as_str).unwrap_or_default();
        let text = text.split(['?', '#']).next().unwrap_or_default();
        legible(text.as_bytes())
            .chars()
            .take(VALUE_CHARS)
            .collect::<String>()
    };
    Some(Report {
        at,
        page: value("document-uri"),
        directive: value("violated-directive"),
        blocked: value("blocked-uri"),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a14_reports_are_bounded_in_number_rate_and_size() {
        let reports = Reports::default();
        let report = |seconds: i64| Report {
            at: UtcTime::from_micros(seconds * 1_000_000),
            page: String::new(),
            directive: String::new(),
            blocked: String::new(),
        };
        assert!(reports.keep(&report(0)));
        assert!(!reports.keep(&report(0)));
        for seconds in 1..100 {
            assert!(reports.keep(&report(seconds)));
        }
        let kept = reports.list();
        assert_eq!((kept.len(), kept[0].at), (KEPT, report(99).at));
    }

    #[test]
    fn a14_only_what_a_browser_sends_is_read_and_nothing_secret_of_it() {
        let now = UtcTime::from_micros(0);
        for bad in ["", "x", "[]", "{}", r#"{"csp-report":1}"#] {
            assert_eq!(parse(bad.as_bytes(), now), None, "{bad}");
        }
        let body = json!({"csp-report": {
            "document-uri": "http://127.0.0.1/documents?q=secret", "violated-directive": "script-src-elem",
            "blocked-uri": "x".repeat(5_000),
        }});
        let report = parse(body.to_string().as_bytes(), now).expect("a report");
        assert_eq!(report.page, "http://127.0.0.1/documents");
        assert_eq!(report.blocked.len(), VALUE_CHARS);
    }
}
