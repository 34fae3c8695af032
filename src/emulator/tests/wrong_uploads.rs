//! §3: every way to do an upload wrong.

use std::time::Duration;

use serde_json::json;

use super::*;

#[actix_web::test]
async fn a_start_with_a_missing_or_wrong_field_is_refused() {
    let bench = Bench::open().await;
    let (status, error) = bench
        .post("multipart/start", &json!({ "filename": "a", "size": 1 }))
        .await;
    assert_eq!((status, &error["error"]), (400, &json!("Parameters are inalid")));
    assert!(error["c"].is_string() && error["i"].is_string() && error["t"].is_u64());
    for (field, value, wanted) in [
        ("apikey", json!("nobody"), 401),
        ("apikey", json!(""), 400),
        ("apikey", json!(1), 400),
        ("filename", json!(null), 400),
        ("filename", json!("x".repeat(5000)), 400),
        ("mimetype", json!("x".repeat(300)), 400),
        ("mimetype", json!([]), 400),
        ("size", json!(null), 400),
        ("size", json!(-1), 400),
        ("size", json!(1.5), 400),
        ("size", json!(1e30), 400),
        ("size", json!("ten"), 400),
        ("store", json!("s3"), 400),
        ("store", json!({ "location": "moon" }), 400),
        ("store", json!({ "path": 1 }), 400),
        ("policy", json!({}), 400),
    ] {
        let mut start = start_call(1);
        start[field] = value.clone();
        assert_eq!(
            bench.post("multipart/start", &start).await.0,
            wanted,
            "{field}: {value}"
        );
    }
    let mut generous = start_call(1);
    generous["size"] = json!("1");
    generous["somethingNew"] = json!({ "a": [1] });
    assert_eq!(bench.post("multipart/start", &generous).await.0, 200);
}

#[actix_web::test]
async fn bodies_that_are_no_json_or_too_much_are_refused() {
    let bench = Bench::open().await;
    let send = async |body: Vec<u8>| {
        let url = format!("{}/multipart/start", bench.base);
        bench
            .http
            .post(url)
            .header("content-type", "application/json")
            .body(body)
            .send()
            .await
            .unwrap()
            .status()
    };
    for body in ["", "{", "[]", "1", "\u{feff}{}", "{\"apikey\":\"\\ud800\"}"] {
        assert_eq!(send(body.into()).await, 400, "{body}");
    }
    assert_eq!(send("[".repeat(100_000).into()).await, 400);
    assert_eq!(send(vec![b' '; 2 << 20]).await, 413);
    assert_eq!(bench.get("multipart/start").await.status(), 405);
}

#[actix_web::test]
async fn later_calls_must_name_the_upload_as_start_did() {
    let bench = Bench::open().await;
    let call = bench.begin(start_call(10)).await;
    for (field, value) in [
        ("upload_id", json!("x")),
        ("upload_id", json!("../../../../etc/passwd")),
        ("upload_id", json!("A".repeat(40))),
        ("uri", json!("/else")),
        ("uri", json!(null)),
        ("region", json!("mars")),
        ("apikey", json!("BKeyz")),
    ] {
        let mut wrong = call.clone();
        wrong[field] = value.clone();
        for route in ["upload", "commit", "complete"] {
            wrong["part"] = 1.into();
            let (status, reply) = bench.post(&format!("multipart/{route}"), &wrong).await;
            assert_eq!(status, 400, "{route} {field}: {value} {reply}");
        }
    }
}

#[actix_web::test]
async fn a_part_url_with_a_wrong_number_size_offset_or_sum_is_refused() {
    let bench = Bench::open().await;
    let call = bench.begin(start_call(10)).await;
    for wrong in [
        json!({ "part": 0 }),
        json!({ "part": 10_001 }),
        json!({ "part": -1 }),
        json!({ "part": null }),
        json!({ "part": 1, "size": 11 }),
        json!({ "part": 1, "size": null }),
        json!({ "part": 1, "offset": 0 }),
        json!({ "part": 1, "md5": "x" }),
        json!({ "part": 1, "md5": "AAAA" }),
        json!({ "part": 1, "md5": 5 }),
    ] {
        assert_eq!(
            bench.ask_part(&call, wrong.clone(), b"123").await.0,
            400,
            "{wrong}"
        );
    }
    assert_eq!(
        bench
            .ask_part(&call, json!({ "part": 10_000, "md5": null }), b"123")
            .await
            .0,
        200
    );
}

