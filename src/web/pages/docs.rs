//! `/docs`: the JSON API, described and to be tried. For everybody: it says nothing about anybody.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};

use super::shell::dress;
use super::{sized_page, with_cookies};
use crate::error::AppError;
use crate::web::AppState;
use crate::web::extract::Viewer;
use crate::web::openapi;
use crate::web::views::DocsPage;

/// Likely bytes of the page.
const PAGE_BYTES: usize = 128 * 1_024;

/// `GET /docs`.
pub async fn show(
    state: web::Data<AppState>,
    request: HttpRequest,
    viewer: Result<Viewer, AppError>,
) -> Result<HttpResponse, AppError> {
    let viewer = match viewer {
        Ok(viewer) => Some(viewer),
        // Whatever a token may or may not: this is for everybody.
        Err(AppError::SignInNeeded | AppError::Forbidden(_)) => None,
        Err(error) => return Err(error),
    };
    let dressed = dress(&request, &state, viewer.as_ref().map(Viewer::user));
    let page = DocsPage::new(dressed.shell, openapi::description(), openapi::codes().collect());
    Ok(with_cookies(
        sized_page(StatusCode::OK, &page, PAGE_BYTES)?,
        dressed.cookies,
    ))
}
