//! The JSON API: a file for each resource.

pub mod account;
pub mod archive;
pub mod documents;
pub mod import;
pub mod picker;
pub mod tags;
pub mod trash;
pub mod uploads;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderName};
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::AppError;
use crate::services::Services;
use crate::services::documents::{Document, plain_url};
use crate::services::idempotency::Answer;

/// Says that an answer is one that was given before.
const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// A file that was stored.
#[derive(Serialize, ToSchema)]
pub struct Stored {
    /// The document's id.
    #[schema(format = "uuid")]
    id: String,
    /// Filestack's id of the file.
    handle: String,
    /// The file's address at Filestack, which works for nobody without a signature.
    #[schema(format = "uri")]
    url: String,
}

impl Stored {
    fn new(services: &Services, document: &Document) -> Result<Self, AppError> {
        Ok(Stored {
            id: document.id.to_string(),
            handle: document.handle.clone(),
            url: plain_url(services, document)?.to_string(),
        })
    }

    /// The body of the answer.
    fn compose(services: &Services, document: &Document, _: &[(String, String)]) -> Result<String, AppError> {
        text(&Stored::new(services, document)?)
    }
}

/// A body as text: what is kept under an idempotency key is what is sent.
fn text(body: &impl Serialize) -> Result<String, AppError> {
    serde_json::to_string(body).map_err(|error| AppError::Internal(format!("an answer: {error}")))
}

/// 201 with a body that is text already.
fn created(body: String) -> HttpResponse {
    HttpResponse::Created()
        .insert_header((CONTENT_TYPE, "application/json"))
        .body(body)
}

/// The answer that this request has had before.
fn again(answer: Answer) -> HttpResponse {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::CREATED);
    HttpResponse::build(status)
        .insert_header((CONTENT_TYPE, "application/json"))
        .insert_header((IDEMPOTENT_REPLAYED, "true"))
        .body(answer.body)
}
