//! `/`: leads to the page that fits.

use actix_web::{HttpResponse, web};

use super::see_other;
use crate::error::AppError;
use crate::services::accounts;
use crate::web::AppState;
use crate::web::extract::Viewer;

/// `GET /`.
pub async fn show(
    state: web::Data<AppState>,
    viewer: Result<Viewer, AppError>,
) -> Result<HttpResponse, AppError> {
    let location = match viewer {
        Ok(_) => "/documents",
        Err(AppError::SignInNeeded) if accounts::setup_is_open(&state.services).await? => "/setup",
        Err(AppError::SignInNeeded) => "/sign-in",
        Err(error) => return Err(error),
    };
    Ok(see_other(location).finish())
}
