//! `POST /process`: tasks and sources as JSON, `store` most of all (§3.11).

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::Value;

use super::State;
use super::body::{Fields, invalid};
use super::job::{Job, perform, sources_of};
use super::made_by;
use super::sources::Origin;
use crate::emulator::errors::{Host, Problem};
use crate::emulator::policy::Credentials;
use crate::emulator::transform::{GrammarError, parse_json};
use crate::emulator::uploads::tags;

const HOST: Host = Host::Cdn;

/// Carries out the tasks on the sources.
pub(super) async fn process(
    req: HttpRequest,
    state: web::Data<State>,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let fields = Fields::read(HOST, &req, payload)
        .await
        .map_err(Problem::in_json)?;
    let job = job(&state, &fields).map_err(Problem::in_json)?;
    perform(&req, &state, job).await.map_err(Problem::in_json)
}

fn job(state: &State, fields: &Fields) -> Result<Job, Problem> {
    let key = fields.required("apikey")?;
    if !state.apps.is_key(key) {
        return Err(Problem::new(
            HOST,
            StatusCode::UNAUTHORIZED,
            "Invalid Application",
        ));
    }
    let named = match fields.get("sources") {
        Some(Value::Array(sources)) => sources.iter().map(source).collect::<Option<Vec<_>>>(),
        _ => None,
    };
    let named = named.ok_or_else(|| invalid(HOST))?;
    let names: Vec<&str> = named.iter().map(|(name, _)| *name).collect();
    let tasks = fields
        .get("tasks")
        .cloned()
        .unwrap_or_else(|| Value::Array(Vec::new()));
    let made_by = made_by::of_process(Some(&tasks), &names);
    let parsed = parse_json(&names, tasks).map_err(|error| refused(&error))?;
    let mut sources = sources_of(parsed.source)?;
    for (origin, (_, headers)) in sources.iter_mut().zip(named) {
        if let Origin::Remote(remote) = origin {
            remote.headers = headers;
        }
    }
    let tags = tags(fields.get("upload_tags")).map_err(|problem| Problem::bad(HOST, problem))?;
    let given = |text: String| Some(text).filter(|text| !text.is_empty());
    let (policy, signature) = parsed.security.unwrap_or_default();
    Ok(Job {
        key: Some(key.to_owned()),
        tasks: parsed.tasks,
        sources,
        credentials: Credentials {
            policy: given(policy),
            signature: given(signature),
            secret: None,
        },
        tags,
        attach: false,
        made_by: Some(made_by),
    })
}

/// A source's address, alone or with the headers to ask with.
fn source(value: &Value) -> Option<(&str, Vec<(String, String)>)> {
    if let Value::String(url) = value {
        return Some((url, Vec::new()));
    }
    let url = value.get("source")?.as_str()?;
    let headers = match value.get("headers") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Object(headers)) => headers
            .iter()
            .map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
            .collect::<Option<_>>()?,
        Some(_) => return None,
    };
    Some((url, headers))
}

fn refused(error: &GrammarError) -> Problem {
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_REQUEST);
    Problem::new(HOST, status, error.to_string())
}
