//! Policies without sockets: the vectors of §2.6 and every reason to refuse.

use std::time::Duration;

use serde_json::json;

use super::*;

const NOW: u64 = 1_800_000_000;

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(NOW)
}

fn app(secret: &str) -> App {
    App::parse(&format!("AKeyz:{secret}")).unwrap()
}

fn signed_text(secret: &str, text: String) -> Credentials {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    let signature = mac
        .finalize()
        .into_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Credentials {
        policy: Some(text),
        signature: Some(signature),
        secret: None,
    }
}

fn decide_json(json: &str, ask: &Ask<'_>) -> Result<Grant, Refusal> {
    check(
        &app("SECRET"),
        &signed_text("SECRET", URL_SAFE.encode(json)),
        ask,
        true,
        now(),
    )
}

fn decide(mut policy: Value, ask: &Ask<'_>) -> Result<Grant, Refusal> {
    if policy.get("expiry").is_none() {
        policy["expiry"] = (NOW + 60).into();
    }
    decide_json(&policy.to_string(), ask)
}

fn read() -> Ask<'static> {
    Ask {
        calls: &["read"],
        handle: Some("HANDLE"),
        ..Ask::default()
    }
}

fn store<'a>(path: &'a str, container: &'a str, size: u64) -> Ask<'a> {
    Ask {
        calls: &["pick", "store"],
        target: Some(Target { path, container }),
        size: Some(size),
        ..Ask::default()
    }
}

#[test]
fn the_published_vectors_are_verified() {
    for (secret, policy, signature) in [
        (
            "secret",
            "eyJleHBpcnkiOiAxMjN9",
            "4de8b7441b3daf0d68b4f8ebcf7e015d07aef43a1295476a1dde1aed327abc01",
        ),
        (
            "secret",
            "eyJleHBpcmVzIjogMTIzfQ==",
            "379d2ba0d5be34eddf09f873b7f38643dc51599b0afcd564f52733b52d698748",
        ),
        (
            "secret",
            "eyJleHBpcmVzIjogOTk5OTk5OTk5OTk5fQ==",
            "8c75305f7615776a892ddd165111dba0fa24b45107024a55a7170a7d1d60157a",
        ),
        (
            "APPSECRET",
            "eyJjYWxsIjogWyJyZWFkIl0sICJleHBpcnkiOiAxMDIzODIzOX0=",
            "858d1ee9c0a1f06283e495f78dc7950ff6e64136ce960465f35539791fcd486b",
        ),
        (
            "another-secret",
            "eyJjYWxsIjogWyJ3cml0ZSJdLCAiZXhwaXJ5IjogMTY1NTk5MjQzMn0=",
            "625cc5b9beab3e939fb53935f7795919c9f57f628d43adfc14566d2ad9a4ad47",
        ),
        (
            "SECURITY-SECRET",
            "eyJjYWxsIjogWyJyZWFkIl0sICJleHBpcnkiOiAyNTMzODE5NjQ0MTV9",
            "f61fa1effb0638ab5b6e208d5d2fd9343f8557d8a0bf529c6d8542935f77bb3c",
        ),
        (
            "SECURITY-SECRET",
            "eyJjYWxsIjogWyJyZWFkIl0sICJleHBpcnkiOiAxNTYyNzYzMTQ2fQ==",
            "89f1325dca54cfce976163fb692bb266f28129525b8c6bb0eeadf4b7d450e2f0",
        ),
        (
            "MBVEKA6ARFGNDDTVY7IQDZ4HYU",
            "eyJleHBpcnkiOjE2MTcyMjgwMDB9",
            "8ff61ba46198ad2778933e578e62fdf37ca4e28193655e8cd04f775598165f90",
        ),
        (
            "Z3IYZSH2UJA7VN3QYFVSVCF7PI",
            "eyJoYW5kbGUiOiJLVzlFSmhZdFM2eTQ4V2htMlM2RCIsImV4cGlyeSI6MTUwODE0MTUwNH0=",
            "4098f262b9dba23e4766ce127353aaf4f37fde0fd726d164d944e031fd862c18",
        ),
    ] {
        assert!(verified(&app(secret), policy, signature).is_ok(), "{policy}");
        assert_eq!(
            verified(&app("wrong"), policy, signature),
            Err(Refusal::Signature)
        );
    }
    let text = r#"{"expiry":1523595600,"call":["pick","read","stat","write","writeUrl","store","convert","remove","exif","runWorkflow"],"handle":"TEST_HANDLE"}"#;
    let signature = "7df0536104cdcc16370ad6494cdbda30c9773a62eec6e5153fa539544db6206e";
    assert!(verified(&app("testAppSecret"), &URL_SAFE.encode(text), signature).is_ok());
}

