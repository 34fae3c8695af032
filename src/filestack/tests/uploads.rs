//! Regular multipart uploads that go well, and those the caller ends.

use std::io;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::stream;
use md5::{Digest, Md5};
use serde_json::json;
use tokio::sync::Semaphore;

use super::fake::{HANDLE, Reply, honest};
use super::*;

#[actix_web::test]
async fn an_upload_says_what_the_protocol_wants() {
    let fake = Fake::start(honest);
    let fs = client(&fake, options());
    let grant = upload_grant(&fs);
    let (policy, signature) = (grant.policy().to_owned(), grant.signature().to_owned());
    let mut new = new_upload(25);
    new.store.workflows = vec!["W".into()];
    new.tags = [("k".to_owned(), "v".to_owned())].into();
    let file = fs.upload_bytes(new, grant, content(25)).await.unwrap();
    assert_eq!(
        (file.handle.as_str(), file.size, file.key.as_deref()),
        (HANDLE, 25, Some("k"))
    );
    assert_eq!(
        (file.filename.as_str(), file.status.as_deref()),
        ("cat, the.png", Some("Stored"))
    );

    let store = json!({"location": "S3", "path": "user-uploads/o/u/", "workflows": ["W"]});
    assert_eq!(
        fake.calls("POST", "/multipart/start")[0].json(),
        json!({"apikey": "AKEYz", "filename": "cat, the.png", "mimetype": "image/png", "size": 25, "store": store,
               "policy": policy, "signature": signature})
    );
    let common = json!({"apikey": "AKEYz", "uri": "/u/1", "region": "eu-west-1", "upload_id": "up-1", "store": store,
                        "policy": policy, "signature": signature});
    let mut uploads = fake.calls("POST", "/multipart/upload");
    uploads.sort_by_key(|seen| seen.json()["part"].as_u64());
    for (i, bytes) in [
        content(25).slice(..10),
        content(25).slice(10..20),
        content(25).slice(20..),
    ]
    .iter()
    .enumerate()
    {
        let mut expected = common.clone();
        expected["part"] = (i + 1).into();
        expected["size"] = bytes.len().into();
        expected["md5"] = STANDARD.encode(Md5::digest(bytes)).into();
        assert_eq!(uploads[i].json(), expected);
        assert_eq!(uploads[i].headers["filestack-upload-region"], "eu");
        let put = &fake.calls("PUT", &format!("/storage/{}/null", i + 1))[0];
        assert_eq!(&put.body, bytes);
        assert_eq!(put.headers["content-length"], bytes.len().to_string());
    }
    let mut expected = common;
    for (name, value) in [
        ("filename", json!("cat, the.png")),
        ("mimetype", json!("image/png")),
        ("size", json!(25)),
    ] {
        expected[name] = value;
    }
    expected["upload_tags"] = json!({"k": "v"});
    let tag = |part| json!({"part_number": part, "etag": format!("\"tag-of--storage-{part}-null\"")});
    expected["parts"] = json!([tag(1), tag(2), tag(3)]);
    assert_eq!(fake.calls("POST", "/multipart/complete")[0].json(), expected);
}

#[actix_web::test]
async fn s6_every_call_is_signed_and_storage_gets_only_the_headers_it_named() {
    let fake = Fake::start(honest);
    upload(&fake, options(), 11).await.unwrap();
    for seen in fake.seen() {
        if seen.method == "PUT" {
            let mut names: Vec<_> = seen.headers.keys().map(String::as_str).collect();
            names.sort_unstable();
            assert_eq!(
                names,
                [
                    "accept",
                    "content-length",
                    "content-md5",
                    "host",
                    "user-agent",
                    "x-amz-date"
                ]
            );
        } else {
            assert!(
                seen.json()["policy"].is_string() && seen.json()["signature"].is_string(),
                "{}",
                seen.path
            );
        }
    }
}

#[actix_web::test]
async fn sizes_around_a_part_arrive_whole() {
    for len in [1, 9, 10, 11, 20, 21] {
        let fake = Fake::start(honest);
        assert_eq!(upload(&fake, options(), len).await.unwrap().size, len as u64);
        let mut parts: Vec<_> = fake
            .seen()
            .into_iter()
            .filter(|seen| seen.method == "PUT")
            .collect();
        parts.sort_by(|a, b| a.path.cmp(&b.path));
        let stored: Vec<u8> = parts.iter().flat_map(|seen| seen.body.to_vec()).collect();
        assert_eq!(stored, content(len), "{len}");
        assert_eq!(parts.len(), len.div_ceil(10), "{len}");
    }
}

#[actix_web::test]
async fn an_empty_file_has_no_parts() {
    let fake = Fake::start(honest);
    assert_eq!(upload(&fake, options(), 0).await.unwrap().size, 0);
    let complete = &fake.calls("POST", "/multipart/complete")[0].json();
    assert_eq!((&complete["parts"], &complete["size"]), (&json!([]), &json!(0)));
    assert_eq!(fake.seen().len(), 2);
}

