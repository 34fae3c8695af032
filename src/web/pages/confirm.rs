//! "Is it you?": dangerous acts want the password again when it was given some minutes ago (A15).
//!
//! The page that asks carries what was sent, so that nothing is typed twice, and sends it to the same address with the password.

use actix_web::cookie::Cookie;
use actix_web::http::StatusCode;
use actix_web::http::header::RETRY_AFTER;
use actix_web::{HttpRequest, HttpResponse};

use super::shell::dress;
use super::{page, sessions, with_cookies};
use crate::error::AppError;
use crate::services::identity::Identity;
use crate::services::sessions as seen;
use crate::services::sign_in::SignInRefused;
use crate::web::AppState;
use crate::web::extract::session_token;
use crate::web::views::ConfirmPage;

/// The field of the password on the page that asks.
pub(super) const FIELD: &str = "confirm_password";

/// Whether an act may go on.
pub(super) enum Confirmed {
    /// It may; the session may have a new cookie.
    Yes(Option<Cookie<'static>>),
    /// Not yet: this is to be answered.
    Ask(HttpResponse),
}

/// Looks whether the password was given a moment ago, or now.
pub(super) async fn confirm(
    state: &AppState,
    request: &HttpRequest,
    identity: &Identity,
    fields: &[(String, String)],
) -> Result<Confirmed, AppError> {
    let token = session_token(request).ok_or(AppError::SignInNeeded)?;
    if seen::is_trusted(&state.services, &token).await? {
        return Ok(Confirmed::Yes(None));
    }
    let given = fields.iter().find(|(name, _)| name == FIELD);
    let Some((_, password)) = given else {
        return ask(state, request, identity, fields, StatusCode::FORBIDDEN, None);
    };
    let trusted = seen::trust(
        &state.services,
        &identity.user,
        &token,
        password.clone(),
        &identity.ip,
    );
    match trusted.await {
        Ok(renewed) => Ok(Confirmed::Yes(Some(sessions::kept_cookie(renewed)))),
        Err(SignInRefused::Wrong) => {
            let sentence = "The password is not right. Enter the one that you sign in with.".to_owned();
            ask(
                state,
                request,
                identity,
                fields,
                StatusCode::UNPROCESSABLE_ENTITY,
                Some(sentence),
            )
        }
        Err(SignInRefused::Error(AppError::TooMany(wait))) => {
            let sentence = AppError::TooMany(wait).to_string();
            let asked = ask(
                state,
                request,
                identity,
                fields,
                StatusCode::TOO_MANY_REQUESTS,
                Some(sentence),
            );
            asked.map(|asked| match asked {
                Confirmed::Ask(mut response) => {
                    response
                        .headers_mut()
                        .insert(RETRY_AFTER, AppError::seconds_of(wait).into());
                    Confirmed::Ask(response)
                }
                yes => yes,
            })
        }
        Err(SignInRefused::Error(error)) => Err(error),
    }
}

fn ask(
    state: &AppState,
    request: &HttpRequest,
    identity: &Identity,
    fields: &[(String, String)],
    status: StatusCode,
    error: Option<String>,
) -> Result<Confirmed, AppError> {
    let dressed = dress(request, state, Some(&identity.user));
    let asking = ConfirmPage {
        action: request.path().to_owned(),
        email: identity.user.email.clone(),
        fields: fields
            .iter()
            .filter(|(name, _)| name != FIELD && name != "csrf_token")
            .cloned()
            .collect(),
        shell: dressed.shell,
        error,
    };
    Ok(Confirmed::Ask(with_cookies(
        page(status, &asking)?,
        dressed.cookies,
    )))
}
