//! Regular multipart uploads against a Filestack that is broken, busy, or says no.

use serde_json::json;

use super::fake::{HANDLE, Reply, Seen, honest, storage_that_cuts};
use super::*;

type MaybeReply = fn(&Seen) -> Option<Reply>;

fn started_at(location: &str) -> Reply {
    Reply::Json(
        200,
        json!({"uri": "u", "region": "r", "upload_id": "i", "location_url": location}),
    )
}

#[actix_web::test]
async fn a_failed_part_is_sent_again_as_a_whole() {
    for status in [500, 502, 503, 429, 408] {
        let fake = Fake::start(move |seen, base| match (seen.method.as_str(), seen.earlier) {
            ("PUT", 0) => Reply::Text(status, "not now"),
            _ => honest(seen, base),
        });
        upload(&fake, options(), 10).await.unwrap();
        assert_eq!(fake.calls("POST", "/multipart/upload").len(), 2, "{status}");
        assert_eq!(fake.calls("PUT", "/storage/1/null").len(), 2, "{status}");
    }
}

#[actix_web::test]
async fn every_call_of_an_upload_survives_a_failure() {
    for path in ["/multipart/start", "/multipart/upload", "/multipart/complete"] {
        for lost in [true, false] {
            let fake = Fake::start(move |seen, base| match (seen.path == path, seen.earlier, lost) {
                (true, 0, true) => Reply::Broken,
                (true, 0, false) => Reply::Text(500, "oops"),
                _ => honest(seen, base),
            });
            upload(&fake, options(), 10).await.unwrap();
            assert_eq!(fake.calls("POST", path).len(), 2, "{path}");
        }
    }
}

#[actix_web::test]
async fn a_connection_cut_in_mid_part_is_a_failed_part() {
    let storage = storage_that_cuts(2);
    let fake = Fake::start(move |seen, base| match seen.path.as_str() {
        "/multipart/upload" => Reply::Json(200, json!({"url": storage, "headers": {}})),
        _ => honest(seen, base),
    });
    let big = Options {
        part_size: 4 * 1024 * 1024,
        ..options()
    };
    upload(&fake, big, 1024 * 1024).await.unwrap();
    assert_eq!(fake.calls("POST", "/multipart/upload").len(), 3);
    let complete = fake.calls("POST", "/multipart/complete")[0].json();
    assert_eq!(
        complete["parts"],
        json!([{"part_number": 1, "etag": "\"whole\""}])
    );
}

#[actix_web::test]
async fn a_silent_server_is_given_up_in_time() {
    for silent in ["PUT", "POST"] {
        let fake = Fake::start(
            move |seen, base| match (seen.method == silent, seen.path.as_str()) {
                (true, "/multipart/start") => honest(seen, base),
                (true, _) => Reply::Silence,
                _ => honest(seen, base),
            },
        );
        let brief = Duration::from_millis(5);
        let impatient = Options {
            response_timeout: brief,
            part_timeout: brief,
            retries: 1,
            ..options()
        };
        // Start is answered, but on a busy machine perhaps not within that time; either way it ends here.
        let error = upload(&fake, impatient, 10).await.unwrap_err();
        assert!(matches!(error, FilestackError::Unavailable { .. }), "{error}");
        assert_eq!(fake.completes(), 0);
    }
}

#[actix_web::test]
async fn a_refusal_is_never_repeated() {
    for (path, method) in [
        ("/multipart/start", "POST"),
        ("/multipart/upload", "POST"),
        ("/storage/1/null", "PUT"),
    ] {
        for status in [400, 401, 403, 404, 501] {
            let fake = Fake::start(move |seen, base| match seen.path == path {
                true => Reply::Json(status, json!({"error": "Invalid App policy", "c": "x"})),
                false => honest(seen, base),
            });
            let error = upload(&fake, options(), 10).await.unwrap_err();
            assert!(
                matches!(error, FilestackError::Rejected { status: s, .. } if s == status),
                "{error}"
            );
            assert_eq!(fake.calls(method, path).len(), 1);
            assert_eq!(fake.completes(), 0);
        }
    }
}

#[actix_web::test]
async fn retries_end_and_say_that_it_may_work_later() {
    let fake = Fake::start(|seen, base| match seen.method.as_str() {
        "PUT" => Reply::Text(500, "oops"),
        _ => honest(seen, base),
    });
    let error = upload(&fake, options(), 10).await.unwrap_err();
    assert!(error.is_transient());
    assert_eq!(fake.calls("PUT", "/storage/1/null").len(), 4);
    assert_eq!(fake.completes(), 0);
}

#[actix_web::test]
async fn too_long_a_wait_is_handed_to_the_caller() {
    let fake = Fake::start(|_, _| Reply::With(429, vec![("Retry-After", "3600".into())]));
    let error = upload(&fake, options(), 10).await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3600)));
    assert_eq!(fake.seen().len(), 1);
}

