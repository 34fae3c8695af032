//! Name, tags and note, by the page's form and by the API.

use std::time::Duration;

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
async fn a_name_that_would_be_cut_is_refused_and_kept_in_its_field() {
    let app = TestApp::sqlite().await;
    let ana = app.user("ana").await;
    let id = ana.document("old.txt", b"x").await;
    let (path, form) = (format!("/api/documents/{id}"), format!("/documents/{id}/name"));
    for (name, length) in [
        ("x".repeat(5_000), 5_000),
        (format!("{}.txt", "é".repeat(126)), 256),
    ] {
        let page = ana.post_form(&form, &[("name", &name)]).await;
        assert_eq!(page.status, 422);
        let told = page.texts("#name-error").concat();
        assert!(
            told.contains("at most 255 characters") && told.contains(&format!("has {length}.")),
            "{told}"
        );
        assert_eq!(page.attributes("#name", "value"), [name.as_str()]);
        let answer = ana.patch_json(&path, &json!({"name": name, "note": "n"})).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (422, "invalid-fields")
        );
        assert_eq!(
            answer.json()["errors"],
            json!([{"field": "name", "detail": told}])
        );
    }
    let document = ana.get(&path).await.json();
    assert_eq!(
        (&document["name"], &document["note"]),
        (&json!("old.txt"), &json!(""))
    );
    let longest = "x".repeat(255);
    assert_eq!(ana.post_form(&form, &[("name", &longest)]).await.status, 303);
    assert_eq!(ana.get(&path).await.field("name"), longest);
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
async fn i13_nothing_but_name_tags_and_note_can_be_changed() {
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
        json!({"tags": null}),
        json!({"tags": "a"}),
        json!({"tags": ["a"], "family": "pdf"}),
        json!({"note": ["a"]}),
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
