//! §3: multipart upload as it is meant; `wrong_uploads` has the rest.

use serde_json::json;

use super::*;
use crate::emulator::Route;

#[actix_web::test]
async fn a_file_sent_in_parts_comes_back_byte_for_byte() {
    let bench = Bench::open().await;
    let bytes = noise(1_500_000);
    let mut start = start_call(bytes.len());
    start["store"] = json!({ "location": "S3", "path": "user-uploads/ana/", "container": "mine" });
    let (status, reply) = bench.post("multipart/start", &start).await;
    assert_eq!(status, 200);
    assert_eq!(reply["location_url"], bench.base["http://".len()..]);
    assert!(reply.get("upload_type").is_none());
    let call = bench.resume(&start, &reply);
    // In any order, one of them twice, as retries do.
    let third = bench.part(&call, 3, &bytes[1_000_000..]).await;
    bench.part(&call, 1, &noise(500_000)[..400_000]).await;
    let first = bench.part(&call, 1, &bytes[..500_000]).await;
    let second = bench.part(&call, 2, &bytes[500_000..1_000_000]).await;
    let mut complete = call.clone();
    complete["parts"] = parts(&[(3, &third), (1, &first), (2, &second)]);
    complete["upload_tags"] = json!({ "colour": "red" });
    let (status, file) = bench.post("multipart/complete", &complete).await;
    assert_eq!(status, 200, "{file}");
    let handle = file["handle"].as_str().unwrap();
    assert_eq!(file["url"], format!("{}/{handle}", bench.base));
    assert_eq!(
        (&file["filename"], &file["mimetype"]),
        (&json!("cat.png"), &json!("image/png"))
    );
    assert_eq!(
        (&file["size"], &file["status"]),
        (&json!(1_500_000), &json!("Stored"))
    );
    assert_eq!(
        (&file["container"], &file["upload_tags"]["colour"]),
        (&json!("mine"), &json!("red"))
    );
    let key = file["key"].as_str().unwrap();
    assert!(
        key.starts_with("user-uploads/ana/") && key.ends_with("_cat.png"),
        "{key}"
    );
    assert_eq!(bench.get(handle).await.bytes().await.unwrap(), bytes);
    assert_eq!(
        std::fs::read_dir(bench.dir.path().join("uploads"))
            .unwrap()
            .count(),
        0
    );
    bench.assert_nothing_half_done().await;
}

#[actix_web::test]
async fn javascript_is_told_the_scheme_that_a_page_cannot_put_right() {
    let bench = Bench::open().await;
    for (source, wanted) in [
        ("JS-4.3.8", bench.base.as_str()),
        ("Python-4.0.0", &bench.base["http://".len()..]),
    ] {
        let request = bench.http.post(format!("{}/multipart/start", bench.base));
        let request = request.header("Filestack-Source", source).json(&start_call(3));
        let reply: Value = request.send().await.unwrap().json().await.unwrap();
        assert_eq!(reply["location_url"], wanted, "{source}");
    }
}

#[actix_web::test]
async fn empty_and_one_byte_files_are_files() {
    let bench = Bench::open().await;
    let mut call = bench.begin(start_call(0)).await;
    call["parts"] = json!([]);
    let (status, file) = bench.post("multipart/complete", &call).await;
    assert_eq!((status, &file["size"]), (200, &json!(0)));
    assert_eq!(
        bench
            .get(file["handle"].as_str().unwrap())
            .await
            .bytes()
            .await
            .unwrap()
            .len(),
        0
    );

    let mut call = bench.begin(start_call(1)).await;
    let etag = bench.part(&call, 1, b"x").await;
    assert_eq!(etag, "\"9dd4e461268c8034f5c8564e155c67a6\"");
    call["parts"] = parts(&[(1, &etag)]);
    let (status, file) = bench.post("multipart/complete", &call).await;
    assert_eq!(status, 200, "{file}");
    assert_eq!(
        bench
            .get(file["handle"].as_str().unwrap())
            .await
            .text()
            .await
            .unwrap(),
        "x"
    );
}

#[actix_web::test]
async fn intelligent_ingestion_takes_chunks_and_waits_for_commits() {
    let bench = Bench::open().await;
    let bytes = noise(300_000);
    let mut start = start_call(bytes.len());
    start["fii"] = json!(true);
    let (_, reply) = bench.post("multipart/start", &start).await;
    assert_eq!(reply["upload_type"], "intelligent_ingestion");
    let call = bench.resume(&start, &reply);
    let commit = |part: u64| {
        let mut call = call.clone();
        call["part"] = part.into();
        call
    };
    let chunk = |part: u64, offset: u64| json!({ "part": part, "offset": offset, "fii": true });
    // A chunk that arrived although its sender thinks otherwise, then its halves.
    bench.put_part(&call, chunk(1, 0), &bytes[..200_000]).await;
    bench
        .put_part(&call, chunk(1, 100_000), &bytes[100_000..200_000])
        .await;
    assert_eq!(bench.post("multipart/commit", &commit(1)).await.0, 400);
    bench.put_part(&call, chunk(1, 0), &bytes[..100_000]).await;
    assert_eq!(bench.post("multipart/complete", &call).await.0, 206);
    assert_eq!(bench.post("multipart/commit", &commit(1)).await.0, 200);
    assert_eq!(
        bench.post("multipart/complete", &call).await.0,
        206,
        "the second part is still to come"
    );
    assert_eq!(
        bench.post("multipart/commit", &commit(2)).await.0,
        400,
        "it has no bytes yet"
    );
    bench.put_part(&call, chunk(2, 0), &bytes[200_000..]).await;
    assert_eq!(bench.post("multipart/commit", &commit(2)).await.0, 200);
    let (status, file) = bench.post("multipart/complete", &call).await;
    assert_eq!(status, 200, "{file}");
    assert_eq!(
        bench
            .get(file["handle"].as_str().unwrap())
            .await
            .bytes()
            .await
            .unwrap(),
        bytes
    );
}

