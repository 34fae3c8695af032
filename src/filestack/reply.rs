//! Reading replies: bounded, JSON or text, and with refusals found wherever Filestack puts them.
//!
//! Errors arrive as JSON of three shapes or as text, and some as a 200 (`{"error": …}`, or the text `Invalid Application`).

use std::time::Duration;

use bytes::BytesMut;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use reqwest::{RequestBuilder, Response};
use serde::de::DeserializeOwned;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use super::error::{FilestackError, scrub};

const LARGEST_ERROR: usize = 64 * 1024;
const LARGEST_REPLY: usize = 1024 * 1024;

/// Sends a request; any status but a 2xx is an error.
pub(super) async fn send(request: RequestBuilder) -> Result<Response, FilestackError> {
    expect_success(request.send().await?).await
}

/// Sends a request and reads its JSON reply.
pub(super) async fn call<T: DeserializeOwned>(request: RequestBuilder) -> Result<T, FilestackError> {
    read_json(send(request).await?).await
}

/// Sends a request whose reply says nothing of use, unless it is a refusal in disguise.
pub(super) async fn command(request: RequestBuilder) -> Result<(), FilestackError> {
    let response = send(request).await?;
    let status = response.status().as_u16();
    let body = read(response, LARGEST_REPLY).await?;
    match serde_json::from_slice::<Value>(&body) {
        Ok(json) => refuse_disguised(status, &json),
        Err(_) => refuse_disguised_text(status, &body),
    }
}

pub(super) async fn expect_success(response: Response) -> Result<Response, FilestackError> {
    if response.status().is_success() {
        Ok(response)
    } else {
        Err(failure(response).await)
    }
}

pub(super) async fn read_json<T: DeserializeOwned>(response: Response) -> Result<T, FilestackError> {
    let status = response.status().as_u16();
    let body = read(response, LARGEST_REPLY).await?;
    let Ok(json) = serde_json::from_slice::<Value>(&body) else {
        refuse_disguised_text(status, &body)?;
        let text = scrub(&String::from_utf8_lossy(&body));
        return Err(FilestackError::protocol(format!(
            "JSON was expected, not \"{text}\""
        )));
    };
    refuse_disguised(status, &json)?;
    serde_json::from_value(json).map_err(|error| FilestackError::protocol(scrub(&error.to_string())))
}

fn refuse_disguised(status: u16, json: &Value) -> Result<(), FilestackError> {
    if json.get("error").is_some_and(|error| !error.is_null()) || json.get("result") == Some(&"error".into())
    {
        return Err(FilestackError::Rejected {
            status,
            message: message_of(json),
        });
    }
    Ok(())
}

fn refuse_disguised_text(status: u16, body: &[u8]) -> Result<(), FilestackError> {
    let text = String::from_utf8_lossy(body);
    if text.contains("Invalid Application") {
        return Err(FilestackError::Rejected {
            status,
            message: scrub(&text),
        });
    }
    Ok(())
}

/// Reads at most `limit` bytes; a longer body is an error, and the rest of it is not fetched.
async fn read(mut response: Response, limit: usize) -> Result<BytesMut, FilestackError> {
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > limit {
            return Err(FilestackError::protocol("the reply is too long"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Reads the beginning of an error's body; what is missing or broken does not matter.
async fn read_start(mut response: Response) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        let room = LARGEST_ERROR - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if body.len() == LARGEST_ERROR {
            break;
        }
    }
    body
}

async fn failure(response: Response) -> FilestackError {
    let status = response.status().as_u16();
    let retry_after = wait_asked_for(response.headers());
    let body = read_start(response).await;
    let message = match serde_json::from_slice::<Value>(&body) {
        Ok(json) => message_of(&json),
        Err(_) => scrub(&String::from_utf8_lossy(&body)),
    };
    match status {
        404 | 410 => FilestackError::NotFound,
        413 => FilestackError::TooLarge,
        429 => FilestackError::RateLimited { retry_after },
        // 501 will not change by itself, unlike the other failures of a server.
        501 => FilestackError::Rejected { status, message },
        408 | 500.. => FilestackError::Unavailable {
            reason: format!("status {status}: {message}"),
            retry_after,
        },
        400..=499 => FilestackError::Rejected { status, message },
        _ => FilestackError::protocol(format!("status {status} was not expected")),
    }
}

/// `{"error": "text"}`, `{"error": {"msg": "text"}}`, or whatever else it is.
fn message_of(json: &Value) -> String {
    let error = json.get("error").unwrap_or(json);
    let text = error.get("msg").or_else(|| error.get("message")).unwrap_or(error);
    scrub(&text.as_str().map_or_else(|| text.to_string(), str::to_owned))
}

/// `Retry-After` in seconds, or Filestack's own `Filestack-Reset`: a moment, which is measured against the reply's date so
/// that this machine's clock does not matter.
fn wait_asked_for(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    if let Some(seconds) = text(RETRY_AFTER.as_str()).and_then(|value| value.parse().ok()) {
        return Some(Duration::from_secs(seconds));
    }
    let reset: i64 = text("filestack-reset")?.parse().ok()?;
    let date = OffsetDateTime::parse(text(DATE.as_str())?, &Rfc2822).ok()?;
    u64::try_from(reset.saturating_sub(date.unix_timestamp()))
        .ok()
        .map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_refusal_is_found_in_every_shape() {
        assert_eq!(
            message_of(&json!({"error": "Invalid App policy", "c": "x"})),
            "Invalid App policy"
        );
        assert_eq!(
            message_of(&json!({"result": "error", "error": {"code": 403, "msg": "Policy required"}})),
            "Policy required"
        );
        assert!(refuse_disguised(200, &json!({"error": "invalid security policy path"})).is_err());
        assert!(refuse_disguised(200, &json!({"error": null, "handle": "x"})).is_ok());
        assert!(refuse_disguised(200, &json!([1])).is_ok());
        assert!(refuse_disguised_text(200, b"Invalid Application").is_err());
    }

    #[test]
    fn the_wait_comes_from_retry_after_or_from_reset_minus_date() {
        let headers = |pairs: &[(&'static str, &'static str)]| {
            pairs
                .iter()
                .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
                .collect::<HeaderMap>()
        };
        assert_eq!(
            wait_asked_for(&headers(&[("retry-after", "7")])),
            Some(Duration::from_secs(7))
        );
        let date = ("date", "Tue, 14 Nov 2023 22:13:20 GMT");
        assert_eq!(
            wait_asked_for(&headers(&[("filestack-reset", "1700000009"), date])),
            Some(Duration::from_secs(9))
        );
        assert_eq!(
            wait_asked_for(&headers(&[("filestack-reset", "1600000000"), date])),
            None
        );
        assert_eq!(
            wait_asked_for(&headers(&[("filestack-reset", "soon"), date])),
            None
        );
        assert_eq!(wait_asked_for(&headers(&[])), None);
    }
}
