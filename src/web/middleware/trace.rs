//! A request id for each request, in its log lines and its answer, and one log line when it is answered.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _, web};

use crate::ids::DocumentId;
use crate::telemetry;
use crate::web::AppState;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

const TARGET: &str = "satchel::requests";

/// The id of a request, kept with it.
#[derive(Clone)]
pub struct RequestId(pub String);

/// The log line names the route and never the address: addresses carry tokens.
pub(super) async fn follow(
    state: web::Data<AppState>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let clock = state.services.clock.clone();
    let begun = clock.now();
    // Any of the id types would do: it is a random UUID that sorts by time.
    let id = DocumentId::new(begun).to_string();
    request.extensions_mut().insert(RequestId(id.clone()));
    telemetry::with_request_id(id.clone(), async move {
        let mut response = next.call(request).await?;
        if let Ok(value) = HeaderValue::from_str(&id) {
            response.headers_mut().insert(X_REQUEST_ID, value);
        }
        let method = response.request().method().to_string();
        let pattern = response.request().match_pattern();
        let status = response.status().as_u16();
        let took = clock.now().since(begun);
        state.requests.answered(&method, pattern.clone(), status, took);
        if !log::log_enabled!(target: TARGET, log::Level::Debug) {
            return Ok(response);
        }
        let route = pattern.unwrap_or_else(|| "-".to_owned());
        let took_ms = took.as_millis() as u64;
        log::debug!(target: TARGET, method = method.as_str(), route = route.as_str(), status, took_ms; "answered");
        Ok(response)
    })
    .await
}
