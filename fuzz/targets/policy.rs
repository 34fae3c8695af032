//! Policies (§2): nothing unsigned is ever granted, and what is signed is granted only as far as its own fields go.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;

use super::apps::App;
use super::policy::{Ask, Credentials, Target, check};

const NOW: u64 = 1_800_000_000;
const SECRET: &str = "FUZZSECRET";
const HANDLE: &str = "KW9EJhYtS6y48Whm2S6D";

/// The first byte says what is asked for and how the rest is encoded; the rest is a policy.
pub fn run(data: &[u8]) {
    let Some((how, policy)) = data.split_first() else { return };
    let app = App {
        key: "AKeyz".to_owned(),
        secret: SECRET.to_owned(),
        secured: true,
    };
    unsigned(&app, policy);
    let text = if how & 1 == 0 {
        URL_SAFE.encode(policy)
    } else {
        STANDARD.encode(policy)
    };
    let ask = asks()[usize::from(how >> 1) % 4];
    let credentials = Credentials {
        signature: Some(sign(&text)),
        policy: Some(text.clone()),
        secret: None,
    };
    let granted = check(&app, &credentials, &ask, true, now());
    let tampered = Credentials {
        signature: Some(sign(&format!("{text}A"))),
        ..credentials
    };
    assert!(check(&app, &tampered, &ask, true, now()).is_err());
    let Ok(grant) = granted else { return };

    // Granted, so by the policy's own words: read once more, and more simply.
    let policy: Value = serde_json::from_slice(policy).expect("only JSON is granted");
    assert!(policy["expiry"].as_f64().expect("only with an end") > NOW as f64);
    let call = &policy["call"];
    let has = |name: &str| match call {
        Value::Null => name != "exif",
        Value::String(one) => one == name,
        Value::Array(calls) => calls.iter().any(|call| call == name),
        _ => false,
    };
    let revoked = has("revoke") && ask.calls.contains(&"remove");
    assert!(revoked || ask.calls.iter().any(|name| has(name)), "{call}");
    if let Some(only) = policy["handle"].as_str() {
        assert_eq!(ask.handle, Some(only));
    }
    if let (Some(most), Some(size)) = (policy["maxSize"].as_u64(), ask.size) {
        assert!(size <= most && grant.check_size(most.saturating_add(1)).is_err() | (most == u64::MAX));
    }
    if let (Some(least), Some(size)) = (policy["minSize"].as_u64(), ask.size) {
        assert!(size >= least);
    }
}

/// The bytes as the very text of policy and signature: they have not the secret.
fn unsigned(app: &App, data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (policy, signature) = text.split_once('\n').unwrap_or((text, text));
    let credentials = Credentials {
        policy: Some(policy.to_owned()),
        signature: Some(signature.to_owned()),
        secret: None,
    };
    if signature != sign(&policy.replace(' ', "+")) {
        assert!(check(app, &credentials, &asks()[0], false, now()).is_err());
    }
}

fn asks() -> [Ask<'static>; 4] {
    let ask = Ask::default();
    let target = Target {
        path: "user-uploads/7/",
        container: "",
    };
    [
        Ask {
            calls: &["read"],
            handle: Some(HANDLE),
            ..ask
        },
        Ask {
            calls: &["pick", "store"],
            target: Some(target),
            size: Some(1_000),
            ..ask
        },
        Ask {
            calls: &["store"],
            target: Some(target),
            source: Some("https://example.org/a.png"),
            ..ask
        },
        Ask {
            calls: &["remove"],
            handle: Some(HANDLE),
            ..ask
        },
    ]
}

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(NOW)
}

fn sign(text: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(text.as_bytes());
    let sum = mac.finalize().into_bytes();
    sum.iter().map(|byte| format!("{byte:02x}")).collect()
}
