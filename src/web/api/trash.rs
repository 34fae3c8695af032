//! `/api/trash`: what was deleted and can still be restored; from here it goes for good.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::documents::{DocumentList, ListQuery, RemovalPending, listed};
use crate::db::models::documents::Sort;
use crate::error::AppError;
use crate::services::trash::{self, Acted};
use crate::web::AppState;
use crate::web::extract::{ApiCaller, Chosen, DocumentPath, Json, Query, Reader};
use crate::web::openapi::DocumentId;

/// `GET /api/trash`: what was put there last comes first.
#[utoipa::path(get, path = "/api/trash", operation_id = "listTrash", tag = "trash",
    summary = "List what is in the trash, the last first", params(ListQuery),
    responses((status = 200, description = "A page of the list", body = DocumentList)))]
pub async fn index(
    state: web::Data<AppState>,
    reader: Reader,
    query: Query<ListQuery>,
) -> Result<HttpResponse, AppError> {
    let sort = Sort::TRASH;
    let (limit, part) = query.0.read(sort, None)?;
    let (_, page) = trash::list(&state.services, reader.0, part, limit).await?;
    Ok(listed(&page, sort, None))
}

/// Documents by id.
#[derive(Deserialize, ToSchema)]
#[schema(as = DocumentIds)]
#[serde(deny_unknown_fields)]
pub struct Ids {
    pub(super) ids: Vec<String>,
}

/// What came of it for each.
#[derive(Serialize, ToSchema)]
pub struct Done {
    /// Those it was done to.
    done: Vec<String>,
    /// Those that are not there, or not yours.
    not_found: Vec<String>,
}

/// What came of emptying.
#[derive(Serialize, ToSchema)]
pub struct Emptied {
    purged: u64,
    /// Those that one more request takes.
    left: u64,
}

/// `POST /api/trash`: puts documents there.
#[utoipa::path(post, path = "/api/trash", operation_id = "trashDocuments", tag = "trash",
    summary = "Put documents into the trash", request_body = Ids,
    responses((status = 200, description = "Which it was done to", body = Done)))]
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
#[utoipa::path(post, path = "/api/trash/restorations", operation_id = "restoreDocuments", tag = "trash",
    summary = "Take documents out of the trash", request_body = Ids,
    responses((status = 200, description = "Which it was done to", body = Done)))]
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
    let done = acted
        .documents
        .iter()
        .map(|document| document.id.to_string())
        .collect();
    HttpResponse::Ok().json(Done {
        done,
        not_found: unknown,
    })
}

/// `DELETE /api/trash`: purges all that is there now, or as much of it as one request can.
#[utoipa::path(delete, path = "/api/trash", operation_id = "emptyTrash", tag = "trash",
    summary = "Empty the trash", responses((status = 200, description = "How many are gone for good, and how many are left", body = Emptied)))]
pub async fn empty(state: web::Data<AppState>, caller: ApiCaller) -> Result<HttpResponse, AppError> {
    let (purged, left) = trash::empty(&state.services, &caller.actor(), caller.user().id).await?;
    Ok(HttpResponse::Ok().json(Emptied { purged, left }))
}

/// `DELETE /api/trash/{id}`: 204, or 202 with a sentence when the document is gone and Filestack still has its file.
#[utoipa::path(delete, path = "/api/trash/{id}", operation_id = "purgeDocument", tag = "trash",
    summary = "Delete a document in the trash for good", params(DocumentId),
    responses(
        (status = 202, description = "Deleted here; Filestack could not remove the file yet", body = RemovalPending),
        (status = 204, description = "Deleted, here and at Filestack"),
    ))]
pub async fn destroy(
    state: web::Data<AppState>,
    caller: ApiCaller,
    id: DocumentPath,
) -> Result<HttpResponse, AppError> {
    let purged = trash::purge(&state.services, &caller.actor(), caller.user().id, id.0).await?;
    if purged.file_removed {
        return Ok(HttpResponse::NoContent().finish());
    }
    Ok(HttpResponse::Accepted().json(RemovalPending::NOTE))
}
