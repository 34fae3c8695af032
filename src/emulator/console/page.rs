//! The control surface as a page: no script, plain forms.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::ContentType;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;
use serde_json::Value;

use super::api::verdict_name;
use super::commands::{self, Outcome, Wrong};
use super::webhook_rows::WebhookRow;
use super::{Console, webhooks};
use crate::emulator::clock::written;
use crate::emulator::controls::{Call, Route, Verdict, Waiting};
use crate::emulator::store::Meta;
use crate::emulator::webhooks::{Endpoint, WaitingWebhook, WebhookFilter};
use crate::emulator::workflows::Workflow;

/// Calls and files on the page.
const SHOWN: usize = 50;

#[derive(Template)]
#[template(path = "emulator/console.html")]
struct ConsolePage {
    origin: String,
    now: String,
    is_frozen: bool,
    is_moved: bool,
    apps: Vec<(String, bool)>,
    waiting: Vec<Waiting>,
    calls: Vec<CallRow>,
    kept_calls: usize,
    /// The calls before these, when there are any.
    older: Option<u64>,
    is_latest: bool,
    files: Vec<FileRow>,
    total_files: usize,
    workflows: Vec<Workflow>,
    /// Ids of those that came while it ran.
    added: Vec<String>,
    processing_seconds: f64,
    webhooks: Vec<WebhookRow>,
    kept_webhooks: usize,
    endpoints: Vec<Endpoint>,
    waiting_webhooks: Vec<WaitingWebhook>,
    snapshots: Vec<String>,
    notice: Option<String>,
}

impl ConsolePage {
    /// Only these can be removed.
    fn is_added(&self, workflow: &Workflow) -> bool {
        self.added.contains(&workflow.id)
    }

    fn routes(&self) -> [Route; 11] {
        Route::ALL
    }
}

struct CallRow {
    call: Arc<Call>,
    time: String,
    policy: Option<String>,
}

impl CallRow {
    fn new(call: Arc<Call>) -> Self {
        let pretty = |text: &String| match serde_json::from_str::<Value>(text) {
            Ok(value) => serde_json::to_string_pretty(&value).unwrap_or_default(),
            Err(_) => text.clone(),
        };
        Self {
            time: written(call.at),
            policy: call.policy.as_ref().map(pretty),
            call,
        }
    }

    /// Hours to milliseconds: the day is in the `<time>`.
    fn short_time(&self) -> &str {
        self.time.get(11..23).unwrap_or(&self.time)
    }

    fn status(&self) -> String {
        if self.call.is_answered() {
            self.call.status.to_string()
        } else {
            "–".into()
        }
    }

    fn status_class(&self) -> &'static str {
        match self.call.status {
            200..=399 => "good",
            0 | 500.. => "bad",
            _ => "caution",
        }
    }

    fn verdict(&self) -> &'static str {
        match self.call.verdict {
            Verdict::Unasked => "no policy asked",
            verdict => verdict_name(verdict),
        }
    }

    fn verdict_class(&self) -> &'static str {
        match self.call.verdict {
            Verdict::Allowed => "good",
            Verdict::Refused => "bad",
            Verdict::Unasked => "plain",
        }
    }
}

struct FileRow {
    handle: String,
    meta: Meta,
}

impl FileRow {
    fn size(&self) -> String {
        const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
        let mut size = self.meta.size as f64;
        if size < 1024.0 {
            return format!("{size} B");
        }
        let mut unit = "B";
        for larger in UNITS {
            if size < 1024.0 {
                break;
            }
            size /= 1024.0;
            unit = larger;
        }
        format!("{size:.1} {unit}")
    }

    fn app(&self) -> &str {
        self.meta.app.as_deref().unwrap_or("–")
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct PageQuery {
    before: Option<u64>,
}

/// `GET /__emulator/`.
pub(super) async fn show(req: HttpRequest, console: web::Data<Console>) -> HttpResponse {
    let query = web::Query::<PageQuery>::from_query(req.query_string());
    let before = query.ok().and_then(|query| query.before);
    reply(&console, before, StatusCode::OK, None).await
}

/// The page again, with what went wrong at its top.
pub(super) async fn with_notice(console: &Console, status: StatusCode, notice: String) -> HttpResponse {
    reply(console, None, status, Some(notice)).await
}

async fn reply(
    console: &Console,
    before: Option<u64>,
    status: StatusCode,
    notice: Option<String>,
) -> HttpResponse {
    match page(console, before, notice).await {
        Ok(html) => HttpResponse::build(status)
            .content_type(ContentType::html())
            .body(html),
        Err(wrong) => HttpResponse::from_error(wrong),
    }
}

async fn page(console: &Console, before: Option<u64>, notice: Option<String>) -> Outcome<String> {
    let controls = &console.controls;
    let (files, total_files) = commands::files(controls, SHOWN).await?;
    let newest = WebhookFilter {
        limit: Some(SHOWN),
        ..WebhookFilter::default()
    };
    let webhooks = webhooks::listed(controls, newest).await?;
    let endpoints = controls.webhooks().endpoints();
    let kept = controls.clone();
    let snapshots = commands::blocking(move || kept.snapshots()).await?;
    let setting = controls.clock().setting();
    // One more than is shown tells whether there are older ones.
    let mut calls = controls
        .calls()
        .latest(SHOWN + 1, |call| before.is_none_or(|before| call.id < before));
    let has_older = calls.len() > SHOWN;
    if has_older {
        calls.remove(0);
    }
    let page = ConsolePage {
        origin: console.origin(),
        now: written(controls.clock().now()),
        is_frozen: setting.frozen_ms.is_some(),
        is_moved: setting.ahead_ms != 0,
        apps: controls.apps(),
        waiting: controls.faults().waiting(),
        older: calls.first().filter(|_| has_older).map(|call| call.id),
        calls: calls.into_iter().rev().map(CallRow::new).collect(),
        kept_calls: controls.calls().len(),
        is_latest: before.is_none(),
        files: files
            .into_iter()
            .map(|(handle, meta)| FileRow { handle, meta })
            .collect(),
        total_files,
        workflows: controls.workflows().all(),
        added: controls.workflows().added_ids(),
        processing_seconds: controls.processing_time().as_secs_f64(),
        webhooks: webhooks
            .into_iter()
            .map(|webhook| WebhookRow::new(webhook, &endpoints))
            .collect(),
        kept_webhooks: controls.webhooks().len(),
        endpoints,
        waiting_webhooks: controls.webhooks().waiting_faults(),
        snapshots,
        notice,
    };
    page.render().map_err(|error| {
        log::error!("emulator: {error}");
        Wrong::new(StatusCode::INTERNAL_SERVER_ERROR, "The page could not be made")
    })
}
