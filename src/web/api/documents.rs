//! `/api/documents`: list, read, rename, delete; the latter puts a document into the trash, which `trash` speaks of.

use actix_web::http::header::ETAG;
use actix_web::{HttpResponse, web};
use serde::{Deserialize, Deserializer, Serialize};
use sha2::{Digest, Sha256};
use utoipa::{IntoParams, ToSchema};

use crate::clock::UtcTime;
use crate::crypto::hex;
use crate::db::models::documents::{Document, Part, Sort};
use crate::db::models::results::DONE;
use crate::error::AppError;
use crate::services::documents::DocumentPage;
use crate::services::filters::Filter;
use crate::services::results::{self, DocumentResult};
use crate::services::{cursor, documents, jobs, trash};
use crate::web::AppState;
use crate::web::extract::{ApiCaller, DocumentPath, IfMatch, IfNoneMatch, Json, Query, Reader};
use crate::web::openapi::DocumentId;

/// A document as the API shows it.
#[derive(Serialize, ToSchema)]
#[schema(as = Document)]
pub struct DocumentJson<'a> {
    #[schema(format = "uuid")]
    id: &'a str,
    /// Filestack's id of the file.
    handle: &'a str,
    name: &'a str,
    /// The type, from the file's bytes.
    #[serde(rename = "type")]
    content_type: &'a str,
    /// Bytes.
    #[schema(minimum = 0)]
    size: i64,
    /// Of the bytes, in hex; empty when nobody knows it.
    sha256: &'a str,
    /// `stored`, `quarantined`, `infected` or `gone`; more may come.
    status: &'a str,
    /// Your tags, in order.
    tags: Vec<&'a str>,
    /// Your note.
    note: &'a str,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    updated_at: String,
    /// When it was put into the trash, if it is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime, nullable = false)]
    trashed_at: Option<String>,
}

impl<'a> From<&'a Document> for DocumentJson<'a> {
    fn from(document: &'a Document) -> Self {
        DocumentJson {
            id: document.id.as_str(),
            handle: &document.handle,
            name: &document.name,
            content_type: &document.content_type,
            size: document.size_bytes,
            sha256: &document.sha256,
            status: &document.status,
            tags: document.tags().collect(),
            note: &document.note,
            created_at: document.created_at.rfc3339(),
            updated_at: document.updated_at.rfc3339(),
            trashed_at: document.trashed_at.map(UtcTime::rfc3339),
        }
    }
}

/// `?limit=&cursor=`.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// How many documents at once; 50 when left out.
    #[param(value_type = i64, required = false, minimum = 1, maximum = 200)]
    limit: Option<i64>,
    /// The `next_cursor` of the page before. A cursor is good for as long as the secret key of the server is the same.
    #[param(value_type = String, required = false)]
    cursor: Option<String>,
}

impl ListQuery {
    /// How many rows, and where they begin in a list with this filter's mark.
    pub(super) fn read(self, sort: Sort, mark: Option<&str>) -> Result<(i64, Part), AppError> {
        let limit = self.limit.unwrap_or(DEFAULT_LIMIT);
        if !LIMITS.contains(&limit) {
            return Err(AppError::invalid(
                "invalid-limit",
                "The limit is 1 to 200. Choose one in that range.",
            ));
        }
        let part = match self.cursor.filter(|cursor| !cursor.is_empty()) {
            Some(text) => Part::After(cursor::decode(sort, mark, &text)?),
            None => Part::First,
        };
        Ok((limit, part))
    }
}

/// A part of a list as an answer.
pub(super) fn listed(page: &DocumentPage, sort: Sort, mark: Option<&str>) -> HttpResponse {
    let last = page.documents.last().filter(|_| page.has_next);
    HttpResponse::Ok().json(DocumentList {
        documents: page.documents.iter().map(DocumentJson::from).collect(),
        next_cursor: last.map(|document| cursor::encode(sort, mark, &document.place(sort))),
    })
}

