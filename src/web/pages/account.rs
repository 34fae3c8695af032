//! `/account`: one's own password, sessions, API tokens and colours.

use std::time::Duration;

use actix_web::cookie::time::Duration as CookieTime;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::StatusCode;
use actix_web::http::header::RETRY_AFTER;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use super::confirm::{Confirmed, confirm};
use super::sessions::{NoFields, kept_cookie};
use super::shell::{Said, dress, theme};
use super::{page, see_other, with_cookies};
use crate::error::AppError;
use crate::ids::ApiTokenId;
use crate::services::scopes::{Scope, Scopes};
use crate::services::tokens::{self, NewToken};
use crate::services::{passwords, quotas, sessions};
use crate::web::AppState;
use crate::web::extract::{ConfirmedForm, CsrfForm, Viewer, session_token};
use crate::web::views::{AccountPage, Field, SessionRow, THEME_COOKIE, Theme, TokenForm, TokenRow};

const DAY: Duration = Duration::from_secs(24 * 3_600);
/// The longest that a token may be given.
const MOST_DAYS: u32 = 3_650;

/// What was sent wrong, or was just made.
#[derive(Default)]
struct Shown {
    current_error: Option<String>,
    password_error: Option<String>,
    form: TokenForm,
    token: Option<String>,
}

/// `GET /account`.
pub async fn show(
    state: web::Data<AppState>,
    request: HttpRequest,
    viewer: Viewer,
) -> Result<HttpResponse, AppError> {
    let shown = account(&state, &request, &viewer, StatusCode::OK, Shown::default());
    shown.await
}

/// The form of another password.
#[derive(Deserialize)]
pub struct PasswordForm {
    current_password: String,
    password: String,
}

/// `POST /account/password`: every other session ends.
pub async fn change_password(
    state: web::Data<AppState>,
    request: HttpRequest,
    viewer: Viewer,
    data: CsrfForm<PasswordForm>,
) -> Result<HttpResponse, AppError> {
    let token = session_token(&request).ok_or(AppError::SignInNeeded)?;
    let PasswordForm {
        current_password,
        password,
    } = data.0;
    let actor = viewer.actor();
    let changed = passwords::change(
        &state.services,
        &actor,
        viewer.user(),
        &token,
        (current_password, password),
        &viewer.0.ip,
    );
    match changed.await {
        Ok(renewed) => Ok(with_cookies(
            see_other("/account").finish(),
            [Some(kept_cookie(renewed)), Some(Said::PasswordChanged.cookie())],
        )),
        Err(AppError::Fields(fields)) => {
            let mut shown = Shown::default();
            for (name, sentence) in fields {
                match name {
                    "current_password" => shown.current_error = Some(sentence),
                    _ => shown.password_error = Some(sentence),
                }
            }
            account(&state, &request, &viewer, StatusCode::UNPROCESSABLE_ENTITY, shown).await
        }
        Err(AppError::TooMany(wait)) => {
            let shown = Shown {
                current_error: Some(AppError::TooMany(wait).to_string()),
                ..Shown::default()
            };
            let status = StatusCode::TOO_MANY_REQUESTS;
            let mut answer = account(&state, &request, &viewer, status, shown).await?;
            let seconds = AppError::seconds_of(wait).into();
            answer.headers_mut().insert(RETRY_AFTER, seconds);
            Ok(answer)
        }
        Err(error) => Err(error),
    }
}

/// The form of the colours.
#[derive(Deserialize)]
pub struct ThemeForm {
    theme: String,
}

/// `POST /account/theme`: the same cookie that the switch at the foot of the page sets by script.
pub async fn set_theme(_viewer: Viewer, data: CsrfForm<ThemeForm>) -> Result<HttpResponse, AppError> {
    let cookie = |value: &'static str, age| {
        Cookie::build(THEME_COOKIE, value)
            .path("/")
            .same_site(SameSite::Lax)
            .max_age(age)
            .finish()
    };
    let cookie = match Theme::from_cookie(&data.0.theme).attribute() {
        Some(chosen) => cookie(chosen, CookieTime::days(365)),
        None => cookie("", CookieTime::ZERO),
    };
    Ok(with_cookies(
        see_other("/account").finish(),
        [Some(cookie), Some(Said::ThemeSet.cookie())],
    ))
}

/// `POST /account/sessions/deletion`: every session but this one.
pub async fn end_others(
    state: web::Data<AppState>,
    request: HttpRequest,
    viewer: Viewer,
    _form: CsrfForm<NoFields>,
) -> Result<HttpResponse, AppError> {
    let token = session_token(&request);
    sessions::end_others(&state.services, &viewer.actor(), viewer.user(), token.as_deref()).await?;
    Ok(with_cookies(
        see_other("/account").finish(),
        [Some(Said::SessionsEnded.cookie())],
    ))
}

/// `POST /account/sessions/{id}/deletion`: one of one's sessions.
pub async fn end_one(
    state: web::Data<AppState>,
    viewer: Viewer,
    name: web::Path<String>,
    _form: CsrfForm<NoFields>,
) -> Result<HttpResponse, AppError> {
    sessions::end_one(&state.services, &viewer.actor(), viewer.user(), &name).await?;
    Ok(with_cookies(
        see_other("/account").finish(),
        [Some(Said::SessionsEnded.cookie())],
    ))
}

