//! Policies are checked against published signatures and, purpose by purpose, against the least that does the job.

use serde_json::{Value, json};

use super::*;

const NOW: Duration = Duration::from_secs(1_700_000_000);

fn mint(purpose: Purpose<'_>) -> (Grant, Value) {
    let secret = AppSecret::new("secret").unwrap();
    let grant = Grant::sign(&secret, purpose, UNIX_EPOCH + NOW, Duration::from_secs(300));
    let json = serde_json::from_slice(&URL_SAFE.decode(grant.policy()).unwrap()).unwrap();
    (grant, json)
}

fn policy_of(purpose: Purpose<'_>) -> Value {
    mint(purpose).1
}

fn handle() -> Handle {
    Handle::new("KW9EJhYtS6y48Whm2S6D").unwrap()
}

fn every_purpose<'a>(handle: &'a Handle, url: &'a Url) -> Vec<Purpose<'a>> {
    let (path, max_size) = ("user-uploads/o/u/", 10);
    vec![
        Purpose::Upload { path, max_size },
        Purpose::PickerUpload {
            path,
            max_size,
            container: None,
        },
        Purpose::Read { handle },
        Purpose::Convert { handle },
        Purpose::ConvertUrl { url },
        Purpose::Stat { handle },
        Purpose::StatExif { handle },
        Purpose::Overwrite { handle, max_size },
        Purpose::OverwriteFromUrl { handle, url },
        Purpose::Remove { handle },
        Purpose::StoreUrl { url, path, max_size },
    ]
}

#[test]
fn p4_signatures_agree_with_every_published_vector() {
    let vectors = [
        (
            "secret",
            "{\"expiry\": 123}",
            "4de8b7441b3daf0d68b4f8ebcf7e015d07aef43a1295476a1dde1aed327abc01",
        ),
        (
            "secret",
            "{\"expires\": 123}",
            "379d2ba0d5be34eddf09f873b7f38643dc51599b0afcd564f52733b52d698748",
        ),
        (
            "secret",
            "{\"expires\": 999999999999}",
            "8c75305f7615776a892ddd165111dba0fa24b45107024a55a7170a7d1d60157a",
        ),
        (
            "APPSECRET",
            "{\"call\": [\"read\"], \"expiry\": 10238239}",
            "858d1ee9c0a1f06283e495f78dc7950ff6e64136ce960465f35539791fcd486b",
        ),
        (
            "another-secret",
            "{\"call\": [\"write\"], \"expiry\": 1655992432}",
            "625cc5b9beab3e939fb53935f7795919c9f57f628d43adfc14566d2ad9a4ad47",
        ),
        (
            "SECURITY-SECRET",
            "{\"call\": [\"read\"], \"expiry\": 253381964415}",
            "f61fa1effb0638ab5b6e208d5d2fd9343f8557d8a0bf529c6d8542935f77bb3c",
        ),
        (
            "SECURITY-SECRET",
            "{\"call\": [\"read\"], \"expiry\": 1562763146}",
            "89f1325dca54cfce976163fb692bb266f28129525b8c6bb0eeadf4b7d450e2f0",
        ),
        (
            "MBVEKA6ARFGNDDTVY7IQDZ4HYU",
            "{\"expiry\":1617228000}",
            "8ff61ba46198ad2778933e578e62fdf37ca4e28193655e8cd04f775598165f90",
        ),
        (
            "Z3IYZSH2UJA7VN3QYFVSVCF7PI",
            "{\"handle\":\"KW9EJhYtS6y48Whm2S6D\",\"expiry\":1508141504}",
            "4098f262b9dba23e4766ce127353aaf4f37fde0fd726d164d944e031fd862c18",
        ),
        (
            "testAppSecret",
            "{\"expiry\":1523595600,\"call\":[\"pick\",\"read\",\"stat\",\"write\",\"writeUrl\",\"store\",\"convert\",\
             \"remove\",\"exif\",\"runWorkflow\"],\"handle\":\"TEST_HANDLE\"}",
            "7df0536104cdcc16370ad6494cdbda30c9773a62eec6e5153fa539544db6206e",
        ),
    ];
    for (secret, text, expected) in vectors {
        let secret = AppSecret::new(secret).unwrap();
        assert_eq!(signature(&secret, &URL_SAFE.encode(text)), expected, "{text}");
    }
}

#[test]
fn encoding_is_url_safe_and_keeps_its_padding() {
    assert_eq!(URL_SAFE.encode("{\"expires\": 123}"), "eyJleHBpcmVzIjogMTIzfQ==");
    assert_eq!(
        URL_SAFE.encode("{\"handle\":\"KW9EJhYtS6y48Whm2S6D\",\"expiry\":1508141504}"),
        "eyJoYW5kbGUiOiJLVzlFSmhZdFM2eTQ4V2htMlM2RCIsImV4cGlyeSI6MTUwODE0MTUwNH0="
    );
    let (grant, _) = mint(Purpose::Upload {
        path: "a?b>c~d\u{ff}/",
        max_size: 1,
    });
    assert!(!grant.policy().contains(['+', '/']));
    assert_eq!(grant.policy().len() % 4, 0);
}

