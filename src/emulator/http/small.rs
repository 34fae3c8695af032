//! The cloud host's routes, which answer the least a client needs or say that they are not there.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;

use super::State;
use super::body::Fields;
use super::credentials::of_fields;
use crate::emulator::errors::{Host, Problem};
use crate::emulator::policy::Ask;

type Reply = Result<HttpResponse, Problem>;

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