#[actix_web::test]
async fn complete_is_repeated_while_parts_are_merged() {
    let fake = Fake::start(|seen, base| match (seen.path.as_str(), seen.earlier) {
        ("/multipart/complete", 0..3) => Reply::Json(202, json!({})),
        _ => honest(seen, base),
    });
    assert_eq!(
        upload(&fake, options(), 10).await.unwrap().handle.as_str(),
        HANDLE
    );
    let calls = fake.calls("POST", "/multipart/complete");
    assert_eq!(calls.len(), 4);
    assert!(calls.iter().all(|call| call.body == calls[0].body));
}

#[actix_web::test]
async fn complete_is_not_repeated_for_ever() {
    let fake = Fake::start(|seen, base| match seen.path.as_str() {
        "/multipart/complete" => Reply::Json(202, json!({})),
        _ => honest(seen, base),
    });
    assert!(upload(&fake, options(), 10).await.unwrap_err().is_transient());
    assert_eq!(fake.completes(), 5);
}

#[actix_web::test]
async fn a_refusal_after_a_lost_answer_leaves_the_outcome_open() {
    let fake = Fake::start(|seen, base| match (seen.path.as_str(), seen.earlier) {
        ("/multipart/complete", 0) => Reply::Broken,
        ("/multipart/complete", _) => Reply::Json(400, json!({"error": "unknown upload"})),
        _ => honest(seen, base),
    });
    let error = upload(&fake, options(), 10).await.unwrap_err();
    assert!(matches!(error, FilestackError::Unavailable { .. }), "{error}");
}

#[actix_web::test]
async fn a_success_that_is_none_is_a_failure() {
    let cases: [(fn() -> Reply, bool); 5] = [
        (
            || Reply::Json(200, json!({"error": "invalid security policy path"})),
            true,
        ),
        (|| Reply::Text(200, "Invalid Application"), true),
        (|| Reply::Text(200, "<html>"), false),
        (
            || Reply::Json(200, json!({"handle": "../x", "url": "https://x/y", "size": 10})),
            false,
        ),
        (|| Reply::Json(200, json!([])), false),
    ];
    for (reply, refused) in cases {
        let fake = Fake::start(move |seen, base| match seen.path.as_str() {
            "/multipart/complete" => reply(),
            _ => honest(seen, base),
        });
        let error = upload(&fake, options(), 10).await.unwrap_err();
        let fits = match error {
            FilestackError::Rejected { .. } => refused,
            FilestackError::Protocol(_) => !refused,
            _ => false,
        };
        assert!(fits, "{error}");
        assert_eq!(fake.completes(), 1);
    }
}

#[actix_web::test]
async fn replies_that_break_the_protocol_are_said_to() {
    let cases: [MaybeReply; 5] = [
        |seen| (seen.method == "PUT").then_some(Reply::Text(200, "no ETag")),
        |seen| (seen.path == "/multipart/start").then(|| Reply::Json(200, json!({"uri": "u"}))),
        |seen| (seen.path == "/multipart/start").then(|| started_at("user@host")),
        |seen| (seen.path == "/multipart/upload").then(|| Reply::Json(200, json!({"url": "file:///etc"}))),
        |seen| (seen.path == "/multipart/start").then(|| Reply::With(302, vec![("Location", "/".into())])),
    ];
    for case in cases {
        let fake = Fake::start(move |seen, base| case(seen).unwrap_or_else(|| honest(seen, base)));
        let error = upload(&fake, options(), 10).await.unwrap_err();
        assert!(matches!(error, FilestackError::Protocol(_)), "{error}");
        assert_eq!(fake.completes(), 0);
    }
}

#[actix_web::test]
async fn a_failed_part_comes_out_of_a_later_push_and_ends_the_upload() {
    let fake = Fake::start(|seen, base| match seen.path.as_str() {
        "/storage/1/null" => Reply::Text(403, "no"),
        _ => honest(seen, base),
    });
    let fs = client(
        &fake,
        Options {
            window: 1,
            ..options()
        },
    );
    let mut upload = fs.start_upload(new_upload(20), upload_grant(&fs)).await.unwrap();
    upload.push(content(10)).await.unwrap();
    assert!(matches!(
        upload.push(content(10)).await,
        Err(FilestackError::Rejected { status: 403, .. })
    ));
    assert!(upload.complete().await.is_err());
    assert_eq!(fake.completes(), 0);
}

#[actix_web::test]
async fn p8_errors_hold_no_policy_signature_or_secret() {
    let fake = Fake::start(|seen, base| match seen.path.as_str() {
        "/multipart/upload" => Reply::Json(
            403,
            json!({"error": format!("policy error: (signature: {}; policy {})", seen.json()["signature"], seen.json()["policy"])}),
        ),
        _ => honest(seen, base),
    });
    let fs = client(&fake, options());
    let grant = upload_grant(&fs);
    let (policy, signature) = (grant.policy().to_owned(), grant.signature().to_owned());
    let error = fs
        .upload_bytes(new_upload(10), grant, content(10))
        .await
        .unwrap_err();
    let text = format!("{error} {error:?}");
    assert!(text.contains("policy error"), "{text}");
    for hidden in [policy.as_str(), signature.as_str(), "CANARYSECRET"] {
        assert!(!text.contains(hidden), "{text}");
    }
}
