//! The emulator's routes. `edge` is round all of them; the rest has a file per host or per job.

mod base64;
mod body;
mod cdn;
mod credentials;
mod delivery;
mod edge;
mod files;
mod flows;
mod form;
mod form_data;
mod headers;
mod intake;
mod job;
mod kept;
mod later;
mod made_by;
mod metadata;
mod multipart;
mod pace;
mod paths;
mod prefetch;
mod process;
mod product;
mod ranges;
mod record;
mod rest_store;
mod scripts;
mod small;
mod sources;
mod storage;
mod tap;
mod writer;
mod zip;

use std::net::SocketAddr;

use actix_web::{HttpRequest, web};
use tokio::sync::Semaphore;

pub(super) use edge::{edge, on_connect};
pub(super) use paths::is_plain_path;
pub(super) use scripts::CLIENT as CLIENT_SCRIPT;

use super::apps::Apps;
use super::controls::Controls;
use super::fetch::Fetcher;
use super::ids;
use super::uploads::Uploads;

/// Transformations that may run at once: each holds a whole decoded image.
const TRANSFORMS_AT_ONCE: usize = 2;

/// What every handler may use.
pub(super) struct State {
    pub apps: Apps,
    pub controls: Controls,
    pub uploads: Uploads,
    pub transforms: Semaphore,
    pub address: SocketAddr,
    pub fetcher: Fetcher,
    /// Scheme and authority when they are fixed, as behind a proxy.
    pub public: Option<Base>,
    pub intelligent_ingestion: bool,
    pub max_file_bytes: u64,
    pub min_part_bytes: u64,
    pub max_image_bytes: u64,
    /// What browsers get as Filestack's client.
    pub client_script: web::Bytes,
    /// Signs part URLs; made at start, so they end with the process.
    pub ticket_key: String,
}

impl State {
    pub(super) fn new(config: &super::Config, apps: Apps, controls: Controls, address: SocketAddr) -> Self {
        let public = config.public_url.as_deref().and_then(Base::parse);
        Self {
            fetcher: Fetcher::new(address, named(config)),
            apps,
            uploads: Uploads::new(controls.store().clone()),
            controls,
            transforms: Semaphore::new(TRANSFORMS_AT_ONCE),
            address,
            public,
            intelligent_ingestion: config.intelligent_ingestion,
            max_file_bytes: config.max_file_bytes,
            min_part_bytes: config.min_part_bytes,
            max_image_bytes: config.max_image_bytes,
            client_script: web::Bytes::from(config.client_script().to_owned()),
            ticket_key: ids::alphanumeric(40),
        }
    }

    /// Where the client reached us, which is where it can reach us again.
    fn base(&self, req: &HttpRequest) -> Base {
        if let Some(public) = &self.public {
            return public.clone();
        }
        let named = req
            .headers()
            .get("Host")
            .and_then(|host| host.to_str().ok())
            .filter(|host| {
                let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".:-_[]".contains(&byte);
                !host.is_empty() && host.bytes().all(plain)
            });
        let authority = named.map_or_else(|| self.address.to_string(), str::to_owned);
        Base {
            scheme: "http".into(),
            authority,
        }
    }
}

/// The hosts that may be fetched from wherever they are: those named for it, and our own public name.
fn named(config: &super::Config) -> Vec<(String, u16)> {
    let own = config.public_url.as_deref();
    let own = own.and_then(|url| {
        let url = url::Url::parse(url).ok()?;
        Some((url.host_str()?.to_owned(), url.port_or_known_default()?))
    });
    config.allow_fetch.iter().cloned().chain(own).collect()
}

/// Scheme and authority of the emulator's one origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Base {
    pub scheme: String,
    pub authority: String,
}

impl Base {
    /// Reads an origin such as `https://files.example.org`; `None` for anything else.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let url = url::Url::parse(text).ok()?;
        let plain = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        let nobody = url.username().is_empty() && url.password().is_none();
        if !plain || !nobody || !matches!(url.scheme(), "http" | "https") {
            return None;
        }
        Some(Self {
            scheme: url.scheme().to_owned(),
            authority: url.authority().to_owned(),
        })
    }

    fn url(&self, path: &str) -> String {
        format!("{}://{}/{path}", self.scheme, self.authority)
    }
}

/// The route table (§13).
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(web::resource("/multipart/start").route(web::post().to(multipart::start)))
        .service(web::resource("/multipart/upload").route(web::post().to(multipart::part_url)))
        .service(web::resource("/multipart/commit").route(web::post().to(multipart::commit)))
        .service(web::resource("/multipart/complete").route(web::post().to(multipart::complete)))
        .service(web::resource("/storage/{upload}").route(web::put().to(storage::put)))
        .service(web::resource("/prefetch").route(web::post().to(prefetch::prefetch)))
        .service(web::resource("/process").route(web::post().to(process::process)))
        .service(web::resource("/api/store/{location}").route(web::post().to(rest_store::store)))
        .service(web::resource("/api/file/{handle}/metadata").route(web::get().to(files::metadata)))
        .service(web::resource("/api/file/{handle}/remove").route(web::post().to(files::delete)))
        .service(
            web::resource("/api/file/{handle}")
                .route(web::get().to(files::show))
                .route(web::head().to(files::show))
                .route(web::post().to(files::overwrite))
                .route(web::delete().to(files::delete)),
        )
        .service(web::resource("/folder/list").route(web::post().to(small::cloud)))
        .service(web::resource("/store/").route(web::post().to(small::cloud)))
        .service(web::resource("/auth/logout").route(web::post().to(small::cloud)))
        .service(web::resource("/metadata").route(web::post().to(small::cloud)))
        .service(
            web::resource("/filestack-js/{version}/filestack.min.js")
                .route(web::get().to(scripts::client))
                .route(web::head().to(scripts::client)),
        )
        .service(
            web::resource(["/picker/picker.js", "/picker/{version}/picker.js"])
                .route(web::get().to(scripts::picker))
                .route(web::head().to(scripts::picker)),
        )
        .default_service(web::to(cdn::show));
}
