//! U7, S8: sizes at the edges, told, guessed or lied about.

use actix_web::web::Bytes;
use futures_util::stream;
use reqwest::Body;
use satchel::crypto::hex;
use satchel::emulator::Route;
use sha2::{Digest as _, Sha256};

use super::{MIB, PART};
use crate::support::answer::Answer;
use crate::support::app::TestApp;
use crate::support::client::Client;
use crate::support::content;
use crate::support::form::Form;
use crate::support::raw_post::RawPost;
use crate::support::wire;

const LIMIT: usize = 100_000;
const FILE: &str = "form-data; name=\"file\"; filename=\"a.bin\"";

async fn limited() -> TestApp {
    let limit = LIMIT.to_string();
    TestApp::new()
        .var("SATCHEL_MAX_UPLOAD_BYTES", &limit)
        .start()
        .await
}

/// Sends the form in chunks, without its length.
async fn chunked(client: &Client, form: &Form) -> Answer {
    let bytes = Bytes::from(form.bytes());
    let chunks: Vec<_> = (0..bytes.len())
        .step_by(MIB)
        .map(|start| Ok::<_, std::io::Error>(bytes.slice(start..bytes.len().min(start + MIB))))
        .collect();
    let body = Body::wrap_stream(stream::iter(chunks));
    client
        .upload_body("/api/uploads", &form.content_type(), body)
        .await
}

#[actix_web::test]
async fn u7_every_size_up_to_the_limit_is_taken_and_none_above_it() {
    let app = limited().await;
    let ana = app.token("ana").await;
    for (size, status) in [
        (0, 201),
        (1, 201),
        (LIMIT, 201),
        (LIMIT + 1, 413),
        (3 * LIMIT, 413),
    ] {
        let form = Form::new().part(FILE, None, &content(size));
        for (way, answer) in [
            ("length", ana.upload_form("/api/uploads", &form).await),
            ("chunked", chunked(&ana, &form).await),
        ] {
            assert_eq!(answer.status, status, "{size} {way}: {}", answer.text());
            if status == 413 {
                assert_eq!(answer.problem(), "upload-too-large");
            }
        }
    }
    let mut sizes: Vec<_> = app.documents().await.iter().map(|row| row.size_bytes).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [0, 0, 1, 1, LIMIT as i64, LIMIT as i64]);
    assert_eq!(app.stored_files(), 6);
}

#[actix_web::test]
async fn u7_zero_bytes_are_a_document_that_can_be_had_again() {
    let app = TestApp::sqlite().await;
    let ana = app.token("ana").await;
    let id = ana.document("empty.txt", b"").await;
    let document = ana.get(&format!("/api/documents/{id}")).await.json();
    assert_eq!(document["size"], 0);
    assert_eq!(document["type"], "application/octet-stream");
    let url = ana
        .get(&format!("/api/uploads/{id}/download-url"))
        .await
        .field("url");
    let file = app.fetch(&url).await;
    assert_eq!((file.status, file.body.len()), (200, 0));
}

#[actix_web::test]
async fn s8_a_size_told_above_the_limit_is_refused_before_a_byte_of_the_file() {
    let app = limited().await;
    let ana = app.token("ana").await;
    let form = Form::new()
        .field("size", &(LIMIT + 1).to_string())
        .open_part(FILE, None);
    let kind = form.content_type();

    let mut told = RawPost::begin(
        &ana,
        "/api/uploads",
        &[("Content-Type", &kind), ("Transfer-Encoding", "chunked")],
    )
    .await;
    let chunk = [
        format!("{:x}\r\n", form.begun().len()).as_bytes(),
        form.begun(),
        b"\r\n",
    ]
    .concat();
    told.write(&chunk).await;
    let answer = told.answer().await;
    assert_eq!(
        (answer.status, answer.problem().as_str()),
        (413, "upload-too-large")
    );

    // Nothing but the head of the request: its length says enough.
    let length = (LIMIT + MIB).to_string();
    let headers = [("Content-Type", kind.as_str()), ("Content-Length", &length)];
    let answer = RawPost::begin(&ana, "/api/uploads", &headers)
        .await
        .answer()
        .await;
    assert_eq!(
        (answer.status, answer.problem().as_str()),
        (413, "upload-too-large")
    );
    assert!(app.intents().await.is_empty());
    assert!(app.emulator.faults().calls().is_empty(), "Filestack was asked");
}

