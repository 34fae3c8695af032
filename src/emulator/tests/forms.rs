//! §3.8: the dialect of older SDKs, which send multipart calls as forms.

use serde_json::json;

use super::*;

const BOUNDARY: &str = "----older";

/// Sends fields as `multipart/form-data`, as PHP and Java do.
async fn send(bench: &Bench, path: &str, fields: &[(&str, &str)]) -> (u16, Value) {
    let mut body = String::new();
    for (name, value) in fields {
        body.push_str(&format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        ));
    }
    body.push_str(&format!("--{BOUNDARY}--\r\n"));
    answer(
        bench
            .http
            .post(format!("{}/{path}", bench.base))
            .header(
                "Content-Type",
                format!("multipart/form-data; boundary={BOUNDARY}"),
            )
            .body(body),
    )
    .await
}

async fn answer(request: reqwest::RequestBuilder) -> (u16, Value) {
    let reply = request.send().await.unwrap();
    let status = reply.status().as_u16();
    let text = reply.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

/// The fields each later call has, from a start reply.
fn later(reply: &Value) -> Vec<(&'static str, String)> {
    let mut fields = vec![("apikey", "AKeyz".to_owned())];
    for name in ["uri", "region", "upload_id"] {
        fields.push((name, reply[name].as_str().unwrap().to_owned()));
    }
    fields
}

fn with<'a>(fields: &'a [(&'static str, String)], more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let fields = fields.iter().map(|(name, value)| (*name, value.as_str()));
    fields.chain(more.iter().copied()).collect()
}

#[actix_web::test]
async fn a_file_is_uploaded_by_forms_alone() {
    let bench = Bench::secured().await;
    let bytes = noise(30_000);
    let (policy, signature) = bench.sign(json!({ "call": ["pick"], "path": "a/.*" }));
    let start = [
        ("apikey", "AKeyz"),
        ("filename", "old.bin"),
        ("mimetype", "application/x-old"),
        ("size", "30000"),
        ("store_location", "s3"),
        ("store_path", "a/b/"),
        ("store_container", "mine"),
        ("files", ""),
        ("policy", &policy),
        ("signature", &signature),
    ];
    let (status, reply) = send(&bench, "multipart/start", &start).await;
    assert_eq!(status, 200, "{reply}");
    assert!(reply.get("upload_type").is_none());
    let fields = later(&reply);
    let mut etags = Vec::new();
    for (part, piece) in [("1", &bytes[..20_000]), ("2", &bytes[20_000..])] {
        let (size, md5) = (piece.len().to_string(), STANDARD.encode(Md5::digest(piece)));
        let call = with(&fields, &[("part", part), ("size", &size), ("md5", &md5)]);
        let (status, ticket) = send(&bench, "multipart/upload", &call).await;
        assert_eq!(status, 200, "{ticket}");
        let put = bench.put(&ticket, piece.to_vec()).await.unwrap();
        etags.push(put.headers()["etag"].to_str().unwrap().to_owned());
    }
    let parts = format!("1:{};2:{}", etags[0], etags[1]);
    let end = [
        ("size", "30000"),
        ("filename", "old.bin"),
        ("parts", &parts),
        ("policy", &policy),
        ("signature", &signature),
        ("upload_tags", "{\"age\":\"old\"}"),
    ];
    let wrong = parts.replace("1:", "7:");
    let mut missing = end;
    missing[2].1 = &wrong;
    assert_eq!(
        send(&bench, "multipart/complete", &with(&fields, &missing))
            .await
            .0,
        400
    );
    let (status, file) = send(&bench, "multipart/complete", &with(&fields, &end)).await;
    assert_eq!(status, 200, "{file}");
    assert_eq!(
        (&file["mimetype"], &file["container"], &file["upload_tags"]),
        (
            &json!("application/x-old"),
            &json!("mine"),
            &json!({ "age": "old" })
        )
    );
    assert!(file["key"].as_str().unwrap().starts_with("a/b/"), "{file}");
    let handle = file["handle"].as_str().unwrap();
    assert_eq!(bench.controls.store().read(handle).unwrap().unwrap(), bytes);
}

#[actix_web::test]
async fn a_form_may_ask_for_intelligent_ingestion_and_be_url_encoded() {
    let bench = Bench::open().await;
    let post = |path: &str, fields: &[(&str, &str)]| {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let kind = "application/x-www-form-urlencoded";
        let url = format!("{}/{path}", bench.base);
        answer(bench.http.post(url).header("Content-Type", kind).body(body))
    };
    // `1` and a number of parts are PHP's.
    for (yes, parts) in [("true", ""), ("1", "1")] {
        let start = [
            ("apikey", "AKeyz"),
            ("filename", "a"),
            ("size", "4"),
            ("multipart", yes),
        ];
        let (status, reply) = post("multipart/start", &start).await;
        assert_eq!(
            (status, &reply["upload_type"]),
            (200, &json!("intelligent_ingestion"))
        );
        let fields = later(&reply);
        for (offset, piece) in [("0", b"ab"), ("2", b"cd")] {
            let call = with(
                &fields,
                &[
                    ("part", "1"),
                    ("size", "2"),
                    ("offset", offset),
                    ("multipart", yes),
                ],
            );
            let (status, ticket) = post("multipart/upload", &call).await;
            assert_eq!(status, 200, "{ticket}");
            assert_eq!(bench.put(&ticket, piece.to_vec()).await.unwrap().status(), 200);
        }
        assert_eq!(
            post("multipart/complete", &with(&fields, &[("size", "4")]))
                .await
                .0,
            206
        );
        let commit = with(&fields, &[("part", "1"), ("size", "4")]);
        assert_eq!(post("multipart/commit", &commit).await.0, 200);
        let end = [("size", "4"), ("multipart", yes), ("parts", parts)];
        let (status, file) = post("multipart/complete", &with(&fields, &end)).await;
        assert_eq!((status, &file["size"]), (200, &json!(4)), "{file}");
    }
}

#[actix_web::test]
async fn a_json_call_may_name_its_parts_as_text() {
    let bench = Bench::open().await;
    let mut call = bench.begin(start_call(3)).await;
    let etag = bench.part(&call, 1, b"abc").await;
    call["parts"] = format!("1:{etag}").into();
    assert_eq!(bench.post("multipart/complete", &call).await.0, 200);
}

#[actix_web::test]
async fn u9_a_form_of_garbage_is_refused_with_little_memory() {
    let bench = Bench::open().await;
    let many: Vec<_> = (0..10_000).map(|_| ("x", "y")).collect();
    assert_eq!(send(&bench, "multipart/start", &many).await.0, 413);
    let long = "x".repeat(2 << 20);
    assert_eq!(send(&bench, "multipart/start", &[("apikey", &long)]).await.0, 413);
    for size in ["", "-1", "1.5", "99999999999999999999", "x"] {
        let start = [("apikey", "AKeyz"), ("filename", "a"), ("size", size)];
        let (status, error) = send(&bench, "multipart/start", &start).await;
        assert_eq!(
            (status, &error["error"]),
            (400, &json!("Parameters are inalid")),
            "{size}"
        );
    }
    let url = format!("{}/multipart/start", bench.base);
    for (kind, body) in [
        ("multipart/form-data", "no boundary"),
        ("multipart/form-data; boundary=x", "garbage"),
        ("multipart/form-data; boundary=x", "--x\r\n\r\n"),
        ("application/x-www-form-urlencoded", "%00%ff=%"),
    ] {
        let request = bench.http.post(&url).header("Content-Type", kind).body(body);
        assert_eq!(answer(request).await.0, 400, "{kind} {body}");
    }
}