#[actix_web::test]
async fn the_storage_takes_only_what_was_announced() {
    let bench = Bench::open().await;
    let call = bench.begin(start_call(10)).await;
    let (_, ticket) = bench.ask_part(&call, json!({ "part": 1 }), b"0123456789").await;
    let put = async |ticket: &Value, bytes: &[u8]| {
        let reply = bench.put(ticket, bytes.to_vec()).await.unwrap();
        (reply.status().as_u16(), reply.text().await.unwrap())
    };
    for (bytes, code) in [
        (b"0123456780".as_slice(), "BadDigest"),
        (b"012345678", "IncompleteBody"),
        (b"0123456789a", "IncompleteBody"),
        (b"", "IncompleteBody"),
    ] {
        let (status, text) = put(&ticket, bytes).await;
        assert_eq!(status, 400);
        assert!(text.contains(&format!("<Code>{code}</Code>")), "{text}");
    }
    let url = ticket["url"].as_str().unwrap();
    for (from, to) in [
        ("partNumber=1", "partNumber=2"),
        ("offset=0", "offset=5"),
        ("size=10", "size=9"),
        ("size=10", ""),
    ] {
        let mut tampered = ticket.clone();
        tampered["url"] = url.replace(from, to).into();
        let (status, text) = put(&tampered, b"0123456789").await;
        assert!(
            status == 403 && text.contains("SignatureDoesNotMatch"),
            "{to}: {text}"
        );
    }
    for header in ["Authorization", "Content-MD5", "x-amz-date"] {
        let mut bare = ticket.clone();
        bare["headers"].as_object_mut().unwrap().remove(header);
        assert_eq!(put(&bare, b"0123456789").await.0, 403, "{header}");
    }
    bench.controls.clock().advance(Duration::from_secs(3600));
    let (status, text) = put(&ticket, b"0123456789").await;
    assert!(status == 403 && text.contains("expired"), "{text}");
}

#[actix_web::test]
async fn a_body_that_breaks_off_or_lies_without_length_leaves_nothing() {
    let bench = Bench::open().await;
    let call = bench.begin(start_call(10)).await;
    let (_, ticket) = bench.ask_part(&call, json!({ "part": 1 }), b"0123456789").await;
    let url = ticket["url"].as_str().unwrap().strip_prefix(&bench.base).unwrap();
    let mut head = format!("PUT {url} HTTP/1.1\r\nHost: x\r\n");
    for (name, value) in ticket["headers"].as_object().unwrap() {
        head += &format!("{name}: {}\r\n", value.as_str().unwrap());
    }
    bench.raw(format!("{head}Content-Length: 10\r\n\r\n01234")).await;
    let chunked = |body: &str| bench.raw(format!("{head}Transfer-Encoding: chunked\r\n\r\n{body}"));
    assert!(
        chunked("b\r\n0123456789a\r\n0\r\n\r\n")
            .await
            .contains("EntityTooLarge")
    );
    assert!(
        chunked("5\r\n01234\r\n0\r\n\r\n")
            .await
            .contains("IncompleteBody")
    );
    chunked("a\r\n01234").await;
    let mut complete = call.clone();
    complete["parts"] = parts(&[(1, "\"781e5e245d69b566979b86e28d23f2c7\"")]);
    assert_eq!(bench.post("multipart/complete", &complete).await.0, 400);
    assert!(
        chunked("a\r\n0123456789\r\n0\r\n\r\n")
            .await
            .starts_with("HTTP/1.1 200")
    );
    assert_eq!(bench.post("multipart/complete", &complete).await.0, 200);
    bench.assert_nothing_half_done().await;
}

