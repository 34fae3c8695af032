//! `POST /api/store/LOCATION`: §3.10.

use actix_web::http::header::ContentType;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;
use tokio::task::spawn_blocking;

use super::State;
use super::credentials::{Query, of_request};
use super::intake::{Content, Intake};
use super::paths::is_plain_path;
use crate::emulator::errors::{Host, On, Problem};
use crate::emulator::policy::{Ask, Refusal, Target};
use crate::emulator::store::Meta;

const HOST: Host = Host::FileApi;
const LOCATIONS: [&str; 5] = ["s3", "gcs", "azure", "rackspace", "dropbox"];

/// Stores a body as a file.
pub(super) async fn store(
    req: HttpRequest,
    state: web::Data<State>,
    location: web::Path<String>,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let query = Query::of(&req);
    let Some(app) = query.get("key").and_then(|key| state.apps.find(key)) else {
        // §2.5: with status 200 indeed.
        return Ok(HttpResponse::Ok()
            .content_type(ContentType::plaintext())
            .body("Invalid Application"));
    };
    if !LOCATIONS.contains(&location.to_ascii_lowercase().as_str()) {
        return Err(Problem::bad(HOST, "Unknown storage location"));
    }
    let path = query.get("path");
    if !path.is_none_or(is_plain_path) {
        return Err(Problem::refused(HOST, &app.key, &Refusal::Path));
    }
    let target = Target {
        path: path.unwrap_or_default(),
        container: query.get("container").unwrap_or_default(),
    };
    let ask = Ask {
        calls: &["store"],
        target: Some(target),
        ..Ask::default()
    };
    let grant = state.permit(HOST, app, &of_request(&req, &query), &ask)?;
    let intake = Intake {
        state: &state,
        app: &app.key,
        grant: &grant,
        base64: query.is_true("base64decode"),
    };
    let Content::File {
        scratch,
        filename,
        mimetype,
    } = intake.take(&req, payload).await?
    else {
        return Err(Problem::not_done(HOST, "Storing from a URL"));
    };
    let filename = query
        .get("filename")
        .map(str::to_owned)
        .or(filename)
        .unwrap_or_else(|| "unnamed_file".into());
    // §3.10: text/plain if the request names no type.
    let mimetype = query
        .get("mimetype")
        .map(str::to_owned)
        .or(mimetype)
        .unwrap_or_else(|| "text/plain".into());
    let meta = Meta {
        app: Some(app.key.clone()),
        location: location.into_inner(),
        container: query.get("container").map(str::to_owned),
        ..Meta::new(&filename, &mimetype, path, state.controls.clock().now())
    };
    let (store, record) = (state.controls.store().clone(), meta.clone());
    let publish = move || {
        let size = std::fs::metadata(scratch.content())?.len();
        store.publish(scratch, record).map(|handle| (handle, size))
    };
    let (handle, size) = spawn_blocking(publish).await.on(HOST)?;
    // Without `handle`, as the service answers: clients take it from the URL.
    let mut reply = json!({
        "url": state.base(&req).url(&handle),
        "size": size,
        "type": meta.mimetype,
        "filename": meta.filename,
        "key": meta.key,
    });
    if let Some(container) = meta.container {
        reply["container"] = container.into();
    }
    Ok(HttpResponse::Ok().json(reply))
}
