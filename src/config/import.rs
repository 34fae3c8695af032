//! Importing files from addresses: `SATCHEL_URL_IMPORT`.

use url::Host;

use super::error::{ConfigError, quoted};
use super::vars::Vars;

pub(super) const URL_IMPORT: &str = "SATCHEL_URL_IMPORT";

/// Where files may be fetched from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportConfig {
    /// From public hosts.
    pub is_public: bool,
    /// From these hosts and ports, wherever they are.
    pub places: Vec<(String, u16)>,
}

impl ImportConfig {
    /// `None` when nothing is imported: unless somebody says so.
    pub(super) fn from_vars(vars: &Vars) -> Result<Option<Self>, ConfigError> {
        let text = vars.get(URL_IMPORT).unwrap_or("off").trim();
        if text == "off" {
            return Ok(None);
        }
        let mut config = ImportConfig {
            is_public: false,
            places: Vec::new(),
        };
        for entry in text.split([',', ' ']).filter(|entry| !entry.is_empty()) {
            if entry == "public" {
                config.is_public = true;
                continue;
            }
            let place = entry.rsplit_once(':').and_then(|(host, port)| {
                let port = port.parse().ok().filter(|port: &u16| *port > 0)?;
                // As the URL parser writes hosts.
                Some((Host::parse(host).ok()?.to_string(), port))
            });
            let problem = || {
                format!(
                    "has {}, which is neither off nor public nor HOST:PORT",
                    quoted(entry)
                )
            };
            config
                .places
                .push(place.ok_or_else(|| ConfigError::new(URL_IMPORT, problem(), "public"))?);
        }
        Ok(Some(config))
    }

    /// As the setting says it.
    pub(super) fn text(&self) -> String {
        let public = self.is_public.then(|| "public".to_owned());
        let places = self.places.iter().map(|(host, port)| format!("{host}:{port}"));
        public.into_iter().chain(places).collect::<Vec<_>>().join(",")
    }
}
