//! Filestack or our emulator of it: `FILESTACK_API_KEY` and `FILESTACK_APP_SECRET` decide, both or neither.
//! `FILESTACK_BASE_URL` moves every host, `FILESTACK_{API,UPLOAD,CDN,PROCESS}_URL` one each; `FILESTACK_WEBHOOK_SECRET`
//! opens the webhook endpoint, `FILESTACK_WEBHOOK_SECRET_PREVIOUS` is taken beside it while the secret changes; `SATCHEL_EMULATOR_BIND` is the embedded emulator's address,
//! `SATCHEL_CLIENT_SCRIPT` what it serves to browsers as Filestack's client.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use url::Url;

use super::error::ConfigError;
use super::examples;
use super::kept::{Kept, KeptSecret};
use super::parse;
use super::secrets::{Secret, WebhookSecret};
use super::vars::Vars;

const DEFAULT_EMULATOR_BIND: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8081);

pub(super) const API_KEY: &str = "FILESTACK_API_KEY";
pub(super) const APP_SECRET: &str = "FILESTACK_APP_SECRET";
pub(super) const CLIENT_SCRIPT: &str = "SATCHEL_CLIENT_SCRIPT";
pub(super) const WEBHOOK_SECRET: &str = "FILESTACK_WEBHOOK_SECRET";
pub(super) const WEBHOOK_SECRET_PREVIOUS: &str = "FILESTACK_WEBHOOK_SECRET_PREVIOUS";
pub(super) const BASE_URL: &str = "FILESTACK_BASE_URL";
pub(super) const HOST_URLS: [&str; 4] = [
    "FILESTACK_API_URL",
    "FILESTACK_UPLOAD_URL",
    "FILESTACK_CDN_URL",
    "FILESTACK_PROCESS_URL",
];

/// Filestack, or what stands in for it, and its webhooks.
#[derive(Clone, Debug)]
pub struct FilestackConfig {
    /// Which of the two.
    pub mode: FilestackMode,
    /// What webhooks are signed with; without it the endpoint answers 503.
    pub webhook_secret: Option<WebhookSecret>,
    /// The one before, still taken while the secret is being changed.
    pub webhook_secret_previous: Option<WebhookSecret>,
    /// Why there is no webhook secret, when there is none.
    pub webhook_warning: Option<String>,
    /// Filestack's own client for browsers, which an emulator serves instead of its stand-in.
    pub client_script: Option<PathBuf>,
}

/// Who keeps the files.
#[derive(Clone, Debug)]
pub enum FilestackMode {
    /// The emulator inside this process.
    Emulator {
        /// The emulator's own address; port 0 takes any free one.
        bind: SocketAddr,
        /// The key of its one app.
        api_key: String,
        /// The secret of its one app.
        app_secret: Secret,
    },
    /// Filestack, or anything that speaks like it, elsewhere.
    Service {
        /// The key of the app, which browsers see too.
        api_key: String,
        /// The secret of the app, which signs policies.
        app_secret: Secret,
        /// Where it is.
        hosts: Box<Hosts>,
    },
}

/// The addresses of Filestack's services.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hosts {
    /// The File API, `/api` included: `{api}/file/HANDLE`, `{api}/store/S3`.
    pub api: Url,
    /// The multipart upload.
    pub upload: Url,
    /// Delivery and transformation.
    pub cdn: Url,
    /// The processing engine.
    pub process: Url,
}

/// What the variables say, before anything is made up.
#[derive(Clone, Debug)]
pub(super) struct FilestackSettings {
    pub(super) service: Option<Service>,
    pub(super) emulator_bind: SocketAddr,
    pub(super) webhook: Webhook,
    pub(super) client_script: Option<PathBuf>,
    webhook_previous: Option<WebhookSecret>,
}

#[derive(Clone, Debug)]
pub(super) struct Service {
    pub(super) api_key: String,
    app_secret: Secret,
    pub(super) hosts: Box<Hosts>,
}

#[derive(Clone, Debug)]
pub(super) enum Webhook {
    Given(WebhookSecret),
    /// To be made up, kept and shared with the emulator.
    Kept,
    /// None, and why.
    Off(String),
}

impl FilestackSettings {
    pub(super) fn from_vars(vars: &Vars) -> Result<Self, ConfigError> {
        let service = service(vars)?;
        Ok(Self {
            webhook: webhook(vars, service.is_some())?,
            webhook_previous: webhook_previous(vars, service.is_some())?,
            client_script: vars.get(CLIENT_SCRIPT).map(|path| PathBuf::from(path.trim())),
            emulator_bind: parse::socket_address(vars, "SATCHEL_EMULATOR_BIND", DEFAULT_EMULATOR_BIND)?,
            service,
        })
    }

    pub(super) fn webhook_warning(&self) -> Option<&str> {
        match &self.webhook {
            Webhook::Off(why) => Some(why),
            Webhook::Given(_) | Webhook::Kept => None,
        }
    }

    pub(super) fn into_config(self, kept: &Kept) -> Result<FilestackConfig, ConfigError> {
        let webhook_warning = self.webhook_warning().map(str::to_owned);
        let webhook_secret = match self.webhook {
            Webhook::Given(secret) => Some(secret),
            Webhook::Kept => WebhookSecret::new(kept.get_or_make(KeptSecret::WebhookSecret)?),
            Webhook::Off(_) => None,
        };
        let webhook_secret_previous = self.webhook_previous;
        let mode = match self.service {
            Some(Service {
                api_key,
                app_secret,
                hosts,
            }) => FilestackMode::Service {
                api_key,
                app_secret,
                hosts,
            },
            None => {
                let (api_key, app_secret) = emulator_app(kept)?;
                FilestackMode::Emulator {
                    bind: self.emulator_bind,
                    api_key,
                    app_secret,
                }
            }
        };
        Ok(FilestackConfig {
            mode,
            webhook_secret,
            webhook_secret_previous,
            webhook_warning,
            client_script: self.client_script,
        })
    }
}

