//! Inbound webhooks from Filestack: read the raw body, verify, record, answer.
//!
//! A delivery that is refused learns nothing: wrong signature, wrong time, missing header and what is not JSON get the same bytes. The
//! reason goes to a small sample that administrators see. Nothing is written before the signature has been checked, and nothing is
//! answered with 200 before it is committed. Cookies and form tokens are no matter here: the signature says who asks.

mod intake;
mod sample;

use std::time::{Duration, Instant};

use actix_web::http::header::{CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER};
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use serde_json::{Value, json};

use crate::clock::UtcTime;
use crate::error::AppError;
use crate::filestack::webhook::{WebhookSecret, verify};
use crate::services::events::{NewDelivery, record};
use crate::web::AppState;
use crate::web::extract::ClientAddress;

pub use intake::{Budget, Held};
pub use sample::Sampler;

/// A delivery signed at most so long ago, or by a clock that is ahead by so much, is as it should be.
const TOLERANCE: Duration = Duration::from_secs(300);
/// Filestack tries for 12 hours and 35 minutes, and nobody says whether it signs a retry anew. Half an hour more for its queues.
const HORIZON: Duration = Duration::from_secs((12 * 60 + 35 + 30) * 60);
/// What every refused delivery is answered, whatever is wrong with it.
const REFUSAL: &str = r#"{"error":"The webhook was refused."}"#;

/// Why a delivery is refused: for the sample, never for the sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    Headers,
    Signature,
    TooOld,
    InTheFuture,
    NotJson,
}

impl Refusal {
    fn reason(self) -> &'static str {
        match self {
            Refusal::Headers => "FS-Signature or FS-Timestamp is missing, there twice, or not plain text",
            Refusal::Signature => "the signature or the form of the timestamp is wrong",
            Refusal::TooOld => "it was signed longer ago than Filestack tries to deliver",
            Refusal::InTheFuture => "it was signed in the future: compare the clocks",
            Refusal::NotJson => "the signature is right and the body is not JSON",
        }
    }
}

