//! A handler that panics is an answer like any other failure (X3): 500, dressed, with the request's id.
//!
//! Round each resource and not round the application: on the way to a resource the router needs the request for itself alone. The
//! panic itself is a log line, see [`crate::telemetry::start`].

use std::panic::AssertUnwindSafe;

use actix_web::Error;
use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use futures_util::FutureExt as _;

use crate::error::AppError;

pub(crate) async fn contain(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody, BoxBody>>, Error> {
    let kept = request.request().clone();
    // What a handler shares with others is behind locks and transactions, which end with it.
    match AssertUnwindSafe(next.call(request)).catch_unwind().await {
        Ok(response) => Ok(response?.map_into_left_body()),
        Err(_) => {
            let broke = AppError::Internal("a handler panicked".to_owned());
            Ok(ServiceResponse::from_err(broke, kept).map_into_right_body())
        }
    }
}
