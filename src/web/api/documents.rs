//! `/api/documents`: list, read, rename, delete.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::db::models::documents::{Document, Part, Sort};
use crate::error::AppError;
use crate::services::{cursor, documents, jobs};
use crate::web::AppState;
use crate::web::extract::{ApiCaller, DocumentPath, Json, Query, Reader};

/// A document as the API shows it.
#[derive(Serialize)]
struct DocumentJson<'a> {
    id: &'a str,
    handle: &'a str,
    name: &'a str,
    r#type: &'a str,
    size: i64,
    sha256: &'a str,
    status: &'a str,
    created_at: String,
    updated_at: String,
}

impl<'a> From<&'a Document> for DocumentJson<'a> {
    fn from(document: &'a Document) -> Self {
        DocumentJson {
            id: document.id.as_str(),
            handle: &document.handle,
            name: &document.name,
            r#type: &document.content_type,
            size: document.size_bytes,
            sha256: &document.sha256,
            status: &document.status,
            created_at: document.created_at.rfc3339(),
            updated_at: document.updated_at.rfc3339(),
        }
    }
}

/// `?limit=&cursor=`.
#[derive(Deserialize)]
pub struct ListQuery {
    limit: Option<i64>,
    cursor: Option<String>,
}

/// What may be changed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Changes {
    name: String,
}

const DEFAULT_LIMIT: i64 = 50;
const LIMITS: std::ops::RangeInclusive<i64> = 1..=200;

/// `GET /api/documents`: the newest first.
pub async fn index(
    state: web::Data<AppState>,
    reader: Reader,
    query: Query<ListQuery>,
) -> Result<HttpResponse, AppError> {
    let limit = query.0.limit.unwrap_or(DEFAULT_LIMIT);
    if !LIMITS.contains(&limit) {
        return Err(AppError::invalid(
            "invalid-limit",
            "The limit is 1 to 200. Choose one in that range.",
        ));
    }
    let sort = Sort::NEWEST;
    let after = query.0.cursor.filter(|cursor| !cursor.is_empty());
    let part = match after {
        Some(text) => Part::After(cursor::decode(sort, &text)?),
        None => Part::First,
    };
    let page = documents::list_strictly(&state.services, reader.0, sort, part, limit).await?;
    let last = page.documents.last().filter(|_| page.has_next);
    Ok(HttpResponse::Ok().json(json!({
        "documents": page.documents.iter().map(DocumentJson::from).collect::<Vec<_>>(),
        "next_cursor": last.map(|document| cursor::encode(sort, &document.place(sort))),
    })))
}

/// `GET /api/documents/{id}`.
pub async fn show(
    state: web::Data<AppState>,
    reader: Reader,
    id: DocumentPath,
) -> Result<HttpResponse, AppError> {
    let (_, document) = documents::get_as(&state.services, reader.0, id.0).await?;
    Ok(HttpResponse::Ok().json(DocumentJson::from(&document)))
}

/// `GET /api/documents/{id}/jobs`: what is done with it, in the order of its steps.
pub async fn jobs(
    state: web::Data<AppState>,
    caller: ApiCaller,
    id: DocumentPath,
) -> Result<HttpResponse, AppError> {
    let document = documents::get(&state.services, caller.user().id, id.0).await?;
    let rows = jobs::list_of_document(&state.services, document.id).await?;
    let rows: Vec<_> = rows
        .iter()
        .map(|job| {
            json!({
                "id": job.id,
                "kind": job.kind,
                "state": job.state.as_str(),
                "progress": job.progress,
                "reason": job.reason,
                "created_at": job.created_at.rfc3339(),
                "finished_at": job.finished_at.map(|at| at.rfc3339()),
            })
        })
        .collect();
    Ok(HttpResponse::Ok().json(json!({"jobs": rows})))
}

/// `PATCH /api/documents/{id}`.
pub async fn update(
    state: web::Data<AppState>,
    caller: ApiCaller,
    id: DocumentPath,
    // Who may not change anything is told that first.
    changes: Result<Json<Changes>, AppError>,
) -> Result<HttpResponse, AppError> {
    let (actor, owner) = (caller.actor(), caller.user().id);
    let document = documents::rename(&state.services, &actor, owner, id.0, &changes?.0.name).await?;
    Ok(HttpResponse::Ok().json(DocumentJson::from(&document)))
}

/// `DELETE /api/documents/{id}`: 204, or 202 with a sentence when the document is gone and Filestack still has its file.
pub async fn destroy(
    state: web::Data<AppState>,
    caller: ApiCaller,
    id: DocumentPath,
) -> Result<HttpResponse, AppError> {
    let deleted = documents::delete(&state.services, &caller.actor(), caller.user().id, id.0).await?;
    if deleted.file_removed {
        return Ok(HttpResponse::NoContent().finish());
    }
    Ok(HttpResponse::Accepted().json(json!({
        "code": "file-removal-pending",
        "detail": "The document is deleted here. Filestack could not remove its file yet; Satchel keeps trying until it has.",
    })))
}