/// `POST /webhooks/filestack`.
pub async fn create(
    state: web::Data<AppState>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, AppError> {
    let (delivery, _held) = match receive(&state, &request, payload).await? {
        Received::Verified(delivery, held) => (delivery, held),
        Received::Refused(refusal) => return Ok(refusal),
    };
    let event = record(&state.services, *delivery).await?;
    log::debug!(event = "webhook-recorded", id = event.as_str(); "a webhook was recorded");
    Ok(accepted())
}

/// What became of a request before anything is stored.
pub enum Received {
    /// It is Filestack's, and JSON. The second value holds the memory of its body.
    Verified(Box<NewDelivery>, Held),
    /// It is not; this is all that its sender is told.
    Refused(HttpResponse),
}

/// The answer to a delivery that was taken, whatever it said: exactly 200, since anything but 200, 201 and 204 makes Filestack send it
/// again (W21).
pub fn accepted() -> HttpResponse {
    HttpResponse::Ok().json(json!({"received": true}))
}

/// Reads a delivery and verifies it; stores nothing but a sample of what is refused.
pub async fn receive(
    state: &AppState,
    request: &HttpRequest,
    payload: web::Payload,
) -> Result<Received, AppError> {
    let began = Instant::now();
    if state.settings.webhook_secrets.is_empty() {
        return Err(AppError::Unavailable {
            code: "webhooks-off",
            detail:
                "Webhooks are not taken here: FILESTACK_WEBHOOK_SECRET is not set. Set it to the secret from \
                     Filestack's portal."
                    .to_owned(),
            retry_after: Duration::from_secs(300),
        });
    }
    if request
        .headers()
        .get_all(CONTENT_ENCODING)
        .any(|value| value != "identity")
    {
        return Err(AppError::UnsupportedMedia(
            "A webhook's body is taken as it was signed. Send it without Content-Encoding.".to_owned(),
        ));
    }
    intake::check_length(request)?;
    // Whoever brings no signature is not even read to the end.
    let Some((timestamp, signature)) = signature_headers(request) else {
        return Ok(Received::Refused(refuse(
            state,
            request,
            Refusal::Headers,
            &Bytes::new(),
        )));
    };
    let (body, held) = intake::read(&state.webhook_budget, payload).await?;
    let now = state.services.clock.now();
    let checked = check(
        &state.settings.webhook_secrets,
        &timestamp,
        &signature,
        &body,
        now,
    );
    let (signed_at, late) = match checked {
        Ok(checked) => checked,
        Err(refusal) => return Ok(Received::Refused(refuse(state, request, refusal, &body))),
    };
    let delivery = NewDelivery {
        body,
        headers: sample::headers_of(request),
        signed_at,
        late,
        took_micros: began.elapsed().as_micros().min(i64::MAX as u128) as i64,
    };
    Ok(Received::Verified(Box::new(delivery), held))
}

/// Signature and time of a delivery; each header must be there once.
fn signature_headers(request: &HttpRequest) -> Option<(String, String)> {
    let once = |name: &str| {
        let mut values = request.headers().get_all(name);
        let value = values.next()?.to_str().ok()?.to_owned();
        values.next().is_none().then_some(value)
    };
    Some((once("fs-timestamp")?, once("fs-signature")?))
}

/// The signature first: nothing else is said of bytes that are not Filestack's.
fn check(
    secrets: &[WebhookSecret],
    timestamp: &str,
    signature: &str,
    body: &[u8],
    now: UtcTime,
) -> Result<(UtcTime, bool), Refusal> {
    let secrets: Vec<_> = secrets.iter().collect();
    let seconds = verify(&secrets, timestamp, body, signature).map_err(|_| Refusal::Signature)?;
    let micros = i64::try_from(seconds)
        .ok()
        .and_then(|seconds| seconds.checked_mul(1_000_000));
    let signed_at = UtcTime::from_micros(micros.ok_or(Refusal::InTheFuture)?);
    if signed_at.since(now) > TOLERANCE {
        return Err(Refusal::InTheFuture);
    }
    let age = now.since(signed_at);
    if age > HORIZON {
        return Err(Refusal::TooOld);
    }
    serde_json::from_slice::<Value>(body).map_err(|_| Refusal::NotJson)?;
    Ok((signed_at, age > TOLERANCE))
}

/// The one answer to all that is refused: the same bytes, without a reason and without a request id (S2). Where too many come from one
/// address it is told to wait; what is signed is taken from there all the same (W19).
fn refuse(state: &AppState, request: &HttpRequest, refusal: Refusal, body: &Bytes) -> HttpResponse {
    state.webhook_samples.take(state, request, refusal.reason(), body);
    let (address, now) = (ClientAddress::of(request).0, state.services.clock.now());
    let mut response = match state.limits.webhooks.take(&address, now) {
        Ok(()) => HttpResponse::BadRequest(),
        Err(wait) => {
            let mut response = HttpResponse::TooManyRequests();
            response.insert_header((RETRY_AFTER, AppError::seconds_of(wait)));
            response
        }
    };
    response
        .insert_header((CONTENT_TYPE, "application/json"))
        .body(REFUSAL)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = r#"{"text": {"filename": "filename.jpg", "key": "kGaeljnga9wkysK6Z_filename.jpg"}}"#;
    const TIME: &str = "123456789999";
    const SIGNATURE: &str = "57cbb25386c3d6ff758a7a75cf52ba02cf2b0a1a2d6d5dfb9c886553ca6011cb";

    fn checked_at(offset_seconds: i64) -> Result<bool, Refusal> {
        let secrets = [WebhookSecret::new("webhook-secret").expect("a secret")];
        let now = UtcTime::from_micros((123_456_789_999 + offset_seconds) * 1_000_000);
        check(&secrets, TIME, SIGNATURE, BODY.as_bytes(), now).map(|(_, late)| late)
    }

    #[test]
    fn w4_age_decides_between_usual_late_and_refused() {
        assert_eq!(checked_at(0), Ok(false));
        assert_eq!(checked_at(300), Ok(false));
        assert_eq!(checked_at(301), Ok(true));
        assert_eq!(checked_at(12 * 3_600 + 35 * 60), Ok(true));
        assert_eq!(checked_at(HORIZON.as_secs() as i64), Ok(true));
        assert_eq!(checked_at(HORIZON.as_secs() as i64 + 1), Err(Refusal::TooOld));
        assert_eq!(checked_at(-300), Ok(false));
        assert_eq!(checked_at(-301), Err(Refusal::InTheFuture));
    }
}
