//! §6.5, §6.6: `zip`, `fallback`, `cache` and `metadata` over the wire.

use serde_json::json;

use super::*;

/// The entries of an archive, read the way a stream is: from local header to local header.
fn entries(mut zip: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let short = |bytes: &[u8]| usize::from(u16::from_le_bytes(bytes.try_into().unwrap()));
    while zip.starts_with(b"PK\x03\x04") {
        let size = u32::from_le_bytes(zip[22..26].try_into().unwrap()) as usize;
        let (name, extra) = (short(&zip[26..28]), short(&zip[28..30]));
        let content = 30 + name + extra;
        let text = String::from_utf8(zip[30..30 + name].to_vec()).unwrap();
        found.push((text, zip[content..content + size].to_vec()));
        zip = &zip[content + size..];
    }
    let count = zip.windows(4).filter(|four| four == b"PK\x01\x02").count();
    assert_eq!(count, found.len(), "the directory lists every entry");
    let end = zip.len() - 22;
    assert!(zip[end..].starts_with(b"PK\x05\x06"));
    assert_eq!(short(&zip[end + 10..end + 12]), found.len());
    found
}

#[actix_web::test]
async fn several_files_come_as_one_archive() {
    let bench = Bench::open().await;
    let large = noise(700_000);
    let (a, b, c) = (
        bench.keep(b"first", "same.txt", "text/plain"),
        bench.keep(&large, "../same.txt", "text/plain"),
        bench.keep(b"", "same.txt", "text/plain"),
    );
    let external = format!("{}/{a}", bench.base);
    let reply = bench
        .get(&format!("AKeyz/zip/[{a},{b},{c},%22{external}%22]"))
        .await;
    assert_eq!(reply.status(), 200);
    assert_eq!(reply.headers()["content-type"], "application/zip");
    let length: usize = reply.headers()["content-length"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    let bytes = reply.bytes().await.unwrap();
    assert_eq!(bytes.len(), length);
    let found = entries(&bytes);
    let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["same.txt", "-same.txt", "same (2).txt", "same (3).txt"]);
    assert_eq!(
        (found[0].1.as_slice(), &found[1].1, found[2].1.len()),
        (b"first".as_slice(), &large, 0)
    );

    let head = bench
        .http
        .head(format!("{}/zip/[{a},{b}]", bench.base))
        .send()
        .await
        .unwrap();
    assert_eq!(head.status(), 200);
    let (status, file) = bench
        .post(&format!("zip/store=filename:all.zip/[{a},{b}]"), &json!(null))
        .await;
    assert_eq!(
        (status, &file["filename"], &file["type"]),
        (200, &json!("all.zip"), &json!("application/zip"))
    );
    let kept = bench
        .controls
        .store()
        .read(file["handle"].as_str().unwrap())
        .unwrap()
        .unwrap();
    assert_eq!(entries(&kept).len(), 2);
    let one = bench.get(&format!("zip/{a}")).await.bytes().await.unwrap();
    assert_eq!(entries(&one).len(), 1);
}

#[actix_web::test]
async fn an_archive_needs_the_policy_for_each_file_and_each_file() {
    let bench = Bench::secured().await;
    let (a, b) = (
        bench.keep(b"a", "a", "text/plain"),
        bench.keep(b"b", "b", "text/plain"),
    );
    let get = async |policy: Value, list: &str| {
        let path = format!("zip/[{list}]?{}", bench.query(policy));
        bench.get(&path).await.status().as_u16()
    };
    let both = format!("{a},{b}");
    assert_eq!(get(json!({ "call": ["convert"] }), &both).await, 200);
    assert_eq!(get(json!({ "call": ["read"] }), &both).await, 403);
    assert_eq!(get(json!({ "call": ["convert"], "handle": a }), &both).await, 403);
    assert_eq!(get(json!({}), &format!("{a},{}", "A".repeat(20))).await, 404);
    let many = vec![a.as_str(); 101].join(",");
    assert_eq!(get(json!({}), &many).await, 414);
    let hundred = vec![a.as_str(); 100].join(",");
    assert_eq!(get(json!({}), &hundred).await, 200);
}

