//! The control surface as JSON.

use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::commands::{self, ChangeSnapshot, MAX_LISTED, Outcome, SetApp, SetClock, Wrong};
use super::{Console, webhooks};
use crate::emulator::clock::{millis, written};
use crate::emulator::controls::{Call, Controls, Route, Verdict, Waiting};
use crate::emulator::store::Meta;

/// Calls in one reply when no number is asked for.
const USUAL_LISTED: usize = 100;

pub(super) type Reply = Outcome<HttpResponse>;
type State = web::Data<Console>;

/// Where everything is.
pub(super) async fn index() -> HttpResponse {
    let names = [
        "calls",
        "files",
        "webhooks",
        "webhooks/endpoints",
        "faults",
        "clock",
        "apps",
        "workflows",
        "processing",
        "snapshot",
        "reset",
    ];
    let links: serde_json::Map<String, Value> = names
        .into_iter()
        .map(|name| (name.to_owned(), format!("/__emulator/api/{name}").into()))
        .collect();
    HttpResponse::Ok().json(links)
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct CallsQuery {
    after: u64,
    limit: Option<usize>,
    route: Option<Route>,
    verdict: Option<String>,
}

/// Oldest first, the latest of them; a program that polls names the last id it knows.
pub(super) async fn calls(req: HttpRequest, console: State) -> Reply {
    let query: CallsQuery = query(&req)?;
    let is_wanted = |call: &Call| {
        call.id > query.after
            && query.route.is_none_or(|route| route == call.route)
            && query
                .verdict
                .as_deref()
                .is_none_or(|verdict| verdict == verdict_name(call.verdict))
    };
    let limit = query.limit.unwrap_or(USUAL_LISTED).min(MAX_LISTED);
    let calls = console.controls.calls().latest(limit, is_wanted);
    let calls: Vec<Value> = calls.iter().map(|call| call_json(call)).collect();
    Ok(HttpResponse::Ok().json(json!({ "calls": calls, "kept": console.controls.calls().len() })))
}

pub(super) fn verdict_name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Allowed => "allowed",
        Verdict::Refused => "refused",
        Verdict::Unasked => "unasked",
    }
}

fn call_json(call: &Call) -> Value {
    let policy = call.policy.as_deref();
    let policy =
        policy.map(|text| serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned())));
    json!({
        "id": call.id,
        "time": written(call.at),
        "time_ms": millis(call.at),
        "route": call.route,
        "method": call.method,
        "path": call.path,
        "status": Some(call.status).filter(|_| call.is_answered()),
        "body_bytes": call.body_bytes,
        "fault": call.fault,
        "app": call.app,
        "policy": policy,
        "verdict": call.verdict,
        "why": call.why,
        "curl": call.curl,
    })
}

