//! Pages: a file for each subject. Every handler extracts, calls one verb and answers with a page or a redirect.

pub mod account;
pub mod admin;
pub mod archive;
mod confirm;
pub mod docs;
pub mod documents;
pub mod events;
pub mod home;
pub mod passwords;
pub mod sessions;
pub mod setup;
pub mod shell;
pub mod tags;
mod told;
pub mod trash;
pub mod uploads;

use actix_web::cookie::Cookie;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, LOCATION};
use actix_web::{HttpResponse, HttpResponseBuilder};
use askama::Template;

use crate::error::AppError;

/// Most pages are smaller.
const PAGE_BYTES: usize = 12 * 1_024;

/// A page as an answer.
fn page(status: StatusCode, template: &impl Template) -> Result<HttpResponse, AppError> {
    sized_page(status, template, 0)
}

/// A page that is likely to have so many bytes: a large one is not moved again and again while it is written.
fn sized_page(status: StatusCode, template: &impl Template, bytes: usize) -> Result<HttpResponse, AppError> {
    let mut html = String::with_capacity(bytes.max(PAGE_BYTES));
    template
        .render_into(&mut html)
        .map_err(|error| AppError::Internal(format!("a page: {error}")))?;
    Ok(HttpResponse::build(status)
        .insert_header((CONTENT_TYPE, "text/html; charset=utf-8"))
        .body(html))
}

/// Sends the browser on with a GET, whatever it came with.
fn see_other(location: &str) -> HttpResponseBuilder {
    let mut response = HttpResponse::SeeOther();
    response.insert_header((LOCATION, location));
    response
}

fn with_cookies<const N: usize>(
    mut response: HttpResponse,
    cookies: [Option<Cookie<'static>>; N],
) -> HttpResponse {
    for cookie in cookies.into_iter().flatten() {
        // A cookie we made ourselves can be written.
        let _ = response.add_cookie(&cookie);
    }
    response
}
