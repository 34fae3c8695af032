//! `/api/uploads`: take a file in, and give out signed addresses of what was taken.

use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;

use crate::db::models::jobs::JobState;
use crate::error::AppError;
use crate::services::documents::{self, SignedUrl};
use crate::services::processing::chain::Wish;
use crate::services::uploads::{self, By, NewFile, Received, Source, too_large};
use crate::web::AppState;
use crate::web::extract::{ApiCaller, DocumentPath, FilePart, Item, Query, Reader, UploadForm};

/// `?width=&height=`.
#[derive(Deserialize)]
pub struct ThumbnailQuery {
    width: Option<u32>,
    height: Option<u32>,
}

/// A thumbnail's side when none is asked for, pixels.
const DEFAULT_SIDE: u32 = 200;
/// A request is at most so much longer than its file: fields, headers, boundaries.
const FORM_OVERHEAD: u64 = 128 * 1_024;

/// `POST /api/uploads`.
pub async fn create(
    state: web::Data<AppState>,
    request: HttpRequest,
    caller: ApiCaller,
    payload: web::Payload,
) -> Result<HttpResponse, AppError> {
    let document = receive(&state, &request, &caller, payload, Wish::Nothing)
        .await?
        .document;
    let url = documents::plain_url(&state.services, &document)?;
    Ok(HttpResponse::Created()
        .json(json!({"id": document.id, "handle": document.handle, "url": url.as_str()})))
}

/// `POST /api/uploads/v2`: the same without the id, for programs written for the pattern's second version.
pub async fn create_v2(
    state: web::Data<AppState>,
    request: HttpRequest,
    caller: ApiCaller,
    payload: web::Payload,
) -> Result<HttpResponse, AppError> {
    let document = receive(&state, &request, &caller, payload, Wish::Nothing)
        .await?
        .document;
    let url = documents::plain_url(&state.services, &document)?;
    Ok(HttpResponse::Created().json(json!({"handle": document.handle, "url": url.as_str()})))
}

/// `POST /api/uploads/with-processing`: answers as soon as the file is stored; what is done with it next is named, and goes on.
pub async fn create_with_processing(
    state: web::Data<AppState>,
    request: HttpRequest,
    caller: ApiCaller,
    payload: web::Payload,
) -> Result<HttpResponse, AppError> {
    let Received { document, steps } = receive(&state, &request, &caller, payload, Wish::Everything).await?;
    let url = documents::plain_url(&state.services, &document)?;
    let jobs: Vec<_> = steps
        .iter()
        .map(|step| json!({"id": step.id, "kind": step.kind.as_str(), "state": JobState::Waiting.as_str()}))
        .collect();
    Ok(HttpResponse::Created()
        .json(json!({"id": document.id, "handle": document.handle, "url": url.as_str(), "jobs": jobs})))
}

/// `GET /api/uploads/{id}/download-url`.
pub async fn download_url(
    state: web::Data<AppState>,
    reader: Reader,
    id: DocumentPath,
) -> Result<HttpResponse, AppError> {
    let (_, document) = documents::get_as(&state.services, reader.0, id.0).await?;
    Ok(signed(documents::download_url(
        &state.services,
        &document,
        false,
    )?))
}

/// `GET /api/uploads/{id}/thumbnail`.
pub async fn thumbnail(
    state: web::Data<AppState>,
    reader: Reader,
    id: DocumentPath,
    query: Query<ThumbnailQuery>,
) -> Result<HttpResponse, AppError> {
    let (_, document) = documents::get_as(&state.services, reader.0, id.0).await?;
    let (width, height) = (
        query.0.width.unwrap_or(DEFAULT_SIDE),
        query.0.height.unwrap_or(DEFAULT_SIDE),
    );
    Ok(signed(documents::thumbnail_url(
        &state.services,
        &document,
        width,
        height,
    )?))
}

fn signed(url: SignedUrl) -> HttpResponse {
    HttpResponse::Ok().json(json!({"url": url.url.as_str(), "expires_at": url.expires_at.rfc3339()}))
}

/// Reads the form: an optional field `size` with the file's exact length, then `file`.
async fn receive(
    state: &AppState,
    request: &HttpRequest,
    caller: &ApiCaller,
    payload: web::Payload,
    wish: Wish,
) -> Result<Received, AppError> {
    let mut form = UploadForm::new(state, request, payload)?;
    let limit = state.services.max_upload_bytes;
    if form.at_most() != u64::MAX && form.at_most() > limit.saturating_add(FORM_OVERHEAD) {
        return Err(too_large(limit));
    }
    let mut declared = None;
    loop {
        match form.next().await? {
            Some(Item::Field(name, value)) if name == "size" => declared = Some(parse_size(&value)?),
            Some(Item::File(file)) if file.field == "file" => {
                let new = NewFile {
                    name: file.filename.clone(),
                    declared_type: file.declared_type.clone(),
                    size: form.size(&file, declared),
                    wish,
                };
                let by = By {
                    actor: caller.actor(),
                    via: "the API",
                };
                let mut only = OnlyFile { file, form };
                return uploads::receive(&state.services, caller.user(), by, new, &mut only).await;
            }
            Some(_) => {}
            None => {
                return Err(AppError::invalid(
                    "no-file",
                    "The form has no file. Send it in a field named file, with a filename.",
                ));
            }
        }
    }
}

fn parse_size(text: &str) -> Result<u64, AppError> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits).ok_or_else(|| {
        AppError::invalid(
            "invalid-size-field",
            "The field size has the file's exact number of bytes, in digits. Correct it or leave it out.",
        )
    })
}

/// The form's one file. Its end is the end of the form: a second file must not be lost in silence, and the place to say so is
/// before the first one is stored.
struct OnlyFile {
    file: Box<FilePart>,
    form: UploadForm,
}

impl Source for OnlyFile {
    async fn chunk(&mut self) -> Result<Option<Bytes>, AppError> {
        if let Some(chunk) = self.file.chunk().await? {
            return Ok(Some(chunk));
        }
        while let Some(item) = self.form.next().await? {
            if let Item::File(_) = item {
                return Err(AppError::invalid(
                    "several-files",
                    "A request takes one file. Send each file in a request of its own.",
                ));
            }
        }
        Ok(None)
    }
}