#[actix_web::test]
async fn u8_an_upload_is_completed_only_with_the_parts_it_has() {
    let bench = Bench::open().await;
    let call = bench.begin(start_call(10)).await;
    let first = bench.part(&call, 1, b"01234").await;
    let second = bench.part(&call, 2, b"56789").await;
    let complete = async |parts: Value| {
        let mut complete = call.clone();
        complete["parts"] = parts;
        bench.post("multipart/complete", &complete).await
    };
    let too_many: Value = (1..=10_001)
        .map(|part| json!({ "part_number": part, "etag": "x" }))
        .collect();
    for wrong in [
        json!(null),
        json!([]),
        json!({}),
        json!([1]),
        json!([{ "part_number": 1 }]),
        json!([{ "part_number": "1", "etag": 1 }]),
        parts(&[(1, &first)]),
        parts(&[(1, &first), (2, &second), (3, &second)]),
        parts(&[(1, &first), (1, &first)]),
        parts(&[(1, &first), (2, &first)]),
        parts(&[(1, &first), (2, "")]),
        parts(&[(0, &first), (2, &second)]),
        too_many,
    ] {
        let (status, reply) = complete(wrong.clone()).await;
        assert_eq!(status, 400, "{reply} for {:.200}", wrong.to_string());
    }
    // A part that is sent again takes its old ETag along.
    let other = bench.part(&call, 2, b"56780").await;
    assert_eq!(complete(parts(&[(1, &first), (2, &second)])).await.0, 400);
    let mut wrong_size = call.clone();
    wrong_size["size"] = 11.into();
    wrong_size["parts"] = parts(&[(1, &first), (2, &other)]);
    assert_eq!(bench.post("multipart/complete", &wrong_size).await.0, 400);
    assert!(bench.controls.store().is_empty().unwrap());
    assert_eq!(complete(parts(&[(1, &first), (2, &other)])).await.0, 200);
    assert_eq!(complete(parts(&[(1, &first), (2, &other)])).await.0, 400, "twice");
    assert_eq!(bench.ask_part(&call, json!({ "part": 1 }), b"01234").await.0, 400);
    assert_eq!(bench.controls.store().len().unwrap(), 1);
}

#[actix_web::test]
async fn u8_parts_that_are_small_each_do_not_get_past_a_limit_together() {
    // By what the upload said, by its policy, and by the largest file.
    let dir = Arc::new(TempDir::new().unwrap());
    let bench = Bench::start("AKeyz:SECRET", dir, |config| config.max_file_bytes = 20);
    let policy = json!({ "call": ["pick"], "maxSize": 10 });
    let start = |size: usize| bench.with_policy(start_call(size), policy.clone());
    assert_eq!(bench.post("multipart/start", &start(11)).await.0, 403);
    let wide = bench.with_policy(start_call(21), json!({ "call": ["pick"] }));
    assert_eq!(bench.post("multipart/start", &wide).await.0, 400);

    let call = bench.begin(start(10)).await;
    let mut etags = Vec::new();
    for part in 1..=3 {
        etags.push(bench.part(&call, part, b"0123").await);
    }
    let mut complete = call.clone();
    for listed in [
        parts(&[(1, &etags[0]), (2, &etags[1]), (3, &etags[2])]),
        parts(&[(1, &etags[0]), (2, &etags[1])]),
    ] {
        complete["parts"] = listed;
        let (status, reply) = bench.post("multipart/complete", &complete).await;
        assert_eq!(status, 400, "{reply}");
        assert!(reply["error"].as_str().unwrap().contains("add up to"), "{reply}");
    }
    // Nor by saying another size at the end, which the policy does not allow or the start did not say.
    for size in [12, 8] {
        complete["size"] = size.into();
        assert_eq!(bench.post("multipart/complete", &complete).await.0, 400, "{size}");
    }
    assert!(bench.controls.store().is_empty().unwrap());
    bench.assert_nothing_half_done().await;
}

