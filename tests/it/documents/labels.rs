//! Tags and notes, by the page's form and by the API: kept, bounded, written into the trail.

use serde_json::json;

use crate::support::app::TestApp;

#[actix_web::test]
async fn tags_and_note_are_kept_by_the_form_and_written_into_the_history() {
    let app = TestApp::sqlite().await;
    let ana = app.user("ana").await;
    let id = ana.document("a.txt", b"x").await;
    let path = format!("/documents/{id}/description");
    let fields = [
        ("tags", " Tax  2026, INVOICE,invoice"),
        ("note", "From the bank.\r\nPaid.  "),
    ];
    let saved = ana.post_form(&path, &fields).await;
    assert_eq!(saved.location(), format!("/documents/{id}"));
    let page = ana.page(&format!("/documents/{id}")).await;
    assert!(page.text().contains("Tags and note are saved."));
    assert_eq!(page.attributes("#tags", "value"), ["invoice, tax 2026"]);
    assert_eq!(page.texts("#note"), ["From the bank. Paid."]);
    assert_eq!(
        page.attributes("main .chips a", "href"),
        ["/documents?tag=invoice", "/documents?tag=tax+2026"]
    );
    let document = ana.get(&format!("/api/documents/{id}")).await.json();
    assert_eq!(document["tags"], json!(["invoice", "tax 2026"]));
    assert_eq!(document["note"], "From the bank.\nPaid.");
    assert_eq!(ana.page("/documents").await.texts(".tags"), ["invoice, tax 2026"]);

    let trail = app.trail_of(&id).await;
    let of = |action: &str| {
        let entry = trail.iter().find(|entry| entry.action == action).expect(action);
        (entry.before.clone(), entry.after.clone())
    };
    assert_eq!(
        of("document.tag"),
        (
            json!({"tags": ""}).to_string(),
            json!({"tags": "invoice, tax 2026"}).to_string()
        )
    );
    assert_eq!(
        of("document.note"),
        (
            json!({"note": ""}).to_string(),
            json!({"note": "From the bank.\nPaid."}).to_string()
        )
    );
    // The same again changes nothing, and nothing is written down.
    ana.post_form(&path, &fields).await;
    assert_eq!(app.trail_of(&id).await.len(), trail.len());
}

#[actix_web::test]
async fn what_is_wrong_with_tags_or_note_is_said_beside_them_and_what_was_typed_is_kept() {
    let app = TestApp::sqlite().await;
    let ana = app.user("ana").await;
    let id = ana.document("a.txt", b"x").await;
    let path = format!("/documents/{id}/description");
    let long_tag = format!("fine, {}", "ä".repeat(41));
    // The longest that a form can bring, and one more.
    let long_note = "\u{1f600}".repeat(2_001);
    let page = ana
        .post_form(&path, &[("tags", &long_tag), ("note", &long_note)])
        .await;
    assert_eq!(page.status, 422, "{}", page.text());
    assert!(page.texts("#tags-error")[0].starts_with("A tag has at most 40 characters"));
    assert!(page.texts("#note-error")[0].contains("at most 2000 characters, and this one has 2001"));
    assert_eq!(page.attributes("#tags", "value"), [long_tag.as_str()]);
    assert_eq!(page.texts("#note"), [long_note.as_str()]);
    assert_eq!(
        page.attributes("#tags", "aria-describedby"),
        ["tags-error tags-hint"]
    );
    let many: Vec<String> = (0..21).map(|n| n.to_string()).collect();
    let page = ana
        .post_form(&path, &[("tags", &many.join(",")), ("note", "kept")])
        .await;
    assert_eq!(page.status, 422);
    assert!(page.texts("#tags-error")[0].contains("at most 20 tags"));
    assert_eq!(page.texts("#note"), ["kept"]);
    let api = format!("/api/documents/{id}");
    for (body, field) in [
        (json!({"tags": ["a,b"]}), "tags"),
        (json!({"tags": many, "name": "b.txt"}), "tags"),
        (json!({"note": "x".repeat(2_001), "tags": ["a"]}), "note"),
    ] {
        let answer = ana.patch_json(&api, &body).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (422, "invalid-fields")
        );
        assert_eq!(answer.json()["errors"][0]["field"], field);
    }
    let document = ana.get(&api).await.json();
    assert_eq!(
        (&document["tags"], &document["note"], &document["name"]),
        (&json!([]), &json!(""), &json!("a.txt")),
        "nothing was changed"
    );
}

#[actix_web::test]
async fn the_api_changes_what_it_is_given_and_nothing_else() {
    let app = TestApp::sqlite().await;
    let ana = app.token("ana").await;
    let id = ana.document("a.txt", b"x").await;
    let path = format!("/api/documents/{id}");
    let tag = ana.get(&path).await.header("etag").expect("a tag").to_owned();
    let tagged = ana.patch_json(&path, &json!({"tags": ["B", "a"]})).await;
    assert_eq!(tagged.status, 200, "{}", tagged.text());
    assert_ne!(tagged.header("etag"), Some(tag.as_str()));
    assert_eq!(tagged.json()["tags"], json!(["a", "b"]));
    let noted = ana
        .patch_json(&path, &json!({"note": "n", "name": "b.txt"}))
        .await;
    assert_eq!(noted.json()["tags"], json!(["a", "b"]));
    assert_eq!(
        (noted.field("name"), noted.field("note")),
        ("b.txt".into(), "n".into())
    );
    let emptied = ana.patch_json(&path, &json!({"tags": [], "note": ""})).await;
    assert_eq!(emptied.json()["tags"], json!([]));
    assert_eq!(emptied.field("note"), "");
    let request = ana.changing(reqwest::Method::PATCH, &path).await;
    let stale = request.json(&json!({"tags": ["c"]})).header("If-Match", tag);
    let stale = ana.send(stale).await;
    assert_eq!(
        (stale.status, stale.problem().as_str()),
        (412, "changed-meanwhile")
    );
}
