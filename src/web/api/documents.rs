//! `/api/documents`: list, read, rename, delete; the latter puts a document into the trash, which `trash` speaks of.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::clock::UtcTime;
use crate::db::models::documents::{Document, Part, Sort};
use crate::error::AppError;
use crate::services::documents::DocumentPage;
use crate::services::{cursor, documents, jobs, trash};
use crate::web::AppState;
use crate::web::extract::{ApiCaller, DocumentPath, Json, Query, Reader};

/// A document as the API shows it.
#[derive(Serialize)]
pub(super) struct DocumentJson<'a> {
    id: &'a str,
    handle: &'a str,
    name: &'a str,
    r#type: &'a str,
    size: i64,
    sha256: &'a str,
    status: &'a str,
    created_at: String,
    updated_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    trashed_at: Option<String>,
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
            trashed_at: document.trashed_at.map(UtcTime::rfc3339),
        }
    }
}

/// `?limit=&cursor=`.
#[derive(Deserialize)]
pub struct ListQuery {
    limit: Option<i64>,
    cursor: Option<String>,
}

impl ListQuery {
    /// How many rows, and where they begin.
    pub(super) fn read(self, sort: Sort) -> Result<(i64, Part), AppError> {
        let limit = self.limit.unwrap_or(DEFAULT_LIMIT);
        if !LIMITS.contains(&limit) {
            return Err(AppError::invalid(
                "invalid-limit",
                "The limit is 1 to 200. Choose one in that range.",
            ));
        }
        let part = match self.cursor.filter(|cursor| !cursor.is_empty()) {
            Some(text) => Part::After(cursor::decode(sort, &text)?),
            None => Part::First,
        };
        Ok((limit, part))
    }
}

/// A part of a list as an answer.
pub(super) fn listed(page: &DocumentPage, sort: Sort) -> HttpResponse {
    let last = page.documents.last().filter(|_| page.has_next);
    HttpResponse::Ok().json(json!({
        "documents": page.documents.iter().map(DocumentJson::from).collect::<Vec<_>>(),
        "next_cursor": last.map(|document| cursor::encode(sort, &document.place(sort))),
    }))
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
    let sort = Sort::NEWEST;
    let (limit, part) = query.0.read(sort)?;
    let page = documents::list_strictly(&state.services, reader.0, sort, part, limit).await?;
    Ok(listed(&page, sort))
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

/// `DELETE /api/documents/{id}`: into the trash, from where it can be restored.
pub async fn destroy(
    state: web::Data<AppState>,
    caller: ApiCaller,
    id: DocumentPath,
) -> Result<HttpResponse, AppError> {
    let owner = caller.user().id;
    let acted = trash::put(&state.services, &caller.actor(), owner, vec![id.0]).await?;
    acted.only()?;
    Ok(HttpResponse::NoContent().finish())
}

/// `POST /api/documents/{id}/restoration`: out of the trash again.
pub async fn restore(
    state: web::Data<AppState>,
    caller: ApiCaller,
    id: DocumentPath,
) -> Result<HttpResponse, AppError> {
    let owner = caller.user().id;
    let acted = trash::restore(&state.services, &caller.actor(), owner, vec![id.0]).await?;
    Ok(HttpResponse::Ok().json(DocumentJson::from(&acted.only()?)))
}
