//! Where policies come in (§2.3): JSON fields, the query, HTTP Basic, a path segment.

use actix_web::http::header::AUTHORIZATION;
use actix_web::{HttpRequest, http::header::HeaderMap};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::State;
use super::body::Fields;
use crate::emulator::apps::App;
use crate::emulator::controls::notes;
use crate::emulator::errors::{Host, Problem};
use crate::emulator::policy::{self, Ask, Credentials, Grant};

/// The query's pairs.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn of(req: &HttpRequest) -> Self {
        Self(
            url::form_urlencoded::parse(req.query_string().as_bytes())
                .into_owned()
                .collect(),
        )
    }

    /// The first value of a name, unless it is empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let pair = self.0.iter().find(|(other, _)| other == name);
        pair.map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// §13: booleans are the words `true` and `false`.
    pub(super) fn is_true(&self, name: &str) -> bool {
        self.get(name) == Some("true")
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// Query, or HTTP Basic with user `app` and the app secret.
pub(super) fn of_request(req: &HttpRequest, query: &Query) -> Credentials {
    Credentials {
        policy: query.get("policy").map(str::to_owned),
        signature: query.get("signature").map(str::to_owned),
        secret: basic(req.headers()),
    }
}

fn basic(headers: &HeaderMap) -> Option<String> {
    let (scheme, encoded) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (user, password) = pair.split_once(':')?;
    (user == "app").then(|| password.to_owned())
}

/// The fields `policy` and `signature` of a JSON body.
pub(super) fn of_fields(fields: &Fields) -> Result<Credentials, Problem> {
    let text = |name| {
        fields
            .text(name)
            .map(|text| text.filter(|text| !text.is_empty()).map(str::to_owned))
    };
    Ok(Credentials {
        policy: text("policy")?,
        signature: text("signature")?,
        secret: None,
    })
}

impl State {
    /// Lets a request through or says no in the host's way.
    pub(super) fn permit(
        &self,
        host: Host,
        app: &App,
        credentials: &Credentials,
        ask: &Ask<'_>,
    ) -> Result<Grant, Problem> {
        self.decide(host, app, credentials, ask, false)
    }

    /// The same for overwrite and delete, which need a policy always (§2.4).
    pub(super) fn permit_signed(
        &self,
        host: Host,
        app: &App,
        credentials: &Credentials,
        ask: &Ask<'_>,
    ) -> Result<Grant, Problem> {
        self.decide(host, app, credentials, ask, true)
    }

    fn decide(
        &self,
        host: Host,
        app: &App,
        credentials: &Credentials,
        ask: &Ask<'_>,
        always: bool,
    ) -> Result<Grant, Problem> {
        let now = self.controls.clock().now();
        let outcome = policy::check(app, credentials, ask, always, now);
        notes::decided(app, credentials, ask, &outcome, now);
        outcome.map_err(|refusal| Problem::refused(host, &app.key, &refusal))
    }
}