#[actix_web::test]
async fn files_of_very_many_parts_get_larger_ones() {
    let fake = Fake::start(honest);
    let fs = client(&fake, options());
    let upload = fs
        .start_upload(new_upload(100_001), upload_grant(&fs))
        .await
        .unwrap();
    assert_eq!(upload.part_size(), 11);
}

#[actix_web::test]
async fn a_part_in_several_pieces_goes_as_one_body_of_known_length() {
    let fake = Fake::start(honest);
    let fs = client(&fake, options());
    let whole = content(10);
    let mut upload = fs.start_upload(new_upload(10), upload_grant(&fs)).await.unwrap();
    let pieces: Vec<Bytes> = vec![whole.slice(..3), whole.slice(3..4), whole.slice(4..)];
    upload.push(pieces).await.unwrap();
    upload.complete().await.unwrap();
    let puts = fake.calls("PUT", "/storage/1/null");
    let put = puts.first().expect("a part was put");
    assert_eq!(put.headers["content-length"], "10");
    assert!(!put.headers.contains_key("transfer-encoding"));
    assert_eq!(put.body, whole);
}

#[actix_web::test]
async fn an_upload_that_is_dropped_or_aborted_is_never_completed() {
    let fake = Fake::start(honest);
    let fs = client(&fake, options());
    let mut dropped = fs.start_upload(new_upload(10), upload_grant(&fs)).await.unwrap();
    dropped.push(content(10)).await.unwrap();
    drop(dropped);
    let mut aborted = fs.start_upload(new_upload(10), upload_grant(&fs)).await.unwrap();
    aborted.push(content(10)).await.unwrap();
    aborted.abort().await;
    assert_eq!(fake.completes(), 0);
}

#[actix_web::test]
async fn an_upload_that_lacks_bytes_is_never_completed() {
    let fake = Fake::start(honest);
    let fs = client(&fake, options());
    let mut upload = fs.start_upload(new_upload(15), upload_grant(&fs)).await.unwrap();
    upload.push(content(10)).await.unwrap();
    assert_eq!(upload.next_part_len(), 5);
    assert!(matches!(upload.complete().await, Err(FilestackError::Invalid(_))));
    assert_eq!(fake.completes(), 0);
}

#[actix_web::test]
async fn a_part_of_the_wrong_length_ends_the_upload() {
    for len in [0, 9, 11] {
        let fake = Fake::start(honest);
        let fs = client(&fake, options());
        let mut upload = fs.start_upload(new_upload(20), upload_grant(&fs)).await.unwrap();
        assert!(matches!(
            upload.push(content(len)).await,
            Err(FilestackError::Invalid(_))
        ));
        assert!(upload.push(content(10)).await.is_err() && upload.ready().await.is_err());
        assert!(upload.complete().await.is_err());
        assert_eq!(fake.completes(), 0);
    }
}

#[actix_web::test]
async fn no_more_parts_are_under_way_than_the_window_has() {
    let fake = Fake::start(|seen, base| match seen.path.as_str() {
        "/multipart/upload" => Reply::Silence,
        _ => honest(seen, base),
    });
    let fs = client(&fake, options());
    let mut upload = fs.start_upload(new_upload(30), upload_grant(&fs)).await.unwrap();
    upload.push(content(10)).await.unwrap();
    upload.ready().await.unwrap();
    upload.push(content(10)).await.unwrap();
    assert!(
        tokio::time::timeout(Duration::from_millis(5), upload.ready())
            .await
            .is_err()
    );
    assert!(
        tokio::time::timeout(Duration::from_millis(5), upload.push(content(10)))
            .await
            .is_err()
    );
    assert_eq!(
        upload.next_part_len(),
        10,
        "a push that was given up did not count"
    );
}

/// Bytes that hold a permit of the caller's memory budget.
struct Counted(
    Bytes,
    #[expect(dead_code, reason = "held for its drop")] tokio::sync::OwnedSemaphorePermit,
);

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

#[actix_web::test]
async fn bytes_are_released_when_they_are_stored_and_when_the_upload_is_aborted() {
    let budget = Arc::new(Semaphore::new(100));
    let counted = || {
        let permit = Arc::clone(&budget).try_acquire_many_owned(10).unwrap();
        Bytes::from_owner(Counted(content(10), permit))
    };
    let fake = Fake::start(honest);
    let fs = client(&fake, options());
    let mut upload = fs.start_upload(new_upload(20), upload_grant(&fs)).await.unwrap();
    upload.push(counted()).await.unwrap();
    upload.push(counted()).await.unwrap();
    upload.complete().await.unwrap();
    // The connection may let go of its last bytes a moment after the answer.
    let _all = budget.acquire_many(100).await.unwrap();
    drop(_all);

    let silent = Fake::start(|seen, base| match seen.method.as_str() {
        "PUT" => Reply::Silence,
        _ => honest(seen, base),
    });
    let fs = client(&silent, options());
    let mut upload = fs.start_upload(new_upload(20), upload_grant(&fs)).await.unwrap();
    upload.push(counted()).await.unwrap();
    upload.abort().await;
    let _all = budget.acquire_many(100).await.unwrap();
}

