//! §3.10, §3.11, §5: content that is named by a URL. The sources are the emulator itself, which is always allowed, and a
//! server of the test, which is not.

use std::thread;

use reqwest::RequestBuilder;
use serde_json::json;

use super::*;

pub(super) const FORM: &str = "application/x-www-form-urlencoded";

/// A server for one answer; gives its origin, and what it was asked when it has answered.
pub(super) fn source(reply: String) -> (String, thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = listener.local_addr().unwrap().to_string();
    let serve = move || {
        let (mut socket, _) = listener.accept().unwrap();
        let (mut head, mut byte) = (Vec::new(), [0]);
        while !head.ends_with(b"\r\n\r\n") && socket.read(&mut byte).unwrap() > 0 {
            head.push(byte[0]);
        }
        // Whoever has heard enough may be gone.
        let _gone = socket.write_all(reply.as_bytes());
        String::from_utf8(head).unwrap()
    };
    (origin, thread::spawn(serve))
}

pub(super) fn text(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

/// An emulator that may fetch from `origin`.
pub(super) fn allowing(app: &str, origin: &str) -> Bench {
    let (host, port) = origin.split_once(':').unwrap();
    let named = (host.to_owned(), port.parse().unwrap());
    Bench::start(app, Arc::new(TempDir::new().unwrap()), |config| {
        config.allow_fetch = vec![named]
    })
}

pub(super) async fn answer(request: RequestBuilder) -> (u16, Value) {
    let reply = request.send().await.unwrap();
    let status = reply.status().as_u16();
    let text = reply.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

pub(super) async fn post(bench: &Bench, path: &str, kind: &str, body: String) -> (u16, Value) {
    let url = format!("{}/{path}", bench.base);
    answer(bench.http.post(url).header("Content-Type", kind).body(body)).await
}

fn stored(bench: &Bench, reply: &Value) -> Vec<u8> {
    let handle = reply["url"].as_str().unwrap().rsplit('/').next().unwrap();
    bench.controls.store().read(handle).unwrap().unwrap()
}

#[actix_web::test]
async fn process_stores_a_url_with_its_headers_options_and_tags() {
    let (origin, asked) = source(text("a,b"));
    let bench = allowing("AKeyz:SECRET", &origin);
    let (policy, signature) = bench.sign(json!({
        "call": ["store", "convert", "runWorkflow"], "path": "kept/.*", "url": "http://127\\..*",
    }));
    let workflow = crate::emulator::Workflow::usual("AKeyz").id;
    let call = json!({
        "apikey": "AKeyz",
        "sources": [{ "source": format!("http://{origin}/table.csv?x=1"), "headers": { "X-Token": "hush" } }],
        "tasks": [
            { "name": "store", "params": { "location": "s3", "path": "kept/", "filename": "mine.csv" } },
            { "name": "store", "params": { "workflows": [workflow] } },
            { "name": "security", "params": { "policy": policy, "signature": signature } },
        ],
        "upload_tags": { "colour": "red" },
    });
    let (status, file) = bench.post("process", &call).await;
    assert_eq!(status, 200, "{file}");
    assert_eq!(
        (&file["filename"], &file["type"], &file["size"]),
        (&json!("mine.csv"), &json!("text/csv"), &json!(3))
    );
    assert_eq!(file["upload_tags"], json!({ "colour": "red" }));
    assert!(file["workflows"][&workflow]["jobid"].is_string(), "{file}");
    assert!(file["key"].as_str().unwrap().starts_with("kept/") && file["container"].is_string());
    assert_eq!(
        file["url"],
        format!("{}/{}", bench.base, file["handle"].as_str().unwrap())
    );
    assert_eq!(stored(&bench, &file), b"a,b");
    let asked = asked.join().unwrap();
    assert!(
        asked.starts_with("GET /table.csv?x=1 ") && asked.contains("x-token: hush"),
        "{asked}"
    );
    let query = bench.query(json!({ "call": ["stat"] }));
    let handle = file["handle"].as_str().unwrap();
    let facts: Value = bench
        .get(&format!("{handle}/metadata?source_url=true&{query}"))
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(facts["source_url"], format!("http://{origin}/table.csv?x=1"));
}

#[actix_web::test]
async fn process_takes_its_name_and_type_from_the_source_and_its_own_origin_is_always_allowed() {
    let bench = Bench::open().await;
    let handle = bench.keep(b"content", "cat.txt", "text/plain");
    let call = json!({
        "apikey": "AKeyz", "sources": [format!("{}/{handle}", bench.base)], "tasks": [{ "name": "store" }],
    });
    let (status, file) = bench.post("process", &call).await;
    assert_eq!(status, 200, "{file}");
    assert_eq!(
        (&file["filename"], &file["type"]),
        (&json!("cat.txt"), &json!("text/plain"))
    );
    assert_ne!(file["handle"], handle);
    assert_eq!(stored(&bench, &file), b"content");
    let by_name = bench.base.replace("127.0.0.1", "localhost");
    let call = json!({
        "apikey": "AKeyz", "sources": [format!("{by_name}/{handle}")], "tasks": [{ "name": "store" }],
    });
    assert_eq!(bench.post("process", &call).await.0, 200);
}

#[actix_web::test]
async fn process_refuses_what_is_wrong() {
    let bench = Bench::secured().await;
    let source = format!("{}/x", bench.base);
    let unsigned = json!({ "apikey": "AKeyz", "sources": [source], "tasks": [{ "name": "store" }] });
    let (status, error) = bench.post("process", &unsigned).await;
    assert!(
        status == 403 && error["error"].as_str().unwrap().contains("policy error"),
        "{error}"
    );
    let signed = |policy: Value, params: Value| {
        let (policy, signature) = bench.sign(policy);
        json!([{ "name": "store", "params": params },
               { "name": "security", "params": { "policy": policy, "signature": signature } }])
    };
    for (policy, params, wanted) in [
        (json!({ "call": ["read", "convert", "pick"] }), json!({}), 403),
        (
            json!({ "call": ["store"], "path": "mine/.*" }),
            json!({ "path": "yours/" }),
            403,
        ),
        (
            json!({ "call": ["store"], "container": "mine" }),
            json!({ "container": "yours" }),
            403,
        ),
        (
            json!({ "call": ["store"], "url": "https://example\\.org/.*" }),
            json!({}),
            403,
        ),
        (
            json!({ "call": ["store"], "handle": "A".repeat(20) }),
            json!({}),
            403,
        ),
        (json!({ "call": ["store"] }), json!({ "path": "a/../b" }), 403),
        (json!({ "call": ["store"] }), json!({ "location": "moon" }), 400),
        (json!({ "call": ["store"] }), json!({ "colour": "red" }), 400),
        (json!({ "call": ["store"] }), json!({}), 400),
    ] {
        let call = json!({ "apikey": "AKeyz", "sources": [source], "tasks": signed(policy, params) });
        let (status, error) = bench.post("process", &call).await;
        assert_eq!(status, wanted, "{call} {error}");
        assert!(error["error"].is_string(), "{error}");
    }
    for (change, wanted) in [
        (json!({ "apikey": "nobody" }), 401),
        (json!({ "apikey": null }), 400),
        (json!({ "sources": [] }), 400),
        (json!({ "sources": "x" }), 400),
        (json!({ "sources": [1] }), 400),
        (
            json!({ "sources": [{ "source": "http://a/", "headers": 5 }] }),
            400,
        ),
        (json!({ "sources": ["not a source"] }), 400),
        (json!({ "sources": ["src://alias/x"] }), 501),
        (json!({ "tasks": "store" }), 400),
        (json!({ "tasks": [{ "name": "shrink" }] }), 400),
        (json!({ "upload_tags": 5 }), 400),
    ] {
        let mut call = json!({ "apikey": "AKeyz", "sources": [source], "tasks": [{ "name": "store" }] });
        for (name, value) in change.as_object().unwrap() {
            call[name] = value.clone();
        }
        assert_eq!(bench.post("process", &call).await.0, wanted, "{call}");
    }
    assert!(bench.controls.store().is_empty().unwrap());
    bench.assert_nothing_half_done().await;
}

#[actix_web::test]
async fn the_store_task_keeps_files_and_urls() {
    let (origin, _asked) = source(text("YWJj"));
    let bench = allowing("AKeyz:SECRET", &origin);
    let handle = bench.keep(b"abc", "a.txt", "text/plain");
    let (policy, signature) = bench.sign(json!({ "call": ["store"] }));
    let security = format!("security=p:{policy},s:{signature}");
    let url = format!(
        "{}/store=filename:b.txt,path:%22kept/%22/{security}/{handle}",
        bench.base
    );
    for request in [bench.http.get(&url), bench.http.post(&url)] {
        let (status, file) = answer(request).await;
        assert_eq!(status, 200, "{file}");
        assert_eq!((&file["filename"], &file["size"]), (&json!("b.txt"), &json!(3)));
        assert!(file["key"].as_str().unwrap().starts_with("kept/"), "{file}");
        assert_ne!(file["handle"], handle);
    }
    let remote = format!("AKeyz/{security}/store=base64decode:true/%22http://{origin}/x.csv%22");
    let (status, file) = answer(bench.http.get(format!("{}/{remote}", bench.base))).await;
    assert_eq!((status, &file["filename"]), (200, &json!("x.csv")), "{file}");
    assert_eq!(stored(&bench, &file), b"abc");
    // A picture that was worked on needs `convert` as well.
    let path = format!("resize=width:2/store/{security}/{handle}");
    assert_eq!(bench.get(&path).await.status(), 403);
    // External sources need an API key.
    assert_eq!(
        bench
            .get(&format!("store/{security}/http://{origin}/"))
            .await
            .status(),
        401
    );
}

#[actix_web::test]
async fn rest_store_takes_a_url_from_a_form_from_json_and_from_form_data() {
    for (kind, write) in [
        (
            FORM,
            (|url| format!("url={url}&path=kept/")) as fn(&str) -> String,
        ),
        ("application/json", |url| {
            json!({ "url": url, "path": "kept/" }).to_string()
        }),
    ] {
        let (origin, asked) = source(text("a,b"));
        let bench = allowing("AKeyz:SECRET", &origin);
        let body = write(&format!("http://{origin}/t.csv"));
        let path = |policy: Value| format!("api/store/S3?key=AKeyz&{}", bench.query(policy));
        let elsewhere = json!({ "call": ["store"], "path": "other/.*" });
        assert_eq!(post(&bench, &path(elsewhere), kind, body.clone()).await.0, 403);
        let (status, file) = post(
            &bench,
            &path(json!({ "call": ["store"], "path": "kept/.*" })),
            kind,
            body,
        )
        .await;
        assert_eq!(status, 200, "{file}");
        assert_eq!(
            (&file["filename"], &file["type"]),
            (&json!("t.csv"), &json!("text/csv"))
        );
        assert!(file["key"].as_str().unwrap().starts_with("kept/"), "{file}");
        assert_eq!(stored(&bench, &file), b"a,b");
        asked.join().unwrap();
    }
    let (origin, _asked) = source(text("a,b"));
    let bench = allowing("AKeyz:SECRET:open", &origin);
    let body = format!(
        "--B\r\nContent-Disposition: form-data; name=\"url\"\r\n\r\nhttp://{origin}/t.csv\r\n--B--\r\n"
    );
    let path = "api/store/S3?key=AKeyz&filename=n.csv";
    let (status, file) = post(&bench, path, "multipart/form-data; boundary=B", body).await;
    assert_eq!((status, &file["filename"]), (200, &json!("n.csv")), "{file}");
}

#[actix_web::test]
async fn a_file_is_overwritten_from_a_url() {
    let (origin, asked) = source(text("new"));
    let bench = allowing("AKeyz:SECRET", &origin);
    let handle = bench.keep(b"old", "a.txt", "text/plain");
    let query =
        bench.query(json!({ "call": ["writeUrl"], "handle": handle, "url": format!("http://{origin}/.*") }));
    let path = format!("api/file/{handle}?{query}");
    let other = "url=http://example.org/".to_owned();
    assert_eq!(
        post(&bench, &path, FORM, other).await.0,
        403,
        "the policy names another url"
    );
    let (status, reply) = post(&bench, &path, FORM, format!("url=http://{origin}/b.csv")).await;
    assert_eq!(status, 200, "{reply}");
    assert_eq!(
        (&reply["filename"], &reply["mimetype"], &reply["size"]),
        (&json!("a.txt"), &json!("text/plain"), &json!(3))
    );
    assert_eq!(bench.controls.store().read(&handle).unwrap().unwrap(), b"new");
    asked.join().unwrap();
}

#[actix_web::test]
async fn what_a_url_names_may_be_base64() {
    let (origin, _asked) = source(text("YWJj"));
    let bench = allowing("AKeyz:SECRET:open", &origin);
    let path = "api/store/S3?key=AKeyz&base64decode=true";
    let (status, file) = post(&bench, path, FORM, format!("url=http://{origin}/x")).await;
    assert_eq!(status, 200, "{file}");
    assert_eq!(stored(&bench, &file), b"abc");
}

#[actix_web::test]
async fn external_sources_are_delivered_with_the_query_that_is_their_own() {
    let (origin, asked) = source(text("a,b"));
    let bench = allowing("AKeyz:SECRET", &origin);
    let query = bench.query(json!({ "call": ["read"] }));
    let reply = bench
        .get(&format!("AKeyz/http://{origin}/t.csv?page=2&{query}"))
        .await;
    assert_eq!(
        (
            reply.status().as_u16(),
            reply.headers()["content-type"].to_str().unwrap()
        ),
        (200, "text/csv")
    );
    assert_eq!(reply.text().await.unwrap(), "a,b");
    assert!(asked.join().unwrap().starts_with("GET /t.csv?page=2 "));
    assert_eq!(bench.controls.store().len().unwrap(), 0);
    bench.assert_nothing_half_done().await;
}
