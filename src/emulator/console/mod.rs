//! The control surface, `/__emulator/`: a page for people, JSON for programs. Both are thin layers on [`Controls`].
//!
//! | Route below `/__emulator` | Does |
//! |---|---|
//! | `GET /` | the page; its forms post to `/calls`, `/webhooks`, `/clock`, `/faults`, `/apps`, `/workflows`, `/snapshots`, `/reset` |
//! | `GET`, `DELETE /api/calls` | the calls that came; `?after=ID`, `?limit=N`, `?route=R`, `?verdict=V` |
//! | `GET /api/files` | the files, newest first; `?limit=N` |
//! | `GET`, `POST /api/webhooks` | webhooks, newest first, by `?state=S`, `endpoint`, `action`, `handle`, `event`, `before`, `limit`; tells of an event: `{"action": A, "text": {…}}` |
//! | `GET /api/webhooks/ID`, `POST …/ID/send-again` | one, with every attempt; another attempt |
//! | `GET`, `POST /api/webhooks/endpoints`, `DELETE …/endpoints/ID` | `{"url": U, "secret": S, "app": K}` |
//! | `GET`, `POST`, `DELETE /api/faults` | failures on demand; `{"webhook": F, "endpoint": ID}` for webhooks; `DELETE ?route=R` or `?webhooks=true` for some |
//! | `GET`, `POST /api/clock` | `{"action": "shift", "seconds": N}`, `freeze` (`at`, or now), `resume` |
//! | `GET`, `POST /api/apps` | `{"key": K, "secured": true}` |
//! | `GET`, `POST /api/snapshot` | `{"action": "save", "name": N}`, `load`, `delete` |
//! | `GET`, `POST`, `DELETE /api/workflows` | `{"tasks": "virus_detection,tags"}` and, if wanted, `id` and `app`; `DELETE ?id=UUID` |
//! | `GET`, `POST /api/processing` | `{"seconds": N}`: how long workflows and conversions of film take |
//! | `POST /api/reset` | as at the start, snapshots stay |
//!
//! It changes things without a password, so `guard` keeps other computers and other sites out. `commands` is what can be
//! asked for, whichever way it came.

mod api;
mod commands;
mod forms;
mod guard;
mod page;
mod webhook_rows;
mod webhooks;
mod workflows;

use std::net::SocketAddr;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION};
use actix_web::middleware::from_fn;
use actix_web::{HttpRequest, HttpResponse, web};
use url::Url;

use super::controls::Controls;

/// The largest body of a request: the text of a made-up reply, mostly.
const MAX_BODY: usize = 64 * 1024;
const STYLE: &str = include_str!("../../../assets/emulator/console.css");
const ICON: &str = include_str!("../../../assets/emulator/icon.svg");

/// What the surface works on, and who may reach it.
pub(super) struct Console {
    controls: Controls,
    /// Whether there is a control surface at all.
    open: bool,
    /// Where people find it, when that is not by its own address.
    public: Option<Url>,
    address: SocketAddr,
}

impl Console {
    pub(super) fn new(config: &super::Config, controls: Controls, address: SocketAddr) -> Self {
        Self {
            controls,
            open: config
                .control_surface
                .unwrap_or_else(|| address.ip().is_loopback()),
            public: config
                .public_url
                .as_deref()
                .and_then(|text| Url::parse(text).ok()),
            address,
        }
    }

    /// The origin to tell people.
    fn origin(&self) -> String {
        match &self.public {
            Some(url) => url.origin().ascii_serialization(),
            None => format!("http://{}", self.address),
        }
    }
}

/// Whether a routed path is the surface's.
pub(super) fn is_below(path: &str) -> bool {
    path.strip_prefix("/__emulator")
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The surface's routes; they want a [`Console`] as data.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    let scope = web::scope("/__emulator")
        .wrap(from_fn(guard::guard))
        .app_data(web::PayloadConfig::new(MAX_BODY))
        .app_data(web::FormConfig::default().limit(MAX_BODY))
        .service(web::resource("").route(web::get().to(to_page)))
        .service(web::resource("/").route(web::get().to(page::show)))
        .service(web::resource("/assets/console.css").route(web::get().to(style)))
        .service(web::resource("/assets/icon.svg").route(web::get().to(icon)))
        .service(web::resource("/api/").route(web::get().to(api::index)))
        .service(
            web::resource("/api/calls")
                .route(web::get().to(api::calls))
                .route(web::delete().to(api::forget_calls)),
        )
        .service(web::resource("/api/files").route(web::get().to(api::files)))
        .service(
            web::resource("/api/webhooks")
                .route(web::get().to(webhooks::list))
                .route(web::post().to(webhooks::tell)),
        )
        .service(
            web::resource("/api/webhooks/endpoints")
                .route(web::get().to(webhooks::endpoints))
                .route(web::post().to(webhooks::add_endpoint)),
        )
        .service(
            web::resource("/api/webhooks/endpoints/{id}").route(web::delete().to(webhooks::remove_endpoint)),
        )
        .service(web::resource("/api/webhooks/{id}").route(web::get().to(webhooks::one)))
        .service(web::resource("/api/webhooks/{id}/send-again").route(web::post().to(webhooks::send_again)))
        .service(
            web::resource("/api/faults")
                .route(web::get().to(api::faults))
                .route(web::post().to(api::add_fault))
                .route(web::delete().to(api::clear_faults)),
        )
        .service(
            web::resource("/api/clock")
                .route(web::get().to(api::clock))
                .route(web::post().to(api::set_clock)),
        )
        .service(
            web::resource("/api/apps")
                .route(web::get().to(api::apps))
                .route(web::post().to(api::set_app)),
        )
        .service(
            web::resource("/api/snapshot")
                .route(web::get().to(api::snapshots))
                .route(web::post().to(api::change_snapshot)),
        )
        .service(
            web::resource("/api/workflows")
                .route(web::get().to(workflows::index))
                .route(web::post().to(workflows::create))
                .route(web::delete().to(workflows::destroy)),
        )
        .service(
            web::resource("/api/processing")
                .route(web::get().to(workflows::show_processing))
                .route(web::post().to(workflows::set_processing)),
        )
        .service(web::resource("/api/reset").route(web::post().to(api::reset)))
        .service(web::resource("/{area}").route(web::post().to(forms::change)))
        .default_service(web::to(not_found));
    config.service(scope);
}

async fn to_page() -> HttpResponse {
    HttpResponse::MovedPermanently()
        .insert_header((LOCATION, "/__emulator/"))
        .finish()
}

async fn style() -> HttpResponse {
    asset("text/css; charset=utf-8", STYLE)
}

async fn icon() -> HttpResponse {
    asset("image/svg+xml", ICON)
}

fn asset(kind: &'static str, content: &'static str) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, kind))
        .insert_header((CACHE_CONTROL, "no-cache"))
        .body(content)
}

async fn not_found(_: HttpRequest) -> commands::Outcome<HttpResponse> {
    Err(commands::Wrong::missing(
        "There is nothing here; the page is at /__emulator/, the JSON at /__emulator/api/",
    ))
}