#[actix_web::test]
async fn p5_a_renewed_grant_serves_the_rest_of_the_upload() {
    let fake = Fake::start(honest);
    let fs = client(&fake, options());
    let mut upload = fs.start_upload(new_upload(10), upload_grant(&fs)).await.unwrap();
    let purpose = Purpose::Upload {
        path: "user-uploads/o/u/",
        max_size: 1000,
    };
    let newer = fs.grant(
        purpose,
        now() + Duration::from_secs(7200),
        Duration::from_secs(300),
    );
    let policy = newer.policy().to_owned();
    upload.renew(newer);
    upload.push(content(10)).await.unwrap();
    upload.complete().await.unwrap();
    assert_ne!(fake.calls("POST", "/multipart/start")[0].json()["policy"], policy);
    for path in ["/multipart/upload", "/multipart/complete"] {
        assert_eq!(fake.calls("POST", path)[0].json()["policy"], policy);
    }
}

#[actix_web::test]
async fn a_stream_is_cut_into_parts_however_it_comes() {
    for step in [1, 3, 10, 7, 25] {
        let fake = Fake::start(honest);
        let fs = client(&fake, options());
        let chunks: Vec<_> = content(25)
            .chunks(step)
            .map(|c| Ok::<_, io::Error>(Bytes::copy_from_slice(c)))
            .collect();
        let file = fs
            .upload_stream(new_upload(25), upload_grant(&fs), stream::iter(chunks))
            .await
            .unwrap();
        assert_eq!(file.size, 25);
        assert_eq!(
            fake.calls("PUT", "/storage/2/null")[0].body,
            content(25).slice(10..20),
            "{step}"
        );
    }
}

#[actix_web::test]
async fn a_stream_that_breaks_off_or_lies_is_never_completed() {
    let broken = || vec![Ok(content(12)), Err(io::Error::other("the client went away"))];
    let cases = [
        (broken(), "the body of the upload broke off"),
        (vec![Ok(content(12))], "12"),
        (vec![Ok(content(26))], "longer"),
    ];
    for (chunks, _) in cases {
        let interrupted = chunks.len() == 2;
        let fake = Fake::start(honest);
        let fs = client(&fake, options());
        let error = fs
            .upload_stream(new_upload(25), upload_grant(&fs), stream::iter(chunks))
            .await
            .unwrap_err();
        match error {
            FilestackError::Interrupted(cause) => {
                assert!(interrupted && cause.to_string() == "the client went away")
            }
            FilestackError::Invalid(_) => assert!(!interrupted),
            other => panic!("{other}"),
        }
        assert_eq!(fake.completes(), 0);
    }
}

#[actix_web::test]
async fn orders_that_cannot_be_are_not_sent() {
    let fake = Fake::start(honest);
    let fs = client(&fake, options());
    let tags = |n: usize| (0..n).map(|i| (i.to_string(), String::new())).collect();
    let long_value = [("k".to_owned(), "v".repeat(257))].into();
    let nameless = NewUpload {
        filename: String::new(),
        ..new_upload(1)
    };
    for odd in [
        NewUpload {
            tags: tags(11),
            ..new_upload(1)
        },
        NewUpload {
            tags: long_value,
            ..new_upload(1)
        },
        nameless,
    ] {
        let error = fs.start_upload(odd, upload_grant(&fs)).await.unwrap_err();
        assert!(matches!(error, FilestackError::Invalid(_)));
    }
    assert!(
        fs.upload_bytes(new_upload(11), upload_grant(&fs), content(10))
            .await
            .is_err()
    );
    assert!(fake.seen().is_empty());
}

#[actix_web::test]
async fn uploads_can_run_on_any_thread() {
    fn is_send<T: Send>(_: &T) {}
    let fake = Fake::start(honest);
    let fs = client(&fake, options());
    let whole = fs.upload_bytes(new_upload(10), upload_grant(&fs), content(10));
    is_send(&whole);
    whole.await.unwrap();
    let mut upload = fs.start_upload(new_upload(10), upload_grant(&fs)).await.unwrap();
    let push = upload.push(content(10));
    is_send(&push);
    push.await.unwrap();
    let complete = upload.complete();
    is_send(&complete);
    complete.await.unwrap();
}
