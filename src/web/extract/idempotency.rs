//! `Idempotency-Key`: a name for what is to be done once, however often it is asked for.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::HeaderName;
use actix_web::{FromRequest, HttpRequest};
use utoipa::IntoParams;

use crate::error::AppError;
use crate::services::idempotency::{Key, LONGEST_KEY};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The key, if the request has one.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Header, names("Idempotency-Key"))]
pub struct IdempotencyKey(
    /// A name of your choice for this one creation, such as a UUID. The same request with the same key gives the same answer for 24
    /// hours and creates nothing twice; another request with it is refused with 422, one beside the first with 409.
    #[param(value_type = String, required = false, min_length = 1, max_length = 255, pattern = "^[!-~]+$")]
    pub Option<Key>,
);

impl FromRequest for IdempotencyKey {
    type Error = AppError;
    type Future = Ready<Result<Self, AppError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let mut values = request.headers().get_all(IDEMPOTENCY_KEY);
        let key = match (values.next(), values.next()) {
            (None, _) => Ok(None),
            (Some(value), None) => value.to_str().ok().and_then(Key::new).map(Some).ok_or_else(wrong),
            (Some(_), Some(_)) => Err(wrong()),
        };
        ready(key.map(IdempotencyKey))
    }
}

fn wrong() -> AppError {
    AppError::invalid(
        "invalid-idempotency-key",
        format!(
            "Idempotency-Key is one word of at most {LONGEST_KEY} printable ASCII characters, such as a UUID. Correct it or leave it out."
        ),
    )
}
