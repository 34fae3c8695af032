//! Intelligent ingestion: chunks with offsets, a commit per part, and no parts in `complete`.

use serde_json::json;

use super::fake::{HANDLE, Reply, Seen, honest};
use super::*;

const MIB: usize = 1024 * 1024;
const PART: usize = 8 * MIB;

fn granting(seen: &Seen, base: &str) -> Reply {
    match (honest(seen, base), seen.path.as_str()) {
        (Reply::Json(status, mut json), "/multipart/start") => {
            json["upload_type"] = "intelligent_ingestion".into();
            Reply::Json(status, json)
        }
        (Reply::With(..), path) if path.starts_with("/storage") => Reply::Text(200, "chunks need no ETag"),
        (reply, _) => reply,
    }
}

async fn upload(fake: &Fake, len: usize) -> Result<StoredFile, FilestackError> {
    let fs = client(
        fake,
        Options {
            intelligent: true,
            ..options()
        },
    );
    fs.upload_bytes(new_upload(len), upload_grant(&fs), content(len))
        .await
}

/// Puts all chunks of a part where their offsets say.
fn stored(fake: &Fake, part: usize, len: usize) -> Bytes {
    let mut bytes = vec![0; len];
    for put in fake.seen().iter().filter(|seen| seen.method == "PUT") {
        let mut steps = put.path.split('/').skip(2).map(|n| n.parse::<usize>().unwrap());
        if steps.next() == Some(part) {
            let at = steps.next().unwrap();
            bytes[at..at + put.body.len()].copy_from_slice(&put.body);
        }
    }
    bytes.into()
}

#[actix_web::test]
async fn parts_go_as_chunks_and_are_committed() {
    let fake = Fake::start(granting);
    let len = PART + 5;
    assert_eq!(upload(&fake, len).await.unwrap().handle.as_str(), HANDLE);
    assert_eq!(fake.calls("POST", "/multipart/start")[0].json()["fii"], true);
    assert_eq!(stored(&fake, 1, PART), content(len).slice(..PART));
    assert_eq!(stored(&fake, 2, 5), content(len).slice(PART..));
    let slot = fake.calls("POST", "/multipart/upload")[0].json();
    assert_eq!((&slot["offset"], &slot["fii"]), (&json!(0), &json!(true)));
    let mut commits: Vec<_> = fake
        .calls("POST", "/multipart/commit")
        .iter()
        .map(Seen::json)
        .collect();
    commits.sort_by_key(|commit| commit["part"].as_u64());
    assert_eq!(commits.len(), 2);
    for (commit, part) in commits.iter().zip([1, 2]) {
        assert_eq!((&commit["part"], &commit["size"]), (&json!(part), &json!(len)));
        assert!(
            commit["policy"].is_string() && commit["signature"].is_string(),
            "s6"
        );
    }
    let complete = fake.calls("POST", "/multipart/complete")[0].json();
    assert_eq!((complete.get("parts"), &complete["fii"]), (None, &json!(true)));
}

#[actix_web::test]
async fn chunks_are_halved_until_they_get_through() {
    let fake = Fake::start(|seen, base| match seen.method.as_str() {
        "PUT" if seen.body.len() > 600 * 1024 => Reply::Text(500, "too much at once"),
        _ => granting(seen, base),
    });
    let len = 2 * MIB;
    upload(&fake, len).await.unwrap();
    let sizes: Vec<_> = fake
        .seen()
        .iter()
        .filter(|s| s.method == "PUT")
        .map(|s| s.body.len() / 1024)
        .collect();
    assert_eq!(sizes, [2048, 1024, 512, 512, 512, 512]);
    assert_eq!(fake.calls("POST", "/multipart/commit").len(), 1);
}

#[actix_web::test]
async fn the_smallest_chunks_fail_in_the_end() {
    let fake = Fake::start(|seen, base| match seen.method.as_str() {
        "PUT" => Reply::Text(500, "never"),
        _ => granting(seen, base),
    });
    assert!(upload(&fake, 100 * 1024).await.unwrap_err().is_transient());
    let sizes: Vec<_> = fake
        .seen()
        .iter()
        .filter(|s| s.method == "PUT")
        .map(|s| s.body.len() / 1024)
        .collect();
    assert_eq!(sizes, [100, 50, 32, 32, 32, 32]);
    assert_eq!(
        (fake.calls("POST", "/multipart/commit").len(), fake.completes()),
        (0, 0)
    );
}

#[actix_web::test]
async fn being_too_busy_does_not_make_chunks_smaller() {
    let fake = Fake::start(|seen, base| match (seen.method.as_str(), seen.earlier) {
        ("PUT", 0) => Reply::Text(429, "slow down"),
        _ => granting(seen, base),
    });
    upload(&fake, 100 * 1024).await.unwrap();
    assert!(
        fake.seen()
            .iter()
            .filter(|s| s.method == "PUT")
            .all(|s| s.body.len() == 100 * 1024)
    );
}

#[actix_web::test]
async fn commit_is_repeated_and_206_means_not_yet() {
    let fake = Fake::start(|seen, base| match (seen.path.as_str(), seen.earlier) {
        ("/multipart/commit", 0) => Reply::Text(500, "oops"),
        ("/multipart/complete", 0) => Reply::Json(206, json!({})),
        _ => granting(seen, base),
    });
    upload(&fake, 10).await.unwrap();
    assert_eq!(
        (fake.calls("POST", "/multipart/commit").len(), fake.completes()),
        (2, 2)
    );
}

#[actix_web::test]
async fn without_a_grant_the_upload_is_regular() {
    let fake = Fake::start(honest);
    upload(&fake, 25).await.unwrap();
    assert_eq!(fake.calls("POST", "/multipart/start")[0].json()["fii"], true);
    assert!(fake.calls("POST", "/multipart/commit").is_empty());
    let complete = fake.calls("POST", "/multipart/complete")[0].json();
    assert_eq!(
        (complete["parts"].as_array().unwrap().len(), complete.get("fii")),
        (3, None)
    );
}

#[actix_web::test]
async fn an_empty_file_is_regular() {
    let fake = Fake::start(granting);
    upload(&fake, 0).await.unwrap();
    assert_eq!(fake.calls("POST", "/multipart/start")[0].json().get("fii"), None);
    assert_eq!(
        fake.calls("POST", "/multipart/complete")[0].json()["parts"],
        json!([])
    );
}
