//! Security policies as the server sees them: §2 read as strictly as it is written.
//!
//! Written from the protocol alone; it shares nothing with the client that signs, so that a mistake in one shows.
//!
//! Decisions where §2 leaves room: `path`, `container` and `url` are regular expressions that must match the **whole** value, a
//! value that was not given counting as empty; a policy with `handle` cannot upload, since a new file is not that
//! file; a signature must be lower-case hex; expiry is refused from its own second on.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use hmac::{Hmac, KeyInit, Mac};
use regex::RegexBuilder;
use serde_json::{Map, Value};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::apps::App;

/// More than any policy needs; keeps the work before the signature check small.
const MAX_POLICY_BYTES: usize = 8 * 1024;
/// Compiled size of a regular expression from a policy. The engine takes linear time whatever the expression.
const MAX_REGEX_BYTES: usize = 1 << 20;

/// What came with a request to prove that it may be made.
#[derive(Clone, Default)]
pub(super) struct Credentials {
    pub policy: Option<String>,
    pub signature: Option<String>,
    /// The password of HTTP Basic with user `app` (§2.3).
    pub secret: Option<String>,
}

/// What a request wants to do.
#[derive(Clone, Copy, Default)]
pub(super) struct Ask<'a> {
    /// One of these calls must be granted.
    pub calls: &'a [&'static str],
    /// The file it is about, when there is one already.
    pub handle: Option<&'a str>,
    /// Where a new file goes.
    pub target: Option<Target<'a>>,
    /// Size of the content to be stored, when known.
    pub size: Option<u64>,
    /// Where the content comes from, when it is fetched.
    pub source: Option<&'a str>,
}

/// Path and container of a file to be stored; empty when not given.
#[derive(Clone, Copy)]
pub(super) struct Target<'a> {
    pub path: &'a str,
    pub container: &'a str,
}

/// What a request may do.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Grant {
    /// Bounds on stored content, for calls that learn the size while reading.
    pub min_size: Option<u64>,
    pub max_size: Option<u64>,
    /// Calls named one by one; `None` is everything but `exif`.
    calls: Option<Vec<String>>,
}

impl Grant {
    /// Whether a call is granted besides the one asked for. `exif` is never implied (§2.1).
    pub(super) fn allows(&self, call: &str) -> bool {
        match &self.calls {
            Some(calls) => calls
                .iter()
                .any(|granted| granted == call || (granted == "revoke" && call == "remove")),
            None => call != "exif",
        }
    }

    pub(super) fn check_size(&self, size: u64) -> Result<(), Refusal> {
        let small = self.min_size.is_some_and(|least| size < least);
        let large = self.max_size.is_some_and(|most| size > most);
        if small || large {
            Err(Refusal::Size)
        } else {
            Ok(())
        }
    }
}

/// Why a request may not be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Policy or signature did not come; what did.
    Missing {
        policy: Option<String>,
        signature: Option<String>,
    },
    NotBase64,
    Signature,
    /// Signed, but not a policy.
    Malformed(&'static str),
    Expired,
    Call,
    Handle,
    Path,
    Container,
    Size,
    Url,
}

/// Decides whether `app` lets the request happen.
///
/// `always` is for overwrite and delete, which need a policy on open applications too (§2.4). A policy that comes
/// without need is checked nevertheless: a client that signs wrongly should learn it here.
pub(super) fn check(
    app: &App,
    credentials: &Credentials,
    ask: &Ask<'_>,
    always: bool,
    now: SystemTime,
) -> Result<Grant, Refusal> {
    if let Some(secret) = &credentials.secret {
        let same: bool = secret.as_bytes().ct_eq(app.secret.as_bytes()).into();
        return if same {
            Ok(Grant::default())
        } else {
            Err(Refusal::Signature)
        };
    }
    let (policy, signature) = match (&credentials.policy, &credentials.signature) {
        (Some(policy), Some(signature)) => (policy, signature),
        (None, None) if !app.secured && !always => return Ok(Grant::default()),
        (policy, signature) => {
            return Err(Refusal::Missing {
                policy: policy.clone(),
                signature: signature.clone(),
            });
        }
    };
    let policy = verified(app, policy, signature)?;
    let expiry = policy
        .get("expiry")
        .and_then(Value::as_f64)
        .ok_or(Refusal::Malformed("expiry"))?;
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    if expiry <= now {
        return Err(Refusal::Expired);
    }
    permit(&policy, ask)
}

