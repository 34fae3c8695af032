//! `/admin/users`: who has an account, and what administrators do about it. Each act wants the password if it was given long ago.

use actix_web::cookie::Cookie;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use url::form_urlencoded::byte_serialize;

use crate::db::models::users::{Part, Role, User};
use crate::error::AppError;
use crate::ids::UserId;
use crate::services::passwords::{self, Link};
use crate::services::quotas::{self, Quota};
use crate::services::{people, sessions};
use crate::web::AppState;
use crate::web::extract::{Admin, ConfirmedForm, Query};
use crate::web::pages::confirm::{Confirmed, confirm};
use crate::web::pages::shell::{Said, dress};
use crate::web::pages::{page, see_other, with_cookies};
use crate::web::views::{
    Field, InviteForm, MadeLink, QuotaForm, UserIndexPage, UserRow, UserShowPage, UserState,
};

/// Users on a page of the list.
const PAGE: i64 = 50;

/// `?q=&after=&before=`.
#[derive(Default, Deserialize)]
pub struct IndexQuery {
    #[serde(default)]
    q: String,
    after: Option<String>,
    before: Option<String>,
}

/// What was sent wrong, or was just made.
#[derive(Default)]
struct Shown {
    invite: InviteForm,
    total: Option<QuotaForm>,
    link: Option<MadeLink>,
}

/// `GET /admin/users`.
pub async fn index(
    state: web::Data<AppState>,
    request: HttpRequest,
    admin: Admin,
    query: Query<IndexQuery>,
) -> Result<HttpResponse, AppError> {
    list(
        &state,
        &request,
        &admin,
        StatusCode::OK,
        query.0,
        Shown::default(),
    )
    .await
}

/// `POST /admin/users`: invites somebody.
pub async fn create(
    state: web::Data<AppState>,
    request: HttpRequest,
    admin: Admin,
    data: ConfirmedForm,
) -> Result<HttpResponse, AppError> {
    let cookie = match confirm(&state, &request, &admin.0, &data.0).await? {
        Confirmed::Yes(cookie) => cookie,
        Confirmed::Ask(response) => return Ok(response),
    };
    let role = role_of(&data)?;
    let invited = passwords::invite(&state.services, &admin.actor(), data.value("email"), role).await;
    let mut shown = Shown::default();
    let status = match invited {
        Ok(link) => {
            shown.link = Some(made(&state, link));
            StatusCode::CREATED
        }
        Err(AppError::Fields(fields)) => {
            shown.invite = InviteForm {
                email: Field {
                    value: data.value("email").to_owned(),
                    error: fields.into_iter().next().map(|(_, sentence)| sentence),
                },
                is_admin: role == Role::Admin,
            };
            StatusCode::UNPROCESSABLE_ENTITY
        }
        Err(error) => return Err(error),
    };
    answered(&request, &state, &admin, status, shown, cookie).await
}

/// `POST /admin/quota`: what everybody together may keep.
pub async fn set_total(
    state: web::Data<AppState>,
    request: HttpRequest,
    admin: Admin,
    data: ConfirmedForm,
) -> Result<HttpResponse, AppError> {
    let cookie = match confirm(&state, &request, &admin.0, &data.0).await? {
        Confirmed::Yes(cookie) => cookie,
        Confirmed::Ask(response) => return Ok(response),
    };
    match quota_of(&data) {
        Ok(quota) => {
            quotas::set_total(&state.services, &admin.actor(), quota).await?;
            Ok(with_cookies(
                see_other("/admin/users").finish(),
                [cookie, Some(Said::QuotaSet.cookie())],
            ))
        }
        Err(form) => {
            let shown = Shown {
                total: Some(form),
                ..Shown::default()
            };
            answered(
                &request,
                &state,
                &admin,
                StatusCode::UNPROCESSABLE_ENTITY,
                shown,
                cookie,
            )
            .await
        }
    }
}

async fn answered(
    request: &HttpRequest,
    state: &AppState,
    admin: &Admin,
    status: StatusCode,
    shown: Shown,
    cookie: Option<Cookie<'static>>,
) -> Result<HttpResponse, AppError> {
    let response = list_of(
        state,
        request,
        admin,
        status,
        IndexQuery::default(),
        shown,
        cookie.as_ref(),
    )
    .await?;
    Ok(with_cookies(response, [cookie]))
}

async fn list(
    state: &AppState,
    request: &HttpRequest,
    admin: &Admin,
    status: StatusCode,
    query: IndexQuery,
    shown: Shown,
) -> Result<HttpResponse, AppError> {
    list_of(state, request, admin, status, query, shown, None).await
}