/// The key and secret of the emulator's own app, made up once and kept, since stored files belong to that app.
pub(super) fn emulator_app(kept: &Kept) -> Result<(String, Secret), ConfigError> {
    let api_key = kept.get_or_make(KeptSecret::EmulatorApiKey)?;
    let app_secret = Secret::new(kept.get_or_make(KeptSecret::EmulatorAppSecret)?);
    Ok((api_key, app_secret))
}

fn service(vars: &Vars) -> Result<Option<Service>, ConfigError> {
    match (vars.get(API_KEY), vars.get(APP_SECRET)) {
        (Some(api_key), Some(app_secret)) => {
            examples::refuse(API_KEY, api_key, examples::API_KEY)?;
            examples::refuse(APP_SECRET, app_secret, examples::APP_SECRET)?;
            let app_secret = Secret::new(app_secret);
            Ok(Some(Service {
                api_key: api_key.to_owned(),
                app_secret,
                hosts: Box::new(hosts(vars)?),
            }))
        }
        (Some(_), None) => Err(half_set(APP_SECRET, examples::APP_SECRET, API_KEY)),
        (None, Some(_)) => Err(half_set(API_KEY, examples::API_KEY, APP_SECRET)),
        (None, None) => match [BASE_URL]
            .iter()
            .chain(&HOST_URLS)
            .find(|name| vars.get(name).is_some())
        {
            Some(name) => Err(url_without_key(name)),
            None => Ok(None),
        },
    }
}

fn half_set(missing: &str, example: &str, given: &str) -> ConfigError {
    let advice = format!(
        "use for example {missing}={example} with the value that Filestack's developer portal shows, \
         or unset {given} to use the emulator"
    );
    ConfigError::with_advice(missing, format!("is not set while {given} is"), advice)
}

fn url_without_key(name: &str) -> ConfigError {
    let advice = format!(
        "set the app's credentials too, for example {API_KEY}={} {APP_SECRET}={}, or unset {name} to use the \
         embedded emulator",
        examples::API_KEY,
        examples::APP_SECRET
    );
    ConfigError::with_advice(name, format!("is set while {API_KEY} is not"), advice)
}

fn hosts(vars: &Vars) -> Result<Hosts, ConfigError> {
    let base = parse::web_url(vars, BASE_URL, "http://127.0.0.1:8081")?;
    let host = |name: &str, own: &str, path: &str| -> Result<Url, ConfigError> {
        if let Some(url) = parse::web_url(vars, name, own)? {
            return Ok(url);
        }
        let text = match &base {
            Some(base) => format!("{}{path}", base.as_str().trim_end_matches('/')),
            None => own.to_owned(),
        };
        Url::parse(&text).map_err(|_| ConfigError::new(BASE_URL, "is not a URL", "http://127.0.0.1:8081"))
    };
    Ok(Hosts {
        api: host("FILESTACK_API_URL", "https://www.filestackapi.com/api", "/api")?,
        upload: host("FILESTACK_UPLOAD_URL", "https://upload.filestackapi.com", "")?,
        cdn: host("FILESTACK_CDN_URL", "https://cdn.filestackcontent.com", "")?,
        process: host("FILESTACK_PROCESS_URL", "https://process.filestackapi.com", "")?,
    })
}

fn webhook(vars: &Vars, production: bool) -> Result<Webhook, ConfigError> {
    const SO: &str = "so the webhook endpoint answers 503: set it to the secret that Filestack's developer portal \
         shows for the webhook";
    if let Some(secret) = vars.get(WEBHOOK_SECRET).and_then(WebhookSecret::new) {
        if production {
            examples::refuse(WEBHOOK_SECRET, secret.expose(), examples::WEBHOOK_SECRET)?;
        }
        return Ok(Webhook::Given(secret));
    }
    Ok(match (vars.is_set(WEBHOOK_SECRET), production) {
        (true, true) => Webhook::Off(format!("{WEBHOOK_SECRET} is set but empty, {SO}.")),
        (true, false) => Webhook::Off(format!(
            "{WEBHOOK_SECRET} is set but empty, {SO}, or unset it to have one made up."
        )),
        (false, true) => Webhook::Off(format!("{WEBHOOK_SECRET} is not set, {SO}.")),
        (false, false) => Webhook::Kept,
    })
}

/// The secret before the present one. It opens nothing by itself: without a present one the endpoint stays shut.
fn webhook_previous(vars: &Vars, production: bool) -> Result<Option<WebhookSecret>, ConfigError> {
    let Some(secret) = vars.get(WEBHOOK_SECRET_PREVIOUS).and_then(WebhookSecret::new) else {
        return Ok(None);
    };
    if production {
        examples::refuse(
            WEBHOOK_SECRET_PREVIOUS,
            secret.expose(),
            examples::WEBHOOK_SECRET_PREVIOUS,
        )?;
        examples::refuse(WEBHOOK_SECRET_PREVIOUS, secret.expose(), examples::WEBHOOK_SECRET)?;
    }
    Ok(Some(secret))
}
