//! [`AppError`] as an actix error: status and headers here, the body in `middleware::error_pages`.

use actix_web::http::StatusCode;
use actix_web::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};

use crate::error::AppError;

impl ResponseError for AppError {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        if let Some(wait) = self.retry_after() {
            response.insert_header((RETRY_AFTER, AppError::seconds_of(wait).to_string()));
        }
        if matches!(self, AppError::SignInNeeded) {
            response.insert_header((WWW_AUTHENTICATE, "Bearer"));
        }
        response.finish()
    }
}
