//! What every request can reach: the services, and what the configuration says about HTTP.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use actix_web::http::header::HeaderValue;
use url::Url;

use crate::config::Secret;
use crate::config::Shown;
use crate::filestack::webhook::WebhookSecret;
use crate::services::Services;
use crate::services::import::Importer;
use crate::web::PickerSettings;
use crate::web::hooks::{Budget, Sampler};
use crate::web::limits::Limits;
use crate::web::metrics::Requests;
use crate::web::reports::{PATH as REPORTS, Reports};
use crate::web::streams::Streams;

/// What the configuration says about HTTP.
pub struct WebSettings {
    /// Where people find us: scheme, host and port.
    pub public_url: Url,
    /// Whether somebody said so; if not, any name of this computer's loopback with the right port will do.
    pub public_url_is_set: bool,
    /// Proxies whose word about the client's address is taken.
    pub trusted_proxies: Vec<IpAddr>,
    /// Where browsers get pictures from: the origin of Filestack's CDN.
    pub cdn_origin: String,
    /// Whether files are kept by the emulator.
    pub emulator: bool,
    /// How long the head of a request may take to arrive.
    pub head: Duration,
    /// For how long an upload's client may send nothing while we are ready to read.
    pub stall: Duration,
    /// Uploads that do not pass through us.
    pub picker: PickerSettings,
    /// Where files may be imported from, if from anywhere.
    pub import: Option<Importer>,
    /// How many requests a minute each API token may make, if that is bounded.
    pub api_rate: Option<u32>,
    /// Every setting as it may be shown to administrators.
    pub shown: Shown,
    /// Secrets of inbound webhooks, the present one first; without any they are not taken.
    pub webhook_secrets: Vec<WebhookSecret>,
    /// What a scraper may send instead of being an administrator.
    pub metrics_token: Option<Secret>,
}

/// What every request can reach. Clones share it.
#[derive(Clone)]
pub struct AppState(Arc<Inner>);

/// The parts of [`AppState`].
pub struct Inner {
    /// The verbs.
    pub services: Services,
    /// What the configuration says about HTTP.
    pub settings: WebSettings,
    /// The `Content-Security-Policy` of every answer.
    pub content_security_policy: HeaderValue,
    /// Memory of webhooks that are being read.
    pub webhook_budget: Budget,
    /// Which refused webhooks are kept.
    pub webhook_samples: Sampler,
    /// How often whom may do what.
    pub limits: Limits,
    /// Who is told of progress.
    pub streams: Streams,
    /// What browsers refused on our pages.
    pub reports: Reports,
    /// Requests, counted.
    pub requests: Requests,
    draining: AtomicBool,
    at_work: AtomicUsize,
}

impl std::ops::Deref for AppState {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl AppState {
    /// Brings both together.
    pub fn new(services: Services, settings: WebSettings) -> Self {
        let content_security_policy = content_security_policy(&settings.cdn_origin);
        let limits = Limits::new(settings.api_rate);
        AppState(Arc::new(Inner {
            services,
            settings,
            limits,
            content_security_policy,
            webhook_budget: Budget::default(),
            webhook_samples: Sampler::default(),
            streams: Streams::default(),
            reports: Reports::default(),
            requests: Requests::default(),
            draining: AtomicBool::new(false),
            at_work: AtomicUsize::new(0),
        }))
    }

    /// From now on new requests are turned away: the server is stopping.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// A request is being worked on for as long as what this gives lives.
    pub fn begin_work(&self) -> AtWork {
        self.at_work.fetch_add(1, Ordering::Relaxed);
        AtWork(self.clone())
    }

    /// Whether any request is being worked on.
    pub fn is_at_work(&self) -> bool {
        self.at_work.load(Ordering::Relaxed) > 0
    }

    /// Whether new requests are turned away.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}

/// A request that is being worked on.
pub struct AtWork(AppState);

impl Drop for AtWork {
    fn drop(&mut self) {
        self.0.at_work.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Nothing is allowed but our own files, and pictures from the CDN that documents are served from.
fn content_security_policy(cdn_origin: &str) -> HeaderValue {
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' {cdn_origin}; connect-src 'self'; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'; report-uri {REPORTS}"
    );
    HeaderValue::from_str(&policy).expect("the origin of a URL is printable ASCII")
}
