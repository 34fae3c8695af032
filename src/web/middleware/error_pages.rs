//! Dresses every failure for whoever asked: problem+json (RFC 9457) for programs, a page for people, and for people who are not signed
//! in the way to the form. The framework's own 404, 405 and the like are dressed the same way.

use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION, VARY};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _, HttpRequest, HttpResponse, web};
use askama::Template as _;
use url::form_urlencoded;

use super::{RequestId, accept};
use crate::error::AppError;
use crate::web::AppState;
use crate::web::openapi::{FieldProblem, Problem};
use crate::web::pages::shell;
use crate::web::views::ErrorPage;

/// What a program is told whose `Authorization` header counts for nothing.
const BAD_TOKEN: &str = "The Authorization header has no API token that is valid now: it may be unknown, expired or revoked. Send \
    `Authorization: Bearer TOKEN` with a new token.";

/// What is said of a failure.
struct Failure {
    status: StatusCode,
    code: String,
    detail: String,
    fields: Vec<(&'static str, String)>,
}

pub(super) async fn dress(
    state: web::Data<AppState>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody, BoxBody>>, Error> {
    let response = match next.call(request).await {
        Ok(response) if response.status().as_u16() < 400 => return Ok(response.map_into_left_body()),
        Ok(response) if response.headers().contains_key(CONTENT_TYPE) => {
            // A handler's own page about a failure, such as a form with what is wrong in it.
            return Ok(response.map_into_left_body());
        }
        Ok(response) => response.map_into_boxed_body(),
        // Errors of the layers below have lost their request: actix makes an answer of them further out, undressed.
        Err(error) => return Err(error),
    };
    let failure = failure(&response);
    log_once(&response);
    let request = response.request();
    let wants_json = wants_json(request.path(), request.headers());
    if let Some(address) =
        sign_in_address(request).filter(|_| failure.status == StatusCode::UNAUTHORIZED && !wants_json)
    {
        let redirect = HttpResponse::SeeOther()
            .insert_header((LOCATION, address))
            .finish();
        return Ok(response.into_response(redirect).map_into_right_body());
    }
    // Nothing in a 404 may tell one request from another: "not yours" and "not there" are the same bytes (S7).
    let request_id = request
        .extensions()
        .get::<RequestId>()
        .map(|id| id.0.clone())
        .unwrap_or_default();
    let shown_id = if failure.status == StatusCode::NOT_FOUND {
        String::new()
    } else {
        request_id
    };
    let (content_type, body) = if wants_json {
        ("application/problem+json", problem(&failure, &shown_id))
    } else {
        let page = ErrorPage {
            shell: shell::bare(&state, request.path(), shell::theme(request)),
            status: failure.status.as_u16(),
            title: title(failure.status).to_owned(),
            detail: failure.detail,
            next_step: String::new(),
            request_id: shown_id,
        };
        ("text/html; charset=utf-8", page.render().unwrap_or_default())
    };
    let response = response.map_body(|head, _| {
        head.headers
            .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        head.headers.insert(VARY, HeaderValue::from_static("Accept"));
        EitherBody::right(BoxBody::new(body))
    });
    Ok(response)
}

/// Where somebody is sent who opens a page without being signed in: to the form, and from there back. Whoever brought a token is told
/// about the token instead.
fn sign_in_address(request: &HttpRequest) -> Option<String> {
    if !request.method().is_safe() || request.headers().contains_key(AUTHORIZATION) {
        return None;
    }
    let back = request
        .uri()
        .path_and_query()
        .map_or("/documents", |path| path.as_str());
    let next: String = form_urlencoded::byte_serialize(back.as_bytes()).collect();
    Some(format!("/sign-in?next={next}"))
}

fn failure(response: &ServiceResponse) -> Failure {
    let status = response.status();
    match response
        .response()
        .error()
        .and_then(|error| error.as_error::<AppError>())
    {
        Some(error) => Failure {
            status,
            code: error.code().to_owned(),
            detail: match error {
                // Which of the reasons it is would help whoever guesses.
                AppError::SignInNeeded if response.request().headers().contains_key(AUTHORIZATION) => {
                    BAD_TOKEN.to_owned()
                }
                _ => error.public_detail(),
            },
            fields: match error {
                AppError::Fields(fields) => fields.clone(),
                _ => Vec::new(),
            },
        },
        None => {
            let (code, detail) = plain(status);
            Failure {
                status,
                code: code.to_owned(),
                detail: detail.to_owned(),
                fields: Vec::new(),
            }
        }
    }
}

/// What is ours to repair, or Filestack's, is written down here, once; its words never leave the log.
fn log_once(response: &ServiceResponse) {
    let Some(error) = response.response().error() else {
        return;
    };
    let route = response.request().match_pattern().unwrap_or_default();
    match error.as_error::<AppError>() {
        Some(AppError::Internal(text)) => {
            log::error!(event = "internal-error", route = route.as_str(); "{text}");
        }
        Some(AppError::Upstream { source, code, .. }) => {
            log::warn!(event = "upstream-failed", route = route.as_str(), code; "{source}");
        }
        Some(_) => {}
        None if response.status().is_server_error() => {
            log::error!(event = "internal-error", route = route.as_str(); "{error}");
        }
        None => {}
    }
}

fn problem(failure: &Failure, request_id: &str) -> String {
    let errors = failure
        .fields
        .iter()
        .map(|(field, detail)| FieldProblem { field, detail });
    let problem = Problem {
        kind: "about:blank",
        title: title(failure.status),
        status: failure.status.as_u16(),
        detail: &failure.detail,
        code: &failure.code,
        request_id,
        errors: errors.collect(),
    };
    serde_json::to_string(&problem).unwrap_or_default()
}

/// The API answers JSON unless HTML is asked for; everything else answers HTML unless JSON is.
fn wants_json(path: &str, headers: &HeaderMap) -> bool {
    let is_program = path.starts_with("/api/")
        || path == "/api"
        || path.starts_with("/webhooks/")
        || path == "/healthz"
        || path == "/metrics"
        || path == "/openapi.json"
        || path == "/readyz";
    accept::prefers_json(headers, is_program)
}

fn title(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 => "Sign in first",
        403 => "Not allowed",
        404 => "Not found",
        405 => "Not possible here",
        408 => "The upload stalled",
        409 => "Conflict",
        410 => "No longer here",
        412 => "Changed meanwhile",
        413 => "Too large",
        415 => "Wrong kind of content",
        422 => "Please check what you entered",
        429 => "Too many tries",
        502 => "Filestack failed",
        503 => "Not available right now",
        status if status >= 500 => "Something went wrong",
        _ => "The request cannot be understood",
    }
}

/// For failures that the framework answers by itself.
fn plain(status: StatusCode) -> (&'static str, &'static str) {
    match status.as_u16() {
        404 => ("not-found", "There is nothing here, or it is not yours."),
        405 => (
            "method-not-allowed",
            "This address does not take that method. The Allow header names those it takes.",
        ),
        408 => ("timeout", "The request took too long to arrive. Send it again."),
        413 => (
            "body-too-large",
            "The request's body is larger than what is taken here. Send a smaller one.",
        ),
        415 => (
            "unsupported-media-type",
            "The request's Content-Type is not taken here. See the API's description.",
        ),
        status if status >= 500 => (
            "internal",
            "Something went wrong on our side. Try again; if it stays, tell the administrator the request id.",
        ),
        _ => (
            "bad-request",
            "The request cannot be understood. Check it against the API's description.",
        ),
    }
}