/// `?q=&tag=&type=&status=`: what the list is narrowed to.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct FilterQuery {
    /// Words that are all in the name, or begin words of the tags, the note or what was read on a picture or recognised in it.
    #[serde(default)]
    #[param(value_type = String, required = false, max_length = 100)]
    q: String,
    /// Only documents with this tag of yours.
    #[serde(default)]
    #[param(value_type = String, required = false, max_length = 40)]
    tag: String,
    /// Only files of this kind: `picture`, `film`, `sound`, `pdf`, `text`, `table`, `slides`, `archive`, `code` or `other`.
    #[serde(default, rename = "type")]
    #[param(value_type = String, required = false)]
    family: String,
    /// Only documents in this state: `stored`, `quarantined`, `infected` or `gone`.
    #[serde(default)]
    #[param(value_type = String, required = false)]
    status: String,
}

/// What may be changed: one of them at least; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[schema(as = DocumentChanges, min_properties = 1)]
#[serde(deny_unknown_fields)]
pub struct Changes {
    /// The new name: at most 255 bytes in UTF-8; what no file may be called is left out of it.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = String, required = false, min_length = 1)]
    name: Option<String>,
    /// All tags: at most 20 of at most 40 characters, without commas. They are kept in lower case, each once, in order.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Vec<String>, required = false, max_items = 20)]
    tags: Option<Vec<String>>,
    /// The note: plain text of at most 2000 characters; an empty one takes it away.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = String, required = false, max_length = 2000)]
    note: Option<String>,
}

/// A field that is there: null is no value.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(value: D) -> Result<Option<T>, D::Error> {
    T::deserialize(value).map(Some)
}

/// A part of the list.
#[derive(Serialize, ToSchema)]
pub struct DocumentList<'a> {
    documents: Vec<DocumentJson<'a>>,
    /// Give it as `cursor` to go on; null at the end of the list.
    #[schema(required = true)]
    next_cursor: Option<String>,
}

/// What is done with a document.
#[derive(Serialize, ToSchema)]
pub struct JobList {
    jobs: Vec<JobJson>,
}

/// One step of it.
#[derive(Serialize, ToSchema)]
#[schema(as = Job)]
pub struct JobJson {
    #[schema(format = "uuid")]
    id: String,
    kind: String,
    /// `waiting`, `running`, `done`, `dead` or `cancelled`.
    state: &'static str,
    /// Hundredths that are done.
    progress: i32,
    /// Why it waits or ended.
    #[schema(required = true)]
    reason: Option<String>,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(required = true, format = DateTime)]
    finished_at: Option<String>,
}

/// What was made of a document.
#[derive(Serialize, ToSchema)]
pub struct ResultList {
    results: Vec<ResultJson>,
}

/// A file that was made of a document, or is to be.
#[derive(Serialize, ToSchema)]
#[schema(as = DocumentResult)]
pub struct ResultJson {
    #[schema(format = "uuid")]
    id: String,
    /// `conversion`, `video` or `workflow`; more may come.
    kind: String,
    /// `pending`, `done` or `failed`.
    state: String,
    /// Empty while there is no file.
    name: String,
    /// The type that Filestack said it has.
    #[serde(rename = "type")]
    #[schema(required = true)]
    content_type: Option<String>,
    /// Bytes.
    #[schema(required = true, minimum = 0)]
    size: Option<i64>,
    /// The address on this server that leads to the file; null while it cannot be had.
    #[schema(required = true, format = "uri-reference")]
    url: Option<String>,
    #[schema(format = DateTime)]
    created_at: String,
}

impl ResultJson {
    fn new(document: &Document, made: DocumentResult) -> Self {
        let is_there = made.state == DONE && documents::check_servable(document).is_ok();
        let url = format!("/documents/{}/results/{}/download", document.id, made.id);
        ResultJson {
            id: made.id.into(),
            kind: made.kind,
            state: made.state,
            name: made.name,
            content_type: Some(made.content_type).filter(|content_type| !content_type.is_empty()),
            size: made.size_bytes,
            url: is_there.then_some(url),
            created_at: made.created_at.rfc3339(),
        }
    }
}

