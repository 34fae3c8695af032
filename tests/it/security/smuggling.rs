//! Requests whose end two servers could see in two places are refused (X10).

use std::io::{Read as _, Write as _};
use std::net::SocketAddr;

use crate::accounts::people::{address, emulator_address};
use crate::support::app::TestApp;
use crate::support::wire::connect;

/// Everything that comes back until the connection is closed.
fn answers(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = connect(address).expect("a server that listens");
    stream.write_all(bytes).expect("a server that reads");
    let mut said = Vec::new();
    // A server may also close so that our rest is refused by a reset; what it said before counts.
    let _ = stream.read_to_end(&mut said);
    String::from_utf8_lossy(&said).into_owned()
}

/// Bodies in which a second request hides, and requests that no two servers would read alike.
fn ambiguous(host: SocketAddr) -> Vec<(&'static str, String)> {
    let hidden = format!("GET /healthz HTTP/1.1\r\nHost: {host}\r\n\r\n");
    let post = |headers: &str, body: &str| {
        format!("POST /sign-in HTTP/1.1\r\nHost: {host}\r\nContent-Type: text/plain\r\n{headers}\r\n{body}")
    };
    let length = hidden.len() + 5;
    vec![
        (
            "both lengths",
            post(
                &format!("Content-Length: {length}\r\nTransfer-Encoding: chunked\r\n"),
                &format!("0\r\n\r\n{hidden}"),
            ),
        ),
        (
            "both lengths, the other way round",
            post(
                &format!("Transfer-Encoding: chunked\r\nContent-Length: {length}\r\n"),
                &format!("0\r\n\r\n{hidden}"),
            ),
        ),
        (
            "two lengths",
            post(
                &format!("Content-Length: 0\r\nContent-Length: {}\r\n", hidden.len()),
                &hidden,
            ),
        ),
        (
            "a list of lengths",
            post(&format!("Content-Length: 0, {}\r\n", hidden.len()), &hidden),
        ),
        (
            "a length with a sign",
            post(&format!("Content-Length: +{}\r\n", hidden.len()), &hidden),
        ),
        ("a negative length", post("Content-Length: -1\r\n", &hidden)),
        (
            "a length that is no number",
            post("Content-Length: 0x10\r\n", &hidden),
        ),
        (
            "a folded header",
            post("X-Folded: a\r\n b\r\nContent-Length: 0\r\n", ""),
        ),
        (
            "a folded coding",
            post("Transfer-Encoding:\r\n chunked\r\nContent-Length: 0\r\n", &hidden),
        ),
        (
            "a space before the colon",
            post("Transfer-Encoding : chunked\r\nContent-Length: 0\r\n", &hidden),
        ),
        (
            "a coding nobody knows",
            post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"),
        ),
        (
            "chunked twice",
            post("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n"),
        ),
    ]
}

#[actix_web::test]
async fn x10_ambiguous_requests_are_refused_and_nothing_hides_in_them() {
    let app = TestApp::sqlite().await;
    for server in [address(&app), emulator_address(&app)] {
        for (what, bytes) in ambiguous(server) {
            let said = answers(server, bytes.as_bytes());
            assert!(said.starts_with("HTTP/1.1 400"), "{what} at {server}: {said}");
            assert_eq!(said.matches("HTTP/1.1 ").count(), 1, "{what} at {server}: {said}");
        }
    }
}

#[actix_web::test]
async fn x10_what_follows_a_broken_chunk_is_no_request() {
    let app = TestApp::sqlite().await;
    for server in [address(&app), emulator_address(&app)] {
        let hidden = format!("GET /healthz HTTP/1.1\r\nHost: {server}\r\n\r\n");
        let head = format!("POST /sign-in HTTP/1.1\r\nHost: {server}\r\nTransfer-Encoding: chunked\r\n\r\n");
        for broken in [
            "xyz\r\n\r\n",
            "-1\r\n\r\n",
            "5\r\nabcdefgh\r\n",
            "fffffffffffffffff\r\n",
        ] {
            let said = answers(server, format!("{head}{broken}0\r\n\r\n{hidden}").as_bytes());
            assert!(said.starts_with("HTTP/1.1 4"), "{broken:?} at {server}: {said}");
            assert_eq!(
                said.matches("HTTP/1.1 ").count(),
                1,
                "{broken:?} at {server}: {said}"
            );
        }
    }
}
