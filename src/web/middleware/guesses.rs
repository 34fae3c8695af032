//! Slows down whoever guesses: who asks for many things that are not there, or an address that tries many links of set-up or of passwords.
//!
//! Ids are told apart by those who are signed in alone, so it is they who are counted, and not the address that they share with others:
//! nobody can lock them out of what is theirs (A5).

use actix_web::Error;
use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::middleware::Next;
use actix_web::web;

use crate::error::AppError;
use crate::web::AppState;
use crate::web::extract::{ClientAddress, fingerprint};

pub(super) async fn slow(
    state: web::Data<AppState>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody, BoxBody>>, Error> {
    let is_set_up = request.path() == "/setup";
    let has_id = request
        .match_pattern()
        .is_some_and(|pattern| pattern.contains("{id}"));
    if !is_set_up && !has_id && request.path() != "/password" {
        return Ok(next.call(request).await?.map_into_left_body());
    }
    let limiter = if is_set_up {
        &state.limits.set_up
    } else {
        &state.limits.guesses
    };
    let address = ClientAddress::of(request.request()).0;
    let whose = has_id.then(|| fingerprint(request.request())).flatten();
    let who = whose.unwrap_or_else(|| address.clone());
    if let Some(wait) = limiter.wait(&who, state.services.clock.now()) {
        log::warn!(event = "guesses-slowed", address = address.as_str(); "somebody asks for much that is not there");
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
        limiter.count(&who, state.services.clock.now());
    }
    Ok(response.map_into_left_body())
}
