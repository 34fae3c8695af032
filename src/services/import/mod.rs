//! Import: a file fetched from an address that somebody names, received like any upload.
//!
//! The server is made to talk to others by whoever may upload, so it is off unless somebody has switched it on. Each hop is vetted by
//! itself (`vet`), the connection goes to the addresses that were vetted and to no others, and every failure is the same sentence, so
//! that nobody can map a network by asking (G1–G6).

mod vet;

use std::io;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{ACCEPT_ENCODING, CONTENT_TYPE, LOCATION};
use reqwest::{Client, Response, redirect};
use rustls::crypto::ring;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout, timeout_at};
use url::Url;

use crate::db::models::users::User;
use crate::error::AppError;
use crate::services::Services;
use crate::services::audit::Actor;
use crate::services::idempotency::Held;
use crate::services::processing::chain::Wish;
use crate::services::uploads::{self, By, NewFile, Received, Size, Source};
use vet::{Vet, Vetted};

/// Imports of this process at once.
const AT_ONCE: usize = 4;
/// Redirects that are followed.
const HOPS: usize = 5;
/// Until the head of the last reply is there, all hops together.
const HEAD: Duration = Duration::from_secs(20);
/// Between two pieces of the file.
const SILENCE: Duration = Duration::from_secs(30);
/// For the whole of it.
const WHOLE: Duration = Duration::from_secs(3_600);
/// Longer addresses are none that people name.
const LONGEST_URL: usize = 4_096;

/// What may be imported from where. Clones share how many run at once.
#[derive(Clone, Debug)]
pub struct Importer {
    vet: Vet,
    at_once: Arc<Semaphore>,
}

impl Importer {
    /// From public hosts, from these hosts and ports wherever they are, or from both.
    pub fn new(is_public: bool, places: Vec<(String, u16)>) -> Self {
        Importer {
            vet: Vet::new(is_public, places),
            at_once: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    /// The last of the hops, whose reply is the file.
    async fn follow(&self, address: &str) -> Result<(Url, Response), &'static str> {
        if address.len() > LONGEST_URL {
            return Err("length");
        }
        let mut url = Url::parse(address.trim()).map_err(|_| "url")?;
        for _ in 0..=HOPS {
            let reply = self.get(&url).await?;
            if reply.status().is_success() {
                return Ok((url, reply));
            }
            if !matches!(reply.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
                return Err("status");
            }
            let place = reply
                .headers()
                .get(LOCATION)
                .and_then(|place| place.to_str().ok());
            let next = place.and_then(|place| url.join(place).ok()).ok_or("redirect")?;
            if url.scheme() == "https" && next.scheme() != "https" {
                return Err("redirect");
            }
            url = next;
        }
        Err("redirects")
    }

    /// One hop.
    async fn get(&self, url: &Url) -> Result<Response, &'static str> {
        let Vetted { name, addresses } = self.vet.check(url, look_up).await?;
        let roots = rustls::RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        };
        let tls = rustls::ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|_| "tls")?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let mut builder = Client::builder()
            .tls_backend_preconfigured(tls)
            .http1_only()
            .no_proxy()
            .referer(false)
            .redirect(redirect::Policy::none());
        if let Some(name) = &name {
            builder = builder.resolve_to_addrs(name, &addresses);
        }
        let client = builder.build().map_err(|_| "client")?;
        let request = client
            .get(url.clone())
            .header(ACCEPT_ENCODING, "identity")
            .header("User-Agent", concat!("Satchel/", env!("CARGO_PKG_VERSION")));
        request.send().await.map_err(|_| "connection")
    }
}

/// Fetches a file and makes a document of it.
///
/// # Errors
///
/// One and the same [`AppError::Invalid`] for whatever could not or may not be fetched, [`AppError::Unavailable`] when too many are
/// being fetched, and those of any upload.
pub async fn import(
    services: &Services,
    importer: &Importer,
    owner: &User,
    actor: &Actor,
    address: &str,
    name: Option<&str>,
    once: Option<Held>,
) -> Result<Received, AppError> {
    let Ok(_permit) = importer.at_once.try_acquire() else {
        return Err(AppError::Unavailable {
            code: "imports-busy",
            detail: "Other files are being imported. Try again in a moment.".to_owned(),
            retry_after: Duration::from_secs(5),
        });
    };
    let until = Instant::now() + WHOLE;
    let followed = timeout(HEAD, importer.follow(address)).await;
    let (url, reply) = followed.unwrap_or(Err("time")).map_err(not_fetched)?;
    let declared_type = reply
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or_default()
        .to_owned();
    let file = NewFile {
        name: name.map_or_else(|| name_of(&url), str::to_owned),
        declared_type,
        size: reply
            .content_length()
            .map_or(Size::AtMost(u64::MAX), Size::Declared),
        wish: Wish::Nothing,
    };
    let by = By {
        actor: actor.clone(),
        via: "an import from a URL",
    };
    uploads::receive_once(services, owner, by, file, &mut Incoming { reply, until }, once).await
}

/// A reply's body as it comes in.
struct Incoming {
    reply: Response,
    until: Instant,
}

impl Source for Incoming {
    async fn chunk(&mut self) -> Result<Option<Bytes>, AppError> {
        let until = self.until.min(Instant::now() + SILENCE);
        timeout_at(until, self.reply.chunk())
            .await
            .map_err(|_| not_fetched("time"))?
            .map_err(|_| not_fetched("broken off"))
    }
}

/// The last step of the path, or the host.
fn name_of(url: &Url) -> String {
    let step = url.path().rsplit('/').next().unwrap_or_default();
    let pair = format!("={}", step.replace('+', "%2B").replace('&', "%26"));
    let name = url::form_urlencoded::parse(pair.as_bytes())
        .next()
        .map(|(_, name)| name.into_owned());
    name.filter(|name| !name.trim().is_empty())
        .unwrap_or_else(|| url.host_str().unwrap_or("imported").to_owned())
}

fn not_fetched(reason: &'static str) -> AppError {
    log::info!(event = "import-refused", reason; "a file was not imported: {reason}");
    AppError::invalid(
        "import-failed",
        "The file could not be fetched. Check that the address begins with http:// or https://, opens in a browser without signing \
         in, and leads to a public server; or download the file and upload it.",
    )
}

async fn look_up(name: String, port: u16) -> io::Result<Vec<SocketAddr>> {
    let looking = tokio::task::spawn_blocking(move || (name, port).to_socket_addrs().map(Iterator::collect));
    looking.await.map_err(io::Error::other)?
}
