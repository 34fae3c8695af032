//! What is refused, and that a refusal teaches nothing.

use std::io::Write as _;
use std::net::TcpStream;
use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use super::sender::{PATH, SECRET, app, event, sign, url_of};
use crate::support::app::TestApp;
use crate::support::eventually;

const BODY: &[u8] = br#"{"id":1,"action":"fp.delete","timestamp":1700000000,"text":{"url":"https://cdn.filestackcontent.com/AbCdEfGhIjKlMnOpQrSt"}}"#;

/// Status, content type and body of the one refusal.
async fn refusal(app: &TestApp) -> (u16, String, Vec<u8>) {
    let answer = app.deliver_raw(&[], BODY).await;
    let kind = answer.header("content-type").unwrap_or_default().to_owned();
    (answer.status, kind, answer.body.to_vec())
}

async fn assert_refused(app: &TestApp, headers: &[(&str, &str)], body: &[u8], what: &str) {
    let expected = refusal(app).await;
    let answer = app.deliver_raw(headers, body).await;
    let kind = answer.header("content-type").unwrap_or_default().to_owned();
    assert_eq!((answer.status, kind, answer.body.to_vec()), expected, "{what}");
    assert_eq!(answer.status, 400);
    assert!(app.events().await.is_empty(), "{what} was recorded");
}

#[actix_web::test]
async fn s1_w1_a_refusal_holds_nothing_that_helps_to_forge() {
    let app = app().start().await;
    let timestamp = app.seconds().to_string();
    let right = sign(SECRET, &timestamp, BODY);
    let wrong = sign("another secret", &timestamp, BODY);
    let headers = [
        ("FS-Timestamp", timestamp.as_str()),
        ("FS-Signature", wrong.as_str()),
    ];
    let answer = app.deliver_raw(&headers, BODY).await;
    assert_eq!(answer.status, 400);
    let told = format!("{:?} {}", answer.headers, answer.text());
    assert!(!told.contains(&right) && !told.contains(&right[..16]), "{told}");
    // Whatever is in the answer, sent back as the signature, does not help.
    for value in answer.headers.values().filter_map(|value| value.to_str().ok()) {
        let headers = [("FS-Timestamp", timestamp.as_str()), ("FS-Signature", value)];
        assert_eq!(app.deliver_raw(&headers, BODY).await.status, 400);
    }
    assert!(app.events().await.is_empty());
}

/// What is said of time cannot be measured here without being wrong now and then; so this reads how it is done.
#[actix_web::test]
async fn w2_signatures_are_compared_by_the_mac_itself_and_only_when_they_have_32_bytes() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/filestack/webhook.rs");
    let source = std::fs::read_to_string(path).expect("the source");
    let code = source.split("#[cfg(test)]").next().unwrap_or_default();
    assert!(
        code.contains("signature: &[u8; 32]"),
        "decoded, and of one length"
    );
    assert_eq!(code.matches("mac.verify_slice(signature)").count(), 1);
    for early in [
        "==",
        "!=",
        ".eq(",
        ".ne(",
        ".any(",
        ".all(|secret",
        "starts_with",
        "finalize",
    ] {
        assert!(!code.contains(early), "{early} may end before the last byte");
    }
    let app = app().start().await;
    let time = app.seconds().to_string();
    let right = sign(SECRET, &time, BODY);
    for length in (0..right.len()).chain([right.len() + 1, right.len() + 2, 2 * right.len()]) {
        let signature: String = right.chars().cycle().take(length).collect();
        assert_refused(
            &app,
            &[("FS-Timestamp", &time), ("FS-Signature", &signature)],
            BODY,
            &signature,
        )
        .await;
    }
}

