//! `/api/uploads/import`: a file from an address, where that is switched on.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::json;

use crate::error::AppError;
use crate::services::{documents, import};
use crate::web::AppState;
use crate::web::extract::{ApiCaller, Json};

/// What is to be fetched.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    url: String,
    name: Option<String>,
}

/// `POST /api/uploads/import`: answers once the file is stored.
pub async fn create(
    state: web::Data<AppState>,
    caller: ApiCaller,
    body: Json<Order>,
) -> Result<HttpResponse, AppError> {
    let importer = state.settings.import.as_ref().ok_or(AppError::Forbidden(
        "Files are not imported from addresses here. Download the file and upload it, or ask your administrator to switch it on.",
    ))?;
    let Order { url, name } = body.0;
    let received = import::import(
        &state.services,
        importer,
        caller.user(),
        &caller.actor(),
        &url,
        name.as_deref(),
    )
    .await?;
    let document = received.document;
    let url = documents::plain_url(&state.services, &document)?;
    Ok(HttpResponse::Created()
        .json(json!({"id": document.id, "handle": document.handle, "url": url.as_str()})))
}