async fn list_of(
    state: &AppState,
    request: &HttpRequest,
    admin: &Admin,
    status: StatusCode,
    query: IndexQuery,
    shown: Shown,
    renewed: Option<&Cookie<'static>>,
) -> Result<HttpResponse, AppError> {
    let part = match (query.after, query.before) {
        (Some(email), _) => Part::After(email),
        (None, Some(email)) => Part::Before(email),
        (None, None) => Part::First,
    };
    let listed = people::list(&state.services, &query.q, part, PAGE).await?;
    let (total, (documents, bytes)) = quotas::total(&state.services).await?;
    let mut dressed = dress(request, state, Some(admin.user()));
    if let Some(cookie) = renewed {
        dressed.shell.csrf = crate::web::extract::csrf_token_of(state, cookie.value());
    }
    let place =
        |user: Option<&User>| user.map(|user| byte_serialize(user.email.as_bytes()).collect::<String>());
    let index = UserIndexPage {
        shell: dressed.shell,
        q: query.q,
        previous: listed.has_previous.then(|| place(listed.users.first())).flatten(),
        next: listed.has_next.then(|| place(listed.users.last())).flatten(),
        rows: listed.users.iter().map(row).collect(),
        kept: (documents, bytes),
        total: shown
            .total
            .unwrap_or_else(|| QuotaForm::of(total.bytes, total.documents)),
        invite: shown.invite,
        link: shown.link,
    };
    Ok(with_cookies(page(status, &index)?, dressed.cookies))
}

/// `GET /admin/users/{id}`.
pub async fn show(
    state: web::Data<AppState>,
    request: HttpRequest,
    admin: Admin,
    id: web::Path<String>,
) -> Result<HttpResponse, AppError> {
    let user = people::get(&state.services, parsed(&id)?).await?;
    one(&state, &request, &admin, StatusCode::OK, &user, None, None, None)
}

/// `POST /admin/users/{id}/role`.
pub async fn set_role(
    state: web::Data<AppState>,
    request: HttpRequest,
    admin: Admin,
    id: web::Path<String>,
    data: ConfirmedForm,
) -> Result<HttpResponse, AppError> {
    let id = parsed(&id)?;
    let cookie = match confirm(&state, &request, &admin.0, &data.0).await? {
        Confirmed::Yes(cookie) => cookie,
        Confirmed::Ask(response) => return Ok(response),
    };
    people::set_role(&state.services, &admin.actor(), id, role_of(&data)?).await?;
    Ok(done(id, Said::RoleSet, cookie))
}

/// `POST /admin/users/{id}/state`: disables an account, or enables it.
pub async fn set_state(
    state: web::Data<AppState>,
    request: HttpRequest,
    admin: Admin,
    id: web::Path<String>,
    data: ConfirmedForm,
) -> Result<HttpResponse, AppError> {
    let id = parsed(&id)?;
    let cookie = match confirm(&state, &request, &admin.0, &data.0).await? {
        Confirmed::Yes(cookie) => cookie,
        Confirmed::Ask(response) => return Ok(response),
    };
    let (enabled, said) = match data.value("state") {
        "enabled" => (true, Said::UserEnabled),
        "disabled" => (false, Said::UserDisabled),
        _ => return Err(unknown()),
    };
    people::set_enabled(&state.services, &admin.actor(), id, enabled).await?;
    Ok(done(id, said, cookie))
}

/// `POST /admin/users/{id}/quota`.
pub async fn set_quota(
    state: web::Data<AppState>,
    request: HttpRequest,
    admin: Admin,
    id: web::Path<String>,
    data: ConfirmedForm,
) -> Result<HttpResponse, AppError> {
    let id = parsed(&id)?;
    let cookie = match confirm(&state, &request, &admin.0, &data.0).await? {
        Confirmed::Yes(cookie) => cookie,
        Confirmed::Ask(response) => return Ok(response),
    };
    match quota_of(&data) {
        Ok(quota) => {
            quotas::set(&state.services, &admin.actor(), id, quota).await?;
            Ok(done(id, Said::QuotaSet, cookie))
        }
        Err(form) => {
            let user = people::get(&state.services, id).await?;
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            let answer = one(
                &state,
                &request,
                &admin,
                status,
                &user,
                Some(form),
                None,
                cookie.as_ref(),
            )?;
            Ok(with_cookies(answer, [cookie]))
        }
    }
}

/// `POST /admin/users/{id}/password`: makes a link with which the user chooses another password.
pub async fn reset_password(
    state: web::Data<AppState>,
    request: HttpRequest,
    admin: Admin,
    id: web::Path<String>,
    data: ConfirmedForm,
) -> Result<HttpResponse, AppError> {
    let id = parsed(&id)?;
    let cookie = match confirm(&state, &request, &admin.0, &data.0).await? {
        Confirmed::Yes(cookie) => cookie,
        Confirmed::Ask(response) => return Ok(response),
    };
    let link = passwords::reset(&state.services, &admin.actor(), id).await?;
    let user = link.user.clone();
    let link = made(&state, link);
    let answer = one(
        &state,
        &request,
        &admin,
        StatusCode::CREATED,
        &user,
        None,
        Some(link),
        cookie.as_ref(),
    )?;
    Ok(with_cookies(answer, [cookie]))
}