#[actix_web::test]
async fn s2_every_failed_verification_is_answered_with_the_same_bytes() {
    let app = app().start().await;
    let now = app.seconds();
    let timestamp = now.to_string();
    let right = sign(SECRET, &timestamp, BODY);
    let at = |time: &str| sign(SECRET, time, BODY);
    let old = (now - 14 * 3_600).to_string();
    let future = (now + 3_600).to_string();
    let (old_signature, future_signature) = (at(&old), at(&future));
    let not_json = sign(SECRET, &timestamp, b"not json");
    let not_utf8 = sign(SECRET, &timestamp, b"\xff\xfe{}");
    type Case<'a> = (&'a str, Vec<(&'a str, &'a str)>, &'a [u8]);
    let cases: Vec<Case<'_>> = vec![
        ("no headers", vec![], BODY),
        ("no signature", vec![("FS-Timestamp", &timestamp)], BODY),
        ("no time", vec![("FS-Signature", &right)], BODY),
        (
            "w8 another body",
            vec![("FS-Timestamp", &timestamp), ("FS-Signature", &right)],
            b"{}",
        ),
        (
            "too old",
            vec![("FS-Timestamp", &old), ("FS-Signature", &old_signature)],
            BODY,
        ),
        (
            "the future",
            vec![("FS-Timestamp", &future), ("FS-Signature", &future_signature)],
            BODY,
        ),
        (
            "not JSON",
            vec![("FS-Timestamp", &timestamp), ("FS-Signature", &not_json)],
            b"not json",
        ),
        (
            "w9 not UTF-8",
            vec![("FS-Timestamp", &timestamp), ("FS-Signature", &not_utf8)],
            b"\xff\xfe{}",
        ),
    ];
    for (what, headers, body) in cases {
        assert_refused(&app, &headers, body, what).await;
    }
    let (status, kind, body) = refusal(&app).await;
    let text = String::from_utf8(body).expect("text");
    assert_eq!((status, kind.as_str()), (400, "application/json"));
    assert!(
        !text.contains("request_id") && !text.contains("signature"),
        "{text}"
    );
}

