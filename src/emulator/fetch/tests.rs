//! What may be fetched and what may not, with a resolver that says what the test wants and servers that misbehave.

use std::io::{Read, Write};
use std::net::{IpAddr, TcpListener};
use std::sync::Mutex;
use std::thread::{self, JoinHandle};

use super::*;

const OWN: &str = "127.0.0.1:1";

/// A resolver that answers with these, one after the other, and then with the last for ever.
fn answers(addresses: &[&[&str]]) -> (Resolve, Arc<Mutex<usize>>) {
    let asked = Arc::new(Mutex::new(0));
    let count = asked.clone();
    let addresses: Vec<Vec<IpAddr>> = addresses
        .iter()
        .map(|answer| answer.iter().map(|ip| ip.parse().unwrap()).collect())
        .collect();
    let resolve: Resolve = Arc::new(move |_, port| {
        let mut count = count.lock().unwrap();
        let answer = &addresses[(*count).min(addresses.len() - 1)];
        *count += 1;
        Ok(answer.iter().map(|ip| SocketAddr::new(*ip, port)).collect())
    });
    (resolve, asked)
}

fn fetcher(resolve: Resolve, named: &[(&str, u16)]) -> Fetcher {
    let limits = Limits {
        head: Duration::from_secs(20),
        silence: Duration::from_secs(20),
        whole: Duration::from_secs(20),
    };
    let named = named.iter().map(|(host, port)| ((*host).to_owned(), *port));
    Fetcher::with(OWN.parse().unwrap(), named.collect(), resolve, limits)
}

async fn refusal(fetcher: &Fetcher, url: &str) -> Option<Reason> {
    let opened = fetcher.open(url, &[], u64::MAX).await;
    opened.err().map(|NotFetched(reason)| reason)
}

/// A server that answers one connection after the other with these, and says what was asked.
fn server(replies: Vec<String>) -> (u16, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let serve = move || {
        let answer = |reply: String| {
            let (mut socket, _) = listener.accept().unwrap();
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && socket.read(&mut byte).unwrap() > 0 {
                head.push(byte[0]);
            }
            // The fetcher may have heard enough.
            let _gone = socket.write_all(reply.as_bytes());
            String::from_utf8(head).unwrap()
        };
        replies.into_iter().map(answer).collect()
    };
    (port, thread::spawn(serve))
}

