//! `/multipart/{start,upload,commit,complete}`: §3, JSON dialect.

use actix_web::{HttpRequest, HttpResponse, web};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use super::body::{Fields, invalid};
use super::credentials::of_fields;
use super::storage::Ticket;
use super::{Base, State};
use crate::emulator::apps::App;
use crate::emulator::controls::notes::is_ingestion_refused;
use crate::emulator::errors::{Host, On, Problem};
use crate::emulator::ids::{self, UPLOAD_LENGTH};
use crate::emulator::policy::{Ask, Refusal, Target};
use crate::emulator::store::{Meta, Store};
use crate::emulator::uploads::{Incomplete, MAX_PARTS, Start, Uploads, tags};

const HOST: Host = Host::Upload;
/// §2.1 says `pick` for multipart; whether `store` does as well is not documented, so it does.
const CALLS: &[&str] = &["pick", "store"];
/// Longer names are no names. §10 bounds the type.
const MAX_NAME_BYTES: usize = 4096;
const MAX_TYPE_LENGTH: usize = 255;
/// Given when the client names none.
const REGION: &str = "us-east-1";
const LOCATIONS: [&str; 5] = ["s3", "gcs", "azure", "dropbox", "rackspace"];

type Reply = Result<HttpResponse, Problem>;

/// §3.2.
pub(super) async fn start(req: HttpRequest, state: web::Data<State>, payload: web::Payload) -> Reply {
    let fields = Fields::read(HOST, &req, payload).await?;
    let app = app(&state, &fields)?;
    let start = described(&state, app, &fields)?;
    state.permit(HOST, app, &of_fields(&fields)?, &ask(&start))?;
    let id = ids::alphanumeric(UPLOAD_LENGTH);
    let reply = started(&start, &id, &state.base(&req));
    let uploads = state.uploads.clone();
    spawn_blocking(move || uploads.begin(&id, &start))
        .await
        .on(HOST)?;
    Ok(reply)
}

fn started(start: &Start, id: &str, base: &Base) -> HttpResponse {
    let mut reply = json!({
        "uri": start.uri,
        "region": start.region,
        "upload_id": id,
        // Without a scheme: Python puts one in front whatever it is (§1.2).
        "location_url": base.authority,
        "location_region": start.region,
    });
    if start.intelligent {
        reply["upload_type"] = "intelligent_ingestion".into();
    }
    HttpResponse::Ok().json(reply)
}

fn described(state: &State, app: &App, fields: &Fields) -> Result<Start, Problem> {
    let store = fields.object("store")?;
    let location = store.text("location")?.unwrap_or("s3");
    let filename = fields.required("filename")?;
    let mimetype = fields
        .text("mimetype")?
        .filter(|kind| !kind.is_empty())
        .unwrap_or("application/octet-stream");
    let size = fields.required_number("size")?;
    let fits = filename.len() <= MAX_NAME_BYTES && mimetype.chars().count() <= MAX_TYPE_LENGTH;
    let known = LOCATIONS.contains(&location.to_ascii_lowercase().as_str());
    if !fits || !known || size > state.max_file_bytes {
        return Err(invalid(HOST));
    }
    let text = |name| {
        store
            .text(name)
            .map(|text| text.filter(|text| !text.is_empty()).map(str::to_owned))
    };
    let path = text("path")?;
    if !path.as_deref().is_none_or(is_plain_path) {
        return Err(Problem::refused(HOST, &app.key, &Refusal::Path));
    }
    Ok(Start {
        app: app.key.clone(),
        filename: filename.to_owned(),
        mimetype: mimetype.to_owned(),
        size,
        location: location.to_owned(),
        path,
        container: text("container")?,
        region: text("region")?.unwrap_or_else(|| REGION.into()),
        intelligent: state.intelligent_ingestion && fields.flag("fii") && !is_ingestion_refused(),
        uri: format!("/filestack-uploads/{}", ids::alphanumeric(UPLOAD_LENGTH)),
    })
}

