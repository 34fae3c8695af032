//! Webhooks and their endpoints: what can be asked of them, checked, and the same as JSON.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Console;
use super::api::{query, read};
use super::commands::{MAX_LISTED, MAX_WAITING, Outcome, Wrong, blocking};
use crate::emulator::clock::written_ms;
use crate::emulator::controls::Controls;
use crate::emulator::webhooks::{Attempt, Endpoint, Event, WaitingWebhook, Webhook, WebhookFilter};

/// A webhook that is late by more than this was not meant.
const MAX_LATE_MS: u64 = 400 * 24 * 3_600_000;
/// Longest name of an event.
const MAX_ACTION: usize = 100;

type Reply = Outcome<HttpResponse>;
type State = web::Data<Console>;

/// `GET /api/webhooks`: newest first.
pub(super) async fn list(req: HttpRequest, console: State) -> Reply {
    let mut filter: WebhookFilter = query(&req)?;
    filter.limit = filter.limit.map(|limit| limit.min(MAX_LISTED));
    let webhooks = listed(&console.controls, filter).await?;
    let known = console.controls.webhooks();
    Ok(HttpResponse::Ok().json(json!({
        "webhooks": webhooks.iter().map(webhook_json).collect::<Vec<_>>(),
        "kept": known.len(),
        "waiting": known.waiting(),
    })))
}

/// `POST /api/webhooks`: tells of something that did not happen.
pub(super) async fn tell(req: HttpRequest, console: State, body: web::Bytes) -> Reply {
    let (app, event) = read::<Tell>(&req, &body)?.event(&console.controls)?;
    let webhooks = console.controls.webhooks().clone();
    let number = blocking(move || webhooks.emit(&app, &event)).await?;
    Ok(HttpResponse::Created().json(json!({ "event": number })))
}

/// `GET /api/webhooks/ID`.
pub(super) async fn one(console: State, id: web::Path<String>) -> Reply {
    let webhooks = console.controls.webhooks().clone();
    let webhook = blocking(move || webhooks.get(&id)).await?.ok_or_else(missing)?;
    Ok(HttpResponse::Ok().json(webhook_json(&webhook)))
}

/// `POST /api/webhooks/ID/send-again`.
pub(super) async fn send_again(console: State, id: web::Path<String>) -> Reply {
    again(&console.controls, id.into_inner()).await?;
    Ok(HttpResponse::Accepted().json(json!({})))
}

/// `GET /api/webhooks/endpoints`.
pub(super) async fn endpoints(console: State) -> HttpResponse {
    HttpResponse::Ok().json(endpoints_json(&console.controls))
}

/// `POST /api/webhooks/endpoints`.
pub(super) async fn add_endpoint(req: HttpRequest, console: State, body: web::Bytes) -> Reply {
    let endpoint = read::<Register>(&req, &body)?.endpoint(&console.controls)?;
    register(&console.controls, endpoint).await?;
    Ok(HttpResponse::Created().json(endpoints_json(&console.controls)))
}

/// `DELETE /api/webhooks/endpoints/ID`.
pub(super) async fn remove_endpoint(console: State, id: web::Path<String>) -> Reply {
    unregister(&console.controls, id.into_inner()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// An endpoint to be registered.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Register {
    pub(super) url: String,
    pub(super) secret: String,
    #[serde(default)]
    pub(super) app: Option<String>,
    #[serde(default)]
    pub(super) id: Option<String>,
}

impl Register {
    pub(super) fn endpoint(&self, controls: &Controls) -> Outcome<Endpoint> {
        let mut endpoint = Endpoint::new(&self.url, &self.secret).map_err(Wrong::bad)?;
        if let Some(id) = &self.id {
            endpoint = endpoint.named(id).map_err(Wrong::bad)?;
        }
        if let Some(app) = &self.app {
            is_app(controls, app)?;
            endpoint = endpoint.of_app(app);
        }
        Ok(endpoint)
    }
}

/// An event to be told of, with the `text` of an envelope or a whole body.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tell {
    action: String,
    #[serde(default)]
    app: Option<String>,
    #[serde(default)]
    handle: Option<String>,
    #[serde(default)]
    text: Option<Value>,
    #[serde(default)]
    body: Option<Value>,
}

