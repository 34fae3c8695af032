//! The upload form, which works without any script: several files, a result for each.

use std::time::Duration;

use crate::support::app::TestApp;
use crate::support::form::Form;

#[actix_web::test]
async fn several_files_have_a_result_each() {
    let app = TestApp::new()
        .var("SATCHEL_MAX_UPLOAD_BYTES", "1000")
        .start()
        .await;
    let ana = app.user("ana").await;
    let form = ana.page("/uploads/new").await;
    assert_eq!(
        form.attributes("form#uploader", "enctype"),
        ["multipart/form-data"]
    );
    let result = ana
        .post_files(&[
            ("one.txt", b"1"),
            ("large.txt", &[b'x'; 1_001]),
            ("two.txt", b"22"),
        ])
        .await;
    assert_eq!(result.status, 200, "{}", result.text());
    assert_eq!(result.texts(".queue-name"), ["one.txt", "large.txt", "two.txt"]);
    let states = result.texts(".queue-state");
    assert_eq!((states[0].as_str(), states[2].as_str()), ("Uploaded", "Uploaded"));
    assert!(
        states[1].starts_with("Not uploaded. The file is larger than 1000 bytes"),
        "{}",
        states[1]
    );
    let mut kept = ana.page("/documents").await.texts("tbody .cell-name");
    // Both came at the same moment, so that chance decides which is the newer one.
    kept.sort();
    assert_eq!(kept, ["one.txt", "two.txt"]);
    assert!(result.texts(".queue-help").is_empty());

    // Who has the same content already is told; somebody else's is nobody's business (U20).
    app.advance(Duration::from_secs(1));
    let again = ana
        .post_files(&[("again.txt", b"1"), ("three.txt", b"333")])
        .await;
    assert_eq!(
        again.texts(".queue-help"),
        ["You already have this: one.txt. Both are kept; delete the one that you do not need."]
    );
    let bob = app.user("bob").await;
    let his = bob.post_files(&[("one.txt", b"1")]).await;
    assert_eq!(his.texts(".queue-state"), ["Uploaded"]);
    assert!(his.texts(".queue-help").is_empty());
}

#[actix_web::test]
async fn no_file_is_said_on_the_form_itself() {
    let app = TestApp::sqlite().await;
    let ana = app.user("ana").await;
    // What a browser sends when nothing was chosen: one file without a name.
    for files in [&[][..], &[("", &b""[..])]] {
        let answer = ana.post_files(files).await;
        assert_eq!(answer.status, 400);
        assert_eq!(
            answer.texts("[role=alert]")[0],
            "No file was chosen. Choose at least one file."
        );
        assert_eq!(answer.texts("h1"), ["Upload"]);
    }
}

#[actix_web::test]
async fn nothing_is_uploaded_when_every_file_fails() {
    let app = TestApp::new().var("SATCHEL_MAX_UPLOAD_BYTES", "10").start().await;
    let ana = app.user("ana").await;
    let result = ana
        .post_files(&[("large.txt", &[b'x'; 100]), ("...", b"x")])
        .await;
    assert_eq!(result.status, 422, "{}", result.text());
    assert_eq!(result.texts(".is-failed").len(), 2);
    app.assert_nothing_left().await;
}

#[actix_web::test]
async fn a4_the_form_token_stands_before_the_files() {
    let app = TestApp::sqlite().await;
    let ana = app.user("ana").await;
    let token = ana.csrf_token().await;
    let file = |form: Form| form.file("a.txt", "text/plain", b"x");
    for form in [
        file(Form::new()),
        file(Form::new()).field("csrf_token", &token),
        file(Form::new().field("csrf_token", "")),
        file(Form::new().field("csrf_token", &app.user("bob").await.csrf_token().await)),
    ] {
        let request = ana.request(reqwest::Method::POST, "/uploads");
        let request = request.header("content-type", form.content_type());
        let answer = ana.send(request.body(form.bytes())).await;
        assert_eq!(answer.status, 403, "{}", answer.text());
        assert_eq!(answer.texts("h1"), ["Not allowed"]);
    }
    assert!(app.intents().await.is_empty());
}

#[actix_web::test]
async fn u9_a_form_that_breaks_off_keeps_what_was_stored_and_says_so() {
    let app = TestApp::sqlite().await;
    let ana = app.user("ana").await;
    let form = Form::new()
        .field("csrf_token", &ana.csrf_token().await)
        .file("one.txt", "text/plain", b"1")
        .field("note", &"x".repeat(10_000));
    let request = ana.request(reqwest::Method::POST, "/uploads");
    let request = request.header("content-type", form.content_type());
    let result = ana.send(request.body(form.bytes())).await;
    assert_eq!(result.texts(".is-done").len(), 1, "{}", result.text());
    assert_eq!(result.texts(".queue-name"), ["one.txt", "The rest of the form"]);
    assert_eq!(app.documents().await.len(), 1);
}

#[actix_web::test]
async fn whoever_is_not_signed_in_is_led_to_sign_in_and_back() {
    let app = TestApp::sqlite().await;
    app.user("ana").await;
    let asked = app.anon().get("/uploads/new").await;
    assert_eq!(asked.location(), "/sign-in?next=%2Fuploads%2Fnew");
    let posted = app.anon().post_files(&[("a.txt", b"x")]).await;
    assert_eq!(posted.status, 401);
    assert!(app.intents().await.is_empty());
}