fn ok(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

fn moved(place: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nLocation: {place}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
}

async fn body(fetcher: &Fetcher, url: &str, most: u64) -> Result<Vec<u8>, NotFetched> {
    let mut incoming = fetcher.open(url, &[], most).await?;
    let mut all = Vec::new();
    while let Some(bytes) = incoming.next().await? {
        all.extend_from_slice(&bytes);
    }
    Ok(all)
}

#[test]
fn g1_special_addresses_are_not_public() {
    for ip in [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::ffff:0:10.0.0.1",
        "64:ff9b::10.0.0.1",
        "64:ff9b::169.254.169.254",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::",
        "2002:808:808::",
        "3fff::1",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
    ] {
        assert!(!vet::is_public(ip.parse().unwrap()), "{ip}");
    }
    for ip in [
        "1.1.1.1",
        "100.63.255.255",
        "100.128.0.1",
        "172.15.0.1",
        "172.32.0.1",
        "192.0.1.1",
        "223.255.255.255",
        "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8",
        "2001:4860:4860::8888",
        "2606:4700::1111",
    ] {
        assert!(vet::is_public(ip.parse().unwrap()), "{ip}");
    }
}

#[actix_web::test]
async fn g1_however_an_address_is_written_it_is_the_same_address() {
    let fetcher = fetcher(vet::system(), &[]);
    for host in [
        "127.0.0.1",
        "127.1",
        "127.0.0.1.",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "017700000001",
        "%31%32%37.0.0.1",
        "１２７.0.0.1",
        "0",
        "0.0.0.0",
        "169.254.169.254",
        "169.254.169.254.",
        "2852039166",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[fd00::1]",
        "[fe80::1]",
        "100.64.0.1",
        "10.0.0.1",
        "192.168.0.1",
    ] {
        let found = refusal(&fetcher, &format!("http://{host}/")).await;
        assert_eq!(found, Some(Reason::Address), "{host}");
    }
}

#[actix_web::test]
async fn g1_every_address_of_a_name_must_be_public() {
    for addresses in [
        &["127.0.0.1"][..],
        &["8.8.8.8", "10.0.0.1"],
        &["2606:4700::1111", "::1"],
        &["8.8.8.8", "::ffff:192.168.0.1"],
    ] {
        let (resolve, _) = answers(&[addresses]);
        let fetcher = fetcher(resolve, &[]);
        for name in ["a.test", "a.test.", "localhost", "localhost."] {
            let found = refusal(&fetcher, &format!("http://{name}/")).await;
            assert_eq!(found, Some(Reason::Address), "{name} {addresses:?}");
        }
    }
    let (resolve, _) = answers(&[&[]]);
    let none = refusal(&fetcher(resolve, &[]), "http://a.test/").await;
    assert_eq!(none, Some(Reason::Unresolved));
}

#[actix_web::test]
async fn g2_a_name_is_looked_up_once_and_that_answer_is_connected_to() {
    let (port, asked) = server(vec![ok("vetted")]);
    // A second look-up would lead to where nobody answers.
    let (resolve, count) = answers(&[&["127.0.0.1"], &["192.0.2.1"]]);
    let fetcher = fetcher(resolve, &[("127.0.0.1", port)]);
    let url = format!("http://rebind.test:{port}/x");
    assert_eq!(body(&fetcher, &url, 100).await.unwrap(), b"vetted");
    assert_eq!(*count.lock().unwrap(), 1);
    let asked = asked.join().unwrap();
    assert!(
        asked[0].contains(&format!("host: rebind.test:{port}")),
        "{asked:?}"
    );
    // Bound by what it was, not by what it is called.
    assert_eq!(refusal(&fetcher, &url).await, Some(Reason::Address));
}

#[actix_web::test]
async fn g3_each_hop_is_vetted_again_and_they_are_few() {
    let (resolve, _) = answers(&[&["127.0.0.1"]]);
    for (place, reason) in [
        ("http://169.254.169.254/latest", Reason::Address),
        ("http://127.0.0.1:1337/", Reason::Address),
        ("//10.0.0.1/", Reason::Address),
        ("file:///etc/passwd", Reason::Scheme),
        ("gopher://named.test/", Reason::Scheme),
        ("http://me@named.test/", Reason::Userinfo),
    ] {
        let (port, asked) = server(vec![moved(place)]);
        let fetcher = fetcher(resolve.clone(), &[("named.test", port)]);
        let found = refusal(&fetcher, &format!("http://named.test:{port}/")).await;
        assert_eq!(found, Some(reason), "{place}");
        asked.join().unwrap();
    }
    let (port, asked) = server(vec![moved("/again"); MAX_HOPS + 1]);
    let fetcher = fetcher(resolve, &[("named.test", port)]);
    let found = refusal(&fetcher, &format!("http://named.test:{port}/")).await;
    assert_eq!(found, Some(Reason::Redirects));
    assert_eq!(asked.join().unwrap().len(), MAX_HOPS + 1);
}

#[actix_web::test]
async fn g3_headers_for_one_host_do_not_go_to_the_next() {
    let (resolve, _) = answers(&[&["127.0.0.1"]]);
    let (second, heard) = server(vec![ok("there")]);
    let (first, told) = server(vec![moved("/same"), moved(&format!("http://b.test:{second}/"))]);
    let fetcher = fetcher(resolve, &[("a.test", first), ("b.test", second)]);
    let headers = [
        ("X-Token", "hush"),
        ("Host", "evil"),
        ("Content-Length", "9"),
        ("bad name", "x"),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let url = format!("http://a.test:{first}/");
    assert!(fetcher.open(&url, &headers, 100).await.is_ok());
    let told = told.join().unwrap();
    assert!(told.iter().all(|head| head.contains("x-token: hush")), "{told:?}");
    assert!(
        told.iter()
            .all(|head| !head.contains("evil") && !head.contains("content-length"))
    );
    assert!(!heard.join().unwrap()[0].contains("hush"));
}

#[actix_web::test]
async fn g4_only_http_on_the_usual_ports_and_nobody_signs_in() {
    let (resolve, asked) = answers(&[&["8.8.8.8"]]);
    let fetcher = fetcher(resolve, &[]);
    for (url, reason) in [
        ("file:///etc/passwd", Reason::Scheme),
        ("gopher://a.test/", Reason::Scheme),
        ("ftp://a.test/", Reason::Scheme),
        ("data:text/plain,x", Reason::Scheme),
        ("ws://a.test/", Reason::Scheme),
        ("http://user@a.test/", Reason::Userinfo),
        ("http://:pass@a.test/", Reason::Userinfo),
        ("https://a.test%40b.test@c.test/", Reason::Userinfo),
        ("http://a.test:22/", Reason::Port),
        ("http://a.test:8080/", Reason::Port),
        ("https://a.test:6379/", Reason::Port),
        ("http://", Reason::Url),
        ("//a.test/", Reason::Url),
        ("http://a.test:99999/", Reason::Url),
        ("", Reason::Url),
    ] {
        assert_eq!(refusal(&fetcher, url).await, Some(reason), "{url}");
    }
    assert_eq!(*asked.lock().unwrap(), 3, "only the ports needed a look-up");
}

#[actix_web::test]
async fn g5_size_and_time_are_bounded() {
    let (resolve, _) = answers(&[&["127.0.0.1"]]);
    let chunked =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n5\r\nfghij\r\n0\r\n\r\n";
    let short = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\nabc";
    for (reply, most, wanted) in [
        (ok("0123456789"), 10, Ok(10)),
        (ok("0123456789"), 9, Err(Reason::Size)),
        (chunked.to_owned(), 10, Ok(10)),
        (chunked.to_owned(), 9, Err(Reason::Size)),
        (short.to_owned(), 100, Err(Reason::BrokenOff)),
        (
            "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_owned(),
            100,
            Err(Reason::Status),
        ),
        ("garbage\r\n\r\n".to_owned(), 100, Err(Reason::Connection)),
    ] {
        let (port, asked) = server(vec![reply.clone()]);
        let fetcher = fetcher(resolve.clone(), &[("named.test", port)]);
        let found = body(&fetcher, &format!("http://named.test:{port}/"), most).await;
        let found = found
            .map(|bytes| bytes.len())
            .map_err(|NotFetched(reason)| reason);
        assert_eq!(found, wanted, "{reply}");
        asked.join().unwrap();
    }
    // A server that takes the connection and says nothing, or begins and falls silent.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut silent = fetcher(resolve, &[("named.test", port)]);
    silent.limits.head = Duration::from_millis(5);
    let url = format!("http://named.test:{port}/");
    assert_eq!(refusal(&silent, &url).await, Some(Reason::Time));
    drop(listener);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let begins = thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let _request = socket.read(&mut [0; 4096]).unwrap();
        socket
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
            .unwrap();
        socket
    });
    let (resolve, _) = answers(&[&["127.0.0.1"]]);
    let mut silent = fetcher(resolve, &[("named.test", port)]);
    silent.limits.silence = Duration::from_millis(5);
    let url = format!("http://named.test:{port}/");
    assert_eq!(body(&silent, &url, 100).await, Err(NotFetched(Reason::Time)));
    drop(begins.join().unwrap());
}

