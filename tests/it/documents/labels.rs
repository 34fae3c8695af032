//! Tags and notes, by the page's form and by the API: kept, bounded, written into the trail.

use serde_json::json;

use crate::support::app::TestApp;
use crate::support::client::Client;
use crate::support::documents::a_document;

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

async fn bulk(app: TestApp) {
    let (ana, bob) = (app.user("ana").await, app.user("bob").await);
    let mut ids = Vec::new();
    for n in 0..3 {
        ids.push(
            a_document(&format!("{n}.txt"))
                .create(&app, "ana")
                .await
                .to_string(),
        );
    }
    let theirs = a_document("theirs.txt").create(&app, "bob").await.to_string();
    let there = async |id: &str, client: &Client| {
        client.get(&format!("/api/documents/{id}")).await.json()["tags"].clone()
    };
    let nowhere = "0195a3c2-7b1e-7c3d-8e4f-000000000000";
    let all = [ids[0].as_str(), &ids[1], &theirs, nowhere, &ids[2][..20], "%"];
    let tagged = ana
        .post_json("/api/tags", &json!({"ids": all, "add": ["Work", "b"]}))
        .await;
    assert_eq!(tagged.status, 200, "{}", tagged.text());
    let mut not_found = vec![theirs.as_str(), nowhere, &ids[2][..20], "%"];
    not_found.sort_unstable();
    let mut done = [ids[0].as_str(), &ids[1]];
    done.sort_unstable();
    assert_eq!(tagged.json(), json!({"done": done, "not_found": not_found}));
    assert_eq!(there(&ids[0], &ana).await, json!(["b", "work"]));
    assert_eq!(there(&ids[2], &ana).await, json!([]));
    assert_eq!(
        there(&theirs, &bob).await,
        json!([]),
        "I7: another's is not touched"
    );
    assert_eq!(
        ana.get("/api/documents?tag=work").await.json()["documents"]
            .as_array()
            .expect("rows")
            .len(),
        2
    );
    let trail = app.trail_of(&ids[0]).await;
    assert!(
        trail
            .iter()
            .any(|entry| entry.action == "document.tag" && entry.after.contains("b, work"))
    );

    // The form of the list, and what is wrong with what was typed.
    let fields = [
        ("id", ids[0].as_str()),
        ("id", &ids[2]),
        ("tags", "work"),
        ("act", "remove"),
        ("back", "/documents?q=txt"),
    ];
    let removed = ana.post_form("/tags", &fields).await;
    assert_eq!(removed.location(), "/documents?q=txt");
    let list = ana.page("/documents").await;
    assert!(
        list.text().contains("2 documents have their new tags."),
        "{}",
        list.text()
    );
    assert_eq!(there(&ids[0], &ana).await, json!(["b"]));
    let long = "x".repeat(41);
    for typed in [long.as_str(), " , "] {
        let wrong = ana
            .post_form("/tags", &[("id", &ids[0]), ("id", &ids[1]), ("tags", typed)])
            .await;
        assert_eq!(wrong.status, 422);
        assert_eq!(wrong.attributes("#tags", "value"), [typed]);
        assert_eq!(
            wrong.attributes("input[name=id]", "value").len(),
            2,
            "the choice is kept"
        );
        assert_eq!(wrong.texts("#tags-error").len(), 1);
    }
    // One that would have too many: none of them is changed.
    let many: Vec<String> = (0..19).map(|n| n.to_string()).collect();
    let full = ana
        .patch_json(&format!("/api/documents/{}", ids[0]), &json!({"tags": many}))
        .await;
    assert_eq!(full.status, 200);
    let before = there(&ids[1], &ana).await;
    let refused = ana
        .post_json("/api/tags", &json!({"ids": ids, "add": ["x", "y"]}))
        .await;
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (422, "invalid-fields")
    );
    assert!(refused.text().contains("0.txt"), "{}", refused.text());
    assert_eq!(there(&ids[1], &ana).await, before);
    for (body, code) in [
        (json!({"ids": [], "add": ["x"]}), "nothing-chosen"),
        (json!({"ids": ids}), "invalid-fields"),
        (json!({"ids": ids, "add": ["a,b"]}), "invalid-fields"),
        (json!({"ids": ids, "tags": ["a"]}), "invalid-json"),
    ] {
        assert_eq!(ana.post_json("/api/tags", &body).await.problem(), code, "{body}");
    }
}

#[actix_web::test]
async fn i7_i8_many_documents_are_tagged_at_once_and_only_ones_own() {
    bulk(TestApp::sqlite().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn i7_i8_many_documents_are_tagged_at_once_and_only_ones_own_on_postgresql() {
    bulk(TestApp::postgres().await).await;
}
