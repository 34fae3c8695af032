//! Round every request: CORS, failures on demand, the log of calls.

use std::any::Any;
use std::net::Shutdown;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Extensions, ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpResponse, web};
use bytes::Bytes;

use super::State;
use super::pace::{Pace, Slow};
use super::record::Record;
use super::tap::Tap;
use crate::emulator::console;
use crate::emulator::controls::notes::Notes;
use crate::emulator::controls::{Fault, Route};
use crate::emulator::errors::{Host, Problem};

/// The middleware.
pub(in super::super) async fn edge(
    mut req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    // The path as it is routed: `%5F` is `_` there.
    if console::is_below(req.match_info().as_str()) {
        return Ok(next.call(req).await?.map_into_boxed_body());
    }
    if req.method() == Method::OPTIONS {
        let reply = preflight(req.headers());
        return Ok(req.into_response(reply));
    }
    let state = web::Data::clone(
        req.app_data::<web::Data<State>>()
            .expect("the state is registered"),
    );
    let line = req.conn_data::<Line>().cloned();
    let mut tap = Tap::new(req.take_payload());
    req.set_payload(tap.payload());
    let mut record = Record::new(&state, req.request(), tap.clone());
    let route = record.route();

    let fault = state.controls.faults().take(route);
    if let Some(fault) = &fault {
        record.met(fault);
        before(fault, &tap, record.notes()).await;
    }
    let in_json = wants_json(req.headers());
    let mut reply = match instead(fault.as_ref(), route, &mut tap, line.as_ref()).await {
        Some(reply) => req.into_response(reply),
        None => {
            let notes = record.notes().clone();
            notes.within(next.call(req)).await?.map_into_boxed_body()
        }
    };
    let error = reply.response().error();
    let problem = error.and_then(|error| error.as_error::<Problem>());
    if let Some(flavoured) = problem.filter(|_| in_json).and_then(Problem::file_api_json) {
        reply = reply.into_response(flavoured);
    }
    // After a cut there is no reply to protect, and what had arrived by then would only blur the log.
    if !matches!(fault, Some(Fault::CutRequest { .. })) {
        tap.drain().await;
    }
    record.answered(reply.response());
    if let Some(fault) = fault {
        reply = spoil(reply, &fault, line.as_ref());
    }
    cors(reply.headers_mut());
    Ok(reply)
}

/// What a failure changes before the handler runs.
async fn before(fault: &Fault, tap: &Tap, notes: &Notes) {
    match fault {
        Fault::Delay(time) => tokio::time::sleep(*time).await,
        Fault::SlowBody { bytes_per_second } => tap.slow_down(Pace::new(*bytes_per_second)),
        Fault::RefuseIngestion => notes.refuse_ingestion(),
        _ => {}
    }
}

/// The reply of a failure that keeps the handler from running.
async fn instead(
    fault: Option<&Fault>,
    route: Route,
    tap: &mut Tap,
    line: Option<&Line>,
) -> Option<HttpResponse> {
    match fault? {
        Fault::Status(status) => {
            tap.drain().await;
            let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            if status.is_success() {
                return Some(HttpResponse::build(status).json(serde_json::json!({})));
            }
            let problem = match host(route) {
                Host::Storage => Problem::storage(status, "InternalError", "A failure on demand"),
                host => Problem::new(host, status, "A failure on demand"),
            };
            Some(HttpResponse::from_error(problem))
        }
        Fault::Reply {
            status,
            headers,
            body,
        } => {
            tap.drain().await;
            let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let mut reply = HttpResponse::build(status);
            for (name, value) in headers {
                reply.append_header((name.as_str(), value.as_str()));
            }
            Some(reply.body(body.clone()))
        }
        Fault::CutRequest { after } => {
            tap.skip(*after).await;
            cut(line);
            Some(HttpResponse::InternalServerError().finish())
        }
        _ => None,
    }
}

fn host(route: Route) -> Host {
    match route {
        Route::Start | Route::PartUrl | Route::Commit | Route::Complete => Host::Upload,
        Route::Put => Host::Storage,
        Route::Store | Route::Delete | Route::Overwrite => Host::FileApi,
        Route::Delivery | Route::Metadata | Route::Other => Host::Cdn,
    }
}

