//! The handle everything starts from, and the one HTTP client behind it.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use reqwest::{Client, Method, RequestBuilder, redirect};
use rustls::crypto::ring;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use tokio::task::{JoinHandle, JoinSet};
use url::Url;

use super::credentials::{ApiKey, Credentials};
use super::endpoints::Endpoints;
use super::error::{FilestackError, scrub};
use super::handle::Handle;
use super::options::Options;
use super::policy::{Grant, Purpose};
use super::transfers;

/// Shorter than the keep-alive of common servers, so that a kept connection is seldom one that has just been closed.
const POOL_IDLE: Duration = Duration::from_secs(4);
const USER_AGENT: &str = concat!("filestack-rust/", env!("CARGO_PKG_VERSION"));
const SOURCE: &str = concat!("Rust-", env!("CARGO_PKG_VERSION"));

/// A client for one Filestack application. Clones are cheap and share connections.
#[derive(Clone)]
pub struct Filestack {
    inner: Arc<Inner>,
}

struct Inner {
    credentials: Credentials,
    endpoints: Endpoints,
    options: Options,
    http: Client,
}

impl Filestack {
    /// Makes a client; nothing is sent yet.
    ///
    /// # Errors
    /// [`FilestackError::Invalid`] when an address or an option makes no sense.
    pub fn new(
        credentials: Credentials,
        endpoints: Endpoints,
        options: Options,
    ) -> Result<Self, FilestackError> {
        endpoints.check()?;
        options.check()?;
        let http = http_client(&options)?;
        Ok(Self {
            inner: Arc::new(Inner {
                credentials,
                endpoints,
                options,
                http,
            }),
        })
    }

    /// Signs the right to one purpose, from `now` for `ttl`.
    pub fn grant(&self, purpose: Purpose<'_>, now: SystemTime, ttl: Duration) -> Grant {
        Grant::sign(&self.inner.credentials.secret, purpose, now, ttl)
    }

    /// What time Filestack's clock says it is, to the second: policies are judged by it.
    ///
    /// # Errors
    ///
    /// [`FilestackError::Unavailable`] when it cannot be reached or does not say.
    pub async fn time(&self) -> Result<SystemTime, FilestackError> {
        let unsaid = || FilestackError::unavailable("it does not say what time it is");
        let asked = self.request(Method::HEAD, self.inner.endpoints.cdn.clone());
        let reply = asked
            .timeout(Duration::from_secs(5))
            .send()
            .await
            .map_err(|_| FilestackError::unavailable("it does not answer"))?;
        let date = reply.headers().get("date").and_then(|date| date.to_str().ok());
        // RFC 2822 with a zone by name, as HTTP writes it.
        let date = date.ok_or_else(unsaid)?.replace(" GMT", " +0000");
        OffsetDateTime::parse(&date, &Rfc2822)
            .map(SystemTime::from)
            .map_err(|_| unsaid())
    }

    /// The application's public key, which a browser's picker needs too.
    pub fn api_key(&self) -> &ApiKey {
        &self.inner.credentials.api_key
    }

    /// Where this client sends its calls.
    pub fn endpoints(&self) -> &Endpoints {
        &self.inner.endpoints
    }

    /// How this client was tuned.
    pub fn options(&self) -> &Options {
        &self.inner.options
    }

    /// Runs something that keeps a processor busy where this client computes its digests: the caller may have digests of its own.
    pub fn compute<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
        transfers::compute(self.inner.options.transfers.as_ref(), work)
    }

    /// Runs a call where parts are sent, so that they share its connections; it stops when the caller stops waiting.
    pub(super) async fn transfer<T: Send + 'static>(
        &self,
        call: impl Future<Output = Result<T, FilestackError>> + Send + 'static,
    ) -> Result<T, FilestackError> {
        let mut tasks = JoinSet::new();
        transfers::spawn(self.inner.options.transfers.as_ref(), &mut tasks, call);
        match tasks.join_next().await {
            Some(Ok(done)) => done,
            _ => Err(FilestackError::unavailable("a call was interrupted")),
        }
    }

    /// A request to a Filestack service; the caller sets its time limit.
    pub(super) fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.inner
            .http
            .request(method, url)
            .header("Filestack-Source", SOURCE)
    }

    /// A request to storage, which signs its headers: it gets none of ours.
    pub(super) fn storage_request(&self, url: Url) -> RequestBuilder {
        self.inner.http.put(url)
    }

    /// The File API's address of a file, or of something about it.
    pub(super) fn file_url(&self, handle: &Handle, rest: &str) -> Url {
        super::endpoints::at(&self.inner.endpoints.api, &format!("/file/{handle}{rest}"))
    }
}

impl fmt::Debug for Filestack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Filestack")
            .field("api_key", self.api_key())
            .field("endpoints", self.endpoints())
            .finish_non_exhaustive()
    }
}

/// HTTP/1.1 only: parallel parts over one HTTP/2 connection would share its flow-control window and be slower. No
/// redirects: Filestack's API has none, and a redirected call would carry its policy elsewhere. No proxy from the
/// environment: a library must not be steered by variables that its user did not name.
fn http_client(options: &Options) -> Result<Client, FilestackError> {
    let roots = rustls::RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    let tls = rustls::ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| FilestackError::invalid(format!("TLS cannot be set up: {error}")))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Client::builder()
        .tls_backend_preconfigured(tls)
        .http1_only()
        .no_proxy()
        .redirect(redirect::Policy::none())
        .referer(false)
        .user_agent(USER_AGENT)
        .connect_timeout(options.connect_timeout)
        .pool_idle_timeout(POOL_IDLE)
        .build()
        .map_err(|error| FilestackError::invalid(format!("no HTTP client: {}", scrub(&error.to_string()))))
}
