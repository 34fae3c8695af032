//! The document or job that an address names.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use crate::error::AppError;
use crate::ids::{DocumentId, EventId, JobId, ResultId};

/// The `{id}` of the address; what is no id is not there.
pub struct DocumentPath(pub DocumentId);

impl FromRequest for DocumentPath {
    type Error = AppError;
    type Future = Ready<Result<Self, AppError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let id = request.match_info().get("id").and_then(|text| text.parse().ok());
        ready(id.map(DocumentPath).ok_or(AppError::NotFound))
    }
}

/// The `{id}` and the `{result}` of the address of what was made of a document; what is no id is not there.
pub struct ResultPath(pub DocumentId, pub ResultId);

impl FromRequest for ResultPath {
    type Error = AppError;
    type Future = Ready<Result<Self, AppError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let part = |name| request.match_info().get(name);
        let id = part("id").and_then(|text| text.parse().ok());
        let result = part("result").and_then(|text| text.parse().ok());
        let both = id.zip(result).ok_or(AppError::NotFound);
        ready(both.map(|(id, result)| ResultPath(id, result)))
    }
}

/// The `{id}` of the address of a job; what is no id is not there.
pub struct JobPath(pub JobId);

impl FromRequest for JobPath {
    type Error = AppError;
    type Future = Ready<Result<Self, AppError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let id = request.match_info().get("id").and_then(|text| text.parse().ok());
        ready(id.map(JobPath).ok_or(AppError::NotFound))
    }
}

/// The `{id}` of the address of an event; what is no id is not there.
pub struct EventPath(pub EventId);

impl FromRequest for EventPath {
    type Error = AppError;
    type Future = Ready<Result<Self, AppError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let id = request.match_info().get("id").and_then(|text| text.parse().ok());
        ready(id.map(EventPath).ok_or(AppError::NotFound))
    }
}