/// The handler's reply as the failure leaves it.
fn spoil(mut reply: ServiceResponse, fault: &Fault, line: Option<&Line>) -> ServiceResponse {
    match fault {
        Fault::CutBeforeReply => cut(line),
        Fault::CutReply { after } => {
            let left = *after;
            return reply.map_body(|_, body| {
                BoxBody::new(Cut {
                    body: Box::pin(body),
                    left,
                    is_over: false,
                })
            });
        }
        Fault::SlowBody { bytes_per_second } => {
            let pace = Pace::new(*bytes_per_second);
            return reply.map_body(|_, body| BoxBody::new(Slow::new(body, pace)));
        }
        Fault::WrongEtag => {
            let wrong = HeaderValue::from_static("\"00000000000000000000000000000000\"");
            reply.headers_mut().insert(header::ETAG, wrong);
        }
        Fault::NoEtag => {
            reply.headers_mut().remove(header::ETAG);
        }
        _ => {}
    }
    reply
}

/// Whether JSON, and nothing else, is what the client takes: the SDKs take anything.
fn wants_json(headers: &HeaderMap) -> bool {
    let accepts = headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok());
    let essence = |kind: &str| kind.split(';').next().unwrap_or_default().trim().to_owned();
    accepts.is_some_and(|kinds| {
        kinds
            .split(',')
            .all(|kind| essence(kind).eq_ignore_ascii_case("application/json"))
    })
}

fn cut(line: Option<&Line>) {
    if let Some(Line(socket)) = line {
        // Fails when the other side was faster.
        let _cut = socket.shutdown(Shutdown::Both);
    }
}

/// §4, §10: every route answers browsers of any origin, and shows them the `ETag` of parts (§3.4).
fn cors(headers: &mut HeaderMap) {
    let mut set = |name: HeaderName, value| headers.insert(name, HeaderValue::from_static(value));
    set(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    set(
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        "ETag, Content-Length, Content-Range, Content-Disposition, X-File-Name",
    );
}

fn preflight(asked: &HeaderMap) -> HttpResponse {
    let mut reply = HttpResponse::NoContent();
    reply.insert_header((
        header::ACCESS_CONTROL_ALLOW_METHODS,
        "GET, HEAD, POST, PUT, DELETE, OPTIONS",
    ));
    reply.insert_header((header::ACCESS_CONTROL_MAX_AGE, "86400"));
    // Named one by one because `*` does not cover `Authorization`, which part uploads carry (§3.3).
    if let Some(names) = asked.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
        reply.insert_header((header::ACCESS_CONTROL_ALLOW_HEADERS, names.clone()));
    }
    let mut reply = reply.finish();
    cors(reply.headers_mut());
    reply
}

/// A second hold on a connection's socket, to cut it.
#[derive(Clone)]
pub(super) struct Line(std::sync::Arc<std::net::TcpStream>);

/// Keeps a hold on each new connection.
pub(in super::super) fn on_connect(connection: &dyn Any, data: &mut Extensions) {
    #[cfg(unix)]
    if let Some(stream) = connection.downcast_ref::<actix_web::rt::net::TcpStream>()
        && let Ok(socket) = std::os::fd::AsFd::as_fd(stream).try_clone_to_owned()
    {
        data.insert(Line(std::sync::Arc::new(socket.into())));
    }
    #[cfg(not(unix))]
    let _cannot_cut = (connection, data);
}

/// A body that breaks off.
struct Cut {
    body: Pin<Box<BoxBody>>,
    left: u64,
    /// Everything was handed over that is to be sent.
    is_over: bool,
}

impl MessageBody for Cut {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        if self.left == 0 && !self.is_over {
            // An error makes the server forget what it has not sent yet: it is given a turn to send it.
            self.is_over = true;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.left == 0 {
            return Poll::Ready(Some(Err("a failure on demand".into())));
        }
        let next = self.body.as_mut().poll_next(cx);
        let Poll::Ready(Some(Ok(mut bytes))) = next else {
            return next;
        };
        bytes.truncate(usize::try_from(self.left).unwrap_or(usize::MAX));
        self.left -= bytes.len() as u64;
        Poll::Ready(Some(Ok(bytes)))
    }
}
