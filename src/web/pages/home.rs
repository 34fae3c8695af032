//! `/`: leads to the page that fits.

use actix_web::{HttpResponse, web};

use super::see_other;
use crate::db::models::setup;
use crate::error::AppError;
use crate::web::AppState;
use crate::web::extract::Viewer;

/// `GET /`.
pub async fn show(
    state: web::Data<AppState>,
    viewer: Result<Viewer, AppError>,
) -> Result<HttpResponse, AppError> {
    let location = match viewer {
        Ok(_) => "/documents",
        Err(AppError::SignInNeeded) if state.services.db.run(setup::is_open).await? => "/setup",
        Err(AppError::SignInNeeded) => "/sign-in",
        Err(error) => return Err(error),
    };
    Ok(see_other(location).finish())
}
