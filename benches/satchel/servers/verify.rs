//! The application's own webhook endpoint with everything round it, but for the storing.

use std::net::TcpListener;
use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web};
use satchel::app;
use satchel::clock::Clock;
use satchel::config::{Config, Vars};
use satchel::db::{Db, Location};
use satchel::error::AppError;
use satchel::web::hooks::{self, Received};
use satchel::web::{AppState, WebSettings, enter, serve_of};

use crate::Outcome;
use crate::install::{API_KEY, APP_SECRET, WEBHOOK_SECRET};

pub async fn serve(listener: TcpListener) -> Outcome<()> {
    let directory = tempfile::tempdir()?;
    let vars: Vars = [
        (
            "SATCHEL_DATA_DIR",
            directory.path().to_str().ok_or("the directory is not UTF-8")?,
        ),
        ("FILESTACK_API_KEY", API_KEY),
        ("FILESTACK_APP_SECRET", APP_SECRET),
        ("FILESTACK_WEBHOOK_SECRET", WEBHOOK_SECRET),
    ]
    .into_iter()
    .collect();
    let config = Config::from_vars(&vars)?;
    let db = Db::open(Location::Sqlite(directory.path().join("unused.db")))?;
    let services = app::services(&config, db, Clock::system(), None)?;
    let settings = WebSettings {
        webhook_secrets: app::webhook_secrets(&config)?,
        ..app::web_settings(&config, &services, listener.local_addr()?, None)?
    };
    let state = AppState::new(services, settings);
    Ok(serve_of(listener, state, configure, app::workers(), Duration::ZERO)?.await?)
}

fn configure(app: &mut web::ServiceConfig) {
    enter(
        app,
        vec![web::resource("/webhooks/filestack").route(web::post().to(verify))],
    );
}

async fn verify(
    state: web::Data<AppState>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, AppError> {
    match hooks::receive(&state, &request, payload).await? {
        Received::Verified(..) => Ok(hooks::accepted()),
        Received::Refused(refusal) => Ok(refusal),
    }
}
