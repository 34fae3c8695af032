//! Where the application listens and under what name it is known: `SATCHEL_BIND`, `SATCHEL_PUBLIC_URL`,
//! `SATCHEL_TRUSTED_PROXIES`, `SATCHEL_DRAIN_SECONDS`; who may read `/metrics`: `SATCHEL_METRICS_TOKEN`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use url::Url;

use super::error::{ConfigError, quoted};
use super::parse;
use super::secrets::Secret;
use super::vars::Vars;

const DEFAULT_BIND: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);
const DEFAULT_DRAIN_SECONDS: u64 = 5;
const LONGEST_DRAIN_SECONDS: u64 = 86_400;
pub(super) const METRICS_TOKEN: &str = "SATCHEL_METRICS_TOKEN";
const SHORTEST_TOKEN: usize = 16;

/// The application's own HTTP server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpConfig {
    /// The address to listen on; port 0 takes any free one.
    pub bind: SocketAddr,
    /// The origin under which browsers reach us, when it is not the address we listen on.
    pub public_url: Option<Url>,
    /// The proxies whose `X-Forwarded-*` headers are believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// How long running requests may take once we are asked to stop.
    pub drain: Duration,
    /// What a scraper of `/metrics` may send instead of being an administrator.
    pub metrics_token: Option<Secret>,
}

impl HttpConfig {
    pub(super) fn from_vars(vars: &Vars) -> Result<Self, ConfigError> {
        Ok(Self {
            bind: parse::socket_address(vars, "SATCHEL_BIND", DEFAULT_BIND)?,
            public_url: public_url(vars)?,
            trusted_proxies: trusted_proxies(vars)?,
            drain: Duration::from_secs(parse::number(
                vars,
                "SATCHEL_DRAIN_SECONDS",
                DEFAULT_DRAIN_SECONDS,
                0..=LONGEST_DRAIN_SECONDS,
                "seconds",
            )?),
            metrics_token: metrics_token(vars)?,
        })
    }
}

/// One word, long enough that nobody guesses it.
fn metrics_token(vars: &Vars) -> Result<Option<Secret>, ConfigError> {
    const HOW: &str = "make one with SATCHEL_METRICS_TOKEN=$(openssl rand -hex 16)";
    let Some(token) = vars.get(METRICS_TOKEN).map(str::trim) else {
        return Ok(None);
    };
    if token.len() < SHORTEST_TOKEN {
        let problem = format!("has fewer than {SHORTEST_TOKEN} characters");
        return Err(ConfigError::with_advice(METRICS_TOKEN, problem, HOW));
    }
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        let problem = "has spaces or characters that no header can carry";
        return Err(ConfigError::with_advice(METRICS_TOKEN, problem, HOW));
    }
    Ok(Some(Secret::new(token)))
}

fn public_url(vars: &Vars) -> Result<Option<Url>, ConfigError> {
    const NAME: &str = "SATCHEL_PUBLIC_URL";
    const EXAMPLE: &str = "https://satchel.example.org";
    let url = parse::web_url(vars, NAME, EXAMPLE)?;
    match url {
        Some(url) if url.path() != "/" => {
            let problem = format!(
                "is {}, which has a path: we serve whole hosts only",
                quoted(url.as_str())
            );
            Err(ConfigError::new(NAME, problem, EXAMPLE))
        }
        url => Ok(url),
    }
}

fn trusted_proxies(vars: &Vars) -> Result<Vec<IpAddr>, ConfigError> {
    const NAME: &str = "SATCHEL_TRUSTED_PROXIES";
    let list = vars.get(NAME).unwrap_or_default();
    let entries = list
        .split([',', ' '])
        .map(str::trim)
        .filter(|entry| !entry.is_empty());
    entries
        .map(|entry| {
            entry.parse().map_err(|_| {
                let problem = format!("names {}, which is not a single IP address", quoted(entry));
                ConfigError::new(NAME, problem, "10.0.0.5,10.0.0.6")
            })
        })
        .collect()
}
