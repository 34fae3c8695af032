//! What is on disk outlives the process, and is there for every process.

use serde_json::json;

use super::*;

#[actix_web::test]
async fn files_and_unfinished_uploads_survive_a_restart() {
    let bench = Bench::open().await;
    let handle = bench.keep(b"kept", "a.txt", "text/plain");
    let mut call = bench.begin(start_call(10)).await;
    let etag = bench.part(&call, 1, b"01234").await;
    let bench = bench.restarted().await;
    assert_eq!(bench.get(&handle).await.text().await.unwrap(), "kept");
    let second = bench.part(&call, 2, b"56789").await;
    call["parts"] = json!([{ "part_number": 1, "etag": etag }, { "part_number": 2, "etag": second }]);
    let (status, file) = bench.post("multipart/complete", &call).await;
    assert_eq!(status, 200, "{file}");
    assert_eq!(
        bench
            .get(file["handle"].as_str().unwrap())
            .await
            .text()
            .await
            .unwrap(),
        "0123456789"
    );
}

#[actix_web::test]
async fn two_emulators_on_one_directory_see_the_same_files() {
    let one = Bench::open().await;
    let two = Bench::start("AKeyz:SECRET:open", one.dir.clone(), |_| {});
    let handle = one.keep(b"shared", "a.txt", "text/plain");
    assert_eq!(two.get(&handle).await.text().await.unwrap(), "shared");
    let query = two.query(json!({}));
    let url = format!("{}/api/file/{handle}?{query}", two.base);
    assert_eq!(two.http.delete(url).send().await.unwrap().status(), 200);
    assert_eq!(one.get(&handle).await.status(), 404);
    two.stop().await;
}

#[actix_web::test]
async fn files_of_an_app_that_is_no_longer_named_are_the_first_ones() {
    let bench = Bench::open().await;
    let mut call = bench.begin(start_call(0)).await;
    call["parts"] = json!([]);
    let handle = bench.post("multipart/complete", &call).await.1["handle"]
        .as_str()
        .unwrap()
        .to_owned();
    let dir = bench.dir.clone();
    bench.stop().await;
    let other = Bench::start("CKeyz:THIRD", dir, |_| {});
    assert_eq!(other.get(&handle).await.status(), 403);
    assert_eq!(
        other
            .get(&format!("{handle}?{}", other.query(json!({}))))
            .await
            .status(),
        200
    );
}

#[actix_web::test]
async fn a_wrong_configuration_does_not_start() {
    let refuse = |change: fn(&mut Config)| {
        let dir = TempDir::new().unwrap();
        let mut config = Config::new(dir.path(), vec![App::made_up()]);
        change(&mut config);
        serve(config, TcpListener::bind("127.0.0.1:0").unwrap(), 1)
            .err()
            .expect("refused")
            .to_string()
    };
    assert!(refuse(|config| config.apps.clear()).contains("at least one app"));
    assert!(refuse(|config| config.apps.push(config.apps[0].clone())).contains("once"));
    for url in [
        "files.example.org",
        "ftp://x",
        "https://x/path",
        "https://u:p@x",
        "https://x?y",
    ] {
        let text = match url {
            "files.example.org" => refuse(|config| config.public_url = Some("files.example.org".into())),
            "ftp://x" => refuse(|config| config.public_url = Some("ftp://x".into())),
            "https://x/path" => refuse(|config| config.public_url = Some("https://x/path".into())),
            "https://u:p@x" => refuse(|config| config.public_url = Some("https://u:p@x".into())),
            _ => refuse(|config| config.public_url = Some("https://x?y".into())),
        };
        assert!(text.contains("origin"), "{url}: {text}");
    }
}

#[actix_web::test]
async fn the_public_url_or_the_host_header_is_where_replies_point() {
    let dir = Arc::new(TempDir::new().unwrap());
    let bench = Bench::start("AKeyz:S:open", dir, |config| {
        config.public_url = Some("https://files.example.org:8443".into())
    });
    let (_, reply) = bench.post("multipart/start", &start_call(1)).await;
    assert_eq!(reply["location_url"], "files.example.org:8443");
    let call = bench.resume(&start_call(1), &reply);
    let (_, ticket) = bench.ask_part(&call, json!({ "part": 1 }), b"x").await;
    assert!(
        ticket["url"]
            .as_str()
            .unwrap()
            .starts_with("https://files.example.org:8443/storage/")
    );

    let bench = Bench::open().await;
    let body = start_call(1).to_string();
    let length = body.len();
    let ask = |host: &str| {
        bench.raw(format!("POST /multipart/start HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"))
    };
    assert!(
        ask("emulator:8081")
            .await
            .contains("\"location_url\":\"emulator:8081\"")
    );
    let odd = ask("a/b?c").await;
    assert!(!odd.contains("a/b?c"), "{odd}");
}