#[actix_web::test]
async fn w5_odd_timestamps_are_refused_whatever_is_signed() {
    let app = app().start().await;
    let now = app.seconds();
    for time in [
        (now + 600).to_string(),
        format!("-{now}"),
        format!("+{now}"),
        format!("{now}.0"),
        format!(" {now}"),
        "1e9".to_owned(),
        "abc".to_owned(),
        String::new(),
        format!("{now}."),
        "0".to_owned(),
        "99999999999999999999".to_owned(),
        "999999999999999999".to_owned(),
        "9223372036854775807".to_owned(),
    ] {
        let signature = sign(SECRET, &time, BODY);
        assert_refused(
            &app,
            &[("FS-Timestamp", &time), ("FS-Signature", &signature)],
            BODY,
            &time,
        )
        .await;
    }
    // Bytes that move between time and body under the same signature.
    let time = now.to_string();
    let spliced = format!("{time}.{{\"x\":1}}");
    let signature = sign(SECRET, &time, br#"{"x":1}.{}"#);
    assert_refused(
        &app,
        &[("FS-Timestamp", &spliced), ("FS-Signature", &signature)],
        b"{}",
        "splice",
    )
    .await;
}

#[actix_web::test]
async fn w7_headers_must_be_there_once_and_as_filestack_writes_them() {
    let app = app().start().await;
    let time = app.seconds().to_string();
    let right = sign(SECRET, &time, BODY);
    let (upper, padded, joined) = (
        right.to_uppercase(),
        format!("{right}="),
        format!("{right}, {right}"),
    );
    for signature in [upper.as_str(), &padded, &joined, &right[..62], "", "sha256=00"] {
        assert_refused(
            &app,
            &[("FS-Timestamp", &time), ("FS-Signature", signature)],
            BODY,
            signature,
        )
        .await;
    }
    let twice = [
        ("FS-Timestamp", time.as_str()),
        ("FS-Signature", &right),
        ("FS-Signature", &right),
    ];
    assert_refused(&app, &twice, BODY, "two signatures").await;
    let twice = [
        ("FS-Timestamp", time.as_str()),
        ("FS-Timestamp", &time),
        ("FS-Signature", &right),
    ];
    assert_refused(&app, &twice, BODY, "two times").await;
    // The names are no matter of case: HTTP says so.
    let shouted = [("FS-TIMESTAMP", time.as_str()), ("fs-signature", &right)];
    assert_eq!(app.deliver_raw(&shouted, BODY).await.status, 200);
}

#[actix_web::test]
async fn w8_one_changed_byte_is_refused() {
    let app = app().start().await;
    let time = app.seconds().to_string();
    let right = sign(SECRET, &time, BODY);
    let headers = [("FS-Timestamp", time.as_str()), ("FS-Signature", &right)];
    let text = String::from_utf8(BODY.to_vec()).expect("text");
    for other in [
        text.replace("AbCd", "AbCe"),
        text.replace("\":", "\": "),
        format!("{text}\n"),
        format!("\u{feff}{text}"),
    ] {
        assert_refused(&app, &headers, other.as_bytes(), &other).await;
    }
    assert_eq!(app.deliver_raw(&headers, BODY).await.status, 200);
}

#[actix_web::test]
async fn w9_a_body_that_is_no_text_is_verified_as_bytes_and_then_refused() {
    let app = app().start().await;
    let time = app.seconds().to_string();
    for body in [
        b"\xff\xfe{\x00}\x00".as_slice(),
        b"{\"id\":1,\"action\":\"fp.x\",\"text\":\"\xc3\x28\"}",
        b"\xed\xa0\x80",
        &[0xf5; 4_096],
    ] {
        let (right, wrong) = (sign(SECRET, &time, body), sign("another", &time, body));
        for signature in [&right, &wrong] {
            assert_refused(
                &app,
                &[("FS-Timestamp", &time), ("FS-Signature", signature)],
                body,
                "no text",
            )
            .await;
        }
    }
    // That the bytes were verified as they are is seen where they are looked at: the reason is another one.
    app.let_samples_pass();
    let right = sign(SECRET, &time, b"\xff");
    app.deliver_raw(&[("FS-Timestamp", &time), ("FS-Signature", &right)], b"\xff")
        .await;
    eventually("it is kept", async || {
        let kept = app.rejections().await;
        kept.first().is_some_and(|kept| kept.reason.contains("not JSON"))
    })
    .await;
}

#[actix_web::test]
async fn w10_a_body_that_does_not_come_to_its_end_is_given_up() {
    let app = app().start().await;
    let time = app.seconds().to_string();
    let signature = sign(SECRET, &time, BODY);
    let mut socket = TcpStream::connect(app.anon().address()).expect("a connection");
    let head = format!(
        "POST {PATH} HTTP/1.1\r\nHost: x\r\nFS-Timestamp: {time}\r\nFS-Signature: {signature}\r\nContent-Length: {}\r\n\r\n",
        BODY.len()
    );
    socket.write_all(head.as_bytes()).expect("written");
    // A byte now and then does not make it quick enough.
    let mut drip = socket.try_clone().expect("the same socket");
    let dripping = std::thread::spawn(move || {
        for byte in &BODY[..BODY.len() - 1] {
            if drip.write_all(&[*byte]).is_err() {
                return;
            }
            std::thread::sleep(Duration::from_millis(300));
        }
    });
    let answer = actix_web::web::block(move || status_of(&mut socket))
        .await
        .expect("a thread");
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    dripping.join().expect("it ends when nobody listens");
    assert!(app.events().await.is_empty());
}

#[actix_web::test]
async fn w10_large_endless_and_slow_bodies_end_at_a_small_cap() {
    let app = app().start().await;
    let time = app.seconds().to_string();
    let signature = sign(SECRET, &time, b"");
    let head = |length: &str| {
        format!(
            "POST {PATH} HTTP/1.1\r\nHost: x\r\nFS-Timestamp: {time}\r\nFS-Signature: {signature}\r\n{length}\r\n\r\n"
        )
    };
    let announced = app.anon().address().to_owned();
    // 50 MiB announced: refused before a byte of it is read.
    let mut socket = TcpStream::connect(&announced).expect("a connection");
    socket
        .write_all(head("Content-Length: 52428800").as_bytes())
        .expect("written");
    assert!(status_of(&mut socket).starts_with("HTTP/1.1 413"));
    // Chunks without end.
    let mut socket = TcpStream::connect(&announced).expect("a connection");
    socket
        .write_all(head("Transfer-Encoding: chunked").as_bytes())
        .expect("written");
    let chunk = [b"8000\r\n".as_slice(), &[b'x'; 0x8000], b"\r\n"].concat();
    for _ in 0..64 {
        if socket.write_all(&chunk).is_err() {
            break;
        }
    }
    assert!(status_of(&mut socket).starts_with("HTTP/1.1 413"));
    assert!(app.events().await.is_empty());
}

fn status_of(socket: &mut TcpStream) -> String {
    use std::io::Read as _;
    socket
        .set_read_timeout(Some(Duration::from_secs(30)))
        .expect("a timeout");
    let mut head = [0; 64];
    let read = socket.read(&mut head).unwrap_or_default();
    String::from_utf8_lossy(&head[..read]).into_owned()
}

#[actix_web::test]
async fn w11_a_packed_body_is_not_unpacked() {
    let app = app().start().await;
    for coding in ["gzip", "br", "deflate", "identity, gzip"] {
        let time = app.seconds().to_string();
        let signature = sign(SECRET, &time, BODY);
        let headers = [
            ("FS-Timestamp", time.as_str()),
            ("FS-Signature", &signature),
            ("Content-Encoding", coding),
        ];
        let answer = app.deliver_raw(&headers, BODY).await;
        assert_eq!(answer.status, 415, "{coding}");
        assert_eq!(answer.problem(), "unsupported-media-type");
    }
    assert!(app.events().await.is_empty());
}

#[actix_web::test]
async fn w12_hostile_json_is_refused_or_kept_and_breaks_nothing() {
    let app = app().start().await;
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let cases = [
        (deep.as_str(), 400),
        (r#"{"id":1e999}"#, 400),
        (r#"{"id":"\ud800"}"#, 400),
        ("", 400),
        ("null", 200),
        ("[]", 200),
        (r#"{"id":1,"id":2,"action":"fp.x"}"#, 200),
        (
            r#"{"id":99999999999999999999999,"action":"fp.delete","text":[]}"#,
            200,
        ),
        (r#"{"id":-5,"action":"fp.delete","text":{"url":5}}"#, 200),
        (r#"{"id":5,"action":"a\u0000b"}"#, 200),
        (
            r#"{"id":6,"action":"fp.upload","text":{"url":"https://x/AbC","key":"user-uploads/\u0000/x/y"}}"#,
            200,
        ),
    ];
    for (body, status) in cases {
        let answer = app.deliver_bytes(body.as_bytes()).await;
        assert_eq!(answer.status, status, "{}", &body[..body.len().min(80)]);
    }
    app.apply_events().await;
    let unreadable = app
        .events()
        .await
        .into_iter()
        .filter(|event| event.state.as_str() == "unreadable");
    assert_eq!(unreadable.count(), 3);
    // And it goes on working.
    app.deliver(&event(7, "fp.x", url_of("AbCdEfGhIjKlMnOpQrSt")))
        .await;
}

#[actix_web::test]
async fn w18_without_a_secret_the_endpoint_is_shut() {
    let app = TestApp::new().var("FILESTACK_WEBHOOK_SECRET", "").start().await;
    let time = app.seconds().to_string();
    for signature in [sign("", &time, BODY), sign(" ", &time, BODY)] {
        let answer = app
            .deliver_raw(&[("FS-Timestamp", &time), ("FS-Signature", &signature)], BODY)
            .await;
        assert_eq!(answer.status, 503);
        assert_eq!(answer.problem(), "webhooks-off");
    }
}

#[actix_web::test]
async fn w19_a_flood_of_unsigned_ones_writes_next_to_nothing() {
    let app = app().start().await;
    for _ in 0..300 {
        assert_eq!(app.deliver_raw(&[("FS-Signature", "x")], BODY).await.status, 400);
    }
    eventually("the first is kept", async || !app.rejections().await.is_empty()).await;
    assert_eq!(app.rejections().await.len(), 1);
    app.let_samples_pass();
    let time = app.seconds().to_string();
    let wrong = sign("wrong", &time, BODY);
    app.deliver_raw(
        &[
            ("FS-Timestamp", &time),
            ("FS-Signature", &wrong),
            ("Cookie", "secret=1"),
        ],
        BODY,
    )
    .await;
    eventually("another is kept", async || app.rejections().await.len() == 2).await;
    let kept = app.rejections().await;
    assert!(kept[0].reason.contains("299 more"), "{}", kept[0].reason);
    assert_eq!(kept[0].body, BODY);
    assert!(!kept[0].headers.contains("secret=1"), "{}", kept[0].headers);
    assert!(app.events().await.is_empty());
    for _ in 0..110 {
        app.let_samples_pass();
        app.deliver_raw(&[], BODY).await;
        let newest = app.services.clock.now();
        eventually("it is kept", async || {
            app.rejections().await[0].received_at == newest
        })
        .await;
    }
    assert_eq!(app.rejections().await.len(), 100);
}

#[actix_web::test]
async fn w19_who_sends_unsigned_ones_without_end_is_told_to_wait_and_signed_ones_are_taken() {
    let app = app().start().await;
    let mut refused = None;
    for _ in 0..600 {
        let answer = app.deliver_raw(&[("FS-Signature", "x")], BODY).await;
        assert_eq!((answer.status, answer.header("retry-after")), (400, None));
        refused = Some(answer.body);
    }
    let slowed = app.deliver_raw(&[("FS-Signature", "x")], BODY).await;
    assert_eq!((slowed.status, slowed.header("retry-after")), (429, Some("1")));
    assert_eq!(Some(slowed.body), refused, "the same bytes as before");
    // Filestack behind the same address is heard.
    app.deliver(&event(1, "fp.odd", json!({}))).await;
    assert_eq!(app.events().await.len(), 1);
    app.advance(Duration::from_secs(1));
    let answer = app.deliver_raw(&[("FS-Signature", "x")], BODY).await;
    assert_eq!(answer.status, 400, "a second later");
}

#[actix_web::test]
async fn w20_only_post_is_taken_and_cookies_are_no_matter() {
    let app = app().start().await;
    let ana = app.user("ana").await;
    for method in [
        Method::GET,
        Method::PUT,
        Method::OPTIONS,
        Method::DELETE,
        Method::HEAD,
    ] {
        let answer = app.anon().send(app.anon().request(method.clone(), PATH)).await;
        assert_eq!(answer.status, 405, "{method}");
        assert_eq!(answer.header("allow"), Some("POST"));
    }
    let time = app.seconds().to_string();
    let signature = sign(SECRET, &time, BODY);
    // A browser's cookies without a form token, from another origin: the signature says who asks.
    let request = ana
        .request(Method::POST, PATH)
        .header("FS-Timestamp", &time)
        .header("FS-Signature", &signature)
        .header("Origin", "https://elsewhere.example")
        .body(BODY);
    assert_eq!(ana.send(request).await.status, 200);
    let request = ana.request(Method::POST, PATH).body(BODY);
    assert_eq!(ana.send(request).await.status, 400);
}
