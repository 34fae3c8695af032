//! `/metrics`: what the process does, for Prometheus. A registry of our own: a dozen names, counted where things happen.
//!
//! For administrators, by session or token, and for whoever has `SATCHEL_METRICS_TOKEN`. What the database knows (jobs, events) is asked
//! once for each scrape, in one turn; without it the rest is answered all the same.

mod requests;
mod text;

use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE};
use actix_web::{FromRequest as _, HttpRequest, HttpResponse, web};

use crate::crypto;
use crate::db::models::{events, jobs};
use crate::error::AppError;
use crate::telemetry;
use crate::web::AppState;
use crate::web::extract::Admin;

pub use requests::Requests;
use text::Text;

/// `GET /metrics`.
pub async fn show(state: web::Data<AppState>, request: HttpRequest) -> Result<HttpResponse, AppError> {
    if !has_metrics_token(&state, &request) {
        Admin::extract(&request).await?;
    }
    let body = write(&state).await;
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8"))
        .body(body))
}

fn has_metrics_token(state: &AppState, request: &HttpRequest) -> bool {
    let sent = request
        .headers()
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    match (&state.settings.metrics_token, sent) {
        (Some(token), Some((_, sent))) => crypto::same(token.expose(), sent.trim()),
        _ => false,
    }
}

async fn write(state: &AppState) -> String {
    let mut text = Text::default();
    text.gauge("satchel_build_info", "Always 1; the labels say what runs.");
    text.sample(
        "satchel_build_info",
        &[
            ("version", env!("CARGO_PKG_VERSION")),
            ("database", state.services.db.backend()),
        ],
        1.0,
    );
    requests(&mut text, state);
    process(&mut text, state);
    let counted = state
        .services
        .db
        .run(|c| Ok((jobs::listing::count_by_state(c)?, events::listing::count_open(c)?)))
        .await;
    text.gauge("satchel_up", "1 when the database answered this scrape.");
    text.sample("satchel_up", &[], f64::from(u8::from(counted.is_ok())));
    if let Ok((jobs, events)) = counted {
        text.gauge("satchel_jobs", "Background jobs in the database, by state.");
        for state in jobs::JobState::ALL {
            let count = jobs
                .iter()
                .find(|(of, _)| *of == state)
                .map_or(0, |(_, count)| *count);
            text.sample("satchel_jobs", &[("state", state.as_str())], count as f64);
        }
        text.gauge(
            "satchel_events_open",
            "Webhook events that are not settled, by state.",
        );
        for state in events::EventState::OPEN {
            let count = events
                .iter()
                .find(|(of, _)| *of == state)
                .map_or(0, |(_, count)| *count);
            text.sample("satchel_events_open", &[("state", state.as_str())], count as f64);
        }
    }
    text.finish()
}

fn requests(text: &mut Text, state: &AppState) {
    const TOOK: &str = "satchel_http_request_duration_seconds";
    let seen = state.requests.seen();
    text.counter("satchel_http_requests_total", "Requests answered.");
    for ((method, route, status), count) in &seen.answered {
        let labels = [
            ("method", *method),
            ("route", route.as_str()),
            ("status", &status.to_string()),
        ];
        text.sample("satchel_http_requests_total", &labels, *count as f64);
    }
    text.histogram(TOOK, "From the head of the request to the head of its answer.");
    for ((method, route), took) in &seen.took {
        let labels = [("method", *method), ("route", route.as_str())];
        let buckets = requests::BUCKETS.iter().zip(took.buckets);
        text.buckets(TOOK, &labels, buckets, took.count, took.seconds);
    }
}

fn process(text: &mut Text, state: &AppState) {
    let (services, meters) = (&state.services, &state.services.meters);
    let pool = services.db.pool();
    let numbers: [(&str, &str, bool, f64); 9] = [
        (
            "satchel_uploads_in_flight",
            "Uploads that pass through this process now.",
            false,
            meters.uploads_in_flight() as f64,
        ),
        (
            "satchel_uploads_total",
            "Uploads that have begun to pass through this process.",
            true,
            meters.uploads_begun() as f64,
        ),
        (
            "satchel_upload_bytes_total",
            "Bytes of files read, also of uploads that failed.",
            true,
            meters.upload_bytes() as f64,
        ),
        (
            "satchel_filestack_breaker_open",
            "1 while the workers of this process do not try Filestack.",
            false,
            f64::from(u8::from(services.breaker.opened().is_some())),
        ),
        (
            "satchel_database_connections",
            "Open connections that read.",
            false,
            f64::from(pool.connections),
        ),
        (
            "satchel_database_connections_idle",
            "Of them, those that nobody uses.",
            false,
            f64::from(pool.idle),
        ),
        (
            "satchel_database_connections_max",
            "How many there may be.",
            false,
            f64::from(pool.most),
        ),
        (
            "satchel_panics_total",
            "Handlers, jobs and other work of this process that broke down; the log says where.",
            true,
            telemetry::panics() as f64,
        ),
        (
            "satchel_draining",
            "1 once the server was told to stop.",
            false,
            f64::from(u8::from(state.is_draining())),
        ),
    ];
    for (name, help, counts_up, value) in numbers {
        if counts_up {
            text.counter(name, help);
        } else {
            text.gauge(name, help);
        }
        text.sample(name, &[], value);
    }
}
