//! The same verdict on every way in (U6), in words that say what is left.

use bytes::Bytes;
use futures_util::stream;
use reqwest::{Body, Method};
use serde_json::json;

use super::{bytes, documents};
use crate::support::app::TestApp;
use crate::support::content;
use crate::support::form::Form;
use crate::uploads::import::{ok, server};

#[actix_web::test]
async fn u6_a_file_that_there_is_no_room_for_is_refused_on_every_way_in() {
    let place = server(|_| ok("Content-Length: 5000\r\n", &content(5_000)));
    let app = TestApp::new()
        .var("SATCHEL_URL_IMPORT", &place.to_string())
        .start()
        .await;
    app.quota("ana", bytes(4_000)).await;
    let (ana, program) = (app.user("ana").await, app.token("ana").await);
    let file = content(5_000);
    let told = Form::new().size(5_000).file("a.bin", "text/plain", &file);
    let untold = Form::new().file("a.bin", "text/plain", &file);
    for path in ["/api/uploads", "/api/uploads/v2", "/api/uploads/with-processing"] {
        for form in [&told, &untold] {
            let answer = program.upload_form(path, form).await;
            assert_eq!(
                (answer.status, answer.problem().as_str()),
                (413, "over-quota"),
                "{path}"
            );
            let sentence = answer.field("detail");
            assert!(sentence.contains("3.9 KiB of that is left"), "{sentence}");
            assert!(sentence.contains("ask your administrator"), "{sentence}");
        }
    }
    let request = ana.changing(Method::POST, "/api/uploads/import").await;
    let imported = ana
        .send(request.json(&json!({"url": format!("http://{place}/a.bin")})))
        .await;
    assert_eq!(
        (imported.status, imported.problem().as_str()),
        (413, "over-quota")
    );
    let page = ana.post_files(&[("a.bin", &file), ("b.bin", &content(10))]).await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains("3.9 KiB of that is left"), "{}", page.text());
    assert!(
        page.text().contains("1 of 2 files were uploaded"),
        "{}",
        page.text()
    );
    assert_eq!(app.kept("ana").await, (1, 10));
    assert_eq!(app.stored_files(), 1);
}

#[actix_web::test]
async fn a_file_of_unknown_size_is_cut_off_where_the_room_ends() {
    let app = TestApp::sqlite().await;
    app.quota("ana", bytes(10 << 20)).await;
    let ana = app.token("ana").await;
    let send = async |size: usize| {
        let form = Form::new().file("a.bin", "application/octet-stream", &content(size));
        let whole = Bytes::from(form.bytes());
        let chunks: Vec<_> = (0..whole.len())
            .step_by(1 << 20)
            .map(|at| Ok::<_, std::io::Error>(whole.slice(at..whole.len().min(at + (1 << 20)))))
            .collect();
        let body = Body::wrap_stream(stream::iter(chunks));
        ana.upload_body("/api/uploads", &form.content_type(), body).await
    };
    let refused = send(12 << 20).await;
    assert_eq!((refused.status, refused.problem().as_str()), (413, "over-quota"));
    let sentence = refused.field("detail");
    assert!(
        sentence.contains("10 MiB of that is left, and this file is larger"),
        "{sentence}"
    );
    crate::support::eventually("the room is free again", async || {
        app.owner("ana").await.reserved_bytes == 0
    })
    .await;
    let taken = send(9 << 20).await;
    assert_eq!(taken.status, 201, "{}", taken.text());
    assert_eq!(app.kept("ana").await, (1, 9 << 20));
    assert_eq!(app.stored_files(), 1);
}

#[actix_web::test]
async fn deleting_makes_room_and_the_page_says_how_much_there_is() {
    let app = TestApp::sqlite().await;
    let ana = app.user("ana").await;
    let free = ana.page("/uploads/new").await;
    assert!(free.texts("#quota").is_empty(), "nothing is bounded");
    app.quota("ana", documents(2)).await;
    let first = ana.document("a.txt", b"one").await;
    assert_eq!(
        ana.page("/uploads/new").await.texts("#quota"),
        ["There is room for 1 document."]
    );
    ana.document("b.txt", b"two").await;
    let full = ana.page("/uploads/new").await.texts("#quota");
    assert!(
        full[0].starts_with("You have reached what you may keep"),
        "{full:?}"
    );
    let refused = ana.upload("c.txt", b"three").await;
    assert_eq!((refused.status, refused.problem().as_str()), (413, "over-quota"));
    assert!(
        refused
            .field("detail")
            .starts_with("You may keep 2 documents, and there is no room")
    );
    assert_eq!(ana.delete(&format!("/api/documents/{first}")).await.status, 204);
    let in_the_trash = ana.upload("c.txt", b"three").await;
    assert_eq!(in_the_trash.status, 413, "what is in the trash is kept too");
    assert_eq!(ana.delete(&format!("/api/trash/{first}")).await.status, 204);
    ana.document("c.txt", b"three").await;
    assert_eq!(app.kept("ana").await, (2, 8));
    // An empty file takes no bytes.
    app.quota("bob", bytes(0)).await;
    let bob = app.token("bob").await;
    assert_eq!(bob.upload("empty.txt", b"").await.status, 201);
    assert_eq!(bob.upload("a.txt", b"x").await.status, 413);
}
