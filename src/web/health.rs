//! `/healthz`: the process answers. `/readyz`: it can do its work.

use std::time::Duration;

use actix_web::{HttpResponse, web};
use serde_json::json;

use crate::error::AppError;
use crate::services::accounts;
use crate::web::AppState;

/// The longest that `/readyz` waits for the database.
const PATIENCE: Duration = Duration::from_secs(2);

/// `GET /healthz`: touches nothing.
pub async fn live() -> HttpResponse {
    HttpResponse::Ok().json(json!({"status": "ok"}))
}

/// `GET /readyz`: whether new work should be sent here. What Filestack does is said and decides nothing: other servers have the same
/// Filestack.
pub async fn ready(state: web::Data<AppState>) -> Result<HttpResponse, AppError> {
    let asked = tokio::time::timeout(PATIENCE, accounts::setup_is_open(&state.services)).await;
    let database = if matches!(asked, Ok(Ok(_))) {
        "ok"
    } else {
        "failing"
    };
    let server = if state.is_draining() { "stopping" } else { "ok" };
    let filestack = if state.services.breaker.opened().is_some() {
        "failing"
    } else {
        "ok"
    };
    let ready = database == "ok" && server == "ok";
    let body = json!({
        "status": if ready { "ok" } else { "failing" },
        "checks": {"database": database, "server": server, "filestack": filestack},
    });
    Ok(if ready {
        HttpResponse::Ok().json(body)
    } else {
        HttpResponse::ServiceUnavailable().json(body)
    })
}