#[actix_web::test]
async fn s8_an_endless_body_is_cut_off_at_the_limit() {
    let app = limited().await;
    let ana = app.token("ana").await;
    let form = Form::new().open_part(FILE, None);
    let mut wire = RawPost::begin(
        &ana,
        "/api/uploads",
        &[
            ("Content-Type", &form.content_type()),
            ("Transfer-Encoding", "chunked"),
        ],
    )
    .await;
    let head = [
        format!("{:x}\r\n", form.begun().len()).as_bytes(),
        form.begun(),
        b"\r\n",
    ]
    .concat();
    wire.write(&head).await;
    let (answer, chunks) = wire
        .flood(&[b"1000\r\n", &[0; 4_096][..], b"\r\n"].concat())
        .await;
    assert_eq!(
        (answer.status, answer.problem().as_str()),
        (413, "upload-too-large")
    );
    assert!(chunks < 10_000, "{chunks} chunks were taken");
    app.assert_nothing_left().await;
}

#[actix_web::test]
async fn u7_a_length_that_lies_leaves_nothing_behind() {
    let app = TestApp::sqlite().await;
    let ana = app.token("ana").await;
    let form = Form::new().part(FILE, None, &content(50_000));
    let (kind, bytes) = (form.content_type(), form.bytes());

    // Too low: the request ends within the file, and what follows is no request.
    let length = (bytes.len() - 10_000).to_string();
    let headers = [("Content-Type", kind.as_str()), ("Content-Length", &length)];
    let mut low = RawPost::begin(&ana, "/api/uploads", &headers).await;
    low.write(&bytes).await;
    let answer = low.answer().await;
    assert_eq!(answer.status, 400, "{}", answer.text());

    // Too high: the rest never comes.
    let length = (bytes.len() + 10_000).to_string();
    let headers = [("Content-Type", kind.as_str()), ("Content-Length", &length)];
    let mut high = RawPost::begin(&ana, "/api/uploads", &headers).await;
    high.write(&bytes[..40_000]).await;
    high.close().await;
    app.assert_nothing_left().await;
}

#[actix_web::test]
async fn u7_without_a_length_a_long_file_goes_through_the_rest_store() {
    let app = TestApp::sqlite().await;
    let ana = app.token("ana").await;
    let calls = app.emulator.faults();
    for (size, stores) in [(PART, 0), (PART + 1, 1), (2 * PART, 1)] {
        calls.forget_calls();
        let bytes = content(size);
        let answer = chunked(&ana, &Form::new().part(FILE, None, &bytes)).await;
        assert_eq!(answer.status, 201, "{size}: {}", answer.text());
        assert_eq!(calls.count(Route::Store), stores, "{size}");
        assert_eq!(calls.count(Route::Start), 1 - stores, "{size}");
        let stored = app.emulator.store().read(&answer.field("handle")).unwrap();
        assert!(stored.as_deref() == Some(&bytes[..]), "{size}: other bytes");
    }
}

#[actix_web::test]
async fn a_size_told_before_the_file_has_it_sent_in_parts_whatever_follows() {
    let app = TestApp::sqlite().await;
    let ana = app.token("ana").await;
    let bytes = content(2 * PART + 1);
    let told = Form::new()
        .field("size", &bytes.len().to_string())
        .part(FILE, None, &bytes)
        .field("note", "after the file");
    let answer = chunked(&ana, &told).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_eq!(app.emulator.faults().count(Route::Store), 0);
    let stored = app.emulator.store().read(&answer.field("handle")).unwrap();
    assert!(stored.as_deref() == Some(&bytes[..]), "other bytes");
}

#[actix_web::test]
async fn u7_a_long_file_whose_size_nobody_told_is_stored_whatever_follows_it_in_the_form() {
    let app = TestApp::sqlite().await;
    let ana = app.token("ana").await;
    for size in [PART, PART + 1, 2 * PART, 20 * MIB] {
        let bytes = content(size);
        let plain = Form::new().part(FILE, None, &bytes);
        let followed = plain.clone().field("note", "after").field("size", "1");
        let without_line_break = plain.bytes()[..plain.bytes().len() - 2].to_vec();
        let epilogue = [&plain.bytes()[..], b"an epilogue, to be ignored\r\n"].concat();
        for (what, body) in [
            ("the last part", plain.bytes()),
            ("fields after it", followed.bytes()),
            ("no last CRLF", without_line_break),
            ("an epilogue", epilogue),
        ] {
            for length in [true, false] {
                let what = format!("{size}, {what}, length {length}");
                let sent = if length {
                    Body::from(body.clone())
                } else {
                    Body::wrap_stream(stream::iter([Ok::<_, std::io::Error>(body.clone())]))
                };
                let answer = ana.upload_body("/api/uploads", &plain.content_type(), sent).await;
                assert_eq!(answer.status, 201, "{what}: {}", answer.text());
                let handle = answer.field("handle");
                let stored = app.emulator.store().read(&handle).unwrap();
                assert!(stored.as_deref() == Some(&bytes[..]), "{what}: other bytes");
                let rows = app.documents().await;
                let row = rows.iter().find(|row| row.handle == handle).expect(&what);
                assert_eq!(row.size_bytes, size as i64, "{what}");
                assert_eq!(row.sha256, hex(&Sha256::digest(&bytes)), "{what}");
                assert!(app.emulator.store().delete(&handle).unwrap(), "{what}");
            }
        }
    }
}

