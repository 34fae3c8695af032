//! The HTTP server: actix's own parts, put together with connections that are read no faster than uploads take their bytes.

use std::future::ready;
use std::io;
use std::net::TcpListener;
use std::time::Duration;

use actix_http::HttpService;
use actix_http::error::DispatchError;
use actix_server::{Server, ServerBuilder};
use actix_service::{IntoServiceFactory as _, ServiceFactoryExt as _, fn_service, map_config};
use actix_web::dev::AppConfig;
use actix_web::rt::net::TcpStream;
use actix_web::{Error, web};

use super::meter::{Counted, Metered};
use super::{AppState, application_of, routes};

/// How long a client may take to close a connection after the answer.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// Serves the application on this listener, with so many workers; once stopped, running requests have so long to end.
///
/// What `HttpServer` does, but for the connections: it takes no others than plain ones.
///
/// # Errors
///
/// When the listener cannot be used.
pub fn serve(
    listener: TcpListener,
    state: AppState,
    workers: usize,
    stopping: Duration,
) -> io::Result<Server> {
    serve_of(listener, state, routes::configure, workers, stopping)
}

/// The same with other routes: for measuring what a part of them costs.
///
/// # Errors
///
/// When the listener cannot be used.
pub fn serve_of(
    listener: TcpListener,
    state: AppState,
    configure: fn(&mut web::ServiceConfig),
    workers: usize,
    stopping: Duration,
) -> io::Result<Server> {
    let address = listener.local_addr()?;
    let builder = ServerBuilder::new()
        .workers(workers.max(1))
        .shutdown_timeout(stopping.as_secs())
        .disable_signals();
    let stops = builder.graceful_shutdown_signal();
    let counted = Counted::default();
    let service = move || {
        let counted = counted.clone();
        let (state, stops, head) = (state.clone(), stops.clone(), state.settings.head);
        let application = application_of(state, configure)
            .into_factory()
            .map_err(|error: Error| error.error_response());
        let http = HttpService::build()
            .client_request_timeout(head)
            .client_disconnect_timeout(CLOSE_TIMEOUT)
            .local_addr(address)
            // Idle connections are closed at once when the server stops.
            .graceful_shutdown_signal(move || {
                let stops = stops.clone();
                async move { stops.notified().await }
            })
            .on_connect_ext(|connection: &Metered, data| {
                data.insert(connection.meter());
            })
            .h1(map_config(application, |_| AppConfig::default()));
        fn_service(move |stream: TcpStream| {
            let connection = Metered::new(stream, counted.clone());
            let peer = connection.peer();
            ready(Ok::<_, DispatchError>((connection, peer)))
        })
        .and_then(http)
    };
    Ok(builder.listen("satchel", listener, service)?.run())
}
