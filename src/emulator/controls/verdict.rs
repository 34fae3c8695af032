//! Why a policy allowed a call or did not, in sentences for whoever signs policies. The replies themselves say less, as
//! Filestack's do (§2.5).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde_json::Value;

use super::calls::Verdict;
use super::notes::Decision;
use crate::emulator::apps::App;
use crate::emulator::clock::written;
use crate::emulator::policy::{Ask, Credentials, Grant, Refusal};

/// What is shown of a policy; none that works is longer.
const MAX_SHOWN: usize = 8 * 1024;

pub(super) fn decision(
    app: &App,
    credentials: &Credentials,
    ask: &Ask<'_>,
    outcome: &Result<Grant, Refusal>,
    now: SystemTime,
) -> Decision {
    let policy = credentials.policy.as_deref().map(decoded);
    let fields: Value = policy
        .as_deref()
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default();
    let (verdict, why) = match outcome {
        Ok(_) => (Verdict::Allowed, allowed(app, credentials, ask)),
        Err(refusal) => (
            Verdict::Refused,
            refused(app, credentials, ask, refusal, &fields, now),
        ),
    };
    Decision {
        app: app.key.clone(),
        policy,
        verdict,
        why,
    }
}

/// A policy's text from its base64, of either alphabet (§2.2); as it came when it is not base64.
pub(in crate::emulator) fn decoded(policy: &str) -> String {
    let start: String = policy.replace(' ', "+").chars().take(MAX_SHOWN).collect();
    match URL_SAFE.decode(&start).or_else(|_| STANDARD.decode(&start)) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(_) => start,
    }
}

fn allowed(app: &App, credentials: &Credentials, ask: &Ask<'_>) -> String {
    let key = &app.key;
    if credentials.secret.is_some() {
        format!("The secret of {key} came by HTTP Basic (§2.3)")
    } else if credentials.policy.is_some() {
        format!("The policy of {key} grants {}", either(ask.calls))
    } else {
        format!("{key} has security off, and the call needs no policy then (§2.4)")
    }
}

fn refused(
    app: &App,
    credentials: &Credentials,
    ask: &Ask<'_>,
    refusal: &Refusal,
    fields: &Value,
    now: SystemTime,
) -> String {
    let key = &app.key;
    let field = |name: &str| fields.get(name).map_or("nothing".to_owned(), Value::to_string);
    let target = ask.target.unwrap_or(crate::emulator::policy::Target {
        path: "",
        container: "",
    });
    match refusal {
        Refusal::Missing {
            policy: None,
            signature: None,
        } if app.secured => format!("{key} has security on, and no policy came (§2.4)"),
        Refusal::Missing {
            policy: None,
            signature: None,
        } => "Overwriting, deleting, intelligence and workflows need a policy, also with security off, and none came (§2.4)".into(),
        Refusal::Missing { policy: Some(_), .. } => "A policy came without its signature (§2.3)".into(),
        Refusal::Missing { .. } => "A signature came without its policy (§2.3)".into(),
        Refusal::NotBase64 => "The policy is not base64 with its padding kept (§2.2)".into(),
        Refusal::Signature if credentials.secret.is_some() => {
            format!("The secret that came by HTTP Basic is not that of {key} (§2.3)")
        }
        Refusal::Signature => format!(
            "The signature is not the HMAC-SHA256 of the policy with the secret of {key}, in lower-case hex (§2.2)"
        ),
        Refusal::Malformed(what) => format!("The policy is signed, but it cannot be read: {what} (§2.1)"),
        Refusal::Expired => format!(
            "The policy expired at {}; here it is {}",
            expiry(fields).map_or_else(|| field("expiry"), written),
            written(now)
        ),
        Refusal::Url => format!(
            "The policy's url is {}, which the whole source does not match (§2.1)",
            field("url")
        ),
        Refusal::Call => format!(
            "The policy grants {}; the call needs {}",
            field("call"),
            either(ask.calls)
        ),
        Refusal::Handle => match ask.handle {
            Some(handle) => format!("The policy is for the file {}, not for {handle}", field("handle")),
            None => format!(
                "The policy is for the file {}, so it cannot make a new one",
                field("handle")
            ),
        },
        Refusal::Path => format!(
            "The path {:?} is not one that {} allows",
            target.path,
            field("path")
        ),
        Refusal::Container => format!(
            "The container {:?} is not one that {} allows",
            target.container,
            field("container")
        ),
        Refusal::Size => format!(
            "{} bytes are not within minSize {} and maxSize {}",
            ask.size.map_or("These".to_owned(), |size| size.to_string()),
            field("minSize"),
            field("maxSize")
        ),
    }
}

fn expiry(fields: &Value) -> Option<SystemTime> {
    let seconds = fields.get("expiry")?.as_f64()?;
    let since = Duration::try_from_secs_f64(seconds).ok()?;
    UNIX_EPOCH.checked_add(since)
}

fn either(calls: &[&str]) -> String {
    calls.join(" or ")
}
