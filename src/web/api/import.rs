//! `/api/uploads/import`: a file from an address, where that is switched on.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Stored, again, created};
use crate::error::AppError;
use crate::services::idempotency::{self, Begun, Wanted, fingerprint_of};
use crate::services::import;
use crate::web::AppState;
use crate::web::extract::{ApiCaller, IdempotencyKey, Json};

/// What is to be fetched.
#[derive(Deserialize, ToSchema)]
#[schema(as = ImportOrder)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// Where it is: http or https, on a public host.
    url: String,
    /// What it is to be called; the last step of the address when left out.
    name: Option<String>,
}

/// `POST /api/uploads/import`: answers once the file is stored.
#[utoipa::path(post, path = "/api/uploads/import", operation_id = "importUpload", tag = "uploads",
    summary = "Import a file from an address", description = "Off unless the administrator has switched it on: 403.",
    params(IdempotencyKey), request_body = Order,
    responses((status = 201, description = "Fetched and stored", body = Stored)))]
pub async fn create(
    state: web::Data<AppState>,
    caller: ApiCaller,
    key: IdempotencyKey,
    body: Json<Order>,
) -> Result<HttpResponse, AppError> {
    let importer = state.settings.import.as_ref().ok_or(AppError::Forbidden(
        "Files are not imported from addresses here. Download the file and upload it, or ask your administrator to switch it on.",
    ))?;
    let Order { url, name } = body.0;
    let once = match key.0 {
        None => None,
        Some(key) => {
            let wanted = Wanted {
                user: caller.user().id,
                key,
                route: "import",
                fingerprint: Some(fingerprint_of(&[&url, name.as_deref().unwrap_or_default()])),
                compose: Stored::compose,
            };
            match idempotency::begin(&state.services, wanted).await? {
                Begun::Held(held) => Some(held),
                Begun::Done(answer) => return Ok(again(answer)),
            }
        }
    };
    let received = import::import(
        &state.services,
        importer,
        caller.user(),
        &caller.actor(),
        &url,
        name.as_deref(),
        once,
    )
    .await?;
    Ok(created(Stored::compose(
        &state.services,
        &received.document,
        &[],
    )?))
}