impl Tell {
    /// The event, and whose it is: the first application's when that is not said.
    fn event(self, controls: &Controls) -> Outcome<(String, Event)> {
        if self.action.is_empty() || self.action.chars().count() > MAX_ACTION {
            return Err(Wrong::bad("An action has 1 to 100 characters, as in fp.upload"));
        }
        let handle = self.handle.as_deref();
        let event = match (self.text, self.body) {
            (Some(text), None) => Event::new(&self.action, handle, text),
            (None, Some(body)) => Event::whole(&self.action, handle, body),
            _ => {
                let text =
                    "Give `text`, which goes into the usual envelope, or `body`, which is sent as it is";
                return Err(Wrong::bad(text));
            }
        };
        let app = match self.app {
            Some(app) => is_app(controls, &app).map(|()| app)?,
            None => controls.apps().swap_remove(0).0,
        };
        Ok((app, event))
    }
}

fn is_app(controls: &Controls, key: &str) -> Outcome<()> {
    if controls.apps().iter().any(|(known, _)| known == key) {
        Ok(())
    } else {
        Err(Wrong::missing("There is no app with this key"))
    }
}

pub(super) async fn listed(controls: &Controls, filter: WebhookFilter) -> Outcome<Vec<Webhook>> {
    let webhooks = controls.webhooks().clone();
    blocking(move || webhooks.list(&filter)).await
}

pub(super) async fn again(controls: &Controls, id: String) -> Outcome<()> {
    let webhooks = controls.webhooks().clone();
    let is_known = blocking(move || webhooks.send_again(&id)).await?;
    is_known.then_some(()).ok_or_else(missing)
}

pub(super) async fn register(controls: &Controls, endpoint: Endpoint) -> Outcome<()> {
    let webhooks = controls.webhooks().clone();
    blocking(move || webhooks.register(endpoint)).await
}

pub(super) async fn unregister(controls: &Controls, id: String) -> Outcome<()> {
    let webhooks = controls.webhooks().clone();
    let is_known = blocking(move || webhooks.unregister(&id)).await?;
    is_known
        .then_some(())
        .ok_or_else(|| Wrong::missing("There is no endpoint with this id"))
}

/// Lets a failure wait for webhooks.
pub(super) fn add_fault(controls: &Controls, waiting: WaitingWebhook) -> Outcome<()> {
    use crate::emulator::webhooks::WebhookFault::LateMs;
    let webhooks = controls.webhooks();
    let bad = |sentence: &str| Err(Wrong::new(StatusCode::BAD_REQUEST, sentence));
    if waiting.times == 0 {
        return bad("A failure happens at least once: `times` is 1 or more");
    }
    if matches!(waiting.webhook, LateMs(ms) if ms > MAX_LATE_MS) {
        return bad("A webhook may be made to come 400 days late at most");
    }
    let is_known = |id: &String| webhooks.endpoints().iter().any(|endpoint| endpoint.id == *id);
    if !waiting.endpoint.as_ref().is_none_or(is_known) {
        return Err(Wrong::missing("There is no endpoint with this id"));
    }
    if webhooks.waiting_faults().len() >= MAX_WAITING {
        return bad("200 failures wait already: clear them first");
    }
    webhooks.let_wait(waiting);
    Ok(())
}

fn missing() -> Wrong {
    Wrong::missing("There is no webhook with this id; the oldest are forgotten after a while")
}

/// Without the secrets: they are in the hands of whoever registered the endpoints.
fn endpoints_json(controls: &Controls) -> Value {
    let endpoints = controls.webhooks().endpoints();
    let endpoints: Vec<Value> = endpoints
        .iter()
        .map(|endpoint| json!({ "id": endpoint.id, "url": endpoint.url, "app": endpoint.app }))
        .collect();
    json!({ "endpoints": endpoints })
}

fn webhook_json(webhook: &Webhook) -> Value {
    json!({
        "id": webhook.id(),
        "event": webhook.event,
        "endpoint": webhook.endpoint,
        "app": webhook.app,
        "action": webhook.action,
        "handle": webhook.handle,
        "time": written_ms(webhook.made_ms),
        "time_ms": webhook.made_ms,
        "body": webhook.body,
        "state": webhook.state,
        "due": webhook.due_ms.map(written_ms),
        "due_ms": webhook.due_ms,
        "fault": webhook.fault,
        "attempts": webhook.attempts.iter().map(attempt_json).collect::<Vec<_>>(),
        "attempts_made": webhook.attempts_made,
    })
}

fn attempt_json(attempt: &Attempt) -> Value {
    let headers = attempt
        .headers
        .iter()
        .cloned()
        .map(|(name, value)| (name, value.into()));
    json!({
        "reason": attempt.reason,
        "time": written_ms(attempt.at_ms),
        "time_ms": attempt.at_ms,
        "url": attempt.url,
        "headers": Value::Object(headers.collect()),
        "status": attempt.status,
        "answer": attempt.answer,
        "error": attempt.error,
        "took_ms": attempt.took_ms,
    })
}