pub(super) async fn forget_calls(console: State) -> HttpResponse {
    console.controls.calls().forget();
    HttpResponse::NoContent().finish()
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct FilesQuery {
    limit: Option<usize>,
}

pub(super) async fn files(req: HttpRequest, console: State) -> Reply {
    let query: FilesQuery = query(&req)?;
    let limit = query.limit.unwrap_or(USUAL_LISTED).min(MAX_LISTED);
    let (files, total) = commands::files(&console.controls, limit).await?;
    let origin = console.origin();
    let files: Vec<Value> = files
        .iter()
        .map(|(handle, meta)| file_json(&origin, handle, meta))
        .collect();
    Ok(HttpResponse::Ok().json(json!({ "files": files, "total": total })))
}

fn file_json(origin: &str, handle: &str, meta: &Meta) -> Value {
    json!({
        "handle": handle,
        "url": format!("{origin}/{handle}"),
        "filename": meta.filename,
        "mimetype": meta.mimetype,
        "size": meta.size,
        "app": meta.app,
        "location": meta.location,
        "container": meta.container,
        "key": meta.key,
        "upload_tags": meta.upload_tags,
        "uploaded_ms": meta.uploaded_ms,
        "changed_ms": meta.changed_ms,
    })
}

pub(super) async fn faults(console: State) -> HttpResponse {
    HttpResponse::Ok().json(faults_json(&console.controls))
}

fn faults_json(controls: &Controls) -> Value {
    json!({ "waiting": controls.faults().waiting(), "webhooks": controls.webhooks().waiting_faults() })
}

pub(super) async fn add_fault(req: HttpRequest, console: State, body: web::Bytes) -> Reply {
    let fault: Value = read(&req, &body)?;
    if fault.get("webhook").is_some() {
        webhooks::add_fault(&console.controls, commands::from_json(fault)?)?;
    } else {
        commands::add_fault(&console.controls, commands::from_json::<Waiting>(fault)?)?;
    }
    Ok(HttpResponse::Created().json(faults_json(&console.controls)))
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct FaultsQuery {
    route: Option<Route>,
    webhooks: bool,
}

pub(super) async fn clear_faults(req: HttpRequest, console: State) -> Reply {
    let faults = console.controls.faults();
    let only: FaultsQuery = query(&req)?;
    match only.route {
        Some(route) => faults.clear_route(route),
        None if only.webhooks => {}
        None => faults.clear(),
    }
    if only.webhooks || only.route.is_none() {
        console.controls.webhooks().clear_faults();
    }
    Ok(HttpResponse::NoContent().finish())
}

pub(super) async fn clock(console: State) -> HttpResponse {
    HttpResponse::Ok().json(clock_json(&console.controls))
}

fn clock_json(controls: &Controls) -> Value {
    let (now, setting) = (controls.clock().now(), controls.clock().setting());
    json!({
        "now": written(now),
        "now_ms": millis(now),
        "frozen": setting.frozen_ms.is_some(),
        "ahead_ms": setting.ahead_ms,
    })
}

pub(super) async fn set_clock(req: HttpRequest, console: State, body: web::Bytes) -> Reply {
    read::<SetClock>(&req, &body)?.apply(&console.controls)?;
    Ok(HttpResponse::Ok().json(clock_json(&console.controls)))
}

pub(super) async fn apps(console: State) -> HttpResponse {
    HttpResponse::Ok().json(apps_json(&console.controls))
}

/// Without the secrets: they are in the hands of whoever started the emulator.
fn apps_json(controls: &Controls) -> Value {
    let apps = controls.apps().into_iter();
    let apps: Vec<Value> = apps
        .map(|(key, secured)| json!({ "key": key, "secured": secured }))
        .collect();
    json!({ "apps": apps })
}

pub(super) async fn set_app(req: HttpRequest, console: State, body: web::Bytes) -> Reply {
    read::<SetApp>(&req, &body)?.apply(&console.controls)?;
    Ok(HttpResponse::Ok().json(apps_json(&console.controls)))
}

pub(super) async fn snapshots(console: State) -> Reply {
    let controls = console.controls.clone();
    let names = commands::blocking(move || controls.snapshots()).await?;
    Ok(HttpResponse::Ok().json(json!({ "snapshots": names })))
}

pub(super) async fn change_snapshot(req: HttpRequest, console: State, body: web::Bytes) -> Reply {
    let files = read::<ChangeSnapshot>(&req, &body)?
        .apply(&console.controls)
        .await?;
    Ok(HttpResponse::Ok().json(json!({ "files": files })))
}

pub(super) async fn reset(console: State) -> Reply {
    commands::reset(&console.controls).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// A JSON body. Its type is wanted too: a form of another site cannot send that one.
pub(super) fn read<T: DeserializeOwned>(req: &HttpRequest, body: &[u8]) -> Outcome<T> {
    let kind = req
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    let essence = kind.and_then(|kind| kind.split(';').next()).map(str::trim);
    if !essence.is_some_and(|kind| kind.eq_ignore_ascii_case("application/json")) {
        return Err(Wrong::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "Send JSON, with Content-Type: application/json",
        ));
    }
    serde_json::from_slice(body).map_err(|error| Wrong::bad(format!("The JSON cannot be used: {error}")))
}

pub(super) fn query<T: DeserializeOwned>(req: &HttpRequest) -> Outcome<T> {
    web::Query::<T>::from_query(req.query_string())
        .map(web::Query::into_inner)
        .map_err(|error| Wrong::bad(format!("The query cannot be used: {error}")))
}
