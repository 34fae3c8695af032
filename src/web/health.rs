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

/// `GET /readyz`: whether new work should be sent here.
pub async fn ready(state: web::Data<AppState>) -> Result<HttpResponse, AppError> {
    let asked = tokio::time::timeout(PATIENCE, accounts::setup_is_open(&state.services)).await;
    let database = matches!(asked, Ok(Ok(_)));
    let body = json!({
        "status": if database { "ok" } else { "failing" },
        "checks": {"database": if database { "ok" } else { "failing" }},
    });
    Ok(if database {
        HttpResponse::Ok().json(body)
    } else {
        HttpResponse::ServiceUnavailable().json(body)
    })
}
