//! U10: clients that stop sending, and clients that are only slow.

use std::time::Duration;

use futures_util::future::join_all;
use satchel::emulator::Route;

use super::{MIB, PART};
use crate::support::app::TestApp;
use crate::support::client::Client;
use crate::support::form::Form;
use crate::support::raw_post::RawPost;
use crate::support::{content, eventually, wire};

const FILE: &str = "form-data; name=\"file\"; filename=\"a.bin\"";

/// An application that waits for a client's next byte only a moment.
async fn impatient() -> TestApp {
    TestApp::new().stall(Duration::from_secs(1)).start().await
}

/// Sends these bytes of a form of this length, then nothing.
async fn stall(client: &Client, path: &str, form: &Form, length: usize, sent: &[u8]) -> RawPost {
    let (kind, length) = (form.content_type(), length.to_string());
    let headers = [("Content-Type", kind.as_str()), ("Content-Length", &length)];
    let mut post = RawPost::begin(client, path, &headers).await;
    post.write(sent).await;
    post
}

#[actix_web::test]
async fn u10_a_client_that_stalls_is_cut_off_wherever_it_does_and_leaves_nothing() {
    let app = impatient().await;
    let ana = app.token("ana").await;
    let bytes = content(2 * PART + 1);
    let form = Form::new()
        .field("note", "before")
        .size(bytes.len())
        .part(FILE, None, &bytes);
    let whole = form.bytes();
    let at = |text: &[u8]| {
        let found = whole.windows(text.len()).position(|window| window == text);
        found.expect("the form has this")
    };
    let file = at(b"filename=");
    let content = file + 4 + at(b"\r\n\r\n\0") - file;
    let places = [
        ("before the form", 0),
        ("in the first boundary", 20),
        ("in a field's headers", at(b"name=\"note\"")),
        ("in a field", at(b"before") + 3),
        ("in the file's headers", file),
        ("before the file's first byte", content),
        ("in the first part", content + 100),
        ("between parts", content + PART),
        ("in the second part", content + PART + 100),
        ("before the last byte", content + 2 * PART),
        ("in the last boundary", whole.len() - 20),
        ("before the form's last dashes", whole.len() - 4),
    ];
    let cut_off = places.map(async |(place, sent)| {
        let post = stall(&ana, "/api/uploads", &form, whole.len(), &whole[..sent]).await;
        let answer = post.answer().await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (408, "body-stalled"),
            "{place}"
        );
        assert_eq!(answer.header("connection"), Some("close"), "{place}");
    });
    join_all(cut_off).await;
    app.assert_nothing_left().await;
    // Those that stalled once the way to Filestack was chosen.
    let intents = app.intents().await;
    assert_eq!(intents.len(), 4, "{intents:?}");
    for intent in intents {
        assert_eq!(intent.failure.as_deref(), Some("body-stalled"));
    }
    assert_eq!(app.emulator.faults().count(Route::Complete), 0);
}

#[actix_web::test]
async fn u10_a_client_that_stalls_in_a_chunked_body_or_in_the_pages_form_leaves_nothing() {
    let app = impatient().await;
    let ana = app.token("ana").await;
    let form = Form::new().part(FILE, None, &content(PART + MIB));
    let kind = form.content_type();
    let headers = [("Content-Type", kind.as_str()), ("Transfer-Encoding", "chunked")];
    let mut post = RawPost::begin(&ana, "/api/uploads", &headers).await;
    let sent = &form.begun()[..PART + 1_000];
    post.write(format!("{:x}\r\n", sent.len()).as_bytes()).await;
    post.write(sent).await;
    let answer = post.answer().await;
    assert_eq!((answer.status, answer.problem().as_str()), (408, "body-stalled"));
    app.assert_nothing_left().await;

    let browser = app.user("ana").await;
    let form =
        Form::new()
            .field("csrf_token", &browser.csrf_token().await)
            .part(FILE, None, &content(PART + MIB));
    let sent = &form.begun()[..PART + 1_000];
    let post = stall(&browser, "/uploads", &form, form.bytes().len(), sent).await;
    let answer = post.answer().await;
    assert_eq!(answer.status, 408, "{}", answer.text());
    assert!(answer.text().contains("No data came"), "{}", answer.text());
    app.assert_nothing_left().await;
}

