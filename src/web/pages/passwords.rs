//! `/password?token=…`: chooses a password, for whoever has the link of an invitation or a reset.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use super::shell::{Said, dress};
use super::{page, see_other, with_cookies};
use crate::db::models::users::User;
use crate::error::AppError;
use crate::services::passwords;
use crate::web::AppState;
use crate::web::extract::{ClientAddress, CsrfForm, Query};
use crate::web::views::PasswordChoosePage;

/// `?token=`.
#[derive(Deserialize)]
pub struct LinkQuery {
    #[serde(default)]
    token: String,
}

/// The form.
#[derive(Deserialize)]
pub struct ChooseForm {
    token: String,
    password: String,
}

/// `GET /password`.
pub async fn new(
    state: web::Data<AppState>,
    request: HttpRequest,
    query: Query<LinkQuery>,
) -> Result<HttpResponse, AppError> {
    let owner = passwords::owner_of(&state.services, &query.0.token).await?;
    form(&request, &state, StatusCode::OK, query.0.token, owner, None)
}

/// `POST /password`.
pub async fn create(
    state: web::Data<AppState>,
    request: HttpRequest,
    address: ClientAddress,
    data: CsrfForm<ChooseForm>,
) -> Result<HttpResponse, AppError> {
    let ChooseForm { token, password } = data.0;
    match passwords::choose(&state.services, &token, password, &address.0).await {
        Ok(_) => Ok(with_cookies(
            see_other("/sign-in").finish(),
            [Some(Said::PasswordChosen.cookie())],
        )),
        Err(AppError::Fields(fields)) => {
            let owner = passwords::owner_of(&state.services, &token).await?;
            let wrong = fields.into_iter().next().map(|(_, sentence)| sentence);
            form(
                &request,
                &state,
                StatusCode::UNPROCESSABLE_ENTITY,
                token,
                owner,
                wrong,
            )
        }
        Err(error) => Err(error),
    }
}

fn form(
    request: &HttpRequest,
    state: &AppState,
    status: StatusCode,
    token: String,
    owner: User,
    password_error: Option<String>,
) -> Result<HttpResponse, AppError> {
    let dressed = dress(request, state, None);
    let form = PasswordChoosePage {
        shell: dressed.shell,
        token,
        email: owner.email,
        is_invitation: owner.invited_at.is_some(),
        password_error,
    };
    Ok(with_cookies(page(status, &form)?, dressed.cookies))
}
