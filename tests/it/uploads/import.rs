//! Files from addresses: off unless switched on, fetched like any upload, and never from where they may not come.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};

use reqwest::Method;
use serde_json::json;

use crate::support::answer::Answer;
use crate::support::app::{Setup, TestApp};
use crate::support::client::Client;
use crate::support::content;

/// A server of somebody else's: what it answers depends on the path alone.
pub fn server(answer: impl Fn(&str) -> Vec<u8> + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    std::thread::spawn(move || {
        for mut socket in listener.incoming().flatten() {
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && socket.read(&mut byte).is_ok_and(|read| read > 0) {
                head.push(byte[0]);
            }
            let head = String::from_utf8_lossy(&head).into_owned();
            let path = head.split(' ').nth(1).unwrap_or_default();
            // Whoever asked may have heard enough.
            let _ = socket.write_all(&answer(path));
        }
    });
    address
}

pub fn ok(headers: &str, body: &[u8]) -> Vec<u8> {
    let mut reply = format!("HTTP/1.1 200 OK\r\nConnection: close\r\n{headers}\r\n").into_bytes();
    reply.extend_from_slice(body);
    reply
}

fn redirect(to: &str) -> Vec<u8> {
    format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        .into_bytes()
}

fn from(place: SocketAddr) -> Setup {
    TestApp::new().var("SATCHEL_URL_IMPORT", &format!("public,{place}"))
}

async fn import(client: &Client, url: &str) -> Answer {
    let request = client.changing(Method::POST, "/api/uploads/import").await;
    client.send(request.json(&json!({"url": url}))).await
}

/// Nobody learns more than that it did not work.
fn refused(answer: &Answer, what: &str) -> String {
    assert_eq!(answer.status, 400, "{what}: {}", answer.text());
    assert_eq!(answer.json()["code"], "import-failed", "{what}");
    answer.json()["detail"].as_str().expect("a sentence").to_owned()
}

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";

async fn journey(setup: fn(SocketAddr) -> Setup) {
    let large = content(9_000_000);
    let sent = large.clone();
    let place = server(move |path| match path {
        "/a/gr%C3%BC%C3%9Fe.txt?x=1" => ok(
            &format!("Content-Length: {}\r\nContent-Type: text/html\r\n", PNG.len()),
            PNG,
        ),
        "/moved" => redirect("/a/gr%C3%BC%C3%9Fe.txt?x=1"),
        "/endless-length" => ok("", &sent),
        _ => b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_vec(),
    });
    let app = setup(place).start().await;
    let ana = app.user("ana").await;
    for path in ["/a/gr%C3%BC%C3%9Fe.txt?x=1", "/moved"] {
        let answer = import(&ana, &format!("http://{place}{path}")).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        let id = answer.field("id");
        let documents = app.documents().await;
        let document = documents
            .iter()
            .find(|document| document.id.as_str() == id)
            .expect("a document");
        assert_eq!(
            (document.name.as_str(), document.content_type.as_str()),
            ("grüße.txt", "image/png")
        );
        assert_eq!(
            (document.declared_type.as_str(), document.sha256.len()),
            ("text/html", 64)
        );
    }
    // Without a length, as much as comes.
    let answer = import(&ana, &format!("http://{place}/endless-length")).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let url = ana
        .get(&format!("/api/uploads/{}/download-url", answer.field("id")))
        .await
        .field("url");
    assert_eq!(app.fetch(&url).await.body, large);
    assert_eq!(app.owner("ana").await.document_count, 3);
    refused(&import(&ana, &format!("http://{place}/missing")).await, "missing");
}

#[actix_web::test]
async fn a_file_is_imported_from_an_address() {
    journey(from).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn a_file_is_imported_from_an_address_on_postgres() {
    journey(|place| from(place).on_postgres()).await;
}

#[actix_web::test]
async fn import_is_off_unless_it_is_switched_on() {
    let app = TestApp::sqlite().await;
    let ana = app.user("ana").await;
    let answer = import(&ana, "http://example.org/x").await;
    assert_eq!(answer.status, 403);
    assert!(answer.text().contains("not imported"), "{}", answer.text());
    assert!(!ana.page("/uploads/new").await.text().contains("id=\"import\""));
}

#[actix_web::test]
async fn g1_g3_g4_g6_what_may_not_be_fetched_is_refused_with_one_sentence() {
    let inner = server(|_| ok("Content-Length: 6\r\n", b"secret"));
    let outer = server(move |path| match path {
        "/inner" => redirect(&format!("http://{inner}/")),
        "/metadata" => redirect("http://169.254.169.254/latest/meta-data"),
        "/file" => redirect("file:///etc/passwd"),
        "/loop" => redirect("/loop"),
        "/nowhere" => b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_vec(),
        _ => b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_vec(),
    });
    let app = from(outer).start().await;
    let ana = app.user("ana").await;
    let closed = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let closed = closed.expect("a port that was free");
    let mut said = std::collections::BTreeSet::new();
    let own = format!("{}/", app.url);
    for url in [
        &format!("http://{inner}/"),
        &format!("http://{closed}/"),
        &own,
        "http://localhost/",
        "http://LOCALHOST./",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[2002:7f00:1::]/",
        "http://10.0.0.1/",
        "http://100.64.0.1/",
        "http://169.254.169.254/latest/meta-data",
        "http://0.0.0.0/",
        "http://224.0.0.1/",
        "http://user:pw@10.0.0.1/",
        "https://8.8.8.8:22/",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "javascript:alert(1)",
        "//example.org/x",
        "nonsense",
        "",
        &format!("http://{outer}/inner"),
        &format!("http://{outer}/metadata"),
        &format!("http://{outer}/file"),
        &format!("http://{outer}/loop"),
        &format!("http://{outer}/nowhere"),
        &format!("http://{outer}/broken"),
        &format!("http://{outer}/{}", "x".repeat(5_000)),
    ] {
        said.insert(refused(&import(&ana, url).await, url));
    }
    assert_eq!(said.len(), 1, "{said:?}");
    app.assert_nothing_left().await;
}

#[actix_web::test]
async fn g5_a_file_of_another_length_or_without_end_leaves_nothing() {
    let place = server(|path| match path {
        "/short" => ok("Content-Length: 100\r\n", b"ten bytes."),
        "/announced" => ok("Content-Length: 1000000\r\n", b"x"),
        "/without-end" => ok("", &content(20_000_000)),
        _ => ok("Transfer-Encoding: chunked\r\n", b"5\r\nhello\r\nzz"),
    });
    let app = from(place)
        .var("SATCHEL_MAX_UPLOAD_BYTES", "100000")
        .start()
        .await;
    let ana = app.user("ana").await;
    for path in ["/short", "/chunks"] {
        refused(&import(&ana, &format!("http://{place}{path}")).await, path);
    }
    for path in ["/announced", "/without-end"] {
        assert_eq!(
            import(&ana, &format!("http://{place}{path}")).await.status,
            413,
            "{path}"
        );
    }
    app.assert_nothing_left().await;
}
