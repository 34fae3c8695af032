//! What holds for every request and every answer, from the outside in: bodies that nobody reads end, a request id and a log line,
//! security headers, refusal while the server stops, errors dressed for whoever asked, refusal of other sites' requests, guesses slowed down.

mod accept;
mod cross_site;
mod error_pages;
mod guesses;
mod headers;
mod panics;
mod trace;
mod unread;

use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::{Next, from_fn};
use actix_web::{App, Error, web};

use crate::error::AppError;
use crate::web::AppState;
use crate::web::extract::upload_parser;

pub(crate) use cross_site::is_ours;
pub(crate) use panics::contain;
pub use trace::RequestId;

/// These routes, and all of it round them.
pub fn application_of(
    state: AppState,
    configure: fn(&mut web::ServiceConfig),
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody>,
        Error = Error,
        InitError = (),
    >,
> {
    App::new()
        .app_data(web::Data::new(state))
        .app_data(upload_parser())
        .configure(configure)
        .wrap(from_fn(guesses::slow))
        .wrap(from_fn(cross_site::refuse))
        .wrap(from_fn(turn_away))
        .wrap(from_fn(error_pages::dress))
        .wrap(from_fn(headers::add))
        .wrap(from_fn(trace::follow))
        .wrap(from_fn(unread::hold))
}

/// Once the server stops, new requests are turned away; health stays visible.
async fn turn_away(
    state: web::Data<AppState>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody, BoxBody>>, Error> {
    let watches = matches!(request.path(), "/healthz" | "/readyz" | "/metrics");
    if state.is_draining() && !watches {
        let stopping = AppError::Unavailable {
            code: "stopping",
            detail: "The server is stopping. Try again in a moment.".to_owned(),
            retry_after: std::time::Duration::from_secs(5),
        };
        return Ok(request.error_response(stopping).map_into_right_body());
    }
    // Whoever only watches keeps nobody from ending.
    let _at_work = (!watches).then(|| state.begin_work());
    Ok(next.call(request).await?.map_into_left_body())
}
