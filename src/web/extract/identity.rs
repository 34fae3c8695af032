//! Who asks: by a session's cookie or by an API token, and what each may do where.

use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::{FromRequest, HttpRequest, web};

use super::form::header_token_is_valid;
use crate::db::models::users::{Role, User};
use crate::error::AppError;
use crate::services::Services;
use crate::services::accounts::{self, Identity, Means};
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
pub struct ApiCaller(pub User);

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
            Ok(ApiCaller(identity.user))
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

async fn identify(request: &HttpRequest) -> Result<Identity, AppError> {
    let state = request
        .app_data::<web::Data<AppState>>()
        .ok_or_else(|| AppError::Internal("the state is missing".to_owned()))?
        .clone();
    Proof::of(request).check(&state.services).await
}

/// What a request brings to say who it is from: for answers that go on, and must end when it is no longer good.
pub struct Proof(Brought);

enum Brought {
    Token(String),
    Session(String),
    Nothing,
}

impl Proof {
    /// What this request brings. One that brings a token is judged by the token alone.
    pub fn of(request: &HttpRequest) -> Self {
        Proof(if let Some(header) = request.headers().get(AUTHORIZATION) {
            let token = header.to_str().ok().and_then(|value| {
                let (scheme, token) = value.split_once(' ')?;
                scheme
                    .eq_ignore_ascii_case("bearer")
                    .then(|| token.trim().to_owned())
            });
            token.map_or(Brought::Nothing, Brought::Token)
        } else {
            session_token(request).map_or(Brought::Nothing, Brought::Session)
        })
    }

    /// Who that is, now.
    ///
    /// # Errors
    ///
    /// [`AppError::SignInNeeded`] when it is nobody, or nobody any more.
    pub async fn check(&self, services: &Services) -> Result<Identity, AppError> {
        let found = match &self.0 {
            Brought::Token(token) => accounts::find_api_token(services, token).await?,
            Brought::Session(token) => accounts::find_session(services, token).await?,
            Brought::Nothing => None,
        };
        found.ok_or(AppError::SignInNeeded)
    }
}