#[actix_web::test]
async fn g6_every_failure_reads_the_same() {
    let reasons = [
        Reason::Address,
        Reason::Connection,
        Reason::Status,
        Reason::Time,
        Reason::Unresolved,
    ];
    let texts = reasons.map(|reason| NotFetched(reason).to_string());
    assert!(texts.iter().all(|text| *text == texts[0]));
}

#[actix_web::test]
async fn the_emulator_itself_is_always_allowed_and_only_at_its_port() {
    let (port, asked) = server(vec![ok("own"), ok("own")]);
    // Whatever else the name stands for, only ourselves are connected to.
    let (resolve, _) = answers(&[&["::1", "127.0.0.1", "10.0.0.1"]]);
    for own in [format!("127.0.0.1:{port}"), format!("0.0.0.0:{port}")] {
        let fetcher = Fetcher::with(own.parse().unwrap(), Vec::new(), resolve.clone(), LIMITS);
        let url = format!("http://localhost:{port}/");
        assert_eq!(body(&fetcher, &url, 100).await.unwrap(), b"own");
        let other = refusal(&fetcher, "http://localhost:9/").await;
        assert_eq!(other, Some(Reason::Address));
    }
    asked.join().unwrap();
}

#[test]
fn names_come_from_the_host_or_the_address() {
    let name = |url: &str, disposition: &str| {
        let mut headers = HeaderMap::new();
        if !disposition.is_empty() {
            headers.insert(CONTENT_DISPOSITION, disposition.parse().unwrap());
        }
        filename(&Url::parse(url).unwrap(), &headers)
    };
    assert_eq!(
        name("http://a/b/c%20d+e.png?x=1", "").as_deref(),
        Some("c d+e.png")
    );
    assert_eq!(name("http://a/", ""), None);
    assert_eq!(
        name("http://a/x", "inline; filename=\"y.png\"").as_deref(),
        Some("y.png")
    );
    assert_eq!(
        name(
            "http://a/x",
            "inline; filename=\"_\"; filename*=UTF-8''%C3%BC.png"
        )
        .as_deref(),
        Some("ü.png")
    );
    assert_eq!(name("http://a/x%2F..%2Fy%00", "").as_deref(), Some("y"));
    assert_eq!(name("http://a/x", "garbage\"").as_deref(), Some("x"));
}
