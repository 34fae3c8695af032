//! Forms, and the token that shows that a form came from one of our own pages (A4).
//!
//! The token is a keyed hash of a cookie that only this browser has: of the session, or, before there is one, of a random cookie made for
//! this. It needs no table and ends with what it was made from.

use std::pin::Pin;
use std::time::Duration;

use actix_web::cookie::{Cookie, SameSite};
use actix_web::dev::Payload;
use actix_web::http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::{FromRequest, HttpRequest, web};
use futures_util::StreamExt as _;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout_at};

use super::identity::{pages_are_read_only, session_token};
use crate::crypto;
use crate::error::AppError;
use crate::web::AppState;

/// The cookie that forms are bound to while nobody is signed in.
const FORM_COOKIE: &str = "__Host-satchel-form";
/// More than any of our forms needs: the longest note and the most tags, of characters that are sent as twelve.
const MAX_FORM_BYTES: usize = 40 * 1_024;

/// How long a form may take to arrive: they are short.
const PATIENCE: Duration = Duration::from_secs(30);

/// The token for the forms of a page, and the cookie to set with it, if the browser has none yet.
pub struct FormToken {
    /// Goes into each form as `csrf_token`.
    pub token: String,
    /// To be set.
    pub cookie: Option<Cookie<'static>>,
}

/// The token of this request's forms, made from the session or from the form cookie.
pub fn csrf_token(request: &HttpRequest, state: &AppState) -> FormToken {
    match bound_to(request) {
        Some(value) => FormToken {
            token: token_of(state, &value),
            cookie: None,
        },
        None => {
            let value = crypto::new_token();
            let token = token_of(state, &value);
            let cookie = Cookie::build(FORM_COOKIE, value)
                .path("/")
                .secure(true)
                .http_only(true)
                .same_site(SameSite::Lax)
                .finish();
            FormToken {
                token,
                cookie: Some(cookie),
            }
        }
    }
}

/// The token of the forms of a page that is sent together with a new cookie for the session.
pub fn csrf_token_of(state: &AppState, session: &str) -> String {
    token_of(state, session)
}

/// Whether this is the token of this request's forms.
pub fn token_is_valid(request: &HttpRequest, token: &str) -> bool {
    let Some(state) = request.app_data::<web::Data<AppState>>() else {
        return false;
    };
    bound_to(request).is_some_and(|value| crypto::same(&token_of(state, &value), token))
}

pub(super) fn header_token_is_valid(request: &HttpRequest) -> bool {
    let header = request
        .headers()
        .get("x-csrf-token")
        .and_then(|value| value.to_str().ok());
    header.is_some_and(|token| token_is_valid(request, token))
}

fn bound_to(request: &HttpRequest) -> Option<String> {
    session_token(request)
        .or_else(|| {
            request
                .cookie(FORM_COOKIE)
                .map(|cookie| cookie.value().to_owned())
        })
        .filter(|value| (20..=100).contains(&value.len()))
}

fn token_of(state: &AppState, value: &str) -> String {
    crypto::keyed_token(&state.services.secret_key, "csrf", value)
}

/// A form of one of our own pages.
pub struct CsrfForm<T>(pub T);

impl<T: DeserializeOwned> FromRequest for CsrfForm<T> {
    type Error = AppError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, AppError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let text = read(request, payload);
        Box::pin(async move {
            let text = text.await?;
            let form = web::Query::<T>::from_query(&text).map_err(|_| unreadable())?;
            Ok(CsrfForm(form.into_inner()))
        })
    }
}

/// A form of one of our own pages that does something dangerous: all its fields, so that they can be asked for again with the password.
pub struct ConfirmedForm(pub Vec<(String, String)>);

impl ConfirmedForm {
    /// The first value of a field; empty when there is none.
    pub fn value<'a>(&'a self, name: &'a str) -> &'a str {
        self.values(name).next().unwrap_or_default()
    }

    /// All values of a field.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let found = self.0.iter().filter(move |(field, _)| field == name);
        found.map(|(_, value)| value.as_str())
    }
}

impl FromRequest for ConfirmedForm {
    type Error = AppError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, AppError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let text = read(request, payload);
        Box::pin(async move {
            let text = text.await?;
            let fields = url::form_urlencoded::parse(text.as_bytes()).into_owned();
            Ok(ConfirmedForm(fields.collect()))
        })
    }
}

/// Reads a form to its end and looks at its token.
fn read(
    request: &HttpRequest,
    payload: &mut Payload,
) -> Pin<Box<dyn Future<Output = Result<String, AppError>>>> {
    let request = request.clone();
    let mut payload = payload.take();
    Box::pin(async move {
        let is_form = request
            .headers()
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| value.starts_with("application/x-www-form-urlencoded"));
        if !is_form {
            return Err(AppError::UnsupportedMedia(
                "Send this form as application/x-www-form-urlencoded.".to_owned(),
            ));
        }
        let announced = request
            .headers()
            .get(CONTENT_LENGTH)
            .and_then(|value| value.to_str().ok()?.parse().ok());
        if announced.is_some_and(|bytes: usize| bytes > MAX_FORM_BYTES) {
            return Err(too_long());
        }
        let mut body = Vec::new();
        let deadline = Instant::now() + PATIENCE;
        while let Some(chunk) = timeout_at(deadline, payload.next())
            .await
            .map_err(|_| too_slow())?
        {
            let chunk = chunk.map_err(|_| {
                AppError::invalid("body-incomplete", "The form did not arrive whole. Send it again.")
            })?;
            if body.len() + chunk.len() > MAX_FORM_BYTES {
                return Err(too_long());
            }
            body.extend_from_slice(&chunk);
        }
        let token = url::form_urlencoded::parse(&body)
            .find(|(name, _)| name == "csrf_token")
            .map(|(_, value)| value.into_owned())
            .unwrap_or_default();
        if !token_is_valid(&request, &token) {
            // Whichever of two extractors fails first speaks: a program must not be told to reload a page.
            let is_program = request.headers().contains_key(AUTHORIZATION);
            return Err(if is_program {
                pages_are_read_only()
            } else {
                stale()
            });
        }
        String::from_utf8(body).map_err(|_| unreadable())
    })
}

/// The answer to a form whose token is missing, old or another's.
pub(super) fn stale() -> AppError {
    AppError::Forbidden(
        "This form is too old or was not opened here. Reload the page, then send the form again.",
    )
}

fn too_long() -> AppError {
    AppError::TooLarge("The form is longer than any of ours. Shorten what you entered.".to_owned())
}

fn too_slow() -> AppError {
    AppError::TooSlow(
        "The form took too long to arrive. Check the connection, then send it again.".to_owned(),
    )
}

fn unreadable() -> AppError {
    AppError::invalid(
        "invalid-form",
        "The form cannot be read or lacks a field. Reload the page, then send it again.",
    )
}
