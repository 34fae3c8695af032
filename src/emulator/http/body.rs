//! Reading request bodies: bounded JSON, and chunks that must keep coming.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{HttpRequest, web};
use bytes::Bytes;
use futures_util::StreamExt;
use serde_json::{Map, Value};
use tokio::time::timeout;

use super::form;
use crate::emulator::errors::{Host, Problem};

/// More than ten thousand ETags need.
const MAX_JSON_BYTES: usize = 1 << 20;
/// A client that sends nothing for so long is gone.
pub(super) const SILENCE: Duration = Duration::from_secs(60);

/// Why a body ended too early.
#[derive(Debug)]
pub(super) enum Broken {
    Silent,
    Cut,
}

/// The next bytes of a body, `None` at its end.
pub(super) async fn next(payload: &mut web::Payload) -> Result<Option<Bytes>, Broken> {
    let chunk = timeout(SILENCE, payload.next())
        .await
        .map_err(|_| Broken::Silent)?;
    chunk.transpose().map_err(|_| Broken::Cut)
}

impl Broken {
    pub(super) fn problem(&self, host: Host) -> Problem {
        match self {
            Self::Silent => Problem::new(host, StatusCode::REQUEST_TIMEOUT, "No data came for a minute"),
            Self::Cut => Problem::bad(host, "The request's body broke off"),
        }
    }
}

/// Named values of a request, from JSON or from a form (§3.8), whose numbers are text.
pub(super) struct Fields {
    host: Host,
    map: Map<String, Value>,
}

impl Fields {
    /// Reads a JSON object or a form.
    pub(super) async fn read(host: Host, req: &HttpRequest, payload: web::Payload) -> Result<Self, Problem> {
        let kind = req
            .headers()
            .get(CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok())
            .unwrap_or_default();
        if kind.starts_with("multipart/form-data") {
            let map = form::read(host, req, payload, MAX_JSON_BYTES).await?;
            return Ok(Self { host, map });
        }
        let bytes = read_all(host, payload).await?;
        if kind.starts_with("application/x-www-form-urlencoded") {
            let map = form::fields(url::form_urlencoded::parse(&bytes).into_owned());
            return Ok(Self { host, map });
        }
        let map = serde_json::from_slice(&bytes).map_err(|_| invalid(host))?;
        Ok(Self { host, map })
    }

    pub(super) fn of(host: Host, map: Map<String, Value>) -> Self {
        Self { host, map }
    }

    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.map.get(name).filter(|value| !value.is_null())
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<&str>, Problem> {
        self.get(name)
            .map(|value| value.as_str().ok_or_else(|| invalid(self.host)))
            .transpose()
    }

    /// A text that must be there and say something.
    pub(super) fn required(&self, name: &str) -> Result<&str, Problem> {
        self.text(name)?
            .filter(|text| !text.is_empty())
            .ok_or_else(|| invalid(self.host))
    }

    pub(super) fn number(&self, name: &str) -> Result<Option<u64>, Problem> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        let number = value.as_u64().or_else(|| value.as_str()?.parse().ok());
        number.map(Some).ok_or_else(|| invalid(self.host))
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        self.get(name)
            .is_some_and(|value| value == &Value::Bool(true) || value == "true")
    }

    /// A nested object; one that is not there is empty.
    pub(super) fn object(&self, name: &str) -> Result<Self, Problem> {
        match self.get(name) {
            None => Ok(Self::of(self.host, Map::new())),
            Some(Value::Object(map)) => Ok(Self::of(self.host, map.clone())),
            Some(_) => Err(invalid(self.host)),
        }
    }
}

/// §2.5: what the upload host says about a parameter that is missing or wrong; the typo is real.
pub(super) fn invalid(host: Host) -> Problem {
    Problem::bad(host, "Parameters are inalid")
}

async fn read_all(host: Host, mut payload: web::Payload) -> Result<Vec<u8>, Problem> {
    let mut all = Vec::new();
    while let Some(chunk) = next(&mut payload).await.map_err(|broken| broken.problem(host))? {
        if all.len() + chunk.len() > MAX_JSON_BYTES {
            return Err(Problem::new(
                host,
                StatusCode::PAYLOAD_TOO_LARGE,
                "The request is too large",
            ));
        }
        all.extend_from_slice(&chunk);
    }
    Ok(all)
}
