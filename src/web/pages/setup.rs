//! `/setup`: makes the first administrator, for whoever has the link that was printed at the start.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use super::shell::{Said, dress};
use super::{page, see_other, sessions, with_cookies};
use crate::error::AppError;
use crate::services::accounts;
use crate::services::sign_in::SignInRefused;
use crate::web::AppState;
use crate::web::extract::{ClientAddress, CsrfForm, Query};
use crate::web::views::{Field, SetupPage};

/// `?token=`.
#[derive(Deserialize)]
pub struct SetupQuery {
    #[serde(default)]
    token: String,
}

/// The form.
#[derive(Deserialize)]
pub struct SetupForm {
    token: String,
    email: String,
    password: String,
}

/// `GET /setup`.
pub async fn new(
    state: web::Data<AppState>,
    request: HttpRequest,
    query: Query<SetupQuery>,
) -> Result<HttpResponse, AppError> {
    check_token(&state, &query.0.token).await?;
    form(
        &request,
        &state,
        StatusCode::OK,
        query.0.token,
        Field::default(),
        None,
    )
}

/// `POST /setup`.
pub async fn create(
    state: web::Data<AppState>,
    request: HttpRequest,
    address: ClientAddress,
    data: CsrfForm<SetupForm>,
) -> Result<HttpResponse, AppError> {
    let SetupForm {
        token,
        email,
        password,
    } = data.0;
    check_token(&state, &token).await?;
    match accounts::set_up(&state.services, &token, &email, password, &address.0).await {
        Ok(proven) => {
            let begun = sessions::begin(&state, &request, &proven, address).await;
            let cookie = begun.map_err(|refused| match refused {
                SignInRefused::Wrong => AppError::SignInNeeded,
                SignInRefused::Error(error) => error,
            })?;
            Ok(with_cookies(
                see_other("/documents").finish(),
                [Some(cookie), Some(Said::Welcome.cookie())],
            ))
        }
        Err(AppError::Fields(fields)) => {
            let wrong = |name| {
                fields
                    .iter()
                    .find(|(field, _)| *field == name)
                    .map(|(_, wrong)| wrong.clone())
            };
            let (email, password) = (
                Field {
                    value: email,
                    error: wrong("email"),
                },
                wrong("password"),
            );
            form(
                &request,
                &state,
                StatusCode::UNPROCESSABLE_ENTITY,
                token,
                email,
                password,
            )
        }
        Err(error) => Err(error),
    }
}

/// Once there is an administrator the page is gone for ever; until then a wrong token is told what to do.
async fn check_token(state: &AppState, token: &str) -> Result<(), AppError> {
    // In this order: somebody who makes the administrator between the two questions closes the page and does not make the token wrong.
    let is_valid = accounts::setup_token_is_valid(&state.services, token).await?;
    if !accounts::setup_is_open(&state.services).await? {
        return Err(AppError::NotFound);
    }
    if !is_valid {
        return Err(AppError::Forbidden(
            "Set-up needs the link that Satchel printed when it started. Open that link; a restart prints a new one.",
        ));
    }
    Ok(())
}

fn form(
    request: &HttpRequest,
    state: &AppState,
    status: StatusCode,
    token: String,
    email: Field,
    password_error: Option<String>,
) -> Result<HttpResponse, AppError> {
    let dressed = dress(request, state, None);
    let form = SetupPage {
        shell: dressed.shell,
        token,
        email,
        password_error,
        error: None,
    };
    Ok(with_cookies(page(status, &form)?, dressed.cookies))
}
