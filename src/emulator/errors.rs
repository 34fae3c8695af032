//! How a failure looks, which depends on the host the route stands for (§2.5, §11.1).

use std::fmt;
use std::io;

use actix_web::http::StatusCode;
use actix_web::http::header::ContentType;
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError};
use serde_json::json;

use super::clock::{Clock, seconds};
use super::fetch::NotFetched;
use super::ids;
use super::policy::Refusal;

/// Which host's way of speaking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Host {
    /// `upload.filestackapi.com`: JSON with `c`, `i`, `t`.
    Upload,
    /// `cloud.filestackapi.com`: the same, with 401 for policies.
    Cloud,
    /// `www.filestackapi.com/api`: text.
    FileApi,
    /// `cdn.filestackcontent.com`: text, sometimes JSON.
    Cdn,
    /// The object storage behind part uploads: XML.
    Storage,
}

/// A reply that says no.
#[derive(Debug)]
pub(super) struct Problem {
    host: Host,
    status: StatusCode,
    text: String,
    /// The storage's error code.
    code: &'static str,
    form: Form,
}

/// How the text becomes a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Text,
    /// `{"error": text}`.
    Error,
    /// The text is JSON already.
    Json,
}

impl Problem {
    pub(super) fn new(host: Host, status: StatusCode, text: impl Into<String>) -> Self {
        Self {
            host,
            status,
            text: text.into(),
            code: "",
            form: Form::Text,
        }
    }

    pub(super) fn bad(host: Host, text: impl Into<String>) -> Self {
        Self::new(host, StatusCode::BAD_REQUEST, text)
    }

    /// §11.1: no such handle.
    pub(super) fn not_found(host: Host) -> Self {
        Self::new(host, StatusCode::NOT_FOUND, "File not found")
    }

    /// A documented call that the emulator does not have.
    pub(super) fn not_done(host: Host, what: &str) -> Self {
        let text = format!("{what} is not done by the emulator yet");
        Self::new(host, StatusCode::NOT_IMPLEMENTED, text).in_json()
    }

    /// A source that could not or may not be fetched; the same text for all reasons.
    pub(super) fn not_fetched(host: Host, error: &NotFetched) -> Self {
        Self::bad(host, error.to_string()).in_json()
    }

    /// Whether the source is at fault: it is not there, cannot be fetched or is not what the tasks need (§6.6 `fallback`).
    pub(super) fn is_of_source(&self) -> bool {
        matches!(
            self.status,
            StatusCode::NOT_FOUND | StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE
        )
    }

    /// Something went wrong on our side: logged, not shown.
    pub(super) fn internal(host: Host, error: &dyn fmt::Display) -> Self {
        log::error!("emulator: {error}");
        Self::new(host, StatusCode::INTERNAL_SERVER_ERROR, "Internal server error")
    }

    pub(super) fn storage(status: StatusCode, code: &'static str, text: &str) -> Self {
        Self {
            code,
            ..Self::new(Host::Storage, status, text)
        }
    }

    /// A CDN error that the service gives as JSON.
    pub(super) fn in_json(self) -> Self {
        Self {
            form: Form::Error,
            ..self
        }
    }

    /// An error whose body is written already, as JSON.
    pub(super) fn json(host: Host, status: StatusCode, body: String) -> Self {
        Self {
            form: Form::Json,
            ..Self::new(host, status, body)
        }
    }

    /// §2.5, the JSON flavour of the File API. When the service speaks it is not public: here, to clients that take JSON and
    /// nothing else. `None` for the other hosts.
    pub(super) fn file_api_json(&self) -> Option<HttpResponse> {
        if self.host != Host::FileApi || self.form != Form::Text {
            return None;
        }
        let msg = if self.text.contains("Proper credentials not provided") {
            "Policy required"
        } else {
            &self.text
        };
        let error = json!({ "code": self.status.as_u16(), "msg": msg });
        let reply = self.head().json(json!({ "result": "error", "error": error }));
        Some(reply)
    }

    /// A reply that is as yet without a body.
    fn head(&self) -> HttpResponseBuilder {
        let mut reply = HttpResponse::build(self.status);
        reply
            .insert_header(("X-Content-Type-Options", "nosniff"))
            .insert_header(("Cache-Control", "no-store"));
        reply
    }

