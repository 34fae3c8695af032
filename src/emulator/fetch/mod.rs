//! Fetching what a client names (§3.11, §4, §5), which is the one way a stranger could make the emulator talk to this machine's neighbours.
//!
//! Every hop is vetted by itself (`vet`): only http and https, the usual ports, and a host all of whose addresses are public.
//! The connection goes to the addresses that were vetted, not to a second look-up. The emulator's own origin is always
//! allowed, other places in those ranges only when they were named at the start. Every failure has the same text, so that
//! nobody can map a network by asking.

mod vet;

#[cfg(test)]
mod tests;

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::{ContentDisposition, HeaderValue};
use bytes::Bytes;
use reqwest::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderMap, HeaderName, LOCATION};
use reqwest::{Client, Response, redirect};
use rustls::crypto::ring;
use tokio::time::{Instant, timeout, timeout_at};
use url::Url;

use vet::{Resolve, Vet, Vetted};

/// Redirects that are followed.
const MAX_HOPS: usize = 5;
const MAX_NAME_CHARS: usize = 255;
const MAX_TYPE_CHARS: usize = 255;
/// Headers that say how the message is framed or for whom it is; a client may not set them for us.
const OURS: [&str; 12] = [
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "te",
    "trailer",
    "upgrade",
    "expect",
    "proxy-authorization",
    "proxy-connection",
    "range",
];

/// How long things may take.
#[derive(Clone, Copy, Debug)]
struct Limits {
    /// Until the head of the last reply is there, all hops together.
    head: Duration,
    /// Between two pieces of the body.
    silence: Duration,
    /// Everything.
    whole: Duration,
}

const LIMITS: Limits = Limits {
    head: Duration::from_secs(30),
    silence: Duration::from_secs(30),
    whole: Duration::from_secs(30 * 60),
};

/// Why something was not fetched. For the log only: what a client learns is the one sentence of [`NotFetched`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reason {
    Url,
    Scheme,
    Userinfo,
    Port,
    Unresolved,
    Address,
    Redirects,
    Connection,
    Status,
    Size,
    Time,
    BrokenOff,
}

/// Something that could not or may not be fetched.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotFetched(Reason);

impl fmt::Display for NotFetched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "The source could not be fetched. The emulator fetches from public hosts by http and https; \
             others have to be named when it is started (--allow-fetch HOST:PORT)",
        )
    }
}

impl From<Reason> for NotFetched {
    fn from(reason: Reason) -> Self {
        log::info!("emulator: a source was not fetched: {reason:?}");
        Self(reason)
    }
}

/// TLS as the public web has it.
pub(super) fn tls() -> rustls::ClientConfig {
    let roots = rustls::RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    rustls::ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring does the default versions of TLS")
        .with_root_certificates(roots)
        .with_no_client_auth()
}

/// Fetches, guarded. Clones share nothing but settings.
#[derive(Clone)]
pub(super) struct Fetcher {
    vet: Vet,
    limits: Limits,
    tls: rustls::ClientConfig,
}

impl Fetcher {
    /// For an emulator that listens at `own`; `named` are hosts and ports that may be anywhere.
    pub(super) fn new(own: SocketAddr, named: Vec<(String, u16)>) -> Self {
        Self::with(own, named, vet::system(), LIMITS)
    }

    fn with(own: SocketAddr, named: Vec<(String, u16)>, resolve: Resolve, limits: Limits) -> Self {
        Self {
            vet: Vet::new(own, named, resolve),
            limits,
            tls: tls(),
        }
    }

    /// Asks for a source and waits for the head of the reply. `most` bytes of body will be read.
    pub(super) async fn open(
        &self,
        url: &str,
        headers: &[(String, String)],
        most: u64,
    ) -> Result<Incoming, NotFetched> {
        let until = Instant::now() + self.limits.whole;
        let (url, reply) = timeout(self.limits.head, self.follow(url, headers))
            .await
            .map_err(|_| Reason::Time)??;
        if reply.content_length().is_some_and(|length| length > most) {
            return Err(Reason::Size.into());
        }
        Ok(Incoming {
            filename: filename(&url, reply.headers()),
            mimetype: mimetype(reply.headers()),
            reply,
            left: most,
            silence: self.limits.silence,
            until,
        })
    }

