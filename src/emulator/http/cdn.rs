//! Delivery and transformation: §4, §6.1.

use actix_web::http::header::{ALLOW, ContentType};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::Map;

use super::State;
use super::credentials::{Query, of_request};
use super::files::owner;
use super::job::{Job, perform, sources_of};
use super::made_by;
use super::metadata::describe;
use super::sources::Origin;
use crate::emulator::errors::{Host, Problem};
use crate::emulator::ids;
use crate::emulator::policy::Credentials;
use crate::emulator::transform::{Parsed, Task, parse_path};

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
    // Only tasks may be posted; overwriting is the File API's (§5).
    let plain = parsed.tasks.iter().all(|task| matches!(task, Task::Cache(_)));
    if plain && req.method() == Method::POST {
        return Ok(not_allowed());
    }
    let base = state.base(&req).url("");
    let mut sources = sources_of(parsed.source)?;
    for source in &mut sources {
        if let Origin::Remote(remote) = source {
            // SDKs take an emulator's own URL for an external one (§6.1).
            match own_handle(&base, &remote.url) {
                Some(handle) if !is_foreign(&state, parsed.api_key.as_deref(), &handle).await => {
                    *source = Origin::Handle(handle);
                }
                _ => own_query(&mut remote.url, req.query_string()),
            }
        }
    }
    if let ([Origin::Handle(handle)], true) = (sources.as_slice(), parsed.metadata_suffix) {
        let app = owner(&state, HOST, handle).await?;
        return describe(HOST, &state, app, handle, &credentials, &query).await;
    }
    let job = Job {
        key: parsed.api_key,
        tasks: parsed.tasks,
        sources,
        credentials,
        tags: Map::new(),
        attach: query.is_true("dl"),
        made_by: Some(made_by::of_path(path, |text| state.apps.is_key(text))),
    };
    perform(&req, &state, job).await
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

/// Whether a file is another application's than the one whose key was given: to that one it is an external source like
/// others, which is fetched as a stranger would (§4).
async fn is_foreign(state: &State, key: Option<&str>, handle: &str) -> bool {
    let owner = owner(state, HOST, handle).await;
    owner.is_ok_and(|app| key.is_some_and(|key| key != app.key))
}

/// Gives an external address the part of the request's query that is its own: Python does not escape the `?` (§12.7).
fn own_query(url: &mut String, query: &str) {
    const OURS: [&str; 5] = ["policy", "signature", "dl", "cache", "key"];
    let name = |pair: &&str| !OURS.contains(&pair.split('=').next().unwrap_or_default());
    let pairs: Vec<&str> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .filter(name)
        .collect();
    if !pairs.is_empty() {
        url.push(if url.contains('?') { '&' } else { '?' });
        url.push_str(&pairs.join("&"));
    }
}
