//! Who asks: by a session's cookie or by an API token, and what each may do where.

use std::future::{Ready, ready};
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::{FromRequest, HttpRequest, web};

use super::address::ClientAddress;
use super::form::header_token_is_valid;
use crate::db::models::users::{Role, User};
use crate::error::AppError;
use crate::services::audit::Actor;
use crate::services::identity::{self, Identity, Means, Shown};
use crate::services::scopes::Scope;
use crate::web::AppState;

/// The cookie of a session: sent over https (or to this computer) only, to this host only, to no script and to no other site's forms.
pub const SESSION_COOKIE: &str = "__Host-satchel";

type Later<T> = Pin<Box<dyn Future<Output = Result<T, AppError>>>>;

/// Who looks at a page. Tokens may look too, and do nothing else (a page's forms want a form token, which only a session has).
#[derive(Debug)]
pub struct Viewer(pub Identity);

impl Viewer {
    /// The user.
    pub fn user(&self) -> &User {
        &self.0.user
    }

    /// Who does what the request asks for.
    pub fn actor(&self) -> Actor {
        Actor::from(&self.0)
    }
}

impl FromRequest for Viewer {
    type Error = AppError;
    type Future = Later<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let identity = identify(&request).await?;
            if identity.means == Means::ApiToken && !request.method().is_safe() {
                return Err(pages_are_read_only());
            }
            Ok(Viewer(identity))
        })
    }
}

/// An administrator who looks at a page.
#[derive(Debug)]
pub struct Admin(pub Identity);

impl Admin {
    /// The user.
    pub fn user(&self) -> &User {
        &self.0.user
    }

    /// Who does what the request asks for.
    pub fn actor(&self) -> Actor {
        Actor::from(&self.0)
    }
}

impl FromRequest for Admin {
    type Error = AppError;
    type Future = Later<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let viewer = Viewer::from_request(request, payload);
        Box::pin(async move {
            let Viewer(identity) = viewer.await?;
            if identity.user.role != Role::Admin {
                return Err(AppError::Forbidden(
                    "This page is for administrators. Ask one of them, or go back to your documents.",
                ));
            }
            Ok(Admin(identity))
        })
    }
}

/// The answer to a program that sends one of our pages' forms.
pub(super) fn pages_are_read_only() -> AppError {
    AppError::Forbidden(
        "An API token may read pages and nothing else. Use the JSON API under /api to change things.",
    )
}

/// Who calls the API. With a session's cookie, what changes things needs the form token in the header `X-CSRF-Token`.
#[derive(Debug)]
pub struct ApiCaller(pub Identity);

impl ApiCaller {
    /// The user.
    pub fn user(&self) -> &User {
        &self.0.user
    }

    /// Who does what the request asks for.
    pub fn actor(&self) -> Actor {
        Actor::from(&self.0)
    }
}

impl FromRequest for ApiCaller {
    type Error = AppError;
    type Future = Later<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let identity = identify(&request).await?;
            let needs_token = identity.means == Means::Session && !request.method().is_safe();
            if needs_token && !header_token_is_valid(&request) {
                return Err(AppError::Forbidden(
                    "The form token is missing or old. Reload the page, or call the API with an API token.",
                ));
            }
            Ok(ApiCaller(identity))
        })
    }
}

/// The value of the session's cookie.
pub fn session_token(request: &HttpRequest) -> Option<String> {
    request
        .cookie(SESSION_COOKIE)
        .map(|cookie| cookie.value().to_owned())
        .filter(|value| value.len() <= 100)
}

/// What a request that only reads has brought to show whose it is: looked up together with what it wants to see.
#[derive(Debug)]
pub struct Reader(pub Shown);

impl FromRequest for Reader {
    type Error = AppError;
    type Future = Ready<Result<Self, AppError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(shown(request).map(Reader))
    }
}

async fn identify(request: &HttpRequest) -> Result<Identity, AppError> {
    let state = request
        .app_data::<web::Data<AppState>>()
        .ok_or_else(|| AppError::Internal("the state is missing".to_owned()))?;
    let shown = shown(request)?;
    identity::identify(&state.services, shown, ClientAddress::of(request).0).await
}

/// What the request shows, and what a token must be allowed for it; where tokens have a bound, it counts here, before anybody looks the
/// token up.
fn shown(request: &HttpRequest) -> Result<Shown, AppError> {
    let needed = Scope::of_request(request.method().is_safe(), request.path());
    let shown = brought(request).ok_or(AppError::SignInNeeded)?.needing(needed);
    if shown.means() == Means::ApiToken
        && let Some(state) = request.app_data::<web::Data<AppState>>()
        && let Some(limiter) = &state.limits.api
    {
        limiter
            .take(shown.fingerprint(), state.services.clock.now())
            .map_err(AppError::TooMany)?;
    }
    Ok(shown)
}

/// A name for whoever sends this, known or not: the same for every request of one token or session.
pub fn fingerprint(request: &HttpRequest) -> Option<String> {
    brought(request).map(|shown| shown.fingerprint().to_owned())
}

/// A request that brings a token is judged by the token alone.
fn brought(request: &HttpRequest) -> Option<Shown> {
    let Some(header) = request.headers().get(AUTHORIZATION) else {
        return Shown::session(&session_token(request)?);
    };
    let (scheme, token) = header.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    Shown::api_token(token.trim())
}