#[actix_web::test]
async fn intelligent_ingestion_that_was_not_granted_is_refused() {
    let dir = Arc::new(TempDir::new().unwrap());
    let bench = Bench::start("AKeyz:S:open", dir, |config| config.intelligent_ingestion = false);
    let mut start = start_call(10);
    start["fii"] = json!(true);
    let (_, reply) = bench.post("multipart/start", &start).await;
    assert!(reply.get("upload_type").is_none());
    let call = bench.resume(&start, &reply);
    assert_eq!(
        bench
            .ask_part(&call, json!({ "part": 1, "offset": 0 }), &[0; 10])
            .await
            .0,
        400
    );
    let mut commit = call;
    commit["part"] = 1.into();
    assert_eq!(bench.post("multipart/commit", &commit).await.0, 400);
}

#[actix_web::test]
async fn completed_at_once_from_many_sides_it_is_one_file() {
    let bench = Bench::open().await;
    let mut call = bench.begin(start_call(10)).await;
    let etag = bench.part(&call, 1, b"0123456789").await;
    call["parts"] = parts(&[(1, &etag)]);
    let all = futures_util::future::join_all((0..20).map(|_| bench.post("multipart/complete", &call))).await;
    assert_eq!(all.iter().filter(|(status, _)| *status == 200).count(), 1);
    assert!(all.iter().all(|(status, _)| [200, 202, 400].contains(status)));
    assert_eq!(bench.controls.store().len().unwrap(), 1);
}

#[actix_web::test]
async fn a_file_of_the_most_parts_is_put_together() {
    let bench = Bench::open().await;
    let call = bench.begin(start_call(10_000)).await;
    // Straight onto the disk: ten thousand requests would only test the network.
    let parts_dir = bench
        .dir
        .path()
        .join("uploads")
        .join(call["upload_id"].as_str().unwrap())
        .join("parts");
    let mut listed = Vec::new();
    for part in 1..=10_000_u64 {
        let byte = [part as u8];
        let md5: String = Md5::digest(byte)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let dir = parts_dir.join(format!("{part:05}"));
        std::fs::create_dir(&dir).unwrap();
        std::fs::write(dir.join(format!("{:015}-{md5}", 0)), byte).unwrap();
        listed.push(json!({ "part_number": part, "etag": format!("\"{md5}\"") }));
    }
    let mut complete = call;
    complete["parts"] = listed.into();
    let (status, file) = bench.post("multipart/complete", &complete).await;
    assert_eq!((status, &file["size"]), (200, &json!(10_000)), "{file}");
    let bytes = bench
        .controls
        .store()
        .read(file["handle"].as_str().unwrap())
        .unwrap()
        .unwrap();
    assert!(bytes.iter().enumerate().all(|(at, byte)| *byte == (at + 1) as u8));
    assert_eq!(bench.controls.faults().count(Route::Complete), 1);
}

#[actix_web::test]
async fn prefetch_and_cloud_answer_what_clients_need() {
    let bench = Bench::secured().await;
    let prefetch = json!({
        "apikey": "AKeyz", "permissions": ["intelligent_ingestion", "whitelabel"], "settings": ["inapp_browser"],
        "picker_config": { "maxFiles": 3 },
    });
    let (status, reply) = bench.post("prefetch", &prefetch).await;
    assert_eq!((status, &reply["blocked"]), (200, &json!(false)));
    assert_eq!(
        reply["permissions"],
        json!({ "intelligent_ingestion": true, "whitelabel": false })
    );
    let config = &reply["updated_config"];
    assert_eq!(
        (&config["maxFiles"], &config["viewType"]),
        (&json!(3), &json!("list"))
    );
    assert_eq!(reply["settings"]["inapp_browser"], false);
    let wrong = json!({ "apikey": "AKeyz", "picker_config": [1] });
    assert_eq!(bench.post("prefetch", &wrong).await.0, 400);
    assert_eq!(bench.post("prefetch", &json!({})).await.0, 400);
    let (status, reply) = bench
        .post("folder/list", &json!({ "apikey": "AKeyz", "clouds": {} }))
        .await;
    assert_eq!((status, &reply["error"]), (401, &json!("Invalid Policy")));
    let signed = bench.with_policy(
        json!({ "apikey": "AKeyz", "clouds": {} }),
        json!({ "call": ["pick"] }),
    );
    assert_eq!(bench.post("folder/list", &signed).await.0, 200);
    assert_eq!(bench.post("store/", &signed).await.0, 501);
}