/// The policy's fields, once the signature over the text as received is right (§2.2).
fn verified(app: &App, text: &str, signature: &str) -> Result<Map<String, Value>, Refusal> {
    if text.len() > MAX_POLICY_BYTES {
        return Err(Refusal::Malformed("too long"));
    }
    // An unescaped `+` of a query arrives as a space.
    let text = text.replace(' ', "+");
    // Before the signature, because that is what the service complains about first when padding was stripped.
    let json = URL_SAFE
        .decode(&text)
        .or_else(|_| STANDARD.decode(&text))
        .map_err(|_| Refusal::NotBase64)?;
    let given = lower_hex(signature).ok_or(Refusal::Signature)?;
    let mut mac =
        Hmac::<Sha256>::new_from_slice(app.secret.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(text.as_bytes());
    mac.verify_slice(&given).map_err(|_| Refusal::Signature)?;
    serde_json::from_slice(&json).map_err(|_| Refusal::Malformed("not a JSON object"))
}

fn lower_hex(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    let value = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = value(pair[0])? * 16 + value(pair[1])?;
    }
    Some(bytes)
}

fn permit(policy: &Map<String, Value>, ask: &Ask<'_>) -> Result<Grant, Refusal> {
    let grant = Grant {
        calls: calls(policy)?,
        min_size: bytes(policy, "minSize")?,
        max_size: bytes(policy, "maxSize")?,
    };
    if !ask.calls.iter().any(|call| grant.allows(call)) {
        return Err(Refusal::Call);
    }
    if let Some(only) = text(policy, "handle")?
        && ask.handle != Some(only)
    {
        return Err(Refusal::Handle);
    }
    if let Some(target) = ask.target {
        if !matches(text(policy, "path")?, target.path)? {
            return Err(Refusal::Path);
        }
        if !matches(text(policy, "container")?, target.container)? {
            return Err(Refusal::Container);
        }
    }
    if let Some(source) = ask.source
        && !matches(text(policy, "url")?, source)?
    {
        return Err(Refusal::Url);
    }
    if let Some(size) = ask.size {
        grant.check_size(size)?;
    }
    Ok(grant)
}

fn calls(policy: &Map<String, Value>) -> Result<Option<Vec<String>>, Refusal> {
    const WRONG: Refusal = Refusal::Malformed("call");
    match policy.get("call") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(one)) => Ok(Some(vec![one.clone()])),
        Some(Value::Array(list)) => list
            .iter()
            .map(|call| call.as_str().map(str::to_owned).ok_or(WRONG))
            .collect::<Result<_, _>>()
            .map(Some),
        Some(_) => Err(WRONG),
    }
}

fn bytes(policy: &Map<String, Value>, name: &'static str) -> Result<Option<u64>, Refusal> {
    match policy.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            let whole = value.as_u64().or_else(|| {
                // JavaScript writes large numbers as `1e21`; the cast saturates.
                value
                    .as_f64()
                    .filter(|number| *number >= 0.0)
                    .map(|number| number as u64)
            });
            whole.map(Some).ok_or(Refusal::Malformed(name))
        }
    }
}

fn text<'a>(policy: &'a Map<String, Value>, name: &'static str) -> Result<Option<&'a str>, Refusal> {
    match policy.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Refusal::Malformed(name)),
    }
}

fn matches(pattern: Option<&str>, value: &str) -> Result<bool, Refusal> {
    let Some(pattern) = pattern else { return Ok(true) };
    let compile = |pattern: &str| {
        let built = RegexBuilder::new(pattern).size_limit(MAX_REGEX_BYTES).build();
        built.map_err(|_| Refusal::Malformed("regular expression"))
    };
    // Alone first: the brackets round it must not turn a broken expression into a good one.
    compile(pattern)?;
    Ok(compile(&format!(r"\A(?:{pattern})\z"))?.is_match(value))
}

#[cfg(test)]
#[path = "tests/policy.rs"]
mod tests;
