//! Whom the control surface turns away, and what a temporary emulator leaves.

use actix_web::http::Method;

use super::*;

#[actix_web::test]
async fn a4_x9_other_sites_and_other_ports_can_change_nothing() {
    let bench = Bench::open().await;
    let port = bench.base.rsplit(':').next().unwrap().to_owned();
    let handle = bench.keep(b"x", "a.txt", "text/plain");
    for (name, value) in [
        ("origin", "http://127.0.0.1:1".to_owned()),
        ("origin", format!("https://127.0.0.1:{port}")),
        ("origin", format!("http://localhost:{port}")),
        ("origin", "null".into()),
        ("origin", "https://evil.example".into()),
        ("sec-fetch-site", "cross-site".into()),
        ("sec-fetch-site", "same-site".into()),
        ("host", "evil.example".into()),
        ("host", format!("evil.example:{port}")),
    ] {
        for path in [
            "__emulator/api/reset",
            "__emulator/reset",
            "%5F_emulator/api/reset",
        ] {
            let url = format!("{}/{path}", bench.base);
            let reply = bench
                .http
                .post(url)
                .header(name, &value)
                .form(&[("a", "b")])
                .send()
                .await
                .unwrap();
            assert_eq!(reply.status(), 403, "{name}: {value} {path}");
        }
        let read = bench
            .ask(Method::GET, "api/calls")
            .header(name, &value)
            .send()
            .await
            .unwrap();
        assert_eq!(read.status(), 403, "{name}: {value}");
        assert!(!read.headers().contains_key("access-control-allow-origin"));
    }
    assert!(bench.controls.store().exists(&handle));
    let vouched = bench
        .ask(Method::POST, "api/reset")
        .header("origin", "null")
        .header("sec-fetch-site", "same-origin");
    assert_eq!(vouched.send().await.unwrap().status(), 204);
    let link = bench
        .ask(Method::GET, "")
        .header("sec-fetch-site", "cross-site")
        .header("sec-fetch-mode", "navigate");
    assert_eq!(link.send().await.unwrap().status(), 200);
}

#[actix_web::test]
async fn no_other_origin_is_ever_told_that_it_may_read_the_surface() {
    let bench = Bench::open().await;
    for (method, path) in [
        (Method::GET, ""),
        (Method::GET, "api/calls"),
        (Method::GET, "nowhere"),
        (Method::OPTIONS, "api/faults"),
        (Method::DELETE, "api/faults"),
        (Method::PUT, "api/faults"),
        (Method::GET, "assets/console.css"),
    ] {
        let reply = bench
            .ask(method.clone(), path)
            .header("access-control-request-method", "DELETE")
            .send()
            .await
            .unwrap();
        let headers = reply.headers();
        assert!(
            !headers
                .keys()
                .any(|name| name.as_str().starts_with("access-control")),
            "{method} {path} {headers:?}"
        );
        assert_eq!(headers["cross-origin-resource-policy"], "same-origin", "{path}");
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"));
        assert_eq!(headers["x-frame-options"], "DENY");
    }
    let encoded = bench.get("%5F_emulator/api/calls").await;
    assert!(
        !encoded.headers().contains_key("access-control-allow-origin"),
        "{encoded:?}"
    );
    let text = bench
        .ask(Method::POST, "api/clock")
        .body("{\"action\":\"resume\"}")
        .header("content-type", "text/plain");
    assert_eq!(text.send().await.unwrap().status(), 415);
    assert!(bench.controls.calls().is_empty(), "its own calls are not logged");
}

#[actix_web::test]
async fn x8_beyond_loopback_there_is_no_surface_unless_somebody_wants_it() {
    let start = |wanted| {
        let mut config = Config::new(
            TempDir::new().unwrap().path().join("e"),
            vec![App::parse("AKeyz:SECRET").unwrap()],
        );
        config.control_surface = wanted;
        let emulator = serve(config, TcpListener::bind("0.0.0.0:0").unwrap(), 1).unwrap();
        let url = format!("http://127.0.0.1:{}/__emulator/api/clock", emulator.addr.port());
        let handle = emulator.handle();
        actix_web::rt::spawn(emulator.server);
        (url, handle)
    };
    for (wanted, status) in [(None, 404), (Some(false), 404), (Some(true), 200)] {
        let (url, handle) = start(wanted);
        assert_eq!(client().get(url).send().await.unwrap().status(), status);
        handle.stop(false).await;
    }
    let bench = Bench::start("AKeyz:SECRET", Arc::new(TempDir::new().unwrap()), |config| {
        config.control_surface = Some(false);
    });
    assert_eq!(bench.ask(Method::GET, "").send().await.unwrap().status(), 404);
}

#[actix_web::test]
async fn a_temporary_emulator_removes_its_directory_and_no_other() {
    let mut config = Config::in_memory(vec![App::parse("AKeyz:SECRET").unwrap()]);
    let place = TempDir::new().unwrap();
    config.dir = place.path().to_owned();
    let listener = || TcpListener::bind("127.0.0.1:0").unwrap();
    assert!(
        serve(config.clone(), listener(), 1).is_err(),
        "it must not be there before"
    );
    assert!(place.path().exists());
    config.dir = place.path().join("new");
    let emulator = serve(config.clone(), listener(), 1).unwrap();
    let store = emulator.controls.store().clone();
    store.put(b"x", "a", "text/plain", None).unwrap();
    drop(store);
    assert!(config.dir.exists());
    let handle = emulator.handle();
    let server = actix_web::rt::spawn(emulator.server);
    handle.stop(true).await;
    server.await.unwrap().unwrap();
    drop(emulator.controls);
    for _ in 0..2000 {
        if !config.dir.exists() {
            return;
        }
        actix_web::rt::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("it is still there");
}