/// Whether a storage path stays where it points: no steps up, nothing that some storage or proxy takes for one, not even
/// percent-encoded. A leading `/` is what the documentation's own examples have.
pub(super) fn is_plain_path(path: &str) -> bool {
    let mut text = path.to_owned();
    // Encoded more than once is decoded more than once somewhere.
    for _ in 0..4 {
        let steps = text.split('/').any(|segment| segment == "." || segment == "..");
        if steps || text.contains("//") || text.contains('\\') || text.chars().any(char::is_control) {
            return false;
        }
        let decoded = percent_decoded(&text);
        if decoded == text {
            return true;
        }
        text = decoded;
    }
    false
}

fn percent_decoded(text: &str) -> String {
    // A `+` is a plus in a path; the form decoder takes it for a space unless it is encoded.
    let pair = format!("={}", text.replace('+', "%2B").replace('&', "%26"));
    url::form_urlencoded::parse(pair.as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

fn ask(start: &Start) -> Ask<'_> {
    let target = Target {
        path: start.path.as_deref().unwrap_or_default(),
        container: start.container.as_deref().unwrap_or_default(),
    };
    Ask {
        calls: CALLS,
        handle: None,
        target: Some(target),
        size: Some(start.size),
    }
}

/// The application the call names. §2.5 has the text for a missing key, §11.1 the status for an unknown one.
fn app<'a>(state: &'a State, fields: &Fields) -> Result<&'a App, Problem> {
    let key = fields.required("apikey")?;
    let unauthorized = actix_web::http::StatusCode::UNAUTHORIZED;
    state
        .apps
        .find(key)
        .ok_or_else(|| Problem::new(HOST, unauthorized, "Invalid Application"))
}

/// The upload a later call is about. Its fields must be those of the start reply.
async fn resumed(state: &State, fields: &Fields) -> Result<(String, Start), Problem> {
    let app = app(state, fields)?;
    let id = fields.required("upload_id")?.to_owned();
    let (uploads, name) = (state.uploads.clone(), id.clone());
    let found = spawn_blocking(move || uploads.find(&name)).await.on(HOST)?;
    let start = found.ok_or_else(|| Problem::bad(HOST, "There is no such upload, or it is complete"))?;
    let same = start.app == app.key
        && start.uri == fields.required("uri")?
        && start.region == fields.required("region")?;
    if same {
        Ok((id, start))
    } else {
        Err(Problem::bad(HOST, "There is no such upload, or it is complete"))
    }
}

/// Part calls may come without a policy, because Python's do (§12.2); one that comes is checked.
fn permit_if_given(state: &State, fields: &Fields, start: &Start) -> Result<(), Problem> {
    let credentials = of_fields(fields)?;
    if credentials.policy.is_none() && credentials.signature.is_none() {
        return Ok(());
    }
    state
        .permit(
            HOST,
            state.apps.owner(Some(&start.app)),
            &credentials,
            &ask(start),
        )
        .map(drop)
}

/// §3.3.
pub(super) async fn part_url(req: HttpRequest, state: web::Data<State>, payload: web::Payload) -> Reply {
    let fields = Fields::read(HOST, &req, payload).await?;
    let (upload, start) = resumed(&state, &fields).await?;
    permit_if_given(&state, &fields, &start)?;
    let part = part_number(&fields)?;
    let size = fields.required_number("size")?;
    let offset = fields.number("offset")?;
    let end = offset
        .unwrap_or(0)
        .checked_add(size)
        .ok_or_else(|| invalid(HOST))?;
    if end > start.size || (offset.is_some() && !start.intelligent) {
        return Err(invalid(HOST));
    }
    let md5 = fields.text("md5")?.map(str::to_owned);
    let is_md5 = |text: &str| STANDARD.decode(text).is_ok_and(|sum| sum.len() == 16);
    if !md5.as_deref().is_none_or(is_md5) {
        return Err(invalid(HOST));
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
        "location_url": base.authority,
    })))
}

fn part_number(fields: &Fields) -> Result<u64, Problem> {
    let part = fields.required_number("part")?;
    if (1..=MAX_PARTS).contains(&part) {
        Ok(part)
    } else {
        Err(invalid(HOST))
    }
}

