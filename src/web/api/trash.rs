//! `/api/trash`: what was deleted and can still be restored; from here it goes for good.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::json;

use super::documents::{ListQuery, listed};
use crate::db::models::documents::Sort;
use crate::error::AppError;
use crate::services::trash::{self, Acted};
use crate::web::AppState;
use crate::web::extract::{ApiCaller, Chosen, DocumentPath, Json, Query, Reader};

/// `GET /api/trash`: what was put there last comes first.
pub async fn index(
    state: web::Data<AppState>,
    reader: Reader,
    query: Query<ListQuery>,
) -> Result<HttpResponse, AppError> {
    let sort = Sort::TRASH;
    let (limit, part) = query.0.read(sort)?;
    let (_, page) = trash::list(&state.services, reader.0, part, limit).await?;
    Ok(listed(&page, sort))
}

/// Documents by id.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ids {
    pub(super) ids: Vec<String>,
}

/// `POST /api/trash`: puts documents there.
pub async fn create(
    state: web::Data<AppState>,
    caller: ApiCaller,
    ids: Result<Json<Ids>, AppError>,
) -> Result<HttpResponse, AppError> {
    let chosen = Chosen::read(ids?.0.ids)?;
    let acted = trash::put(&state.services, &caller.actor(), caller.user().id, chosen.ids).await?;
    Ok(answer(&acted, chosen.unknown))
}

/// `POST /api/trash/restorations`: takes documents out again.
pub async fn restore(
    state: web::Data<AppState>,
    caller: ApiCaller,
    ids: Result<Json<Ids>, AppError>,
) -> Result<HttpResponse, AppError> {
    let chosen = Chosen::read(ids?.0.ids)?;
    let acted = trash::restore(&state.services, &caller.actor(), caller.user().id, chosen.ids).await?;
    Ok(answer(&acted, chosen.unknown))
}

/// Which documents it was done to, and which are not there: by nobody's looks can another's be told from none (I6).
pub(super) fn answer(acted: &Acted, mut unknown: Vec<String>) -> HttpResponse {
    unknown.extend(acted.missing.iter().map(ToString::to_string));
    unknown.sort();
    let done: Vec<_> = acted.documents.iter().map(|document| document.id).collect();
    HttpResponse::Ok().json(json!({"done": done, "not_found": unknown}))
}

/// `DELETE /api/trash`: purges all that is there now, or as much of it as one request can.
pub async fn empty(state: web::Data<AppState>, caller: ApiCaller) -> Result<HttpResponse, AppError> {
    let (purged, left) = trash::empty(&state.services, &caller.actor(), caller.user().id).await?;
    Ok(HttpResponse::Ok().json(json!({"purged": purged, "left": left})))
}

/// `DELETE /api/trash/{id}`: 204, or 202 with a sentence when the document is gone and Filestack still has its file.
pub async fn destroy(
    state: web::Data<AppState>,
    caller: ApiCaller,
    id: DocumentPath,
) -> Result<HttpResponse, AppError> {
    let purged = trash::purge(&state.services, &caller.actor(), caller.user().id, id.0).await?;
    if purged.file_removed {
        return Ok(HttpResponse::NoContent().finish());
    }
    Ok(HttpResponse::Accepted().json(json!({
        "code": "file-removal-pending",
        "detail": "The document is deleted here. Filestack could not remove its file yet; Satchel keeps trying until it has.",
    })))
}