    /// §2.5. Texts for a wrong call, handle or size are not public; they have the shape of the others.
    pub(super) fn refused(host: Host, app: &str, refusal: &Refusal) -> Self {
        let forbidden = |text: String| Self::new(host, StatusCode::FORBIDDEN, text);
        // The one text that §2.2 gives without a host.
        if *refusal == Refusal::NotBase64 {
            return forbidden("policy was not properly url-safe base64 encoded".into());
        }
        match host {
            Host::Cloud => Self::new(host, StatusCode::UNAUTHORIZED, "Invalid Policy"),
            Host::Upload if *refusal == Refusal::Path => forbidden("invalid security policy path".into()),
            Host::Upload | Host::Storage => forbidden("Invalid App policy".into()),
            Host::FileApi => forbidden(format!(
                "[uuid={}] This action has been secured by the developer of this website. Error: {}",
                ids::uuid(),
                file_api_reason(refusal)
            )),
            Host::Cdn if *refusal == Refusal::Path => {
                forbidden("invalid security policy path".into()).in_json()
            }
            Host::Cdn => forbidden(format!("{app}: policy error: {}", cdn_reason(refusal))),
        }
    }
}

fn file_api_reason(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Missing { policy, signature } => {
            let show = |text: &Option<String>| text.as_deref().map_or("None".to_owned(), shortened);
            format!(
                "Proper credentials not provided. Signature: {} Policy: {}",
                show(signature),
                show(policy)
            )
        }
        Refusal::Expired => "The signature has expired".into(),
        other => format!("The {} is not allowed by the policy", part(other)),
    }
}

fn cdn_reason(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Missing { policy, signature } => {
            let show = |text: &Option<String>| shortened(text.as_deref().unwrap_or_default());
            format!(
                "proper credentials were not provided: (signature: \"{}\"; policy \"{}\")",
                show(signature),
                show(policy)
            )
        }
        Refusal::Expired => "the policy has expired".into(),
        other => format!("the {} is not allowed by the policy", part(other)),
    }
}

fn part(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::Missing { .. } | Refusal::NotBase64 | Refusal::Signature => "signature",
        Refusal::Expired => "time",
        Refusal::Malformed(what) => what,
        Refusal::Call => "call",
        Refusal::Handle => "handle",
        Refusal::Path => "path",
        Refusal::Container => "container",
        Refusal::Size => "size",
        Refusal::Url => "url",
    }
}

/// What a caller sent, short enough to be shown back.
fn shortened(text: &str) -> String {
    text.chars()
        .filter(|letter| !letter.is_control())
        .take(200)
        .collect()
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut reply = self.head();
        match self.host {
            Host::Upload | Host::Cloud => reply.json(json!({
                "error": self.text,
                "c": ids::uuid(),
                "i": "emulator",
                "t": seconds(Clock::default().now()),
            })),
            Host::Storage => reply.content_type("application/xml").body(format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{}</Code><Message>{}</Message></Error>",
                self.code, self.text
            )),
            _ if self.form == Form::Error => reply.json(json!({ "error": self.text })),
            _ if self.form == Form::Json => reply.content_type(ContentType::json()).body(self.text.clone()),
            _ => reply.content_type(ContentType::plaintext()).body(self.text.clone()),
        }
    }
}

/// Gives results of the file system and of background work the host they were needed for.
pub(super) trait On<T> {
    fn on(self, host: Host) -> Result<T, Problem>;
}

impl<T> On<T> for io::Result<T> {
    fn on(self, host: Host) -> Result<T, Problem> {
        self.map_err(|error| Problem::internal(host, &error))
    }
}

impl<T> On<T> for Result<T, actix_web::error::BlockingError> {
    fn on(self, host: Host) -> Result<T, Problem> {
        self.map_err(|error| Problem::internal(host, &error))
    }
}

impl<T, E: fmt::Display> On<T> for Result<io::Result<T>, E> {
    fn on(self, host: Host) -> Result<T, Problem> {
        match self {
            Ok(result) => result.on(host),
            Err(error) => Err(Problem::internal(host, &error)),
        }
    }
}
