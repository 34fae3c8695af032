//! U6: the limit is the same on every way in.

use super::import::{ok, server};
use super::picker::{config, register, store};
use crate::support::app::TestApp;
use crate::support::content;
use crate::support::form::Form;

const LIMIT: usize = 1_000;

#[actix_web::test]
async fn u6_the_limit_is_the_same_on_every_way_in() {
    let place = server(|path| {
        let bytes = content(path[1..].parse().expect("a size"));
        ok(&format!("Content-Length: {}\r\n", bytes.len()), &bytes)
    });
    let app = TestApp::new()
        .var("SATCHEL_MAX_UPLOAD_BYTES", &LIMIT.to_string())
        .var("SATCHEL_URL_IMPORT", &place.to_string())
        .start()
        .await;
    let ana = app.user("ana").await;
    for (size, taken) in [(LIMIT, true), (LIMIT + 1, false)] {
        let bytes = content(size);
        let form = Form::new().file("a.bin", "application/octet-stream", &bytes);
        let mut answers = Vec::new();
        for path in ["/api/uploads", "/api/uploads/v2", "/api/uploads/with-processing"] {
            answers.push((path, ana.upload_form(path, &form).await));
        }
        let url = serde_json::json!({"url": format!("http://{place}/{size}")});
        let request = ana.changing(reqwest::Method::POST, "/api/uploads/import").await;
        answers.push(("import", ana.send(request.json(&url)).await));
        // Put there by somebody who can get round the policy: Filestack's word about the size is asked for.
        let granted = config(&ana, "").await;
        let folder = granted["path"].as_str().expect("a folder");
        let file = app
            .emulator
            .store()
            .put(&bytes, "a.bin", "text/plain", Some(folder));
        let handle = file.expect("a file");
        answers.push(("register", register(&ana, &handle).await));
        if !taken {
            answers.push(("register again", register(&ana, &handle).await));
        }
        for (way, answer) in answers {
            assert_eq!(
                answer.status,
                if taken { 201 } else { 413 },
                "{way}: {}",
                answer.text()
            );
            if !taken {
                assert_eq!(answer.problem(), "upload-too-large", "{way}");
            }
        }
        // With the policy that browsers get it is not even stored.
        let granted = config(&ana, "").await;
        let folder = granted["path"].as_str().expect("a folder");
        let stored = store(&granted, folder, "b.bin", &bytes).await.status;
        assert_eq!(stored, if taken { 200 } else { 403 });
        // The form's page says so of each file.
        let page = ana.post_files(&[("c.bin", &bytes)]).await;
        assert_eq!(page.status, if taken { 200 } else { 422 });
        assert_eq!(page.text().contains("larger than"), !taken);
    }
    let documents = app.documents().await;
    assert_eq!(documents.len(), 6);
    assert!(
        documents
            .iter()
            .all(|document| document.size_bytes == LIMIT as i64)
    );
}