#[test]
fn p2_an_upload_may_only_store_below_its_path_and_up_to_its_size() {
    let expected = json!({
        "call": ["pick", "store"], "expiry": 1_700_000_300_u64,
        "path": "^/?user-uploads/o-1/u/[^/]*$", "maxSize": 1024,
    });
    assert_eq!(
        policy_of(Purpose::Upload {
            path: "user-uploads/o-1/u/",
            max_size: 1024
        }),
        expected
    );
    let picker = Purpose::PickerUpload {
        path: "/user-uploads/o-1/u/",
        max_size: 1024,
        container: None,
    };
    assert_eq!(policy_of(picker), expected);
    let in_bucket = Purpose::PickerUpload {
        path: "u/",
        max_size: 1,
        container: Some("my.bucket"),
    };
    assert_eq!(policy_of(in_bucket)["container"], r"^my\.bucket$");
}

#[test]
fn p2_every_file_purpose_names_its_file_and_the_fewest_calls() {
    let handle = handle();
    let expected =
        |call: &[&str]| json!({"call": call, "expiry": 1_700_000_300_u64, "handle": handle.as_str()});
    assert_eq!(policy_of(Purpose::Read { handle: &handle }), expected(&["read"]));
    assert_eq!(
        policy_of(Purpose::Convert { handle: &handle }),
        expected(&["read", "convert"])
    );
    assert_eq!(policy_of(Purpose::Stat { handle: &handle }), expected(&["stat"]));
    assert_eq!(
        policy_of(Purpose::StatExif { handle: &handle }),
        expected(&["stat", "exif"])
    );
    assert_eq!(
        policy_of(Purpose::Remove { handle: &handle }),
        expected(&["remove"])
    );
    let mut overwrite = expected(&["write"]);
    overwrite["maxSize"] = json!(9);
    assert_eq!(
        policy_of(Purpose::Overwrite {
            handle: &handle,
            max_size: 9
        }),
        overwrite
    );
}

#[test]
fn p2_a_purpose_with_an_address_allows_only_that_address() {
    let (handle, url) = (handle(), Url::parse("https://ex.org/a.png?x=(1)").unwrap());
    let pinned = r"^https://ex\.org/a\.png\?x=\(1\)$";
    assert_eq!(
        policy_of(Purpose::OverwriteFromUrl {
            handle: &handle,
            url: &url
        })["url"],
        pinned
    );
    let store = policy_of(Purpose::StoreUrl {
        url: &url,
        path: "p/",
        max_size: 7,
    });
    assert_eq!(
        store,
        json!({"call": ["store"], "expiry": 1_700_000_300_u64, "url": pinned, "path": "^/?p/[^/]*$", "maxSize": 7})
    );
}

#[test]
fn s15_there_is_no_unbounded_policy() {
    let (handle, url) = (handle(), Url::parse("https://ex.org/").unwrap());
    for purpose in every_purpose(&handle, &url) {
        let policy = policy_of(purpose);
        let calls = policy["call"].as_array().unwrap();
        assert!((1..=2).contains(&calls.len()), "{purpose:?}");
        assert_eq!(policy["expiry"], 1_700_000_300_u64, "{purpose:?}");
        assert!(
            ["handle", "path", "url"]
                .iter()
                .any(|bound| policy[bound].is_string()),
            "{purpose:?}"
        );
    }
}

#[test]
fn p9_a_path_is_matched_as_text_and_cannot_be_left() {
    assert_eq!(below("a.b/c+d/"), r"^/?a\.b/c\+d/[^/]*$");
    assert_eq!(below("exact/key.txt"), r"^/?exact/key\.txt$");
    assert_eq!(below("//abs/"), "^/?abs/[^/]*$");
    assert_eq!(below("x/.*|/"), r"^/?x/\.\*\|/[^/]*$");
}

#[test]
fn p5_a_grant_ends_exactly_when_its_minutes_are_over() {
    let handle = handle();
    let (grant, policy) = mint(Purpose::Read { handle: &handle });
    assert_eq!(policy["expiry"], 1_700_000_300_u64);
    assert_eq!(grant.expires_at(), UNIX_EPOCH + NOW + Duration::from_secs(300));
    let secret = AppSecret::new("secret").unwrap();
    let odd = Grant::sign(
        &secret,
        Purpose::Read { handle: &handle },
        UNIX_EPOCH,
        Duration::MAX,
    );
    assert!(odd.policy().len() > 10, "the largest time does not panic");
}

#[test]
fn p6_two_hours_later_a_grant_is_another_grant() {
    let (secret, handle) = (AppSecret::new("secret").unwrap(), handle());
    let at = |now| {
        Grant::sign(
            &secret,
            Purpose::Read { handle: &handle },
            now,
            Duration::from_secs(300),
        )
    };
    let (first, later) = (
        at(UNIX_EPOCH + NOW),
        at(UNIX_EPOCH + NOW + Duration::from_secs(7200)),
    );
    assert_ne!(first.policy(), later.policy());
    assert_ne!(first.signature(), later.signature());
}

#[test]
fn p8_a_printed_grant_gives_nothing_away() {
    let handle = handle();
    let (grant, _) = mint(Purpose::Read { handle: &handle });
    let printed = format!("{grant:?}");
    assert!(!printed.contains(grant.policy()) && !printed.contains(grant.signature()));
}
