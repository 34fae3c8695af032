//! Catalogue G over the wire: whatever the entry, nothing inside is fetched, and nobody learns why. `fetch::tests` has the rules
//! one by one.

use serde_json::json;

use super::from_urls::{FORM, answer, post, source, text};
use super::*;

#[actix_web::test]
async fn g1_g4_g6_no_entry_fetches_from_inside_and_all_say_the_same() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let open = listener.local_addr().unwrap().to_string();
    let bench = Bench::open().await;
    let handle = bench.keep(b"old", "a.txt", "text/plain");
    let query = bench.query(json!({ "call": ["writeUrl"] }));
    let mut said = std::collections::BTreeSet::new();
    for url in [
        format!("http://{open}/"),
        "http://127.0.0.1:1/".into(),
        "http://localhost/".into(),
        "http://2130706433/".into(),
        "http://0x7f.1/".into(),
        "http://[::ffff:127.0.0.1]/".into(),
        "http://169.254.169.254/latest/meta-data/".into(),
        "http://10.0.0.1/".into(),
        "http://user@10.0.0.1/".into(),
    ] {
        let process = json!({ "apikey": "AKeyz", "sources": [url], "tasks": [{ "name": "store" }] });
        let mut replies = vec![bench.post("process", &process).await];
        replies.push(post(&bench, "api/store/S3?key=AKeyz", FORM, format!("url={url}")).await);
        let json = json!({ "url": url }).to_string();
        replies.push(post(&bench, "api/store/S3?key=AKeyz", "application/json", json).await);
        replies.push(
            post(
                &bench,
                &format!("api/file/{handle}?{query}"),
                FORM,
                format!("url={url}"),
            )
            .await,
        );
        for tasks in ["", "store/", "resize=width:1/", "metadata/"] {
            let quoted = format!("{}/AKeyz/{tasks}%22{url}%22", bench.base);
            replies.push(answer(bench.http.get(quoted)).await);
        }
        for (status, error) in replies {
            assert_eq!(status, 400, "{url} {error}");
            said.insert(error["error"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(said.len(), 1, "{said:?}");
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_err(), "nobody called");
    assert_eq!(bench.controls.store().len().unwrap(), 1);
}

#[actix_web::test]
async fn g1_the_host_header_does_not_make_an_origin_our_own() {
    let bench = Bench::open().await;
    let origin = TcpListener::bind("127.0.0.1:0").unwrap();
    let place = origin.local_addr().unwrap();
    let body = json!({ "apikey": "AKeyz", "sources": [format!("http://{place}/x")], "tasks": [{ "name": "store" }] });
    let body = body.to_string();
    let reply = bench
        .raw(format!(
            "POST /process HTTP/1.1\r\nHost: {place}\r\nContent-Type: application/json\r\nConnection: close\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        ))
        .await;
    assert!(reply.starts_with("HTTP/1.1 400"), "{reply}");
    origin.set_nonblocking(true).unwrap();
    assert!(origin.accept().is_err());
}

#[actix_web::test]
async fn g5_the_largest_file_and_the_policys_size_bound_what_is_fetched() {
    for (policy, most, wanted) in [
        (json!({ "call": ["store"] }), 9, 400),
        (json!({ "call": ["store"], "maxSize": 9 }), 100, 403),
        (json!({ "call": ["store"], "minSize": 11 }), 100, 403),
        (
            json!({ "call": ["store"], "maxSize": 10, "minSize": 10 }),
            10,
            200,
        ),
    ] {
        let (origin, asked) = source(text("0123456789"));
        let (host, port) = origin.split_once(':').unwrap();
        let named = (host.to_owned(), port.parse().unwrap());
        let bench = Bench::start("AKeyz:SECRET", Arc::new(TempDir::new().unwrap()), |config| {
            config.allow_fetch = vec![named];
            config.max_file_bytes = most;
        });
        let path = format!("api/store/S3?key=AKeyz&{}", bench.query(policy.clone()));
        let (status, reply) = post(&bench, &path, FORM, format!("url=http://{origin}/x")).await;
        assert_eq!(status, wanted, "{policy} {reply}");
        asked.join().unwrap();
        bench.assert_nothing_half_done().await;
    }
}