#[actix_web::test]
async fn u10_a_head_that_does_not_come_is_not_waited_for() {
    let app = TestApp::new().head(Duration::from_millis(500)).start().await;
    let address = app.url["http://".len()..].parse().expect("an address");
    for begun in [
        "",
        "POST /api/up",
        "POST /api/uploads HTTP/1.1\r\nHost: x\r\nContent-",
    ] {
        let mut stream = wire::connect(address).expect("a connection");
        std::io::Write::write_all(&mut stream, begun.as_bytes()).expect("an open connection");
        let mut said = String::new();
        // No answer is one, too: to whom nothing was said, nothing needs to be.
        std::io::Read::read_to_string(&mut stream, &mut said).expect("an end in time");
        assert!(
            said.is_empty() || said.starts_with("HTTP/1.1 408"),
            "{begun}: {said}"
        );
    }
}

#[actix_web::test]
async fn u10_a_slow_upload_outlives_the_policy_it_began_with() {
    let app = TestApp::sqlite().await;
    let ana = app.token("ana").await;
    let bytes = content(3 * PART);
    for (chunked, route) in [(false, Route::Complete), (true, Route::Store)] {
        app.emulator.faults().forget_calls();
        let form = if chunked {
            Form::new()
        } else {
            Form::new().size(bytes.len())
        };
        let form = form.part(FILE, None, &bytes);
        let whole = form.bytes();
        let kind = form.content_type();
        let length = whole.len().to_string();
        let framing = if chunked {
            ("Transfer-Encoding", "chunked")
        } else {
            ("Content-Length", length.as_str())
        };
        let mut post = RawPost::begin(&ana, "/api/uploads", &[("Content-Type", &kind), framing]).await;
        if chunked {
            post.write(format!("{:x}\r\n", whole.len()).as_bytes()).await;
        }
        let mut sent = 0;
        for (n, part) in whole.chunks(PART).enumerate() {
            post.write(part).await;
            sent += part.len();
            // The first part tells nobody that it is one, and the last bytes end the upload.
            if n == 0 || sent == whole.len() {
                continue;
            }
            // At 64 KiB a second a part takes two minutes; this one takes two hours, beginning when Filestack has those before.
            if !chunked {
                let faults = app.emulator.faults();
                eventually("Filestack has what came", async || {
                    faults.count(Route::Commit) == n
                })
                .await;
            } else if n == 1 {
                // Of a stored body there is no sign before its end. With the next part more has been taken than fits between here
                // and the emulator: then the call has begun.
                continue;
            }
            app.advance(Duration::from_secs(2 * 3_600));
            // Whoever really took so long would have given many.
            let now = app.services.clock.now();
            eventually("a sign of life", async || {
                app.intents()
                    .await
                    .last()
                    .is_some_and(|intent| intent.updated_at >= now)
            })
            .await;
            satchel::services::sweep::once(&app.services)
                .await
                .expect("a sweep");
        }
        assert_eq!(sent, whole.len());
        if chunked {
            post.write(b"\r\n0\r\n\r\n").await;
        }
        let answer = post.answer().await;
        assert_eq!(answer.status, 201, "{route:?}: {}", answer.text());
        assert_eq!(app.emulator.faults().count(route), 1);
        let stored = app.emulator.store().read(&answer.field("handle")).unwrap();
        assert!(stored.as_deref() == Some(&bytes[..]), "{route:?}: other bytes");
    }
}

#[actix_web::test]
async fn u10_a_body_in_many_small_chunks_is_no_stalled_one() {
    let app = impatient().await;
    let ana = app.token("ana").await;
    let bytes = content(400_000);
    let form = Form::new().part(FILE, None, &bytes);
    let kind = form.content_type();
    let headers = [("Content-Type", kind.as_str()), ("Transfer-Encoding", "chunked")];
    let mut post = RawPost::begin(&ana, "/api/uploads", &headers).await;
    // What frames the chunks is more than is ever read ahead.
    let mut body = Vec::new();
    for chunk in form.bytes().chunks(10) {
        body.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        body.extend_from_slice(chunk);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"0\r\n\r\n");
    post.write(&body).await;
    let answer = post.answer().await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let stored = app.emulator.store().read(&answer.field("handle")).unwrap();
    assert!(stored.as_deref() == Some(&bytes[..]), "other bytes");
}
