//! §5 and §3.10: metadata, overwrite, delete, REST store.

use serde_json::json;

use super::*;

/// A form with one file, as Python's SDK sends it.
fn form(name: &str, filename: &str, kind: &str, content: &str) -> (String, String) {
    let body = format!(
        "--B\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nx\r\n--B\r\nContent-Disposition: form-data; \
         name=\"{name}\"; filename=\"{filename}\"\r\nContent-Type: {kind}\r\n\r\n{content}\r\n--B--\r\n"
    );
    ("multipart/form-data; boundary=B".into(), body)
}

async fn send(bench: &Bench, path: &str, kind: &str, body: impl Into<reqwest::Body>) -> (u16, Value) {
    let url = format!("{}/{path}", bench.base);
    let reply = bench
        .http
        .post(url)
        .header("content-type", kind)
        .body(body)
        .send()
        .await
        .unwrap();
    let status = reply.status().as_u16();
    let text = reply.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

#[actix_web::test]
async fn metadata_has_the_basics_or_what_was_asked_for_on_both_hosts() {
    let bench = Bench::open().await;
    let handle = bench.keep(b"abc", "a.txt", "text/plain");
    for path in [
        format!("{handle}/metadata"),
        format!("AKeyz/{handle}/metadata"),
        format!("api/file/{handle}/metadata"),
    ] {
        let facts: Value = bench.get(&path).await.json().await.unwrap();
        let mut names: Vec<_> = facts.as_object().unwrap().keys().cloned().collect();
        names.sort();
        assert_eq!(
            names,
            ["filename", "mimetype", "size", "uploaded", "writeable"],
            "{path}"
        );
        assert_eq!(
            (&facts["size"], &facts["filename"], &facts["writeable"]),
            (&json!(3), &json!("a.txt"), &json!(true))
        );
        assert!(facts["uploaded"].as_u64().unwrap() > 1_700_000_000_000);

        let query = "size=true&width=true&height=true&md5=true&sha1=true&sha224=true&sha256=true&sha384=true\
                     &sha512=true&location=true&path=true&container=true&cloud=true&sourceUrl=true&filename=false";
        let facts: Value = bench.get(&format!("{path}?{query}")).await.json().await.unwrap();
        assert_eq!(facts["md5"], "900150983cd24fb0d6963f7d28e17f72");
        assert_eq!(facts["sha1"], "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert_eq!(
            facts["sha224"],
            "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7"
        );
        assert_eq!(
            facts["sha256"],
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(facts["sha384"].as_str().unwrap().len(), 96);
        assert_eq!(facts["sha512"].as_str().unwrap().len(), 128);
        assert_eq!((&facts["width"], &facts["height"]), (&Value::Null, &Value::Null));
        assert_eq!(facts["location"], "S3");
        assert!(facts["path"].as_str().unwrap().ends_with("_a.txt"));
        assert!(facts.get("filename").is_none() && facts.get("uploaded").is_none());
        assert!(facts.get("source_url").is_some() && facts.get("cloud").is_some());
    }
    let missing = "A".repeat(20);
    assert_eq!(bench.get(&format!("{missing}/metadata")).await.status(), 404);
    assert_eq!(
        bench.get(&format!("api/file/{missing}/metadata")).await.status(),
        404
    );
}

#[actix_web::test]
async fn metadata_knows_a_pictures_size() {
    let bench = Bench::open().await;
    let mut png = std::io::Cursor::new(Vec::new());
    image::DynamicImage::new_rgb8(31, 17)
        .write_to(&mut png, image::ImageFormat::Png)
        .unwrap();
    let handle = bench.keep(&png.into_inner(), "a", "application/octet-stream");
    let facts: Value = bench
        .get(&format!("{handle}/metadata?width=true&height=true&md5=true"))
        .await
        .json()
        .await
        .unwrap();
    assert_eq!((&facts["width"], &facts["height"]), (&json!(31), &json!(17)));
}

#[actix_web::test]
async fn overwrite_changes_the_bytes_and_keeps_name_and_type() {
    let bench = Bench::secured().await;
    let handle = bench.keep(b"old", "a.txt", "text/plain");
    let query = bench.query(json!({ "call": ["write", "read"], "handle": handle }));
    let path = format!("api/file/{handle}?{query}");
    let before = bench.get(&format!("{handle}?{query}")).await.headers()["etag"].clone();
    let (status, reply) = send(&bench, &path, "image/png", "raw").await;
    assert_eq!(status, 200, "{reply}");
    assert_eq!(
        (&reply["filename"], &reply["mimetype"], &reply["size"]),
        (&json!("a.txt"), &json!("text/plain"), &json!(3))
    );
    assert_eq!(
        (&reply["isWriteable"], &reply["url"]),
        (&json!(true), &json!(format!("{}/{handle}", bench.base)))
    );
    let after = bench.get(&format!("{handle}?{query}")).await;
    assert_ne!(after.headers()["etag"], before);
    assert_eq!(after.text().await.unwrap(), "raw");

    let content = async || {
        bench
            .get(&format!("{handle}?{query}"))
            .await
            .text()
            .await
            .unwrap()
    };
    let (kind, body) = form(
        "fileUpload",
        "filename",
        "application/octet-stream",
        "from a form",
    );
    assert_eq!(send(&bench, &path, &kind, body).await.0, 200);
    assert_eq!(content().await, "from a form");
    assert_eq!(
        send(
            &bench,
            &format!("{path}&base64decode=true"),
            "text/plain",
            "ZnJvbSBiYXNlNjQ="
        )
        .await
        .0,
        200
    );
    assert_eq!(content().await, "from base64");
    assert_eq!(
        send(&bench, &format!("{path}&base64decode=true"), "text/plain", "!!")
            .await
            .0,
        400
    );
    let (kind, body) = form("other", "a", "text/plain", "x");
    assert_eq!(send(&bench, &path, &kind, body).await.0, 400);
    assert_eq!(
        send(&bench, &path, "multipart/form-data", "no boundary").await.0,
        400
    );
    assert_eq!(
        send(&bench, &path, "multipart/form-data; boundary=B", "--B\r\ncut")
            .await
            .0,
        400
    );
    assert_eq!(content().await, "from base64");
    let missing = format!("api/file/{}?{query}", "A".repeat(20));
    assert_eq!(send(&bench, &missing, "text/plain", "x").await.0, 404);
    bench.assert_nothing_half_done().await;
}

#[actix_web::test]
async fn overwriting_from_a_url_needs_its_call() {
    let bench = Bench::secured().await;
    let handle = bench.keep(b"old", "a.txt", "text/plain");
    let kind = "application/x-www-form-urlencoded";
    let path = |call: &str| format!("api/file/{handle}?{}", bench.query(json!({ "call": [call] })));
    assert_eq!(
        send(&bench, &path("write"), kind, "url=http://127.0.0.1/")
            .await
            .0,
        403
    );
    let (status, reply) = send(&bench, &path("writeUrl"), kind, "url=http://127.0.0.1/").await;
    assert_eq!(status, 400);
    assert!(
        reply["error"].as_str().unwrap().contains("could not be fetched"),
        "{reply}"
    );
    assert_eq!(send(&bench, &path("writeUrl"), "text/plain", "raw").await.0, 403);
    // curl's default type with bytes that are no form.
    assert_eq!(send(&bench, &path("write"), kind, "plain bytes").await.0, 200);
}

#[actix_web::test]
async fn a_deleted_file_is_gone_everywhere() {
    let bench = Bench::secured().await;
    for (method, end) in [(reqwest::Method::DELETE, ""), (reqwest::Method::POST, "/remove")] {
        let handle = bench.keep(b"x", "a.txt", "text/plain");
        let query = bench.query(json!({ "handle": handle }));
        let url = format!("{}/api/file/{handle}{end}?key=AKeyz&{query}", bench.base);
        let wrong_key = url.replace("key=AKeyz", "key=BKeyz");
        assert_eq!(
            bench
                .http
                .request(method.clone(), wrong_key)
                .send()
                .await
                .unwrap()
                .status(),
            401
        );
        assert_eq!(
            bench
                .http
                .request(method.clone(), &url)
                .send()
                .await
                .unwrap()
                .status(),
            200
        );
        assert_eq!(
            bench.http.request(method, &url).send().await.unwrap().status(),
            404
        );
        for path in [
            handle.clone(),
            format!("{handle}/metadata"),
            format!("api/file/{handle}"),
            format!("resize=w:1/{handle}"),
        ] {
            assert_eq!(
                bench.get(&format!("{path}?{query}")).await.status(),
                404,
                "{path}"
            );
        }
    }
    assert!(bench.controls.store().is_empty().unwrap());
}

#[actix_web::test]
async fn rest_store_takes_raw_bytes_forms_and_base64() {
    let bench = Bench::secured().await;
    let query = bench.query(json!({ "call": ["store"] }));
    let path = format!("api/store/S3?key=AKeyz&{query}");
    let check = async |reply: (u16, Value), name: &str, kind: &str, content: &str| {
        let (status, file) = reply;
        assert_eq!(status, 200, "{file}");
        assert_eq!((&file["filename"], &file["type"]), (&json!(name), &json!(kind)));
        assert_eq!(file["size"], content.len());
        assert!(file["key"].as_str().unwrap().ends_with(&format!("_{name}")) && file.get("handle").is_none());
        let handle = file["url"].as_str().unwrap().rsplit('/').next().unwrap();
        assert_eq!(
            bench.controls.store().read(handle).unwrap().unwrap(),
            content.as_bytes()
        );
    };
    check(
        send(&bench, &format!("{path}&filename=a.png"), "image/png", "raw").await,
        "a.png",
        "image/png",
        "raw",
    )
    .await;
    let (kind, body) = form("fileUpload", "b.txt", "text/csv", "in a form");
    check(
        send(&bench, &path, &kind, body).await,
        "b.txt",
        "text/csv",
        "in a form",
    )
    .await;
    let base64 = format!("{path}&base64decode=true&filename=c&mimetype=a/b");
    check(
        send(&bench, &base64, "text/plain", "YmFzZTY0").await,
        "c",
        "a/b",
        "base64",
    )
    .await;
    let json = send(
        &bench,
        &format!("{path}&filename=d.json"),
        "application/json",
        "{\"a\":1}",
    )
    .await;
    check(json, "d.json", "application/json", "{\"a\":1}").await;
    for (kind, body) in [
        (
            "application/x-www-form-urlencoded",
            "url=http%3A%2F%2F127.0.0.1%2F",
        ),
        ("application/json", "{\"url\":\"http://127.0.0.1/\"}"),
    ] {
        assert_eq!(send(&bench, &path, kind, body).await.0, 400);
    }
    assert_eq!(
        send(&bench, &path.replace("S3", "moon"), "text/plain", "x")
            .await
            .0,
        400
    );
    assert_eq!(bench.controls.store().len().unwrap(), 4);
}
