//! `/sign-in` and `/sign-out`.

use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::StatusCode;
use actix_web::http::header::{RETRY_AFTER, USER_AGENT};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use super::shell::{Said, dress};
use super::{page, see_other, with_cookies};
use crate::error::AppError;
use crate::services::accounts::{self, SESSION_LIFETIME};
use crate::services::sign_in::{Proven, SignInRefused, sign_in};
use crate::web::AppState;
use crate::web::extract::{ClientAddress, CsrfForm, Query, SESSION_COOKIE, Viewer, session_token};
use crate::web::views::SignInPage;

/// `?next=`.
#[derive(Deserialize)]
pub struct SignInQuery {
    #[serde(default)]
    next: String,
}

/// The form.
#[derive(Deserialize)]
pub struct SignInForm {
    #[serde(default)]
    next: String,
    email: String,
    password: String,
}

/// A form without fields of its own.
#[derive(Deserialize)]
pub struct NoFields {}

/// `GET /sign-in`.
pub async fn new(
    state: web::Data<AppState>,
    request: HttpRequest,
    viewer: Result<Viewer, AppError>,
    query: Query<SignInQuery>,
) -> Result<HttpResponse, AppError> {
    let next = safe_next(&query.0.next);
    if viewer.is_ok() {
        return Ok(see_other(&next).finish());
    }
    form(&request, &state, StatusCode::OK, next, String::new(), None)
}

/// `POST /sign-in`.
pub async fn create(
    state: web::Data<AppState>,
    request: HttpRequest,
    address: ClientAddress,
    data: CsrfForm<SignInForm>,
) -> Result<HttpResponse, AppError> {
    let SignInForm {
        next,
        email,
        password,
    } = data.0;
    let next = safe_next(&next);
    let begun = async {
        let proven = sign_in(&state.services, &email, password, &address.0).await?;
        begin(&state, &request, &proven, address).await
    };
    match begun.await {
        Ok(cookie) => Ok(with_cookies(see_other(&next).finish(), [Some(cookie)])),
        Err(SignInRefused::Wrong) => {
            let sentence = "The e-mail address or the password is not right. Check both and try again.";
            form(
                &request,
                &state,
                StatusCode::UNPROCESSABLE_ENTITY,
                next,
                email,
                Some(sentence.to_owned()),
            )
        }
        Err(SignInRefused::Error(AppError::TooMany(wait))) => {
            let sentence = AppError::TooMany(wait).to_string();
            let mut response = form(
                &request,
                &state,
                StatusCode::TOO_MANY_REQUESTS,
                next,
                email,
                Some(sentence),
            )?;
            response
                .headers_mut()
                .insert(RETRY_AFTER, AppError::seconds_of(wait).into());
            Ok(response)
        }
        Err(SignInRefused::Error(error)) => Err(error),
    }
}

/// `POST /sign-out`.
pub async fn destroy(
    state: web::Data<AppState>,
    request: HttpRequest,
    viewer: Viewer,
    _form: CsrfForm<NoFields>,
) -> Result<HttpResponse, AppError> {
    if let Some(token) = session_token(&request) {
        accounts::end_session(&state.services, &viewer.actor(), viewer.user(), &token).await?;
    }
    let over = session_cookie(String::new(), Duration::ZERO);
    Ok(with_cookies(
        see_other("/sign-in").finish(),
        [Some(over), Some(Said::SignedOut.cookie())],
    ))
}

/// Begins a session and gives its cookie; one that the browser brought along ends.
pub(super) async fn begin(
    state: &AppState,
    request: &HttpRequest,
    proven: &Proven,
    address: ClientAddress,
) -> Result<Cookie<'static>, SignInRefused> {
    let agent = request
        .headers()
        .get(USER_AGENT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("")
        .to_owned();
    let token =
        accounts::begin_session(&state.services, proven, session_token(request), address.0, agent).await?;
    Ok(kept_cookie(token))
}

/// The cookie of a session that goes on under another id.
pub(super) fn kept_cookie(token: String) -> Cookie<'static> {
    session_cookie(token, Duration::seconds(SESSION_LIFETIME.as_secs() as i64))
}

fn session_cookie(value: String, max_age: Duration) -> Cookie<'static> {
    Cookie::build(SESSION_COOKIE, value)
        .path("/")
        .secure(true)
        .http_only(true)
        .same_site(SameSite::Lax)
        .max_age(max_age)
        .finish()
}

fn form(
    request: &HttpRequest,
    state: &AppState,
    status: StatusCode,
    next: String,
    email: String,
    error: Option<String>,
) -> Result<HttpResponse, AppError> {
    let dressed = dress(request, state, None);
    let form = SignInPage {
        shell: dressed.shell,
        next,
        email,
        error,
    };
    Ok(with_cookies(page(status, &form)?, dressed.cookies))
}

/// Where to go after signing in: one of our own pages, else the documents (D5).
///
/// Only the plainest spelling passes: anything that some browser might read as another host does not.
pub(super) fn safe_next(next: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.?=&%".contains(&byte);
    let ours = ["/documents", "/uploads/new", "/trash", "/account", "/admin"]
        .iter()
        .any(|place| {
            next.strip_prefix(place)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
        });
    if ours && next.len() <= 500 && next.bytes().all(plain) && !next.contains("//") && !next.contains("..") {
        next.to_owned()
    } else {
        "/documents".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d5_the_way_on_leads_to_our_own_pages_only() {
        for good in [
            "/documents",
            "/documents?sort=name&q=a%20b",
            "/uploads/new",
            "/documents/0195a3c2",
        ] {
            assert_eq!(safe_next(good), good);
        }
        for bad in [
            "",
            "//evil.example",
            "/\\evil.example",
            "https:evil.example",
            "https://evil.example",
            "%2f%2fevil.example",
            "/%09/evil.example",
            "/\t/evil.example",
            "http://127.0.0.1:8080@evil.example/documents",
            "/documents//evil.example",
            "/documents/../../evil",
            "/documents\r\nSet-Cookie: a=b",
            "/documentsevil",
            "/sign-out",
        ] {
            assert_eq!(safe_next(bad), "/documents", "{bad:?}");
        }
    }
}
