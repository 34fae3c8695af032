//! Nonsense in every place: an error, never a panic, never a path outside the directory.

use serde_json::json;

use super::*;

#[actix_web::test]
async fn paths_that_try_to_leave_find_nothing() {
    let bench = Bench::open().await;
    let canary = bench.dir.path().parent().unwrap().join("emulator-canary");
    std::fs::write(&canary, "yellow bird").unwrap();
    for path in [
        "/../emulator-canary",
        "/..%2femulator-canary",
        "/%2e%2e/%2e%2e/emulator-canary",
        "/api/file/../../emulator-canary",
        "/api/file/..%2f..%2f..%2femulator-canary",
        "/api/file/%2e%2e%2f%2e%2e/metadata",
        "/files/ab/x/content",
        "//etc/passwd",
        "/%00",
        "/\u{ff}",
        "/api/file/",
        "/api/file/%ff%fe",
        "/resize=width:1/..%2f..%2femulator-canary",
        "/security=p:,s:/..",
        "/[[[[[[",
        "/b64/!!!/b64://!!!",
    ] {
        for method in ["GET", "HEAD", "DELETE"] {
            let reply = bench
                .raw(format!(
                    "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
                ))
                .await;
            let status: u16 = reply
                .split(' ')
                .nth(1)
                .and_then(|status| status.parse().ok())
                .unwrap_or(400);
            assert!(
                (400..502).contains(&status) && status != 500 && !reply.contains("yellow bird"),
                "{path}: {reply}"
            );
        }
    }
    std::fs::remove_file(canary).unwrap();
}

#[actix_web::test]
async fn hostile_names_are_kept_and_sent_as_names_only() {
    let bench = Bench::open().await;
    for name in [
        "../../x",
        "..\\x",
        "C:\\x",
        "a\0b",
        "a\r\nSet-Cookie: x=1",
        "\u{202e}gpj.exe",
        "CON",
        "<img src=x>",
        "…",
    ] {
        let mut start = start_call(0);
        start["filename"] = name.into();
        let mut call = bench.begin(start).await;
        call["parts"] = json!([]);
        let (status, file) = bench.post("multipart/complete", &call).await;
        assert_eq!((status, &file["filename"]), (200, &json!(name)));
        assert!(
            !file["key"].as_str().unwrap().contains(['/', '\\', '\r', '\0']),
            "{file}"
        );
        let reply = bench.get(file["handle"].as_str().unwrap()).await;
        assert_eq!(reply.status(), 200);
        assert!(reply.headers().get("set-cookie").is_none());
        assert_eq!(reply.headers().get_all("content-disposition").iter().count(), 1);
    }
    assert_eq!(bench.controls.store().len().unwrap(), 9);
}

#[actix_web::test]
async fn every_field_of_every_call_may_be_nonsense() {
    let bench = Bench::open().await;
    let mut call = bench.begin(start_call(10)).await;
    call["part"] = 1.into();
    call["parts"] = json!([]);
    call["md5"] = "1B2M2Y8AsgTpgAmY7PhCfg==".into();
    call["offset"] = 0.into();
    call["upload_tags"] = json!({});
    let nonsense = [
        json!(null),
        json!(true),
        json!(-1),
        json!(1e308),
        json!("\u{0}../"),
        json!([[]]),
        json!({ "": {} }),
    ];
    for route in ["start", "upload", "commit", "complete"] {
        for field in call.as_object().unwrap().keys() {
            for value in &nonsense {
                let mut call = call.clone();
                call[field] = value.clone();
                let (status, reply) = bench.post(&format!("multipart/{route}"), &call).await;
                assert!(status < 500, "{route} {field}: {value} gives {status} {reply}");
            }
        }
    }
}

#[actix_web::test]
async fn huge_queries_and_headers_are_refused_quietly() {
    let bench = Bench::secured().await;
    let handle = bench.keep(b"x", "a.txt", "text/plain");
    let long = "A".repeat(20_000);
    let reply = bench
        .get(&format!("{handle}?policy={long}&signature={long}"))
        .await;
    assert_eq!(reply.status(), 403);
    assert!(reply.text().await.unwrap().len() < 1000);
    let reply = bench.get(&format!("{handle}?policy={long}")).await;
    assert!(reply.text().await.unwrap().len() < 1000);
    assert_eq!(
        bench.get(&format!("{long}/{handle}")).await.status().as_u16() / 100,
        4
    );
}

#[actix_web::test]
async fn garbage_on_the_wire_is_a_bad_request() {
    let bench = Bench::open().await;
    for request in [
        "\0\0\0\0\r\n\r\n",
        "GET\r\n\r\n",
        "GET / HTTP/9\r\n\r\n",
        "POST /multipart/start HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
    ] {
        let reply = bench.raw(request.to_owned()).await;
        assert!(
            reply.is_empty() || reply.starts_with("HTTP/1.1 400"),
            "{request:?}: {reply}"
        );
    }
    assert_eq!(bench.get("").await.status(), 200, "it is still there");
}
