//! Renaming and deleting, by the pages' forms and by the API.

use std::time::Duration;

use satchel::db::models::file_removals;
use satchel::emulator::{Fault, Route};
use serde_json::json;

use crate::support::app::TestApp;

#[actix_web::test]
async fn a_document_is_renamed_by_the_form() {
    let app = TestApp::sqlite().await;
    let ana = app.user("ana").await;
    let id = ana.document("old.txt", b"x").await;
    let path = format!("/documents/{id}/name");
    let renamed = ana.post_form(&path, &[("name", "../New Name.txt")]).await;
    assert_eq!(renamed.location(), format!("/documents/{id}"));
    let page = ana.page(&format!("/documents/{id}")).await;
    assert_eq!(page.texts("h1"), ["New Name.txt"]);
    assert!(page.text().contains("The document has its new name."));
    assert!(
        !ana.page(&format!("/documents/{id}"))
            .await
            .text()
            .contains("has its new name")
    );
    for (query, found) in [("new", 1), ("old", 0)] {
        let list = ana.page(&format!("/documents?q={query}")).await;
        assert_eq!(list.texts("tbody tr").len(), found, "{query}");
    }
}

#[actix_web::test]
async fn a_name_of_nothing_is_refused_where_it_was_entered() {
    let app = TestApp::sqlite().await;
    let ana = app.user("ana").await;
    let id = ana.document("old.txt", b"x").await;
    for name in ["", "  ", "...", "\u{200b}"] {
        let page = ana
            .post_form(&format!("/documents/{id}/name"), &[("name", name)])
            .await;
        assert_eq!(page.status, 422, "{name:?}");
        assert_eq!(
            page.texts("#name-error"),
            ["Enter a name with at least one visible character."]
        );
        assert_eq!(
            page.attributes("#name", "aria-describedby"),
            ["name-error name-hint"]
        );
        let answer = ana
            .patch_json(&format!("/api/documents/{id}"), &json!({"name": name}))
            .await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (422, "invalid-fields")
        );
        assert_eq!(answer.json()["errors"][0]["field"], "name");
    }
    assert_eq!(
        ana.get(&format!("/api/documents/{id}")).await.field("name"),
        "old.txt"
    );
}

#[actix_web::test]
async fn a_document_is_renamed_by_the_api() {
    let app = TestApp::sqlite().await;
    let ana = app.token("ana").await;
    let id = ana.document("old.txt", b"x").await;
    let before = ana.get(&format!("/api/documents/{id}")).await.json();
    app.advance(Duration::from_secs(60));
    let renamed = ana
        .patch_json(&format!("/api/documents/{id}"), &json!({"name": "new.txt"}))
        .await;
    assert_eq!(renamed.status, 200);
    let mut expected = before;
    expected["name"] = json!("new.txt");
    expected["updated_at"] = json!(app.services.clock.now().rfc3339());
    assert_eq!(renamed.json(), expected);
}

#[actix_web::test]
async fn i13_nothing_but_the_name_can_be_changed() {
    let app = TestApp::sqlite().await;
    let ana = app.token("ana").await;
    let id = ana.document("old.txt", b"x").await;
    let path = format!("/api/documents/{id}");
    let before = ana.get(&path).await.json();
    for body in [
        json!({"name": "a.txt", "owner_id": "x"}),
        json!({"handle": "x"}),
        json!({}),
        json!([]),
        json!({"name": 5}),
        json!({"name": null}),
    ] {
        let answer = ana.patch_json(&path, &body).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (400, "invalid-json"),
            "{body}"
        );
    }
    let long = ana
        .patch_json(&path, &json!({"name": "x".repeat(3_000_000)}))
        .await;
    assert_eq!(long.status, 413, "{}", long.text());
    assert_eq!(ana.get(&path).await.json(), before);
}

#[actix_web::test]
async fn a_document_is_deleted_here_and_at_filestack() {
    let app = TestApp::sqlite().await;
    let (ana, script) = (app.user("ana").await, app.token("ana").await);
    let (first, second) = (
        ana.document("a.txt", b"x").await,
        ana.document("b.txt", b"x").await,
    );

    let question = ana.page(&format!("/documents/{first}/deletion")).await;
    assert_eq!(question.texts("h1"), ["Delete this document?"]);
    assert_eq!(app.stored_files(), 2, "asking deletes nothing");
    let deleted = ana.post_form(&format!("/documents/{first}/deletion"), &[]).await;
    assert_eq!(deleted.location(), "/documents");
    let list = ana.page("/documents").await;
    assert!(
        list.text()
            .contains("The document is deleted, here and at Filestack.")
    );
    assert_eq!(list.texts(".count"), ["1 document"]);

    let path = format!("/api/documents/{second}");
    let deleted = script.delete(&path).await;
    assert_eq!((deleted.status, deleted.body.len()), (204, 0));
    assert_eq!(script.delete(&path).await.status, 404);
    assert_eq!(app.stored_files(), 0);
    let owner = app.owner("ana").await;
    assert_eq!((owner.document_count, owner.stored_bytes), (0, 0));
}

#[actix_web::test]
async fn a_file_that_filestack_keeps_is_told_and_removed_later() {
    let app = TestApp::sqlite().await;
    let (ana, script) = (app.user("ana").await, app.token("ana").await);
    let (first, second) = (
        ana.document("a.txt", b"x").await,
        ana.document("b.txt", b"x").await,
    );
    // For longer than anybody waits for an answer.
    let down = Fault::Reply {
        status: 503,
        headers: vec![("Retry-After".to_owned(), "90".to_owned())],
        body: String::new(),
    };
    app.emulator.faults().next_times(Route::Delete, 3, down);

    let answer = script.delete(&format!("/api/documents/{first}")).await;
    assert_eq!(answer.status, 202);
    assert_eq!(answer.field("code"), "file-removal-pending");
    ana.post_form(&format!("/documents/{second}/deletion"), &[]).await;
    let list = ana.page("/documents").await;
    assert!(
        list.text().contains("Filestack could not remove its file yet"),
        "{}",
        list.text()
    );
    assert_eq!(list.texts(".empty h2"), ["Nothing here yet"]);
    assert_eq!(app.stored_files(), 2);

    let waiting = async || app.services.db.run(file_removals::count).await.unwrap();
    assert_eq!(app.run_jobs().await, 0, "too soon");
    app.advance(Duration::from_secs(30));
    let ran = app.run_jobs_however().await;
    assert_eq!(ran.len(), 2);
    assert_eq!(waiting().await, 1, "one fails once more: {ran:?}");
    app.advance(Duration::from_secs(90));
    assert_eq!(app.run_jobs().await, 1);
    assert_eq!((waiting().await, app.stored_files()), (0, 0));
}

#[actix_web::test]
async fn a_file_that_is_gone_already_counts_as_removed() {
    let app = TestApp::sqlite().await;
    let ana = app.token("ana").await;
    let uploaded = ana.upload("a.txt", b"x").await;
    app.emulator.store().delete(&uploaded.field("handle")).unwrap();
    let deleted = ana
        .delete(&format!("/api/documents/{}", uploaded.field("id")))
        .await;
    assert_eq!(deleted.status, 204, "{}", deleted.text());
}