    async fn follow(&self, url: &str, headers: &[(String, String)]) -> Result<(Url, Response), Reason> {
        let mut url = Url::parse(url).map_err(|_| Reason::Url)?;
        let mut headers = sendable(headers);
        for _ in 0..=MAX_HOPS {
            let reply = self.get(&url, headers.clone()).await?;
            if reply.status().is_success() {
                return Ok((url, reply));
            }
            let next = next_hop(&url, &reply).ok_or(Reason::Status)?;
            // What was meant for one host is not for another.
            if next.origin() != url.origin() {
                headers.clear();
            }
            url = next;
        }
        Err(Reason::Redirects)
    }

    /// One hop, to no other address than those that were vetted.
    async fn get(&self, url: &Url, headers: HeaderMap) -> Result<Response, Reason> {
        let Vetted { name, addresses } = self.vet.check(url).await?;
        let mut builder = Client::builder()
            .tls_backend_preconfigured(self.tls.clone())
            .no_proxy()
            .referer(false)
            .redirect(redirect::Policy::none());
        // An address in the URL is connected to as it is; it is the one that was vetted.
        if let Some(name) = &name {
            builder = builder.resolve_to_addrs(name, &addresses);
        }
        let client = builder.build().map_err(|_| Reason::Connection)?;
        let request = client
            .get(url.clone())
            .header("User-Agent", "filestack-emulator")
            .headers(headers);
        request.send().await.map_err(|_| Reason::Connection)
    }
}

fn next_hop(url: &Url, reply: &Response) -> Option<Url> {
    let place = reply.headers().get(LOCATION)?.to_str().ok()?;
    let redirects = matches!(reply.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    redirects.then(|| url.join(place).ok()).flatten()
}

fn sendable(headers: &[(String, String)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let pair = (name.parse::<HeaderName>(), value.parse());
        if let (Ok(name), Ok(value)) = pair
            && !OURS.contains(&name.as_str())
        {
            map.append(name, value);
        }
    }
    map
}

/// What the host calls it, else the last step of its address.
fn filename(url: &Url, headers: &HeaderMap) -> Option<String> {
    let told = headers.get(CONTENT_DISPOSITION).and_then(|value| {
        let value = HeaderValue::from_bytes(value.as_bytes()).ok()?;
        let disposition = ContentDisposition::from_raw(&value).ok()?;
        let extended = disposition.get_filename_ext();
        let extended = extended.and_then(|name| String::from_utf8(name.value.clone()).ok());
        extended.or_else(|| disposition.get_filename().map(str::to_owned))
    });
    let step = || {
        let pair = format!("={}", url.path().rsplit('/').next()?.replace('+', "%2B"));
        let (_, name) = url::form_urlencoded::parse(pair.as_bytes()).next()?;
        Some(name.into_owned())
    };
    let name = told.or_else(step)?;
    let name = name.rsplit(['/', '\\']).next()?;
    let name: String = name
        .chars()
        .filter(|letter| !letter.is_control())
        .take(MAX_NAME_CHARS)
        .collect();
    (!name.is_empty()).then_some(name)
}

fn mimetype(headers: &HeaderMap) -> Option<String> {
    let kind = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let fits = kind.contains('/') && kind.chars().count() <= MAX_TYPE_CHARS;
    fits.then(|| kind.to_owned())
}

/// A reply whose body is still to be read.
pub(super) struct Incoming {
    /// What the source calls itself.
    pub(super) filename: Option<String>,
    /// The type it says it has.
    pub(super) mimetype: Option<String>,
    reply: Response,
    left: u64,
    silence: Duration,
    until: Instant,
}

impl Incoming {
    /// The next bytes, `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, NotFetched> {
        let until = self.until.min(Instant::now() + self.silence);
        let chunk = timeout_at(until, self.reply.chunk())
            .await
            .map_err(|_| Reason::Time)?
            .map_err(|_| Reason::BrokenOff)?;
        if let Some(bytes) = &chunk {
            self.left = self.left.checked_sub(bytes.len() as u64).ok_or(Reason::Size)?;
        }
        Ok(chunk)
    }
}
