//! Delivery and transformation: §4, §6.1.

use actix_web::http::header::{ACCEPT, ALLOW, ContentType};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, web};
use tokio::task::spawn_blocking;

use super::State;
use super::credentials::{Query, of_request};
use super::delivery::{Manner, cache_headers, deliver};
use super::files::owner;
use super::headers;
use super::metadata::describe;
use crate::emulator::apps::App;
use crate::emulator::clock::seconds;
use crate::emulator::errors::{Host, On, Problem};
use crate::emulator::ids;
use crate::emulator::policy::{Ask, Credentials};
use crate::emulator::transform::{Cache, Parsed, Reply, Source, Task, parse_path, run};

const HOST: Host = Host::Cdn;
const BANNER: &str = "This is Satchel's emulator of Filestack, for development and tests. \
                      Files are kept on this machine; nothing here is meant for production.\n";

/// Every path that no other route has.
pub(super) async fn show(req: HttpRequest, state: web::Data<State>) -> Result<HttpResponse, Problem> {
    if ![Method::GET, Method::HEAD, Method::POST].contains(req.method()) {
        return Ok(not_allowed());
    }
    let path = req.uri().path().trim_start_matches('/');
    if path.is_empty() {
        return Ok(HttpResponse::Ok()
            .content_type(ContentType::plaintext())
            .body(BANNER));
    }
    let parsed = parse_path(path, &|text| state.apps.is_key(text)).map_err(|error| {
        let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_REQUEST);
        Problem::new(HOST, status, error.to_string())
    })?;
    let query = Query::of(&req);
    let credentials = credentials(&req, &query, &parsed);
    let handle = match &parsed.source {
        Source::Handle(handle) => handle.clone(),
        Source::Url(url) => own_handle(&state.base(&req).url(""), url)
            .ok_or_else(|| Problem::not_done(HOST, "Fetching external sources"))?,
        Source::Alias(_) => return Err(Problem::not_done(HOST, "A storage alias as source")),
        Source::Many(_) => return Err(Problem::not_done(HOST, "More than one source")),
        Source::None => return Err(Problem::not_done(HOST, "A task without source")),
    };
    // Only tasks may be posted; overwriting is the File API's (§5).
    let plain = parsed.tasks.iter().all(|task| matches!(task, Task::Cache(_)));
    if plain && req.method() == Method::POST {
        return Ok(not_allowed());
    }
    let app = owner(&state, HOST, &handle).await?;
    if parsed.metadata_suffix {
        return describe(HOST, &state, app, &handle, &credentials, &query).await;
    }
    let calls: &[&str] = if plain { &["read"] } else { &["convert"] };
    state.permit(
        HOST,
        app,
        &credentials,
        &Ask {
            calls,
            handle: Some(&handle),
            ..Ask::default()
        },
    )?;
    let cache = parsed.tasks.iter().rev().find_map(|task| match task {
        Task::Cache(cache) => Some(*cache),
        _ => None,
    });
    let cache = cache.unwrap_or(Cache::Default);
    let manner = Manner {
        host: HOST,
        attach: query.is_true("dl"),
        secured: app.secured,
        cache,
    };
    if plain {
        return deliver(&req, &state, &handle, manner).await;
    }
    transformed(&req, &state, app, &handle, parsed.tasks, manner).await
}

fn not_allowed() -> HttpResponse {
    HttpResponse::MethodNotAllowed()
        .insert_header((ALLOW, "GET, HEAD"))
        .finish()
}

/// The path's segment wins over the query (§2.3).
fn credentials(req: &HttpRequest, query: &Query, parsed: &Parsed) -> Credentials {
    match &parsed.security {
        Some((policy, signature)) => {
            let given = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
            Credentials {
                policy: given(policy),
                signature: given(signature),
                secret: None,
            }
        }
        // HTTP Basic is the File API's.
        None => Credentials {
            secret: None,
            ..of_request(req, query)
        },
    }
}

/// The handle in a URL of ours: SDKs take those for external ones when the host is not Filestack's (§6.1).
fn own_handle(base: &str, url: &str) -> Option<String> {
    url.strip_prefix(base)
        .filter(|rest| ids::is_handle(rest))
        .map(str::to_owned)
}

async fn transformed(
    req: &HttpRequest,
    state: &State,
    app: &App,
    handle: &str,
    tasks: Vec<Task>,
    manner: Manner,
) -> Result<HttpResponse, Problem> {
    let began = std::time::Instant::now();
    let accepts_webp = req
        .headers()
        .get(ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .unwrap_or_default();
    let accepts_webp = accepts_webp.contains("image/webp");
    // A whole picture is in memory from here on, so few do this at once; the others wait.
    let _turn = state
        .transforms
        .acquire()
        .await
        .map_err(|error| Problem::internal(HOST, &error))?;
    let (store, name, most) = (
        state.controls.store().clone(),
        handle.to_owned(),
        state.max_image_bytes,
    );
    let work = move || {
        let Some(meta) = store.get(&name)? else {
            return Ok(None);
        };
        if meta.size > most {
            return Ok(Some((meta, None)));
        }
        let Some(input) = store.read(&name)? else {
            return Ok(None);
        };
        let outcome = run(&tasks, &input, &meta.mimetype, accepts_webp);
        Ok(Some((meta, Some(outcome))))
    };
    let (meta, outcome) = spawn_blocking(work)
        .await
        .on(HOST)?
        .ok_or_else(|| Problem::not_found(HOST))?;
    let outcome = outcome.ok_or_else(|| Problem::bad(HOST, "The file is too large to be transformed"))?;
    let done = outcome.map_err(|error| {
        let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_REQUEST);
        Problem::json(HOST, status, error.to_string())
    })?;
    let mut reply = HttpResponse::Ok();
    cache_headers(&mut reply, manner);
    match done {
        Reply::Image { bytes, mimetype } => {
            headers::describe(&mut reply, &meta.filename, &mimetype, manner.attach);
            Ok(reply.body(bytes))
        }
        Reply::Json(mut report) => {
            // §6.1: what a report of `debug` says that only a route knows.
            if let Some(report) = report
                .as_object_mut()
                .filter(|report| report.contains_key("task_uri"))
            {
                report.insert("apikey".into(), app.key.clone().into());
                report.insert("task_uri".into(), req.uri().path().into());
                report.insert("start_time".into(), seconds(state.controls.clock().now()).into());
                report.insert("processing_time".into(), began.elapsed().as_secs_f64().into());
                if let Some(source) = report.get_mut("source").and_then(|source| source.as_object_mut()) {
                    source.insert("url".into(), state.base(req).url(handle).into());
                }
            }
            Ok(reply.json(report))
        }
    }
}
