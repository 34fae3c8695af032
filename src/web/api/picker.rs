//! Uploads that go from the browser straight to Filestack: what the browser needs for it, and the file it then names.

use actix_web::http::header::{AUTHORIZATION, CACHE_CONTROL};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::json;

use crate::clock::UtcTime;
use crate::db::models::documents::Document;
use crate::error::AppError;
use crate::services::picker::{self, Registered};
use crate::web::AppState;
use crate::web::extract::{ApiCaller, Json, Query};
use crate::web::middleware::is_ours;

/// `?files=&path=`.
#[derive(Deserialize)]
pub struct ConfigQuery {
    /// How many files will be registered; 1 when left out.
    files: Option<u16>,
    /// A folder given out before, whose policy is to be renewed.
    path: Option<String>,
}

/// The file that was stored.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registration {
    handle: String,
}

/// `GET /api/uploads/picker-config`: for our own pages and for programs with a token (P1), and never from a cache.
pub async fn config(
    state: web::Data<AppState>,
    request: HttpRequest,
    caller: ApiCaller,
    query: Query<ConfigQuery>,
) -> Result<HttpResponse, AppError> {
    if !request.headers().contains_key(AUTHORIZATION) && !is_ours(request.headers(), &state.settings) {
        return Err(AppError::SignInNeeded);
    }
    let ConfigQuery { files, path } = query.0;
    let granted = picker::grant(
        &state.services,
        caller.user(),
        files.unwrap_or(1),
        path.as_deref(),
    )
    .await?;
    let settings = &state.settings.picker;
    Ok(HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "no-store"))
        .json(json!({
            "apikey": state.services.filestack.api_key().as_str(),
            "policy": granted.grant.policy(),
            "signature": granted.grant.signature(),
            "expires_at": UtcTime::of_system(granted.grant.expires_at()).rfc3339(),
            "path": granted.path,
            "max_size": state.services.max_upload_bytes,
            "accept": [],
            "script": {"url": settings.script_url, "integrity": settings.integrity},
            "urls": settings.urls,
        })))
}

/// `POST /api/uploads/register`: 201 for a new document, 200 for one that was made of this file before.
pub async fn register(
    state: web::Data<AppState>,
    caller: ApiCaller,
    body: Json<Registration>,
) -> Result<HttpResponse, AppError> {
    let registered =
        picker::register(&state.services, caller.user(), &caller.actor(), &body.0.handle).await?;
    let (mut answer, document, others) = match registered {
        Registered::New(document, others) => (HttpResponse::Created(), document, others),
        Registered::Known(document, others) => (HttpResponse::Ok(), document, others),
    };
    let id = |document: &Document| json!({"id": document.id, "name": document.name});
    let duplicates: Vec<_> = others.iter().map(id).collect();
    Ok(answer.json(json!({"id": document.id, "duplicates": duplicates})))
}
