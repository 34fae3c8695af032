//! Slows down whoever guesses: an address that asks for many things that are not there, or tries many links of set-up.

use actix_web::Error;
use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::middleware::Next;
use actix_web::web;

use crate::error::AppError;
use crate::web::AppState;
use crate::web::extract::ClientAddress;

pub(super) async fn slow(
    state: web::Data<AppState>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody, BoxBody>>, Error> {
    let is_set_up = request.path() == "/setup";
    let can_be_guessed = request.path() == "/password"
        || request
            .match_pattern()
            .is_some_and(|pattern| pattern.contains("{id}"));
    if !is_set_up && !can_be_guessed {
        return Ok(next.call(request).await?.map_into_left_body());
    }
    let limiter = if is_set_up {
        &state.limits.set_up
    } else {
        &state.limits.guesses
    };
    let address = ClientAddress::of(request.request()).0;
    if let Some(wait) = limiter.wait(&address, state.services.clock.now()) {
        log::warn!(event = "guesses-slowed", address = address.as_str(); "an address asks for much that is not there");
        return Ok(request
            .error_response(AppError::TooMany(wait))
            .map_into_right_body());
    }
    let response = next.call(request).await?;
    // At set-up a wrong token is a 403; once that is over there is nothing to guess.
    let missed = if is_set_up {
        StatusCode::FORBIDDEN
    } else {
        StatusCode::NOT_FOUND
    };
    if response.status() == missed {
        limiter.count(&address, state.services.clock.now());
    }
    Ok(response.map_into_left_body())
}
