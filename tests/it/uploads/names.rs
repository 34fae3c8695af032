//! U1–U3, U5: names and types that mean harm.

use crate::support::app::TestApp;
use crate::support::form::Form;

#[actix_web::test]
async fn u1_hostile_names_are_shown_plain_and_never_become_a_path() {
    let app = TestApp::sqlite().await;
    let ana = app.token("ana").await;
    let long = format!("{}.pdf", "x".repeat(4_000));
    let cut = format!("{}.pdf", "x".repeat(251));
    for (name, shown) in [
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("/absolute.txt", "absolute.txt"),
        ("C:\\Users\\cv.doc", "cv.doc"),
        ("\\\\server\\share\\x.txt", "x.txt"),
        ("invoice\u{202e}fdp.exe", "invoicefdp.exe"),
        ("CON", "_CON"),
        (".htaccess", "htaccess"),
        ("--rf", "rf"),
        ("cafe\u{301}.txt", "café.txt"),
        (&long, &cut),
    ] {
        let disposition = format!(
            "form-data; name=\"file\"; filename=\"{}\"",
            name.replace('\\', "\\\\")
        );
        let answer = ana
            .upload_form("/api/uploads", &Form::new().part(disposition, None, b"x"))
            .await;
        assert_eq!(answer.status, 201, "{name:?}: {}", answer.text());
        let id = answer.field("id");
        let document = ana.get(&format!("/api/documents/{id}")).await;
        assert_eq!(document.field("name"), shown, "{name:?}");
        let meta = app
            .emulator
            .store()
            .get(&answer.field("handle"))
            .unwrap()
            .unwrap();
        let owner = app.owner("ana").await.id;
        let key = meta.key.strip_prefix(&format!("user-uploads/{owner}/{id}/"));
        let file = key.unwrap_or_else(|| panic!("stored elsewhere: {}", meta.key));
        assert!(!file.contains(['/', '\\']) && file != "..", "{file}");
    }
}

#[actix_web::test]
async fn u2_a_name_cannot_leave_the_header_it_is_sent_in() {
    let app = TestApp::sqlite().await;
    let ana = app.token("ana").await;
    let disposition = "form-data; name=\"file\"; filename=\"a\\\"; x=\\\"b;c.txt\"";
    let answer = ana
        .upload_form("/api/uploads", &Form::new().part(disposition, None, b"x"))
        .await;
    let id = answer.field("id");
    let renamed = ana
        .patch_json(
            &format!("/api/documents/{id}"),
            &serde_json::json!({"name": "a\"; x=\"\r\nSet-Cookie: b.txt"}),
        )
        .await;
    assert_eq!(renamed.field("name"), "a_; x=_Set-Cookie_ b.txt");
    let download = ana.get(&format!("/documents/{id}/download")).await;
    let file = app.fetch(download.location()).await;
    let headers: Vec<_> = file.headers.get_all("content-disposition").iter().collect();
    assert_eq!(headers.len(), 1);
    let header = headers[0].to_str().unwrap();
    assert!(header.starts_with("attachment; filename=\""), "{header}");
    assert_eq!(header.matches('"').count(), 2, "{header}");
    assert_eq!(file.header("set-cookie"), None);
}

#[actix_web::test]
async fn u3_markup_in_a_name_is_text_everywhere() {
    let app = TestApp::sqlite().await;
    let ana = app.user("ana").await;
    // Angle brackets do not survive in names, so that markup cannot reach a place that forgets to escape it.
    let name = "<img src=x onerror=alert(1)>'&amp;.txt";
    let id = ana.document(name, b"x").await;
    let shown = "_img src=x onerror=alert(1)_'&amp;.txt";
    for path in [
        "/documents".to_owned(),
        "/documents?q=onerror".to_owned(),
        format!("/documents/{id}"),
    ] {
        let page = ana.page(&path).await;
        assert!(
            page.texts("bdi").contains(&shown.to_owned()),
            "{path}: {:?}",
            page.texts("bdi")
        );
        assert!(page.attributes("[onerror]", "onerror").is_empty(), "{path}");
    }
    let page = ana
        .page("/documents?q=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E")
        .await;
    assert!(page.attributes("[onerror]", "onerror").is_empty());
    let result = ana.post_files(&[(name, b"x")]).await;
    assert_eq!(result.status, 200);
    assert!(result.attributes("[onerror]", "onerror").is_empty());
}

#[actix_web::test]
async fn u5_the_bytes_decide_what_a_file_is_served_as() {
    let app = TestApp::sqlite().await;
    let ana = app.user("ana").await;
    let html = b"<!doctype html><script>alert(1)</script>";
    let form = Form::new().file("cat.png", "image/png", html);
    let answer = ana.upload_form("/api/uploads", &form).await;
    let id = answer.field("id");
    let document = ana.get(&format!("/api/documents/{id}")).await;
    assert_eq!(document.field("type"), "text/html");

    let url = ana
        .get(&format!("/api/uploads/{id}/download-url"))
        .await
        .field("url");
    let file = app.fetch(&url).await;
    assert_eq!(file.header("content-type"), Some("text/html"));
    assert_eq!(file.header("x-content-type-options"), Some("nosniff"));
    assert!(
        file.header("content-disposition")
            .unwrap()
            .starts_with("attachment")
    );
    assert!(
        file.header("content-security-policy")
            .unwrap()
            .starts_with("sandbox")
    );

    let page = ana.page(&format!("/documents/{id}")).await;
    assert_eq!(page.texts(".contradiction code"), ["image/png"]);
    assert!(page.attributes(".preview img", "src").is_empty());
    let thumbnail = ana.get(&format!("/api/uploads/{id}/thumbnail")).await;
    assert_eq!(
        (thumbnail.status, thumbnail.problem().as_str()),
        (409, "no-thumbnail")
    );
}

#[actix_web::test]
async fn u5_a_declared_type_that_is_none_is_not_repeated() {
    let app = TestApp::sqlite().await;
    let ana = app.token("ana").await;
    let form = Form::new().file("a.bin", "text/<script>", b"\0\x01");
    let answer = ana.upload_form("/api/uploads", &form).await;
    assert!(matches!(answer.status, 201 | 400), "{}", answer.text());
    for document in app.documents().await {
        assert_eq!(document.declared_type, "application/octet-stream");
        assert_eq!(document.content_type, "application/octet-stream");
    }
}
