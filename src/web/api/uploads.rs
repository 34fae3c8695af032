//! `/api/uploads`: take a file in, and give out signed addresses of what was taken.

use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Stored, again, created, text};
use crate::db::models::jobs::JobState;
use crate::error::AppError;
use crate::services::Services;
use crate::services::documents::{self, Document, SignedUrl};
use crate::services::idempotency::{self, Begun, Compose, Wanted};
use crate::services::processing::chain::Wish;
use crate::services::uploads::{self, By, NewFile, Source, named, too_large};
use crate::web::AppState;
use crate::web::extract::{
    ApiCaller, DocumentPath, FilePart, IdempotencyKey, Item, Query, Reader, UploadForm,
};
use crate::web::openapi::DocumentId;

/// `?width=&height=`.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ThumbnailQuery {
    /// Pixels; 200 when left out.
    #[param(value_type = u32, required = false, minimum = 1, maximum = 1024)]
    width: Option<u32>,
    /// Pixels; 200 when left out.
    #[param(value_type = u32, required = false, minimum = 1, maximum = 1024)]
    height: Option<u32>,
}

/// The form of an upload. Other fields are left alone.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it is read as it comes in, and only described here")]
pub struct UploadBody {
    /// The file's exact number of bytes. Send it before the file: a long file of known size goes on in parts, which survive trouble
    /// on the way.
    #[schema(minimum = 0)]
    size: Option<u64>,
    /// The file, with a filename.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// A file that was stored, as the pattern's second version shows it.
#[derive(Serialize, ToSchema)]
pub struct StoredV2 {
    /// Filestack's id of the file.
    handle: String,
    /// The file's address at Filestack, which works for nobody without a signature.
    #[schema(format = "uri")]
    url: String,
}

impl StoredV2 {
    fn compose(services: &Services, document: &Document, _: &[(String, String)]) -> Result<String, AppError> {
        let Stored { handle, url, .. } = Stored::new(services, document)?;
        text(&StoredV2 { handle, url })
    }
}

/// A file that was stored, and what is done with it next.
#[derive(Serialize, ToSchema)]
pub struct StoredWithJobs {
    #[serde(flatten)]
    stored: Stored,
    jobs: Vec<NextJob>,
}

/// What is done next.
#[derive(Serialize, ToSchema)]
pub struct NextJob {
    #[schema(format = "uuid")]
    id: String,
    kind: String,
    /// `waiting`.
    state: &'static str,
}

impl StoredWithJobs {
    fn compose(
        services: &Services,
        document: &Document,
        jobs: &[(String, String)],
    ) -> Result<String, AppError> {
        let next = |(id, kind): &(String, String)| NextJob {
            id: id.clone(),
            kind: kind.clone(),
            state: JobState::Waiting.as_str(),
        };
        text(&StoredWithJobs {
            stored: Stored::new(services, document)?,
            jobs: jobs.iter().map(next).collect(),
        })
    }
}

/// An address that needs nothing else.
#[derive(Serialize, ToSchema)]
pub struct SignedAddress {
    #[schema(format = "uri")]
    url: String,
    #[schema(format = DateTime)]
    expires_at: String,
}

/// A thumbnail's side when none is asked for, pixels.
const DEFAULT_SIDE: u32 = 200;
/// A request is at most so much longer than its file: fields, headers, boundaries.
const FORM_OVERHEAD: u64 = 128 * 1_024;

/// What the ways to upload differ in.
struct Way {
    route: &'static str,
    wish: Wish,
    compose: Compose,
}

/// `POST /api/uploads`.
#[utoipa::path(post, path = "/api/uploads", operation_id = "createUpload", tag = "uploads",
    summary = "Upload a file", params(IdempotencyKey),
    request_body(content = UploadBody, content_type = "multipart/form-data"),
    responses((status = 201, description = "Stored", body = Stored)))]
pub async fn create(
    state: web::Data<AppState>,
    request: HttpRequest,
    caller: ApiCaller,
    key: IdempotencyKey,
    payload: web::Payload,
) -> Result<HttpResponse, AppError> {
    let way = Way {
        route: "upload",
        wish: Wish::Nothing,
        compose: Stored::compose,
    };
    receive(&state, &request, &caller, key, payload, way).await
}

