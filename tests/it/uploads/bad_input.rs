//! Requests that are wrong from the start.

use crate::support::app::TestApp;
use crate::support::form::Form;

const FILE: &str = "form-data; name=\"file\"; filename=\"a.txt\"";

#[actix_web::test]
async fn a_file_without_a_name_is_refused() {
    let app = TestApp::sqlite().await;
    let ana = app.token("ana").await;
    for name in ["", "   ", "...", "dir/", "\u{200b}"] {
        for path in ["/api/uploads", "/api/uploads/", "/api/uploads/v2"] {
            let answer = ana
                .upload_form(path, &Form::new().file(name, "text/plain", b"x"))
                .await;
            assert_eq!(answer.status, 400, "{name:?}: {}", answer.text());
            assert_eq!(answer.problem(), "empty-filename");
        }
    }
    assert!(app.intents().await.is_empty());
    app.assert_nothing_left().await;
}

#[actix_web::test]
async fn a_form_without_a_file_is_refused() {
    let app = TestApp::sqlite().await;
    let ana = app.token("ana").await;
    let forms = [
        Form::new(),
        Form::new().field("size", "5"),
        Form::new().field("file", "no filename, so no file"),
        Form::new().part("form-data; name=\"other\"; filename=\"a.txt\"", None, b"x"),
    ];
    for form in forms {
        let answer = ana.upload_form("/api/uploads", &form).await;
        assert_eq!(answer.status, 400, "{}", answer.text());
        let body = String::from_utf8_lossy(form.begun()).into_owned();
        assert_eq!(answer.problem(), "no-file", "{body}");
    }
    app.assert_nothing_left().await;
}

#[actix_web::test]
async fn another_content_type_is_refused() {
    let app = TestApp::sqlite().await;
    let ana = app.token("ana").await;
    for kind in [
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/mixed; boundary=x",
        "text/plain",
        "",
    ] {
        let answer = ana.upload_body("/api/uploads", kind, "{}").await;
        assert_eq!(answer.status, 415, "{kind}: {}", answer.text());
        assert_eq!(answer.problem(), "unsupported-media-type");
    }
    app.assert_nothing_left().await;
}

#[actix_web::test]
async fn two_files_in_one_request_are_refused_and_neither_is_stored() {
    let app = TestApp::sqlite().await;
    let ana = app.token("ana").await;
    let both = Form::new()
        .file("a.txt", "text/plain", b"first")
        .file("b.txt", "text/plain", b"second");
    let answer = ana.upload_form("/api/uploads", &both).await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.problem(), "several-files");
    app.assert_nothing_left().await;
}

#[actix_web::test]
async fn a_size_that_is_none_or_not_the_files_own_is_refused() {
    let app = TestApp::sqlite().await;
    let ana = app.token("ana").await;
    let with_size = |size: &str| Form::new().field("size", size).part(FILE, None, b"12345");
    for size in ["", "five", "-5", "+5", "5.0", "99999999999999999999"] {
        let answer = ana.upload_form("/api/uploads", &with_size(size)).await;
        assert_eq!(answer.status, 400, "{size:?}");
        assert_eq!(answer.problem(), "invalid-size-field");
    }
    for size in ["0", "4", "6"] {
        let answer = ana.upload_form("/api/uploads", &with_size(size)).await;
        assert_eq!(answer.status, 400, "{size:?}");
        assert_eq!(answer.problem(), "size-mismatch");
    }
    app.assert_nothing_left().await;
    assert_eq!(ana.upload_form("/api/uploads", &with_size("5")).await.status, 201);
}

#[actix_web::test]
async fn nobody_uploads_without_signing_in() {
    let app = TestApp::sqlite().await;
    let answer = app.anon().upload("a.txt", b"x").await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.problem(), "sign-in-needed");
    assert!(app.intents().await.is_empty());
}

#[actix_web::test]
async fn a4_a_session_uploads_only_with_its_form_token() {
    let app = TestApp::sqlite().await;
    let ana = app.user("ana").await;
    let form = Form::new().part(FILE, None, b"x");
    for token in ["", "wrong", &app.user("bob").await.csrf_token().await] {
        let request = ana.request(reqwest::Method::POST, "/api/uploads");
        let request = request
            .header("x-csrf-token", token)
            .header("content-type", form.content_type());
        let answer = ana.send(request.body(form.bytes())).await;
        assert_eq!(answer.status, 403, "{token:?}");
        assert_eq!(answer.problem(), "forbidden");
    }
    assert!(app.intents().await.is_empty());
    assert_eq!(ana.upload_form("/api/uploads", &form).await.status, 201);
}