/// A document that is deleted here and not yet at Filestack.
#[derive(Serialize, ToSchema)]
pub struct RemovalPending {
    /// `file-removal-pending`.
    code: &'static str,
    detail: &'static str,
}

impl RemovalPending {
    /// The sentence.
    pub(super) const NOTE: Self = RemovalPending {
        code: "file-removal-pending",
        detail: "The document is deleted here. Filestack could not remove its file yet; Satchel keeps trying until it has.",
    };
}

const DEFAULT_LIMIT: i64 = 50;
const LIMITS: std::ops::RangeInclusive<i64> = 1..=200;

/// `GET /api/documents`: the newest first.
#[utoipa::path(get, path = "/api/documents", operation_id = "listDocuments", tag = "documents",
    summary = "List or search your documents, the newest first", params(ListQuery, FilterQuery),
    responses((status = 200, description = "A page of the list", body = DocumentList)))]
pub async fn index(
    state: web::Data<AppState>,
    reader: Reader,
    query: Query<ListQuery>,
    narrowed: Query<FilterQuery>,
) -> Result<HttpResponse, AppError> {
    let sort = Sort::NEWEST;
    let FilterQuery {
        q,
        tag,
        family,
        status,
    } = narrowed.0;
    let filter = Filter::read(&q, &tag, &family, &status)?;
    let mark = filter.mark();
    let (limit, part) = query.0.read(sort, mark.as_deref())?;
    let page = documents::list_strictly(&state.services, reader.0, sort, filter, part, limit).await?;
    Ok(listed(&page, sort, mark.as_deref()))
}

/// `GET /api/documents/{id}`.
#[utoipa::path(get, path = "/api/documents/{id}", operation_id = "showDocument", tag = "documents",
    summary = "Read a document", params(DocumentId, IfNoneMatch),
    responses(
        (status = 200, description = "The document", body = DocumentJson,
            headers(("ETag" = String, description = "Of this representation; send it back as If-Match"))),
        (status = 304, description = "It is still what the ETag in If-None-Match stands for"),
    ))]
pub async fn show(
    state: web::Data<AppState>,
    reader: Reader,
    id: DocumentPath,
    known: IfNoneMatch,
) -> Result<HttpResponse, AppError> {
    let (_, document) = documents::get_as(&state.services, reader.0, id.0).await?;
    let tag = etag(&document);
    if known.matches(&tag) {
        return Ok(HttpResponse::NotModified().insert_header((ETAG, tag)).finish());
    }
    Ok(with_etag(&document))
}

/// `GET /api/documents/{id}/jobs`: what is done with it, in the order of its steps.
#[utoipa::path(get, path = "/api/documents/{id}/jobs", operation_id = "listDocumentJobs", tag = "documents",
    summary = "See what is done with a document", params(DocumentId),
    responses((status = 200, description = "Its jobs, in the order of their steps", body = JobList)))]
pub async fn jobs(
    state: web::Data<AppState>,
    caller: ApiCaller,
    id: DocumentPath,
) -> Result<HttpResponse, AppError> {
    let document = documents::get(&state.services, caller.user().id, id.0).await?;
    let rows = jobs::list_of_document(&state.services, document.id).await?;
    let jobs = rows
        .into_iter()
        .map(|job| JobJson {
            id: job.id.to_string(),
            kind: job.kind,
            state: job.state.as_str(),
            progress: job.progress,
            reason: job.reason,
            created_at: job.created_at.rfc3339(),
            finished_at: job.finished_at.map(|at| at.rfc3339()),
        })
        .collect();
    Ok(HttpResponse::Ok().json(JobList { jobs }))
}

/// `GET /api/documents/{id}/results`: what was made of it, the newest first.
#[utoipa::path(get, path = "/api/documents/{id}/results", operation_id = "listDocumentResults", tag = "documents",
    summary = "See what was made of a document", params(DocumentId),
    responses((status = 200, description = "The last hundred of its results, the newest first", body = ResultList)))]