#[actix_web::test]
async fn u7_of_a_form_with_a_second_file_nothing_is_stored() {
    let app = TestApp::sqlite().await;
    let ana = app.token("ana").await;
    let form = Form::new()
        .part(FILE, None, &content(2 * PART))
        .part(FILE, None, b"one more");
    let answer = ana.upload_form("/api/uploads", &form).await;
    assert_eq!((answer.status, answer.problem().as_str()), (400, "several-files"));
    app.assert_nothing_left().await;
}

#[actix_web::test]
async fn u7_a_parts_own_length_that_lies_is_refused_and_cuts_nothing_short() {
    let app = TestApp::sqlite().await;
    let ana = app.user("ana").await;
    let bytes = content(20_000);
    for told in ["4", "19999", "20001", "0", "18446744073709551615"] {
        let form = Form::new().file_of_length(told, &bytes);
        let answer = ana.upload_form("/api/uploads", &form).await;
        let code = answer.problem();
        // The last is more than is taken at all, and told before a byte of the file.
        let expected = if told.len() > 10 {
            (413, "upload-too-large")
        } else {
            (400, "size-mismatch")
        };
        assert_eq!((answer.status, code.as_str()), expected, "{told}");
    }
    app.assert_nothing_left().await;
    // What is no number says nothing.
    for told in ["", "-1", "1e4", "4, 4"] {
        let form = Form::new().file_of_length(told, &bytes);
        let answer = ana.upload_form("/api/uploads", &form).await;
        assert_eq!(answer.status, 201, "{told}: {}", answer.text());
        let stored = app.emulator.store().read(&answer.field("handle")).unwrap();
        assert!(stored.as_deref() == Some(&bytes[..]), "{told}: other bytes");
    }
}

#[actix_web::test]
async fn a_parts_own_length_is_a_size_told_in_advance() {
    let app = TestApp::sqlite().await;
    let ana = app.token("ana").await;
    let bytes = content(2 * PART + 1);
    let form = Form::new()
        .file_of_length(&bytes.len().to_string(), &bytes)
        .field("note", "after the file");
    let answer = chunked(&ana, &form).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_eq!(app.emulator.faults().count(Route::Store), 0);
    let stored = app.emulator.store().read(&answer.field("handle")).unwrap();
    assert!(stored.as_deref() == Some(&bytes[..]), "other bytes");
}

#[actix_web::test]
async fn u10_who_goes_on_sending_after_a_refusal_is_cut_off_and_can_read_it() {
    let app = limited().await;
    let ana = app.token("ana").await;
    let form = Form::new()
        .field("size", &(LIMIT + 1).to_string())
        .open_part(FILE, None);
    let kind = form.content_type();

    let length = (100 * LIMIT).to_string();
    let headers = [("Content-Type", kind.as_str()), ("Content-Length", &length)];
    let plain = RawPost::begin(&ana, "/api/uploads", &headers).await;
    let headers = [("Content-Type", kind.as_str()), ("Transfer-Encoding", "chunked")];
    let mut chunked = RawPost::begin(&ana, "/api/uploads", &headers).await;
    chunked
        .write(format!("{:x}\r\n", form.begun().len()).as_bytes())
        .await;
    chunked.write(&[form.begun(), b"\r\n"].concat()).await;
    let chunk = [b"400\r\n", &[0; 1_024][..], b"\r\n"].concat();
    let (plain, chunked) = futures_util::join!(plain.go_on(&[0; 1_024]), chunked.go_on(&chunk));
    for answer in [plain, chunked] {
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (413, "upload-too-large")
        );
        assert_eq!(answer.header("connection"), Some("close"));
    }
}

#[actix_web::test]
async fn u10_a_chunked_body_read_to_its_end_leaves_the_connection_open() {
    let app = TestApp::sqlite().await;
    let mut stream =
        wire::connect(app.url["http://".len()..].parse().expect("an address")).expect("a connection");
    for _ in 0..2 {
        let request =
            b"POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n\
            Transfer-Encoding: chunked\r\n\r\n3\r\na=b\r\n0\r\n\r\n";
        std::io::Write::write_all(&mut stream, request).expect("an open connection");
        let reply = wire::read_reply(&mut stream, false).expect("an answer");
        assert_eq!(reply.status, 403, "{}", reply.text());
    }
}
