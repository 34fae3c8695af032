//! `/api/file/HANDLE`: the File API of §5.

use actix_web::http::header::ContentType;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;
use tokio::task::spawn_blocking;

use super::State;
use super::credentials::{Query, of_request};
use super::delivery::{Manner, deliver};
use super::intake::{Content, Intake};
use super::metadata::describe;
use super::sources::{Remote, fetch};
use crate::emulator::apps::App;
use crate::emulator::errors::{Host, On, Problem};
use crate::emulator::ids::{self, HANDLE_LENGTH};
use crate::emulator::policy::Ask;
use crate::emulator::transform::Cache;
use crate::emulator::webhooks::{Event, Proof};

const HOST: Host = Host::FileApi;

type Reply = Result<HttpResponse, Problem>;

/// Download; `HANDLE+ext` is `HANDLE`.
pub(super) async fn show(req: HttpRequest, state: web::Data<State>, path: web::Path<String>) -> Reply {
    let handle = path.split('+').next().unwrap_or_default();
    let query = Query::of(&req);
    let app = owner(&state, HOST, handle).await?;
    let ask = Ask {
        calls: &["read"],
        handle: Some(handle),
        ..Ask::default()
    };
    state.permit(HOST, app, &of_request(&req, &query), &ask)?;
    let attach = query.is_true("dl");
    let manner = Manner {
        host: HOST,
        attach,
        secured: app.secured,
        cache: Cache::Default,
    };
    deliver(&req, &state, handle, manner).await
}

/// Metadata; the CDN has the same under `/HANDLE/metadata`.
pub(super) async fn metadata(req: HttpRequest, state: web::Data<State>, handle: web::Path<String>) -> Reply {
    let query = Query::of(&req);
    let app = owner(&state, HOST, &handle).await?;
    describe(HOST, &state, app, &handle, &of_request(&req, &query), &query).await
}

/// New content; name and type stay.
pub(super) async fn overwrite(
    req: HttpRequest,
    state: web::Data<State>,
    handle: web::Path<String>,
    payload: web::Payload,
) -> Reply {
    let query = Query::of(&req);
    let app = owner(&state, HOST, &handle).await?;
    // Which of the two it must be shows in the body.
    let credentials = of_request(&req, &query);
    let ask = Ask {
        calls: &["write", "writeUrl"],
        handle: Some(&handle),
        ..Ask::default()
    };
    let grant = state.permit_signed(HOST, app, &credentials, &ask)?;
    let base64 = query.is_true("base64decode");
    let intake = Intake {
        state: &state,
        app: &app.key,
        grant: &grant,
        base64,
    };
    let scratch = match intake.take(&req, payload).await? {
        Content::File { scratch, .. } => {
            let calls = &["write"];
            state.permit_signed(HOST, app, &credentials, &Ask { calls, ..ask })?;
            scratch
        }
        Content::Url(url, _) => {
            let (calls, source) = (&["writeUrl"], Some(url.as_str()));
            state.permit_signed(HOST, app, &credentials, &Ask { calls, source, ..ask })?;
            let remote = Remote::new(url);
            fetch(HOST, &state, app, &grant, &remote, base64, state.max_file_bytes)
                .await?
                .scratch
        }
    };
    let (controls, name, key) = (state.controls.clone(), handle.clone(), app.key.clone());
    let url = state.base(&req).url(&handle);
    let told = url.clone();
    let replace = move || {
        let Some(meta) = controls.store().get(&name)? else {
            return Ok(None);
        };
        let version = ids::alphanumeric(HANDLE_LENGTH);
        let size = std::fs::metadata(scratch.content())?.len();
        let event = Event::overwrite(&name, &told, &meta, size);
        let proof = Proof::Version(name.clone(), version.clone());
        let held = controls.webhooks().prepare(&key, &event, Some(proof))?;
        let now = controls.clock().now();
        let replaced = controls.store().replace(&name, &scratch, version, now)?;
        if replaced.is_some() {
            held.release();
        }
        Ok(replaced)
    };
    let replaced = spawn_blocking(replace).await.on(HOST)?;
    let meta = replaced.ok_or_else(|| Problem::not_found(HOST))?;
    Ok(HttpResponse::Ok().json(json!({
        "url": url,
        "mimetype": meta.mimetype,
        "isWriteable": true,
        "size": meta.size,
        "filename": meta.filename,
    })))
}

/// Deletion, by `DELETE` or by the older `POST …/remove`. There is only one storage here, so `skip_storage` changes
/// nothing that a caller could see.
pub(super) async fn delete(req: HttpRequest, state: web::Data<State>, handle: web::Path<String>) -> Reply {
    let query = Query::of(&req);
    let app = owner(&state, HOST, &handle).await?;
    if query.get("key").is_some_and(|key| key != app.key) {
        return Err(Problem::new(
            HOST,
            actix_web::http::StatusCode::UNAUTHORIZED,
            "Invalid Application",
        ));
    }
    let ask = Ask {
        calls: &["remove"],
        handle: Some(&handle),
        ..Ask::default()
    };
    state.permit_signed(HOST, app, &of_request(&req, &query), &ask)?;
    let (controls, key) = (state.controls.clone(), app.key.clone());
    let event = Event::delete(&handle, &state.base(&req).url(&handle));
    let name = handle.into_inner();
    let delete = move || {
        let proof = Proof::Gone(name.clone());
        let held = controls.webhooks().prepare(&key, &event, Some(proof))?;
        let deleted = controls.store().delete(&name)?;
        if deleted {
            held.release();
        }
        Ok(deleted)
    };
    if !spawn_blocking(delete).await.on(HOST)? {
        return Err(Problem::not_found(HOST));
    }
    Ok(HttpResponse::Ok()
        .content_type(ContentType::plaintext())
        .body("success"))
}

/// The application a file belongs to: its security decides, whichever key the caller names.
pub(super) async fn owner<'a>(state: &'a State, host: Host, handle: &str) -> Result<&'a App, Problem> {
    let (store, name) = (state.controls.store().clone(), handle.to_owned());
    let meta = spawn_blocking(move || store.get(&name)).await.on(host)?;
    let meta = meta.ok_or_else(|| Problem::not_found(host))?;
    Ok(state.apps.owner(meta.app.as_deref()))
}
