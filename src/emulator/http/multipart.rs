//! `/multipart/{start,upload,commit,complete}`: §3, in both dialects (`call` reads them).

mod call;

use actix_web::{HttpRequest, HttpResponse, web};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use self::call::Call;
use super::body::invalid;
use super::flows;
use super::kept::LOCATIONS;
use super::paths::is_plain_path;
use super::storage::Ticket;
use super::{Base, State};
use crate::emulator::apps::App;
use crate::emulator::controls::notes::is_ingestion_refused;
use crate::emulator::errors::{Host, On, Problem};
use crate::emulator::ids::{self, HANDLE_LENGTH, UPLOAD_LENGTH};
use crate::emulator::policy::{Ask, Grant, Refusal, Target};
use crate::emulator::runs::{Beginning, Run};
use crate::emulator::store::Meta;
use crate::emulator::uploads::{Incomplete, Start, tags};
use crate::emulator::webhooks::{Event, Proof};
use crate::emulator::workflows::Workflow;

const HOST: Host = Host::Upload;
/// §2.1 says `pick` for multipart; whether `store` does as well is not documented, so it does.
const CALLS: &[&str] = &["pick", "store"];
/// Longer names are no names. §10 bounds the type.
const MAX_NAME_BYTES: usize = 4096;
const MAX_TYPE_LENGTH: usize = 255;
/// Given when the client names none.
const REGION: &str = "us-east-1";

type Reply = Result<HttpResponse, Problem>;

/// §3.2.
pub(super) async fn start(req: HttpRequest, state: web::Data<State>, payload: web::Payload) -> Reply {
    let call = Call::read(&req, payload).await?;
    let app = app(&state, &call)?;
    let start = described(&state, app, &call)?;
    let grant = state.permit(HOST, app, &call.credentials, &ask(&start))?;
    flows::asked(HOST, &state, app, &grant, &start.workflows)?;
    let id = ids::alphanumeric(UPLOAD_LENGTH);
    let reply = started(&start, &id, &next_calls(&req, &state.base(&req)));
    let uploads = state.uploads.clone();
    spawn_blocking(move || uploads.begin(&id, &start))
        .await
        .on(HOST)?;
    Ok(reply)
}

/// Where the calls after `start` go: host and port, since Python puts a scheme in front whatever it is (§1.2). JavaScript puts one
/// there only when there is none (§1.3), and it would be https: on a page nothing can put that right for an emulator without TLS.
fn next_calls(req: &HttpRequest, base: &Base) -> String {
    let source = req.headers().get("Filestack-Source");
    let is_javascript = source.is_some_and(|source| source.as_bytes().starts_with(b"JS-"));
    if is_javascript && base.scheme == "http" {
        format!("http://{}", base.authority)
    } else {
        base.authority.clone()
    }
}

fn started(start: &Start, id: &str, location: &str) -> HttpResponse {
    let mut reply = json!({
        "uri": start.uri,
        "region": start.region,
        "upload_id": id,
        "location_url": location,
        "location_region": start.region,
    });
    if start.intelligent {
        reply["upload_type"] = "intelligent_ingestion".into();
    }
    HttpResponse::Ok().json(reply)
}

fn described(state: &State, app: &App, call: &Call) -> Result<Start, Problem> {
    let store = &call.store;
    let location = store.location.as_deref().unwrap_or("s3");
    let filename = call.filename.as_deref().ok_or_else(|| invalid(HOST))?;
    let mimetype = call.mimetype.as_deref().unwrap_or("application/octet-stream");
    let size = call.size.ok_or_else(|| invalid(HOST))?;
    let fits = filename.len() <= MAX_NAME_BYTES && mimetype.chars().count() <= MAX_TYPE_LENGTH;
    let known = LOCATIONS.contains(&location.to_ascii_lowercase().as_str());
    if !fits || !known || size > state.max_file_bytes {
        return Err(invalid(HOST));
    }
    if !store.path.as_deref().is_none_or(is_plain_path) {
        return Err(Problem::refused(HOST, &app.key, &Refusal::Path));
    }
    Ok(Start {
        app: app.key.clone(),
        filename: filename.to_owned(),
        mimetype: mimetype.to_owned(),
        size,
        location: location.to_owned(),
        path: store.path.clone(),
        container: store.container.clone(),
        region: store.region.clone().unwrap_or_else(|| REGION.into()),
        intelligent: state.intelligent_ingestion && call.intelligent && !is_ingestion_refused(),
        workflows: store.workflows.clone(),
        uri: format!("/filestack-uploads/{}", ids::alphanumeric(UPLOAD_LENGTH)),
    })
}