/// §3.6.
pub(super) async fn commit(req: HttpRequest, state: web::Data<State>, payload: web::Payload) -> Reply {
    let fields = Fields::read(HOST, &req, payload).await?;
    let (upload, start) = resumed(&state, &fields).await?;
    permit_if_given(&state, &fields, &start)?;
    let part = part_number(&fields)?;
    // The whole file's size, not the part's.
    if !start.intelligent || fields.number("size")?.is_some_and(|size| size != start.size) {
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
    let fields = Fields::read(HOST, &req, payload).await?;
    let (upload, start) = resumed(&state, &fields).await?;
    let app = state.apps.owner(Some(&start.app));
    state.permit(HOST, app, &of_fields(&fields)?, &ask(&start))?;
    if fields.number("size")?.is_some_and(|size| size != start.size) {
        return Err(Problem::bad(HOST, "size is not the size of the start call"));
    }
    let tags = tags(fields.get("upload_tags")).map_err(|problem| Problem::bad(HOST, problem))?;
    let listed = listed(&fields)?;
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
    let (uploads, store) = (state.uploads.clone(), state.controls.store().clone());
    let smallest = state.min_part_bytes;
    let shown = meta.clone();
    let size = start.size;
    // Runs to its end even when the client goes away: the file is stored then, as it would be at Filestack.
    let finish = move || finished(&uploads, &store, &upload, &start, &listed, meta, smallest);
    match spawn_blocking(finish).await.on(HOST)? {
        Ok(handle) => Ok(completed(&shown, size, &handle, &state.base(&req))),
        Err(Incomplete::Busy) => Ok(HttpResponse::Accepted().json(json!({}))),
        Err(Incomplete::Uncommitted) => Ok(HttpResponse::PartialContent().json(json!({}))),
        Err(Incomplete::Wrong(problem)) => Err(Problem::bad(HOST, problem)),
    }
}

/// Part numbers and ETags; none for an empty file and with intelligent ingestion.
fn listed(fields: &Fields) -> Result<Vec<(u64, String)>, Problem> {
    let parts = match fields.get("parts") {
        None => return Ok(Vec::new()),
        Some(Value::Array(parts)) => parts,
        Some(_) => return Err(invalid(HOST)),
    };
    if parts.len() as u64 > MAX_PARTS {
        return Err(Problem::bad(HOST, "an upload has at most 10000 parts"));
    }
    let read = |part: &Value| {
        let number = part
            .get("part_number")?
            .as_u64()
            .filter(|part| (1..=MAX_PARTS).contains(part))?;
        Some((number, part.get("etag")?.as_str()?.to_owned()))
    };
    parts
        .iter()
        .map(|part| read(part).ok_or_else(|| invalid(HOST)))
        .collect()
}

fn finished(
    uploads: &Uploads,
    store: &Store,
    id: &str,
    start: &Start,
    listed: &[(u64, String)],
    meta: Meta,
    smallest_part: u64,
) -> std::io::Result<Result<String, Incomplete>> {
    let Some(_hold) = uploads.hold(id) else {
        return Ok(Err(Incomplete::Busy));
    };
    // Another request may have completed it between our look and our hold.
    if uploads.find(id)?.is_none() {
        return Ok(Err(Incomplete::Wrong(
            "There is no such upload, or it is complete".into(),
        )));
    }
    let scratch = match uploads.assemble(id, start, listed, smallest_part)? {
        Ok(scratch) => scratch,
        Err(problem) => return Ok(Err(problem)),
    };
    let handle = store.publish(scratch, meta)?;
    uploads.forget(id)?;
    Ok(Ok(handle))
}

fn completed(meta: &Meta, size: u64, handle: &str, base: &Base) -> HttpResponse {
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
    HttpResponse::Ok().json(reply)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p9_paths_that_step_out_are_not_plain() {
        for path in [
            "../x",
            "a/../b",
            "a/./b",
            "a//b",
            "a\\b",
            "%2e%2e/x",
            "a%2f..%2fb",
            "%252e%252e/x",
            "a\0b",
            "..",
        ] {
            assert!(!is_plain_path(path), "{path:?}");
        }
        for path in [
            "a/b/",
            "/a/b.txt",
            "a..b/c",
            "50%/x",
            "ü/a b+c&d=e",
            "user-uploads/1/2/",
        ] {
            assert!(is_plain_path(path), "{path:?}");
        }
    }
}
