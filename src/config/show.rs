//! Every setting with its value and where it came from, for `satchel config show`. Secrets are said to be set, no more.

use std::collections::BTreeMap;

use serde::Serialize;

use super::background::{MAIL_FROM, SCAN_FAILURE, SCAN_WORKFLOW, SMTP_URL};
use super::error::ConfigError;
use super::filestack::{
    API_KEY, APP_SECRET, BASE_URL, CLIENT_SCRIPT, HOST_URLS, WEBHOOK_SECRET, WEBHOOK_SECRET_PREVIOUS, Webhook,
};
use super::http::METRICS_TOKEN;
use super::import::{ImportConfig, URL_IMPORT};
use super::kept::{Kept, KeptSecret};
use super::settings::Settings;
use super::vars::{NAMES, Source, Vars};

const HIDDEN: &str = "[hidden]";
const TO_BE_MADE: &str = "[made up at the first start]";

/// A value, if there is one, and its source where that is not simply the variable's own.
type Effective = (Option<String>, Option<String>);

/// One setting as it may be shown to anybody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ShownSetting {
    /// The variable.
    pub name: &'static str,
    /// What holds, or `None` when there is nothing.
    pub value: Option<String>,
    /// Where it comes from: `environment`, `.env`, `default`, `data directory`, or the variable it follows from.
    pub source: String,
}

/// All settings and what is not ready for production.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Shown {
    /// Every setting, in a fixed order.
    pub settings: Vec<ShownSetting>,
    /// The same sentences that the server prints when it starts.
    pub warnings: Vec<String>,
}

impl Settings {
    /// What these settings, read from `vars`, come to. Reads kept secrets but makes none.
    pub fn shown(&self, vars: &Vars) -> Result<Shown, ConfigError> {
        self.check_addresses()?;
        let effective = self.effective(vars)?;
        let show = |name: &'static str| {
            let (value, source) = effective.get(name).cloned().unwrap_or_default();
            let source = source.unwrap_or_else(|| vars.source(name).to_string());
            ShownSetting { name, value, source }
        };
        let warnings = self.warnings().into_iter().chain(vars.unknown()).collect();
        Ok(Shown {
            settings: NAMES.into_iter().map(show).collect(),
            warnings,
        })
    }

    /// What holds, by variable; those without a row have no value.
    fn effective(&self, vars: &Vars) -> Result<BTreeMap<&'static str, Effective>, ConfigError> {
        let kept = Kept::new(&self.data_dir);
        let own = |value: String| (Some(value), None);
        let in_data_dir = |secret: KeptSecret, public: bool| -> Result<_, ConfigError> {
            Ok(match kept.find(secret)? {
                Some(value) => {
                    let value = if public { value } else { HIDDEN.to_owned() };
                    (Some(value), Some(Source::DataDirectory.to_string()))
                }
                None => (Some(TO_BE_MADE.to_owned()), None),
            })
        };
        let http = &self.http;
        let mut rows = BTreeMap::from([
            ("DATABASE_URL", own(self.database.redacted_url())),
            ("SATCHEL_BIND", own(http.bind.to_string())),
            ("SATCHEL_DATA_DIR", own(self.data_dir.display().to_string())),
            (
                "SATCHEL_PUBLIC_URL",
                (
                    http.public_url
                        .as_ref()
                        .map(|url| url.origin().ascii_serialization()),
                    None,
                ),
            ),
            (
                "SATCHEL_MAX_UPLOAD_BYTES",
                own(self.limits.max_upload_bytes.to_string()),
            ),
            (
                "SATCHEL_UPLOAD_MEMORY_BYTES",
                own(self.limits.upload_memory_bytes.to_string()),
            ),
            (
                "SATCHEL_TRASH_DAYS",
                own((self.limits.trash_kept.as_secs() / 86_400).to_string()),
            ),
            ("SATCHEL_DRAIN_SECONDS", own(http.drain.as_secs().to_string())),
            (
                "SATCHEL_JOB_THREADS",
                own(self.background.job_threads.to_string()),
            ),
            (
                URL_IMPORT,
                own(self
                    .import
                    .as_ref()
                    .map_or_else(|| "off".to_owned(), ImportConfig::text)),
            ),
            (
                SCAN_FAILURE,
                own(self.background.scan_failure.as_str().to_owned()),
            ),
        ]);
        if let Some(rate) = self.limits.api_rate {
            rows.insert("SATCHEL_API_RATE", own(rate.to_string()));
        }
        if http.metrics_token.is_some() {
            rows.insert(METRICS_TOKEN, own(HIDDEN.to_owned()));
        }
        if let Some(workflow) = &self.background.scan_workflow {
            rows.insert(SCAN_WORKFLOW, own(workflow.clone()));
        }
        if let Some(path) = &self.filestack.client_script {
            rows.insert(CLIENT_SCRIPT, own(path.display().to_string()));
        }
        if let Some(mail) = &self.background.mail {
            rows.insert(SMTP_URL, (self.background.redacted_smtp_url(), None));
            rows.insert(MAIL_FROM, own(mail.from.clone()));
        }
        if !http.trusted_proxies.is_empty() {
            let proxies: Vec<_> = http.trusted_proxies.iter().map(ToString::to_string).collect();
            rows.insert("SATCHEL_TRUSTED_PROXIES", own(proxies.join(",")));
        }
        let secret_key = match self.secret_key {
            Some(_) => own(HIDDEN.to_owned()),
            None => in_data_dir(KeptSecret::SecretKey, false)?,
        };
        rows.insert("SATCHEL_SECRET_KEY", secret_key);
        let webhook = match &self.filestack.webhook {
            Webhook::Given(_) => own(HIDDEN.to_owned()),
            Webhook::Kept => in_data_dir(KeptSecret::WebhookSecret, false)?,
            Webhook::Off(_) => (
                None,
                vars.set_in(WEBHOOK_SECRET)
                    .map(|source| format!("{source}, set but empty")),
            ),
        };
        rows.insert(WEBHOOK_SECRET, webhook);
        if vars.get(WEBHOOK_SECRET_PREVIOUS).is_some() {
            rows.insert(WEBHOOK_SECRET_PREVIOUS, own(HIDDEN.to_owned()));
        }
        match &self.filestack.service {
            Some(service) => {
                rows.insert(API_KEY, own(service.api_key.clone()));
                rows.insert(APP_SECRET, own(HIDDEN.to_owned()));
                if let Some(base) = vars.get(BASE_URL) {
                    rows.insert(BASE_URL, own(base.trim().to_owned()));
                }
                let hosts = &service.hosts;
                for (name, url) in
                    HOST_URLS
                        .into_iter()
                        .zip([&hosts.api, &hosts.upload, &hosts.cdn, &hosts.process])
                {
                    let from_base = vars.get(name).is_none() && vars.get(BASE_URL).is_some();
                    rows.insert(
                        name,
                        (Some(url.to_string()), from_base.then(|| BASE_URL.to_owned())),
                    );
                }
            }
            None => {
                rows.insert(API_KEY, in_data_dir(KeptSecret::EmulatorApiKey, true)?);
                rows.insert(APP_SECRET, in_data_dir(KeptSecret::EmulatorAppSecret, false)?);
                rows.insert(
                    "SATCHEL_EMULATOR_BIND",
                    own(self.filestack.emulator_bind.to_string()),
                );
            }
        }
        Ok(rows)
    }
}
