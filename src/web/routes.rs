//! The table of everything that is answered. An address that is here answers 405 to other methods, with those it takes.

use actix_web::guard::{Any, Get, Head};
use actix_web::middleware::from_fn;
use actix_web::{Resource, Route, web};

use super::middleware::contain;
use super::{api, assets, health, hooks, metrics, openapi, pages, reports};

/// Enters every route.
pub fn configure(app: &mut web::ServiceConfig) {
    enter(
        app,
        vec![
            // Addresses are looked for one after the other: what comes by the thousand stands first.
            web::resource("/webhooks/filestack").route(web::post().to(hooks::create)),
            web::resource("/").route(get().to(pages::home::show)),
            web::resource("/healthz").route(get().to(health::live)),
            web::resource("/readyz").route(get().to(health::ready)),
            web::resource("/metrics").route(get().to(metrics::show)),
            web::resource("/docs").route(get().to(pages::docs::show)),
            web::resource("/openapi.json").route(get().to(openapi::show)),
            web::resource("/assets/{file}").route(get().to(assets::serve)),
            web::resource("/favicon.ico").route(get().to(assets::favicon)),
            web::resource("/setup")
                .route(get().to(pages::setup::new))
                .route(web::post().to(pages::setup::create)),
            web::resource("/sign-in")
                .route(get().to(pages::sessions::new))
                .route(web::post().to(pages::sessions::create)),
            web::resource("/sign-out").route(web::post().to(pages::sessions::destroy)),
            web::resource("/password")
                .route(get().to(pages::passwords::new))
                .route(web::post().to(pages::passwords::create)),
            web::resource("/account").route(get().to(pages::account::show)),
            web::resource("/account/password").route(web::post().to(pages::account::change_password)),
            web::resource("/account/theme").route(web::post().to(pages::account::set_theme)),
            web::resource("/account/sessions/deletion").route(web::post().to(pages::account::end_others)),
            web::resource("/account/sessions/{id}/deletion").route(web::post().to(pages::account::end_one)),
            web::resource("/account/tokens").route(web::post().to(pages::account::create_token)),
            web::resource("/account/tokens/{id}/deletion")
                .route(web::post().to(pages::account::revoke_token)),
            web::resource("/documents").route(get().to(pages::documents::index)),
            web::resource("/documents/{id}").route(get().to(pages::documents::show)),
            web::resource("/documents/{id}/events").route(get().to(pages::events::show)),
            web::resource("/documents/{id}/download").route(get().to(pages::documents::download)),
            web::resource("/documents/{id}/results/{result}/download")
                .route(get().to(pages::documents::download_result)),
            web::resource("/documents/{id}/name").route(web::post().to(pages::documents::rename)),
            web::resource("/documents/{id}/description").route(web::post().to(pages::documents::describe)),
            web::resource("/documents/{id}/deletion").route(web::post().to(pages::trash::create_one)),
            web::resource("/documents/{id}/restoration").route(web::post().to(pages::trash::restore_one)),
            web::resource("/tags").route(web::post().to(pages::tags::create)),
            web::resource("/archive").route(web::post().to(pages::archive::create)),
            web::resource("/trash")
                .route(get().to(pages::trash::index))
                .route(web::post().to(pages::trash::create)),
            web::resource("/trash/restorations").route(web::post().to(pages::trash::restore)),
            web::resource("/trash/emptying")
                .route(get().to(pages::trash::confirm_emptying))
                .route(web::post().to(pages::trash::empty)),
            web::resource("/trash/{id}/purge")
                .route(get().to(pages::trash::confirm_purge))
                .route(web::post().to(pages::trash::purge)),
            web::resource("/uploads/new").route(get().to(pages::uploads::new)),
            web::resource("/uploads").route(web::post().to(pages::uploads::create)),
            web::resource("/admin").route(get().to(pages::admin::overview::show)),
            web::resource("/admin/users")
                .route(get().to(pages::admin::users::index))
                .route(web::post().to(pages::admin::users::create)),
            web::resource("/admin/users/{id}").route(get().to(pages::admin::users::show)),
            web::resource("/admin/users/{id}/role").route(web::post().to(pages::admin::users::set_role)),
            web::resource("/admin/users/{id}/state").route(web::post().to(pages::admin::users::set_state)),
            web::resource("/admin/users/{id}/quota").route(web::post().to(pages::admin::users::set_quota)),
            web::resource("/admin/users/{id}/password")
                .route(web::post().to(pages::admin::users::reset_password)),
            web::resource("/admin/users/{id}/sessions")
                .route(web::post().to(pages::admin::users::end_sessions)),
            web::resource("/admin/quota").route(web::post().to(pages::admin::users::set_total)),
            web::resource("/admin/webhooks").route(get().to(pages::admin::webhooks::index)),
            web::resource("/admin/webhooks/refusals").route(get().to(pages::admin::webhooks::refusals)),
            web::resource("/admin/webhooks/samples")
                .route(web::post().to(pages::admin::webhooks::send_sample)),
            web::resource("/admin/webhooks/replay")
                .route(get().to(pages::admin::webhooks::preview_many))
                .route(web::post().to(pages::admin::webhooks::replay_many)),
            web::resource("/admin/webhooks/{id}").route(get().to(pages::admin::webhooks::show)),
            web::resource("/admin/webhooks/{id}/replay")
                .route(get().to(pages::admin::webhooks::preview_one))
                .route(web::post().to(pages::admin::webhooks::replay_one)),
            web::resource("/admin/audit").route(get().to(pages::admin::audit::index)),
            web::resource("/admin/documents").route(get().to(pages::admin::documents::index)),
            web::resource("/admin/documents/{id}")
                .route(get().to(pages::admin::documents::show))
                .route(web::post().to(pages::admin::documents::open)),
            web::resource("/admin/documents/{id}/download")
                .route(get().to(pages::admin::documents::download)),
            web::resource("/admin/settings").route(get().to(pages::admin::system::settings)),
            web::resource("/admin/system").route(get().to(pages::admin::system::show)),
            web::resource("/admin/jobs").route(get().to(pages::admin::jobs::index)),
            web::resource("/admin/jobs/attempts")
                .route(get().to(pages::admin::jobs::preview_attempts))
                .route(web::post().to(pages::admin::jobs::attempt_failed)),
            web::resource("/admin/jobs/{id}/attempt").route(web::post().to(pages::admin::jobs::attempt)),
            web::resource("/admin/jobs/{id}/cancellation").route(web::post().to(pages::admin::jobs::cancel)),
            web::resource(["/api/uploads", "/api/uploads/"]).route(web::post().to(api::uploads::create)),
            web::resource("/api/uploads/v2").route(web::post().to(api::uploads::create_v2)),
            web::resource("/api/uploads/picker-config").route(get().to(api::picker::config)),
            web::resource("/api/uploads/register").route(web::post().to(api::picker::register)),
            web::resource("/api/uploads/import").route(web::post().to(api::import::create)),
            web::resource("/api/uploads/with-processing")
                .route(web::post().to(api::uploads::create_with_processing)),
            web::resource("/api/uploads/{id}/download-url").route(get().to(api::uploads::download_url)),
            web::resource("/api/uploads/{id}/thumbnail").route(get().to(api::uploads::thumbnail)),
            web::resource("/api/account").route(get().to(api::account::show)),
            web::resource("/api/documents").route(get().to(api::documents::index)),
            web::resource("/api/documents/{id}")
                .route(get().to(api::documents::show))
                .route(web::patch().to(api::documents::update))
                .route(web::delete().to(api::documents::destroy)),
            web::resource("/api/documents/{id}/jobs").route(get().to(api::documents::jobs)),
            web::resource("/api/documents/{id}/results").route(get().to(api::documents::results)),
            web::resource("/api/documents/{id}/restoration").route(web::post().to(api::documents::restore)),
            web::resource("/api/archive").route(web::post().to(api::archive::create)),
            web::resource("/api/tags").route(web::post().to(api::tags::create)),
            web::resource("/api/trash")
                .route(get().to(api::trash::index))
                .route(web::post().to(api::trash::create))
                .route(web::delete().to(api::trash::empty)),
            web::resource("/api/trash/restorations").route(web::post().to(api::trash::restore)),
            web::resource("/api/trash/{id}").route(web::delete().to(api::trash::destroy)),
            web::resource("/csp-reports").route(web::post().to(reports::create)),
        ],
    );
}

/// Enters these; a handler that panics answers 500 (X3).
pub fn enter(app: &mut web::ServiceConfig, resources: Vec<Resource>) {
    for resource in resources {
        app.service(resource.wrap(from_fn(contain)));
    }
}

/// GET, and HEAD for whoever wants the headers alone.
fn get() -> Route {
    web::route().guard(Any(Get()).or(Head()))
}