/// `POST /api/uploads/v2`: the same without the id, for programs written for the pattern's second version.
#[utoipa::path(post, path = "/api/uploads/v2", operation_id = "createUploadV2", tag = "uploads",
    summary = "Upload a file; the answer has no id", params(IdempotencyKey),
    request_body(content = UploadBody, content_type = "multipart/form-data"),
    responses((status = 201, description = "Stored", body = StoredV2)))]
pub async fn create_v2(
    state: web::Data<AppState>,
    request: HttpRequest,
    caller: ApiCaller,
    key: IdempotencyKey,
    payload: web::Payload,
) -> Result<HttpResponse, AppError> {
    let way = Way {
        route: "upload-v2",
        wish: Wish::Nothing,
        compose: StoredV2::compose,
    };
    receive(&state, &request, &caller, key, payload, way).await
}

/// `POST /api/uploads/with-processing`: answers as soon as the file is stored; what is done with it next is named, and goes on.
#[utoipa::path(post, path = "/api/uploads/with-processing", operation_id = "createUploadWithProcessing", tag = "uploads",
    summary = "Upload a file and have it processed", params(IdempotencyKey),
    request_body(content = UploadBody, content_type = "multipart/form-data"),
    responses((status = 201, description = "Stored; the jobs go on", body = StoredWithJobs)))]
pub async fn create_with_processing(
    state: web::Data<AppState>,
    request: HttpRequest,
    caller: ApiCaller,
    key: IdempotencyKey,
    payload: web::Payload,
) -> Result<HttpResponse, AppError> {
    let way = Way {
        route: "upload-with-processing",
        wish: Wish::Everything,
        compose: StoredWithJobs::compose,
    };
    receive(&state, &request, &caller, key, payload, way).await
}

/// `GET /api/uploads/{id}/download-url`.
#[utoipa::path(get, path = "/api/uploads/{id}/download-url", operation_id = "showDownloadUrl", tag = "uploads",
    summary = "Get an address to download the file from", params(DocumentId),
    responses((status = 200, description = "An address that works for 300 seconds, for whoever has it", body = SignedAddress)))]
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
#[utoipa::path(get, path = "/api/uploads/{id}/thumbnail", operation_id = "showThumbnail", tag = "uploads",
    summary = "Get an address of a picture's thumbnail", params(DocumentId, ThumbnailQuery),
    responses((status = 200, description = "An address that works for 300 seconds, for whoever has it", body = SignedAddress)))]
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
    HttpResponse::Ok().json(SignedAddress {
        url: url.url.to_string(),
        expires_at: url.expires_at.rfc3339(),
    })
}

/// Reads the form (an optional field `size` with the file's exact length, then `file`), stores the file unless that is done already, and
/// answers.
async fn receive(
    state: &AppState,
    request: &HttpRequest,
    caller: &ApiCaller,
    key: IdempotencyKey,
    payload: web::Payload,
    way: Way,
) -> Result<HttpResponse, AppError> {
    let services = &state.services;
    let form = UploadForm::new(state, request, payload)?;
    let limit = services.max_upload_bytes;
    if form.at_most() != u64::MAX && form.at_most() > limit.saturating_add(FORM_OVERHEAD) {
        return Err(too_large(limit));
    }
    let begun = match key.0 {
        None => None,
        Some(key) => {
            let wanted = Wanted {
                user: caller.user().id,
                key,
                route: way.route,
                fingerprint: None,
                compose: way.compose,
            };
            Some(idempotency::begin(services, wanted).await?)
        }
    };
    let (new, mut only) = file(form, way.wish).await?;
    let once = match begun {
        None => None,
        Some(Begun::Held(held)) => Some(held),
        Some(Begun::Done(answer)) => {
            let sent = uploads::fingerprint(services, &new.name, &mut only).await?;
            return Ok(again(answer.for_request(&sent)?));
        }
    };
    let by = By {
        actor: caller.actor(),
        via: "the API",
    };
    let received = uploads::receive_once(services, caller.user(), by, new, &mut only, once).await?;
    Ok(created((way.compose)(
        services,
        &received.document,
        &named(&received.steps),
    )?))
}

/// The file of a form, up to its first byte.
async fn file(mut form: UploadForm, wish: Wish) -> Result<(NewFile, OnlyFile), AppError> {
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
                return Ok((new, OnlyFile { file, form }));
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