#[test]
fn p4_both_alphabets_are_read_and_padding_is_required() {
    // These bytes give `-` and `_` in one alphabet, `+` and `/` in the other.
    let json = json!({ "expiry": NOW + 60, "path": "~~??>>~~" }).to_string();
    let (url_safe, standard) = (URL_SAFE.encode(&json), STANDARD.encode(&json));
    assert_ne!(url_safe, standard);
    for text in [url_safe, standard.clone()] {
        assert!(check(&app("S"), &signed_text("S", text), &read(), true, now()).is_ok());
    }
    // An unescaped `+` of a query.
    let spaced = Credentials {
        policy: Some(standard.replace('+', " ")),
        ..signed_text("S", standard)
    };
    assert!(check(&app("S"), &spaced, &read(), true, now()).is_ok());
    for text in [
        "eyJleHBpcmVzIjogMTIzfQ",
        "eyJleHBpcmVzIjogMTIzfQ=",
        "eyJl eHBp!",
        "",
        "====",
    ] {
        let credentials = signed_text("S", text.to_owned());
        let refused = check(&app("S"), &credentials, &read(), true, now()).unwrap_err();
        assert!(
            matches!(refused, Refusal::NotBase64 | Refusal::Malformed(_)),
            "{text}: {refused:?}"
        );
    }
    assert_eq!(
        check(
            &app("S"),
            &signed_text("S", "eyJleHBpcmVzIjogMTIzfQ".into()),
            &read(),
            true,
            now()
        ),
        Err(Refusal::NotBase64)
    );
}

#[test]
fn p4_a_signature_is_these_64_lower_case_digits_and_no_others() {
    let good = signed_text("S", URL_SAFE.encode(json!({ "expiry": NOW + 60 }).to_string()));
    assert!(check(&app("S"), &good, &read(), true, now()).is_ok());
    let right = good.signature.clone().unwrap();
    let flipped = if right.starts_with('0') { "1" } else { "0" }.to_owned() + &right[1..];
    for wrong in [
        flipped,
        right.to_uppercase(),
        right[..63].to_owned(),
        format!("{right}0"),
        "é".repeat(32),
        "x".into(),
    ] {
        let wrong = Credentials {
            signature: Some(wrong),
            ..good.clone()
        };
        assert_eq!(
            check(&app("S"), &wrong, &read(), true, now()),
            Err(Refusal::Signature)
        );
    }
}

#[test]
fn p5_a_policy_ends_with_its_second() {
    assert_eq!(
        decide(json!({ "expiry": NOW - 1 }), &read()),
        Err(Refusal::Expired)
    );
    assert_eq!(decide(json!({ "expiry": NOW }), &read()), Err(Refusal::Expired));
    assert!(decide(json!({ "expiry": NOW + 1 }), &read()).is_ok());
    assert!(decide(json!({ "expiry": 1e12 }), &read()).is_ok());
}

#[test]
fn what_is_signed_but_no_policy_is_refused() {
    for json in [
        "",
        "[]",
        "1",
        "null",
        "{",
        "{}",
        r#"{"expires":9999999999}"#,
        r#"{"expiry":"9999999999"}"#,
        r#"{"expiry":null}"#,
        r#"{"expiry":true}"#,
        r#"{"expiry":9999999999,"call":{}}"#,
        r#"{"expiry":9999999999,"call":[1]}"#,
        r#"{"expiry":9999999999,"handle":1}"#,
        r#"{"expiry":9999999999,"maxSize":"1"}"#,
        r#"{"expiry":9999999999,"minSize":-1}"#,
    ] {
        assert!(
            matches!(decide_json(json, &read()), Err(Refusal::Malformed(_))),
            "{json}"
        );
    }
    let deep = "[".repeat(3000);
    assert!(matches!(decide_json(&deep, &read()), Err(Refusal::Malformed(_))));
    let long = json!({ "expiry": NOW + 60, "path": "x".repeat(9000) });
    assert_eq!(decide(long, &read()), Err(Refusal::Malformed("too long")));
}