pub async fn results(
    state: web::Data<AppState>,
    caller: ApiCaller,
    id: DocumentPath,
) -> Result<HttpResponse, AppError> {
    let document = documents::get(&state.services, caller.user().id, id.0).await?;
    let rows = results::list_of_document(&state.services, document.id).await?;
    let results = rows
        .into_iter()
        .map(|made| ResultJson::new(&document, made))
        .collect();
    Ok(HttpResponse::Ok().json(ResultList { results }))
}

/// `PATCH /api/documents/{id}`.
#[utoipa::path(patch, path = "/api/documents/{id}", operation_id = "updateDocument", tag = "documents",
    summary = "Rename, tag or annotate a document", params(DocumentId, IfMatch), request_body = Changes,
    responses((status = 200, description = "The document as it is now", body = DocumentJson,
        headers(("ETag" = String, description = "Of the new representation")))))]
pub async fn update(
    state: web::Data<AppState>,
    caller: ApiCaller,
    id: DocumentPath,
    expected: IfMatch,
    // Who may not change anything is told that first.
    changes: Result<Json<Changes>, AppError>,
) -> Result<HttpResponse, AppError> {
    let (actor, owner) = (caller.actor(), caller.user().id);
    let Changes { name, tags, note } = changes?.0;
    if name.is_none() && tags.is_none() && note.is_none() {
        return Err(AppError::invalid(
            "invalid-json",
            "The body changes nothing. Give a name, tags or a note, such as {\"tags\": [\"invoice\"]}.",
        ));
    }
    let changes = documents::Changes { name, tags, note };
    let unchanged = move |document: &Document| expected.matches(|| etag(document));
    let changed = documents::change_if(&state.services, &actor, owner, id.0, changes, unchanged).await?;
    Ok(with_etag(&changed))
}

/// `DELETE /api/documents/{id}`: into the trash, from where it can be restored.
#[utoipa::path(delete, path = "/api/documents/{id}", operation_id = "deleteDocument", tag = "documents",
    summary = "Put a document into the trash", params(DocumentId, IfMatch),
    responses((status = 204, description = "It is in the trash, from where it can be restored")))]
pub async fn destroy(
    state: web::Data<AppState>,
    caller: ApiCaller,
    id: DocumentPath,
    expected: IfMatch,
) -> Result<HttpResponse, AppError> {
    let unchanged = move |document: &Document| expected.matches(|| etag(document));
    let owner = caller.user().id;
    let acted = trash::put_if(&state.services, &caller.actor(), owner, id.0, unchanged).await?;
    acted.only()?;
    Ok(HttpResponse::NoContent().finish())
}

/// `POST /api/documents/{id}/restoration`: out of the trash again.
#[utoipa::path(post, path = "/api/documents/{id}/restoration", operation_id = "restoreDocument", tag = "trash",
    summary = "Take a document out of the trash", params(DocumentId),
    responses((status = 200, description = "The document", body = DocumentJson)))]
pub async fn restore(
    state: web::Data<AppState>,
    caller: ApiCaller,
    id: DocumentPath,
) -> Result<HttpResponse, AppError> {
    let owner = caller.user().id;
    let acted = trash::restore(&state.services, &caller.actor(), owner, vec![id.0]).await?;
    Ok(with_etag(&acted.only()?))
}

/// The strong entity tag of what [`show`] answers: made of those very bytes, so that whatever changes in them changes it.
fn etag(document: &Document) -> String {
    // A struct of texts and numbers has a JSON form.
    let json = serde_json::to_vec(&DocumentJson::from(document)).unwrap_or_default();
    let digest = hex(&Sha256::digest(json));
    format!("\"{}\"", &digest[..32])
}

fn with_etag(document: &Document) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((ETAG, etag(document)))
        .json(DocumentJson::from(document))
}
