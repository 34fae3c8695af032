//! U9: forms that are broken, odd or made to hurt.

use crate::support::app::TestApp;
use crate::support::form::Form;
use crate::support::raw_post::RawPost;

const FILE: &str = "form-data; name=\"file\"; filename=\"a.txt\"";

#[actix_web::test]
async fn u9_ten_thousand_fields_are_refused() {
    let app = TestApp::sqlite().await;
    let ana = app.token("ana").await;
    let mut form = Form::new();
    for _ in 0..10_000 {
        form = form.field("f", "");
    }
    let answer = ana
        .upload_form("/api/uploads", &form.part(FILE, None, b"x"))
        .await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.problem(), "too-many-fields");
    app.assert_nothing_left().await;
}

#[actix_web::test]
async fn u9_an_endless_text_field_is_cut_off() {
    let app = TestApp::sqlite().await;
    let ana = app.token("ana").await;
    let form = Form::new().open_part("form-data; name=\"file\"", None);
    let headers = [
        ("Content-Type", form.content_type()),
        ("Content-Length", (1_u64 << 30).to_string()),
    ];
    let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
    let mut wire = RawPost::begin(&ana, "/api/uploads", &headers).await;
    wire.write(form.begun()).await;
    let (answer, kibibytes) = wire.flood(&[b'x'; 1_024]).await;
    assert_eq!(answer.status, 413, "{}", answer.text());
    answer.problem();
    assert!(kibibytes < 32_000, "{kibibytes} KiB were taken");
    app.assert_nothing_left().await;
}

#[actix_web::test]
async fn u9_long_text_fields_are_refused_one_by_one_and_together() {
    let app = TestApp::sqlite().await;
    let ana = app.token("ana").await;
    let one = Form::new()
        .field("note", &"x".repeat(9_000))
        .part(FILE, None, b"x");
    assert_eq!(ana.upload_form("/api/uploads", &one).await.status, 413);
    let mut many = Form::new();
    for _ in 0..9 {
        many = many.field("note", &"x".repeat(8_000));
    }
    let many = many.part(FILE, None, b"x");
    assert_eq!(ana.upload_form("/api/uploads", &many).await.status, 413);
    app.assert_nothing_left().await;
}

#[actix_web::test]
async fn u9_a_missing_or_odd_boundary_is_refused() {
    let app = TestApp::sqlite().await;
    let ana = app.token("ana").await;
    let body = Form::new().part(FILE, None, b"x").bytes();
    let long = format!("multipart/form-data; boundary={}", "x".repeat(71));
    for kind in [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=\"\"",
        "multipart/form-data; boundary",
        "multipart/form-data; boundary=another-one",
        &long,
    ] {
        let answer = ana.upload_body("/api/uploads", kind, body.clone()).await;
        assert_eq!(answer.status, 400, "{kind}: {}", answer.text());
        answer.problem();
    }
    app.assert_nothing_left().await;
}

#[actix_web::test]
async fn u9_garbage_round_the_form_is_refused_or_ignored_and_never_stored() {
    let app = TestApp::sqlite().await;
    let ana = app.token("ana").await;
    let form = Form::new().part(FILE, None, b"the file");
    let kind = form.content_type();
    let garbage = vec![b'x'; 200_000];
    for (before, after) in [
        (&garbage[..], &b""[..]),
        (b"", &garbage),
        (b"a preamble\r\n", b"an epilogue"),
    ] {
        let body = [before, &form.bytes(), after].concat();
        let answer = ana.upload_body("/api/uploads", &kind, body).await;
        assert!(matches!(answer.status, 201 | 400), "{}", answer.text());
    }
    for document in app.documents().await {
        assert_eq!(document.size_bytes, 8);
    }
    for cut in [
        &form.bytes()[..40],
        &form.bytes()[..form.bytes().len() - 6],
        b"",
        b"--",
    ] {
        let answer = ana.upload_body("/api/uploads", &kind, cut.to_vec()).await;
        assert_eq!(answer.status, 400, "{}", answer.text());
        answer.problem();
    }
}

#[actix_web::test]
async fn u9_a_form_in_a_form_is_no_file() {
    let app = TestApp::sqlite().await;
    let ana = app.token("ana").await;
    let inner = Form::new().part(FILE, None, b"inner").bytes();
    let nested = Form::new().part(
        "form-data; name=\"files\"",
        Some("multipart/mixed; boundary=inner"),
        &inner,
    );
    // The same boundary inside: the outer form ends in the middle.
    for form in [
        &nested,
        &Form::new().part(FILE, Some("multipart/mixed; boundary=x"), &inner),
    ] {
        let answer = ana.upload_form("/api/uploads", form).await;
        assert_eq!(answer.status, 400, "{}", answer.text());
        answer.problem();
    }
    app.assert_nothing_left().await;
}

#[actix_web::test]
async fn u9_part_headers_without_end_are_refused() {
    let app = TestApp::sqlite().await;
    let ana = app.token("ana").await;
    let form = Form::new();
    let headers = [
        ("Content-Type", form.content_type()),
        ("Content-Length", (1_u64 << 30).to_string()),
    ];
    let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
    let opening = Form::new().open_part(FILE, None);
    let mut wire = RawPost::begin(&ana, "/api/uploads", &headers).await;
    // All but the empty line that would end the part's headers.
    wire.write(&opening.begun()[..opening.begun().len() - 2]).await;
    let (answer, lines) = wire
        .flood(format!("X-Filler: {}\r\n", "x".repeat(1_000)).as_bytes())
        .await;
    assert!(matches!(answer.status, 400 | 413), "{}", answer.text());
    answer.problem();
    assert!(lines < 32_000, "{lines} KiB were taken");
    app.assert_nothing_left().await;
}

#[actix_web::test]
async fn u9_a_name_in_no_encoding_is_taken_or_refused_without_a_panic() {
    let app = TestApp::sqlite().await;
    let ana = app.token("ana").await;
    for disposition in [
        &b"form-data; name=\"file\"; filename=\"caf\xe9.txt\""[..],
        b"form-data; name=\"file\"; filename=\"\xff\xfe\"",
        b"form-data; name=\"file\"; filename*=UTF-8''caf%C3%A9.txt",
        b"form-data; name=\"file\"; filename*=UTF-8''%ff.txt",
        b"form-data",
        b"attachment; filename=\"a.txt\"",
        b"form-data; name=\"file\"; filename=",
        b"form-data; name=\"file\"; filename=\"a",
    ] {
        let answer = ana
            .upload_form("/api/uploads", &Form::new().part(disposition, None, b"x"))
            .await;
        let shown = String::from_utf8_lossy(disposition);
        assert!(matches!(answer.status, 201 | 400), "{shown}: {}", answer.text());
    }
    for document in app.documents().await {
        assert!(
            !document.name.is_empty() && !document.name.contains('\u{fffd}'),
            "{}",
            document.name
        );
    }
}

#[actix_web::test]
async fn u10_a_body_that_goes_on_after_the_form_is_not_waited_for() {
    let app = TestApp::sqlite().await;
    let ana = app.token("ana").await;
    let form = Form::new().part(FILE, None, b"the file");
    let length = (form.bytes().len() + 1_000_000).to_string();
    let kind = form.content_type();
    let headers = [("Content-Type", kind.as_str()), ("Content-Length", &length)];
    let mut wire = RawPost::begin(&ana, "/api/uploads", &headers).await;
    wire.write(&form.bytes()).await;
    let answer = wire.answer().await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_eq!(app.documents().await[0].size_bytes, 8);
}