/// `POST /account/tokens`: makes a token and shows it, once.
pub async fn create_token(
    state: web::Data<AppState>,
    request: HttpRequest,
    viewer: Viewer,
    data: ConfirmedForm,
) -> Result<HttpResponse, AppError> {
    let cookie = match confirm(&state, &request, &viewer.0, &data.0).await? {
        Confirmed::Yes(cookie) => cookie,
        Confirmed::Ask(response) => return Ok(response),
    };
    // One that is not known must not become none, which is all.
    let chosen: Result<Vec<Scope>, _> = data.values("scope").map(str::parse).collect();
    let chosen = chosen.map_err(|_| {
        AppError::invalid(
            "invalid-scope",
            "There is no such scope. Choose from those of the page.",
        )
    })?;
    let mut form = TokenForm {
        name: Field::of(data.value("name")),
        days: Field::of(data.value("days")),
        scopes: chosen.iter().map(|scope| scope.as_str()).collect(),
    };
    let days = form.days.value.trim().parse::<u32>().ok();
    let made = match days.filter(|days| (1..=MOST_DAYS).contains(days)) {
        None => {
            form.days.error = Some(format!(
                "A token works for 1 to {MOST_DAYS} days. Enter a number of days."
            ));
            None
        }
        Some(days) => {
            let new = NewToken {
                name: form.name.value.clone(),
                lifetime: DAY * days,
                scopes: Scopes::of(&chosen),
            };
            match tokens::create(&state.services, &viewer.actor(), viewer.user().id, new).await {
                Ok(token) => Some(token),
                Err(AppError::Fields(fields)) => {
                    form.name.error = fields.into_iter().next().map(|(_, sentence)| sentence);
                    None
                }
                Err(error) => return Err(error),
            }
        }
    };
    let (status, shown) = match made {
        Some(token) => (
            StatusCode::CREATED,
            Shown {
                token: Some(token),
                ..Shown::default()
            },
        ),
        None => (
            StatusCode::UNPROCESSABLE_ENTITY,
            Shown {
                form,
                ..Shown::default()
            },
        ),
    };
    let answer = account_of(&state, &request, &viewer, status, shown, cookie.as_ref()).await?;
    Ok(with_cookies(answer, [cookie]))
}

/// `POST /account/tokens/{id}/deletion`: revokes one of one's tokens.
pub async fn revoke_token(
    state: web::Data<AppState>,
    viewer: Viewer,
    id: web::Path<String>,
    _form: CsrfForm<NoFields>,
) -> Result<HttpResponse, AppError> {
    let id: ApiTokenId = id.parse().map_err(|_| AppError::NotFound)?;
    tokens::revoke(&state.services, &viewer.actor(), viewer.user(), id).await?;
    Ok(with_cookies(
        see_other("/account").finish(),
        [Some(Said::TokenRevoked.cookie())],
    ))
}

async fn account(
    state: &AppState,
    request: &HttpRequest,
    viewer: &Viewer,
    status: StatusCode,
    shown: Shown,
) -> Result<HttpResponse, AppError> {
    account_of(state, request, viewer, status, shown, None).await
}

/// The page; `renewed` is the session's cookie when it has just got another.
async fn account_of(
    state: &AppState,
    request: &HttpRequest,
    viewer: &Viewer,
    status: StatusCode,
    shown: Shown,
    renewed: Option<&Cookie<'static>>,
) -> Result<HttpResponse, AppError> {
    let user = viewer.user();
    let token = renewed
        .map(|cookie| cookie.value().to_owned())
        .or_else(|| session_token(request));
    let sessions = sessions::list(&state.services, user, token.as_deref()).await?;
    let tokens = tokens::list(&state.services, user.id).await?;
    let standing = quotas::standing(&state.services, user.id).await?;
    let mut dressed = dress(request, state, Some(user));
    if let Some(cookie) = renewed {
        dressed.shell.csrf = crate::web::extract::csrf_token_of(state, cookie.value());
    }
    let now = state.services.clock.now();
    let page_of = AccountPage {
        shell: dressed.shell,
        now: now.calendar(),
        email: user.email.clone(),
        kept: (user.document_count, user.stored_bytes),
        quota: (standing.quota.documents, standing.quota.bytes),
        theme: theme(request),
        current_error: shown.current_error,
        password_error: shown.password_error,
        sessions: sessions
            .into_iter()
            .map(|seen| SessionRow {
                name: seen.name,
                is_this: seen.is_this,
                device: seen.session.user_agent,
                address: seen.session.ip,
                begun_at: seen.session.created_at.calendar(),
                seen_at: seen.session.last_seen_at.calendar(),
            })
            .collect(),
        tokens: tokens
            .into_iter()
            .map(|token| TokenRow {
                id: token.id.to_string(),
                name: token.name,
                scopes: token.scopes,
                has_ended: token.expires_at <= now,
                expires_at: token.expires_at.calendar(),
                used_at: token.last_used_at.map(|at| at.calendar()),
            })
            .collect(),
        scopes: Scope::ALL.iter().map(|scope| scope.as_str()).collect(),
        form: shown.form,
        made: shown.token,
    };
    Ok(with_cookies(page(status, &page_of)?, dressed.cookies))
}