#[test]
fn calls_are_granted_one_by_one_or_all_but_exif() {
    assert!(decide(json!({ "call": ["read"] }), &read()).is_ok());
    assert!(decide(json!({ "call": "read" }), &read()).is_ok());
    assert!(decide(json!({}), &read()).is_ok());
    // Java's misspelt list is ignored by the server (§2.1).
    assert!(decide(json!({ "calls": ["stat"] }), &read()).is_ok());
    for call in [json!([]), json!(["stat"]), json!(["Read"]), json!("reads")] {
        assert_eq!(decide(json!({ "call": call }), &read()), Err(Refusal::Call));
    }
    assert!(!decide(json!({}), &read()).unwrap().allows("exif"));
    assert!(
        decide(json!({ "call": ["read", "exif"] }), &read())
            .unwrap()
            .allows("exif")
    );
    let remove = Ask {
        calls: &["remove"],
        ..read()
    };
    assert!(decide(json!({ "call": ["revoke"] }), &remove).is_ok());
}

#[test]
fn a_handle_names_one_file_and_no_new_one() {
    assert!(decide(json!({ "handle": "HANDLE" }), &read()).is_ok());
    assert_eq!(
        decide(json!({ "handle": "OTHER" }), &read()),
        Err(Refusal::Handle)
    );
    assert_eq!(decide(json!({ "handle": "" }), &read()), Err(Refusal::Handle));
    assert_eq!(
        decide(json!({ "handle": "HANDLE" }), &store("", "", 1)),
        Err(Refusal::Handle)
    );
}

#[test]
fn p9_path_and_container_match_as_a_whole() {
    let path = |pattern: &str, path: &str| decide(json!({ "path": pattern }), &store(path, "", 1)).map(drop);
    assert_eq!(path("uploads/ana/.*", "uploads/ana/1/"), Ok(()));
    assert_eq!(path("^uploads/ana/.*$", "uploads/ana/1/"), Ok(()));
    for wrong in [
        "uploads/bob/1/",
        "x/uploads/ana/1/",
        "",
        "uploads/ana",
        "uploads/ana/1/\nx",
    ] {
        assert_eq!(path("uploads/ana/.*", wrong), Err(Refusal::Path), "{wrong:?}");
    }
    assert_eq!(path("a|ab", "ab"), Ok(()));
    assert_eq!(path("ana/", "ana/x"), Err(Refusal::Path));
    for broken in ["(", "a)|(.*", "[z-a]", "(?=x)"] {
        assert!(
            matches!(path(broken, "x"), Err(Refusal::Malformed(_))),
            "{broken}"
        );
    }
    let container = json!({ "container": "mine" });
    assert!(decide(container.clone(), &store("", "mine", 1)).is_ok());
    assert_eq!(
        decide(container.clone(), &store("", "", 1)),
        Err(Refusal::Container)
    );
    assert_eq!(
        decide(container, &store("", "not-mine", 1)),
        Err(Refusal::Container)
    );
}

#[test]
fn sizes_are_bounded_at_both_ends() {
    let policy = json!({ "minSize": 10, "maxSize": 20 });
    for (size, ok) in [(9, false), (10, true), (20, true), (21, false)] {
        let decision = decide(policy.clone(), &store("", "", size));
        assert_eq!(decision.is_ok(), ok, "{size}: {decision:?}");
    }
    assert_eq!(decide(policy, &read()).unwrap().max_size, Some(20));
}

#[test]
fn open_apps_need_a_policy_only_where_always_is_said_and_check_what_comes() {
    let open = App::parse("AKeyz:S:open").unwrap();
    let none = Credentials::default();
    assert!(check(&open, &none, &read(), false, now()).is_ok());
    assert!(matches!(
        check(&open, &none, &read(), true, now()),
        Err(Refusal::Missing { .. })
    ));
    assert!(matches!(
        check(&app("S"), &none, &read(), false, now()),
        Err(Refusal::Missing { .. })
    ));
    let half = Credentials {
        policy: Some("x".into()),
        ..none.clone()
    };
    assert!(matches!(
        check(&open, &half, &read(), false, now()),
        Err(Refusal::Missing { .. })
    ));
    let wrong = signed_text("T", URL_SAFE.encode(r#"{"expiry":9999999999}"#));
    assert_eq!(
        check(&open, &wrong, &read(), false, now()),
        Err(Refusal::Signature)
    );
}

#[test]
fn the_app_secret_itself_opens_everything_and_another_does_not() {
    let basic = |secret: &str| Credentials {
        secret: Some(secret.into()),
        ..Credentials::default()
    };
    assert!(check(&app("S"), &basic("S"), &read(), true, now()).is_ok());
    assert_eq!(
        check(&app("S"), &basic("T"), &read(), true, now()),
        Err(Refusal::Signature)
    );
}