#[actix_web::test]
async fn a_fallback_is_sent_when_the_source_fails() {
    let bench = Bench::open().await;
    let there = bench.keep(b"there", "a.txt", "text/plain");
    let spare = bench.keep(b"spare", "b.txt", "text/plain");
    let gone = "A".repeat(20);
    for (path, wanted) in [
        (format!("fallback=file:{spare}/{there}"), "there"),
        (format!("fallback=handle:{spare}/{gone}"), "spare"),
        (
            format!("AKeyz/fallback=file:{spare}/http://127.0.0.1:1/x"),
            "spare",
        ),
        (format!("resize=width:1/fallback=file:{spare}/{there}"), "spare"),
    ] {
        let reply = bench.get(&path).await;
        assert_eq!(reply.status(), 200, "{path}");
        assert_eq!(reply.text().await.unwrap(), wanted, "{path}");
    }
    let reply = bench.get(&format!("fallback=file:{spare},cache:7/{gone}")).await;
    assert_eq!(reply.headers()["cache-control"], "public, max-age=7");
    assert_eq!(
        bench.get(&format!("fallback=file:{gone}/{gone}")).await.status(),
        404
    );
    // What is refused fails for another reason.
    let bench = Bench::secured().await;
    let spare = bench.keep(b"spare", "b.txt", "text/plain");
    let path = format!("fallback=file:{spare}/{}", "A".repeat(20));
    assert_eq!(bench.get(&path).await.status(), 403);
    let query = bench.query(json!({ "call": ["read"] }));
    assert_eq!(bench.get(&format!("{path}?{query}")).await.status(), 200);
}

#[actix_web::test]
async fn the_cache_task_says_how_long_an_answer_may_be_kept() {
    let bench = Bench::open().await;
    let handle = bench.keep(b"x", "a.txt", "text/plain");
    for (task, wanted) in [
        ("", "public, max-age=2592000"),
        ("cache=false/", "no-store"),
        ("cache=expiry:60/", "public, max-age=60"),
        ("cache=e:60/", "public, max-age=60"),
        ("cache=expiry:max/", "public, max-age=31536000"),
        ("metadata=size/cache=expiry:5/", "public, max-age=5"),
        ("zip/cache=false/", "no-store"),
    ] {
        let reply = bench.get(&format!("{task}{handle}")).await;
        assert_eq!(reply.headers()["cache-control"], wanted, "{task}");
    }
}

#[actix_web::test]
async fn the_metadata_task_lists_what_is_asked_for() {
    let bench = Bench::secured().await;
    let handle = bench.keep(b"words", "a.txt", "text/plain");
    let get = async |task: &str, policy: Value| {
        let reply = bench
            .get(&format!("{task}/{handle}?{}", bench.query(policy)))
            .await;
        let status = reply.status().as_u16();
        let text = reply.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    };
    let (status, facts) = get("metadata=[size,filename,md5]", json!({ "call": ["stat"] })).await;
    assert_eq!(status, 200);
    let md5: String = Md5::digest(b"words")
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(facts["md5"], md5);
    assert_eq!((&facts["size"], &facts["filename"]), (&json!(5), &json!("a.txt")));
    assert_eq!(facts.as_object().unwrap().len(), 3);
    let (_, basic) = get("metadata", json!({ "call": ["stat"] })).await;
    assert_eq!(basic.as_object().unwrap().len(), 5);
    assert_eq!(
        get("metadata=[size]", json!({ "call": ["read", "convert"] }))
            .await
            .0,
        403
    );
    assert_eq!(get("metadata=[exif]", json!({ "call": ["stat"] })).await.0, 403);
    assert_eq!(
        get("metadata=[exif]", json!({ "call": ["stat", "exif"] }))
            .await
            .0,
        200
    );
    assert_eq!(get("metadata=[colour]", json!({ "call": ["stat"] })).await.0, 400);
}