#[actix_web::test]
async fn u8_chunks_that_overlap_or_leave_a_gap_are_never_a_file() {
    let bench = Bench::open().await;
    let mut start = start_call(10);
    start["fii"] = true.into();
    for (chunks, sum) in [
        ([(0, b"01234".as_slice()), (3, b"34567")], "overlap"),
        ([(0, b"01234"), (6, b"6789")], "gap"),
        ([(2, b"23456"), (7, b"789")], "no beginning"),
    ] {
        let call = bench.begin(start.clone()).await;
        for (offset, bytes) in chunks {
            let reply = bench
                .put_part(&call, json!({ "part": 1, "offset": offset }), bytes)
                .await;
            assert_eq!(reply.status(), 200, "{sum}");
        }
        let mut commit = call.clone();
        commit["part"] = 1.into();
        assert_eq!(bench.post("multipart/commit", &commit).await.0, 400, "{sum}");
        assert_eq!(bench.post("multipart/complete", &call).await.0, 206, "{sum}");
    }
    // Committed when it was whole, and then given a chunk that lies across.
    let call = bench.begin(start).await;
    let chunk = |offset: u64| json!({ "part": 1, "offset": offset });
    bench.put_part(&call, chunk(0), b"01234").await;
    bench.put_part(&call, chunk(5), b"56789").await;
    let mut commit = call.clone();
    commit["part"] = 1.into();
    assert_eq!(bench.post("multipart/commit", &commit).await.0, 200);
    bench.put_part(&call, chunk(3), b"34").await;
    assert_eq!(bench.post("multipart/complete", &call).await.0, 400);
    assert!(bench.controls.store().is_empty().unwrap());
}

#[cfg(unix)]
#[actix_web::test]
async fn u19_an_upload_follows_no_link_either() {
    let bench = Bench::open().await;
    let outside = bench.dir.path().join("outside");
    std::fs::write(&outside, "yellow bird").unwrap();
    let call = bench.begin(start_call(10)).await;
    let upload = bench
        .dir
        .path()
        .join("uploads")
        .join(call["upload_id"].as_str().unwrap());
    // The file that all parts are written into.
    std::os::unix::fs::symlink(&outside, upload.join("whole")).unwrap();
    let (_, ticket) = bench.ask_part(&call, json!({ "part": 1 }), b"01234").await;
    assert_eq!(bench.put(&ticket, b"01234".to_vec()).await.unwrap().status(), 500);
    assert_eq!(std::fs::read_to_string(&outside).unwrap(), "yellow bird");
    // What was said at the start.
    let said = upload.join("start.json");
    std::fs::copy(&said, &outside).unwrap();
    std::fs::remove_file(&said).unwrap();
    std::os::unix::fs::symlink(&outside, said).unwrap();
    assert_eq!(bench.ask_part(&call, json!({ "part": 2 }), b"56789").await.0, 500);
}

#[actix_web::test]
async fn tags_and_small_parts_are_bounded() {
    let dir = Arc::new(TempDir::new().unwrap());
    let bench = Bench::start("AKeyz:S:open", dir, |config| config.min_part_bytes = 6);
    let call = bench.begin(start_call(10)).await;
    let (first, second) = (
        bench.part(&call, 1, b"01234").await,
        bench.part(&call, 2, b"56789").await,
    );
    let mut complete = call.clone();
    complete["parts"] = parts(&[(1, &first), (2, &second)]);
    assert_eq!(bench.post("multipart/complete", &complete).await.0, 400);
    let first = bench.part(&call, 1, b"012345").await;
    let second = bench.part(&call, 2, b"6789").await;
    complete["parts"] = parts(&[(1, &first), (2, &second)]);
    let many: Value = (0..11)
        .map(|at| (at.to_string(), json!("x")))
        .collect::<serde_json::Map<_, _>>()
        .into();
    for tags in [
        many,
        json!({ "a": 1 }),
        json!([]),
        json!({ "k".repeat(129): "x" }),
        json!({ "a": "x".repeat(257) }),
    ] {
        complete["upload_tags"] = tags;
        assert_eq!(bench.post("multipart/complete", &complete).await.0, 400);
    }
    complete["upload_tags"] = json!({});
    assert_eq!(bench.post("multipart/complete", &complete).await.0, 200);
}