fn ask(start: &Start) -> Ask<'_> {
    let target = Target {
        path: start.path.as_deref().unwrap_or_default(),
        container: start.container.as_deref().unwrap_or_default(),
    };
    Ask {
        calls: CALLS,
        target: Some(target),
        size: Some(start.size),
        ..Ask::default()
    }
}

/// The application the call names. §2.5 has the text for a missing key, §11.1 the status for an unknown one.
fn app<'a>(state: &'a State, call: &Call) -> Result<&'a App, Problem> {
    let unauthorized = actix_web::http::StatusCode::UNAUTHORIZED;
    state
        .apps
        .find(&call.apikey)
        .ok_or_else(|| Problem::new(HOST, unauthorized, "Invalid Application"))
}

/// The upload a later call is about. Its fields must be those of the start reply.
async fn resumed(state: &State, call: &Call) -> Result<(String, Start), Problem> {
    let app = app(state, call)?;
    let (Some(id), Some(uri), Some(region)) = (&call.upload_id, &call.uri, &call.region) else {
        return Err(invalid(HOST));
    };
    let (uploads, name) = (state.uploads.clone(), id.clone());
    let found = spawn_blocking(move || uploads.find(&name)).await.on(HOST)?;
    found
        .filter(|start| start.app == app.key && start.uri == *uri && start.region == *region)
        .map(|start| (id.clone(), start))
        .ok_or_else(|| Problem::bad(HOST, "There is no such upload, or it is complete"))
}

/// Part calls may come without a policy, because Python's do (§12.2); one that comes is checked.
fn permit_if_given(state: &State, call: &Call, start: &Start) -> Result<(), Problem> {
    let credentials = &call.credentials;
    if credentials.policy.is_none() && credentials.signature.is_none() {
        return Ok(());
    }
    state
        .permit(HOST, state.apps.owner(Some(&start.app)), credentials, &ask(start))
        .map(drop)
}

/// §3.3.
pub(super) async fn part_url(req: HttpRequest, state: web::Data<State>, payload: web::Payload) -> Reply {
    let call = Call::read(&req, payload).await?;
    let (upload, start) = resumed(&state, &call).await?;
    permit_if_given(&state, &call, &start)?;
    let part = call.part()?;
    let size = call.size.ok_or_else(|| invalid(HOST))?;
    let offset = call.offset;
    let end = offset
        .unwrap_or(0)
        .checked_add(size)
        .ok_or_else(|| invalid(HOST))?;
    if end > start.size || (offset.is_some() && !start.intelligent) {
        return Err(invalid(HOST));
    }
    let md5 = call.md5;
    let is_md5 = |text: &str| STANDARD.decode(text).is_ok_and(|sum| sum.len() == 16);
    if !md5.as_deref().is_none_or(is_md5) {
        return Err(invalid(HOST));
    }
    if part == 1 {
        let (uploads, id) = (state.uploads.clone(), upload.clone());
        spawn_blocking(move || uploads.expect_parts_of(&id, &start, size))
            .await
            .on(HOST)?;
    }
    let ticket = Ticket {
        upload,
        part,
        offset: offset.unwrap_or(0),
        size,
        md5,
    };
    let base = state.base(&req);
    Ok(HttpResponse::Ok().json(json!({
        "url": base.url(&ticket.path()),
        "headers": ticket.headers(&state),
        "location_url": next_calls(&req, &base),
    })))
}

/// §3.6.
pub(super) async fn commit(req: HttpRequest, state: web::Data<State>, payload: web::Payload) -> Reply {
    let call = Call::read(&req, payload).await?;
    let (upload, start) = resumed(&state, &call).await?;
    permit_if_given(&state, &call, &start)?;
    let part = call.part()?;
    // The whole file's size, not the part's.
    if !start.intelligent || call.size.is_some_and(|size| size != start.size) {
        return Err(invalid(HOST));
    }
    let uploads = state.uploads.clone();
    let committed = spawn_blocking(move || uploads.commit(&upload, part))
        .await
        .on(HOST)?;
    committed.map_err(|problem| Problem::bad(HOST, problem))?;
    Ok(HttpResponse::Ok().json(json!({})))
}

