//! Routes that answer the least a client needs, or say that they are not there.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Map, Value, json};

use super::State;
use super::body::{Fields, invalid};
use super::credentials::of_fields;
use crate::emulator::errors::{Host, Problem};
use crate::emulator::policy::Ask;

type Reply = Result<HttpResponse, Problem>;

/// §3.9. Answers without a policy on secured applications too, as the service was seen to.
pub(super) async fn prefetch(req: HttpRequest, state: web::Data<State>, payload: web::Payload) -> Reply {
    let fields = Fields::read(Host::Upload, &req, payload).await?;
    if !state.apps.is_key(fields.required("apikey")?) {
        let unauthorized = actix_web::http::StatusCode::UNAUTHORIZED;
        return Err(Problem::new(Host::Upload, unauthorized, "Invalid Application"));
    }
    let asked = match fields.get("permissions") {
        None => Vec::new(),
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        Some(_) => return Err(invalid(Host::Upload)),
    };
    let granted = |name: &str| name == "intelligent_ingestion" && state.intelligent_ingestion;
    let permissions: Map<String, Value> = asked
        .into_iter()
        .map(|name| (name.to_owned(), granted(name).into()))
        .collect();
    let mut reply = json!({
        "blocked": false,
        "settings": { "inapp_browser": false },
        "permissions": permissions,
    });
    if let Some(config) = fields.get("picker_config") {
        reply["updated_config"] = config.clone();
    }
    Ok(HttpResponse::Ok().json(reply))
}

/// §3.11: external URLs are not fetched, so there is nothing to process.
pub(super) async fn process(req: HttpRequest, state: web::Data<State>, payload: web::Payload) -> Reply {
    let fields = Fields::read(Host::Cdn, &req, payload).await?;
    if !state.apps.is_key(fields.required("apikey")?) {
        let unauthorized = actix_web::http::StatusCode::UNAUTHORIZED;
        return Err(Problem::new(Host::Cdn, unauthorized, "Invalid Application").in_json());
    }
    Err(Problem::not_done(Host::Cdn, "Storing from a URL"))
}

/// §9.4: there are no cloud drives here. The policy is checked all the same, with this host's own refusal.
pub(super) async fn cloud(req: HttpRequest, state: web::Data<State>, payload: web::Payload) -> Reply {
    const HOST: Host = Host::Cloud;
    let fields = Fields::read(HOST, &req, payload).await?;
    let unauthorized = actix_web::http::StatusCode::UNAUTHORIZED;
    let app = state.apps.find(fields.required("apikey")?);
    let app = app.ok_or_else(|| Problem::new(HOST, unauthorized, "Invalid Application"))?;
    // §9.4: the one call here that no client sends a policy with.
    if req.path() == "/auth/logout" {
        return Ok(HttpResponse::Ok().json(json!({})));
    }
    let ask = Ask {
        calls: &["pick", "store"],
        ..Ask::default()
    };
    state.permit(HOST, app, &of_fields(&fields)?, &ask)?;
    match req.path() {
        "/folder/list" => Ok(HttpResponse::Ok().json(json!({ "token": fields.text("token")? }))),
        _ => Err(Problem::not_done(HOST, "Cloud drives and URLs as sources")),
    }
}
