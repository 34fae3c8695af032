//! `POST /api/archive`: several documents as one ZIP.

use actix_web::{HttpResponse, web};

use super::trash::Ids;
use crate::error::AppError;
use crate::services::archive;
use crate::web::AppState;
use crate::web::extract::{ApiCaller, Chosen, Json};
use crate::web::pages::archive::sent;

/// `POST /api/archive`.
#[utoipa::path(post, path = "/api/archive", operation_id = "createArchive", tag = "documents",
    summary = "Get several documents as one ZIP", request_body = Ids,
    responses((status = 200, description = "The documents, as a ZIP", content_type = "application/zip")))]
pub async fn create(
    state: web::Data<AppState>,
    caller: ApiCaller,
    ids: Result<Json<Ids>, AppError>,
) -> Result<HttpResponse, AppError> {
    let Chosen { ids, unknown } = Chosen::read(ids?.0.ids)?;
    let archive = archive::prepare(&state.services, caller.user().id, ids, unknown.len()).await?;
    Ok(sent(&state, &caller.0, archive))
}