/// §3.5.
pub(super) async fn complete(req: HttpRequest, state: web::Data<State>, payload: web::Payload) -> Reply {
    let call = Call::read(&req, payload).await?;
    let (upload, start) = resumed(&state, &call).await?;
    let app = state.apps.owner(Some(&start.app));
    // Python names them here only (§3.2).
    let wanted = Some(&call.store.workflows).filter(|ids| !ids.is_empty());
    let wanted = wanted.unwrap_or(&start.workflows);
    let grant = if is_unsigned_ruby(&req, &call) && wanted.iter().all(|id| start.workflows.contains(id)) {
        // What the start call was granted.
        Grant::default()
    } else {
        state.permit(HOST, app, &call.credentials, &ask(&start))?
    };
    let workflows = flows::asked(HOST, &state, app, &grant, wanted)?;
    if call.size.is_some_and(|size| size != start.size) {
        return Err(Problem::bad(HOST, "size is not the size of the start call"));
    }
    let tags = tags(call.upload_tags.as_ref()).map_err(|problem| Problem::bad(HOST, problem))?;
    let listed = call.parts;
    let meta = Meta {
        app: Some(start.app.clone()),
        location: start.location.clone(),
        container: start.container.clone(),
        upload_tags: tags,
        ..Meta::new(
            &start.filename,
            &start.mimetype,
            start.path.as_deref(),
            state.controls.clock().now(),
        )
    };
    let (base, shown, size) = (state.base(&req), meta.clone(), start.size);
    let (whole, origin) = (state.clone(), base.clone());
    // Runs to its end even when the client goes away: the file is stored then, as it would be at Filestack.
    let finish = move || finished(&whole, &upload, &start, &listed, meta, (&origin, &workflows));
    match spawn_blocking(finish).await.on(HOST)? {
        Ok((handle, runs)) => Ok(completed(&shown, size, &handle, &base, &runs)),
        Err(Incomplete::Busy) => Ok(HttpResponse::Accepted().json(json!({}))),
        Err(Incomplete::Uncommitted) => Ok(HttpResponse::PartialContent().json(json!({}))),
        Err(Incomplete::Wrong(problem)) => Err(Problem::bad(HOST, problem)),
    }
}

/// Ruby's SDK sends its policy with `start` and with no call after it (its 2.9.7), and the service takes its uploads. Everybody
/// else's has to come again (§2.3, §3.5), so that a client which forgets it learns that here.
fn is_unsigned_ruby(req: &HttpRequest, call: &Call) -> bool {
    let source = req.headers().get("Filestack-Source");
    let is_ruby = source.is_some_and(|source| source.as_bytes().starts_with(b"Ruby-"));
    is_ruby && call.credentials.policy.is_none() && call.credentials.signature.is_none()
}

fn finished(
    state: &State,
    id: &str,
    start: &Start,
    listed: &[(u64, String)],
    meta: Meta,
    (base, workflows): (&Base, &[Workflow]),
) -> std::io::Result<Result<(String, Vec<Run>), Incomplete>> {
    let (uploads, controls) = (&state.uploads, &state.controls);
    let Some(_hold) = uploads.hold(id) else {
        return Ok(Err(Incomplete::Busy));
    };
    // Another request may have completed it between our look and our hold.
    if uploads.find(id)?.is_none() {
        return Ok(Err(Incomplete::Wrong(
            "There is no such upload, or it is complete".into(),
        )));
    }
    let scratch = match uploads.assemble(id, start, listed, state.min_part_bytes)? {
        Ok(scratch) => scratch,
        Err(problem) => return Ok(Err(problem)),
    };
    let handle = ids::alphanumeric(HANDLE_LENGTH);
    let event = Event::upload(&handle, &base.url(&handle), &meta, start.size);
    let proof = Proof::Stored(handle.clone());
    let held = controls.webhooks().prepare(&start.app, &event, Some(proof))?;
    let beginning = Beginning {
        app: &start.app,
        base: base.url(""),
        source: &handle,
        meta: &meta,
    };
    let runs = controls.runs().reserve(workflows, &beginning)?;
    controls.store().publish_as(&handle, scratch, meta)?;
    held.release();
    controls.runs().start(runs.clone())?;
    uploads.forget(id)?;
    Ok(Ok((handle, runs)))
}

fn completed(meta: &Meta, size: u64, handle: &str, base: &Base, runs: &[Run]) -> HttpResponse {
    let mut reply = json!({
        "handle": handle,
        "url": base.url(handle),
        "filename": meta.filename,
        "mimetype": meta.mimetype,
        "size": size,
        "status": "Stored",
        "key": meta.key,
        "container": meta.container.as_deref().unwrap_or("emulator"),
    });
    if !meta.upload_tags.is_empty() {
        reply["upload_tags"] = Value::Object(meta.upload_tags.clone());
    }
    flows::tell(&mut reply, runs);
    HttpResponse::Ok().json(reply)
}