/// `POST /admin/users/{id}/sessions`: ends all sessions of a user.
pub async fn end_sessions(
    state: web::Data<AppState>,
    request: HttpRequest,
    admin: Admin,
    id: web::Path<String>,
    data: ConfirmedForm,
) -> Result<HttpResponse, AppError> {
    let id = parsed(&id)?;
    let cookie = match confirm(&state, &request, &admin.0, &data.0).await? {
        Confirmed::Yes(cookie) => cookie,
        Confirmed::Ask(response) => return Ok(response),
    };
    let user = people::get(&state.services, id).await?;
    sessions::end_others(&state.services, &admin.actor(), &user, None).await?;
    Ok(done(id, Said::SessionsEnded, cookie))
}

#[expect(
    clippy::too_many_arguments,
    reason = "what a page shows, and what was just done"
)]
fn one(
    state: &AppState,
    request: &HttpRequest,
    admin: &Admin,
    status: StatusCode,
    user: &User,
    quota: Option<QuotaForm>,
    link: Option<MadeLink>,
    renewed: Option<&Cookie<'static>>,
) -> Result<HttpResponse, AppError> {
    let mut dressed = dress(request, state, Some(admin.user()));
    if let Some(cookie) = renewed {
        dressed.shell.csrf = crate::web::extract::csrf_token_of(state, cookie.value());
    }
    let one = UserShowPage {
        shell: dressed.shell,
        row: row(user),
        is_self: user.id == admin.user().id,
        created_at: user.created_at.calendar(),
        reserved: (user.reserved_documents, user.reserved_bytes),
        quota: quota.unwrap_or_else(|| QuotaForm::of(user.quota_bytes, user.quota_documents)),
        link,
    };
    Ok(with_cookies(page(status, &one)?, dressed.cookies))
}

fn row(user: &User) -> UserRow {
    UserRow {
        id: user.id.to_string(),
        email: user.email.clone(),
        is_admin: user.role == Role::Admin,
        state: if user.disabled_at.is_some() {
            UserState::Disabled
        } else if user.invited_at.is_some() {
            UserState::Invited
        } else {
            UserState::Active
        },
        kept: (user.document_count, user.stored_bytes),
        quota: (user.quota_documents, user.quota_bytes),
    }
}

fn made(state: &AppState, link: Link) -> MadeLink {
    let base = state.settings.public_url.as_str().trim_end_matches('/');
    MadeLink {
        email: link.user.email,
        url: format!("{base}{}", passwords::path_of(&link.token)),
        mailed: link.mailed,
    }
}

fn done(id: UserId, said: Said, cookie: Option<Cookie<'static>>) -> HttpResponse {
    with_cookies(
        see_other(&format!("/admin/users/{id}")).finish(),
        [cookie, Some(said.cookie())],
    )
}

fn parsed(id: &str) -> Result<UserId, AppError> {
    id.parse().map_err(|_| AppError::NotFound)
}

fn role_of(data: &ConfirmedForm) -> Result<Role, AppError> {
    data.value("role").parse().map_err(|_| unknown())
}

fn unknown() -> AppError {
    AppError::invalid(
        "invalid-form",
        "The form cannot be read or lacks a field. Reload the page, then send it again.",
    )
}

/// Mebibytes and a number, each empty for no bound; else the form with what is wrong.
fn quota_of(data: &ConfirmedForm) -> Result<Quota, QuotaForm> {
    const MIB: i64 = 1 << 20;
    let number = |field: &str, most: i64| match data.value(field).trim() {
        "" => Ok(None),
        text => {
            let digits = text.bytes().all(|byte| byte.is_ascii_digit());
            let number = text
                .parse::<i64>()
                .ok()
                .filter(|number| digits && *number <= most);
            number
                .map(Some)
                .ok_or_else(|| format!("Enter a whole number from 0 to {most}, or nothing for no bound."))
        }
    };
    let (bytes, documents) = (number("mebibytes", i64::MAX / MIB), number("documents", i64::MAX));
    match (bytes, documents) {
        (Ok(mebibytes), Ok(documents)) => Ok(Quota {
            bytes: mebibytes.map(|number| number * MIB),
            documents,
        }),
        (bytes, documents) => Err(QuotaForm {
            mebibytes: Field {
                value: data.value("mebibytes").to_owned(),
                error: bytes.err(),
            },
            documents: Field {
                value: data.value("documents").to_owned(),
                error: documents.err(),
            },
        }),
    }
}
