//! What was made from a document: seen and opened by whoever may open the document, and by nobody else.

use satchel::db::models::documents::{self, Document, QUARANTINED, STORED};
use satchel::services::results;
use serde_json::{Value, json};

use crate::hooks::sender::{app, event, url_of};
use crate::support::app::TestApp;
use crate::support::client::Client;

/// A conversion that is a page with a script in it.
const PAGE: &[u8] = b"<!doctype html><script>alert(1)</script>";
/// An id that nothing has.
const NOT_THERE: &str = "0195a3c2-7b1e-7c3d-8e4f-000000000000";

/// Tells of a conversion of this document that was stored as [`PAGE`]; gives its handle.
async fn converted(app: &TestApp, number: i64, document: &Document) -> String {
    let handle = app.store_file("conversions/", "made.html", PAGE).await;
    let text = json!({"url": format!("/output=format:html/{}", document.handle), "link": {
        "handle": handle.as_str(), "filename": "<b>made</b>.html", "mimetype": "text/html", "size": PAGE.len()}});
    app.happen(&event(number, "fp.converse", text)).await;
    handle.as_str().to_owned()
}

/// The links to what was made, on the document's page.
async fn links(client: &Client, document: &Document) -> Vec<String> {
    let page = client.page(&format!("/documents/{}", document.id)).await;
    let links = page.attributes("a[href$='/download']", "href");
    links
        .into_iter()
        .filter(|link| link.contains("/results/"))
        .collect()
}

/// What the API says was made.
async fn listed(client: &Client, document: &Document) -> Vec<Value> {
    let answer = client
        .get(&format!("/api/documents/{}/results", document.id))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["results"].as_array().expect("a list").clone()
}

#[actix_web::test]
async fn u5_a_conversion_is_opened_by_its_owner_as_a_file_to_save() {
    let app = app().start().await;
    let (ana, document) = app.somebody_with_a_document("ana").await;
    let before = ana.page(&format!("/documents/{}", document.id)).await;
    assert!(!before.text().contains("Made from it"));
    assert!(listed(&ana, &document).await.is_empty());
    let handle = converted(&app, 1, &document).await;

    let page = ana.page(&format!("/documents/{}", document.id)).await;
    let text = page.text();
    for part in ["Made from it", "made", "Converted file", "HTML", "40 bytes"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let links = links(&ana, &document).await;
    assert_eq!(links.len(), 1, "{links:?}");
    let listed = listed(&ana, &document).await;
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert_eq!(listed[0]["url"], links[0]);
    for (field, value) in [
        ("kind", json!("conversion")),
        ("state", json!("done")),
        ("type", json!("text/html")),
        ("size", json!(40)),
    ] {
        assert_eq!(listed[0][field], value, "{field}");
    }

    let answer = ana.get(&links[0]).await;
    assert_eq!(
        (answer.status, answer.header("cache-control")),
        (303, Some("no-store"))
    );
    let url = answer.location();
    assert!(
        url.starts_with(&format!("{}/security=p:", app.emulator_url)),
        "{url}"
    );
    assert!(url.ends_with(&format!("/{handle}?dl=true")), "{url}");
    let file = app.fetch(url).await;
    assert_eq!((file.status, file.body.as_ref()), (200, PAGE));
    let disposition = file.header("content-disposition").expect("a disposition");
    assert!(disposition.starts_with("attachment"), "{disposition}");
    app.advance(std::time::Duration::from_secs(301));
    assert_eq!(app.fetch(url).await.status, 403);
}

#[actix_web::test]
async fn i3_what_was_made_of_anothers_document_is_not_there() {
    let app = app().start().await;
    let (ana, document) = app.somebody_with_a_document("ana").await;
    converted(&app, 1, &document).await;
    let link = links(&ana, &document).await.remove(0);
    let (bob, of_bob) = app.somebody_with_a_document("bob").await;
    let (id, result) = (document.id.as_str(), link.split('/').nth(4).expect("an id"));
    let hers = bob.get(&link).await;
    for other in [
        link.replace(id, NOT_THERE),
        link.replace(result, NOT_THERE),
        // Under a document of his own.
        link.replace(id, of_bob.id.as_str()),
        link.replace(result, "abc"),
    ] {
        let nothing = bob.get(&other).await;
        assert_eq!((nothing.status, nothing.text()), (404, hers.text()), "{other}");
    }
    assert_eq!(hers.status, 404);
    let list = bob.get(&format!("/api/documents/{id}/results")).await;
    assert_eq!((list.status, list.problem().as_str()), (404, "not-found"));
    // In the trash it is nobody's.
    assert_eq!(ana.delete(&format!("/api/documents/{id}")).await.status, 204);
    assert_eq!(ana.get(&link).await.status, 404);
}

#[actix_web::test]
async fn what_was_made_is_held_back_with_its_document() {
    let app = app().start().await;
    let (ana, document) = app.somebody_with_a_document("ana").await;
    converted(&app, 1, &document).await;
    let link = links(&ana, &document).await.remove(0);
    let (id, now) = (document.id, app.services.clock.now());
    let moved = app
        .services
        .db
        .write(move |c| documents::move_on(c, id, &[STORED], QUARANTINED, now));
    assert!(moved.await.expect("moved"));
    let answer = ana.get(&link).await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (409, None),
        "{}",
        answer.text()
    );
    assert!(answer.text().contains("looked at for viruses"));
    let page = ana.page(&format!("/documents/{id}")).await;
    assert!(page.text().contains("Made from it"));
    assert!(links(&ana, &document).await.is_empty());
    assert_eq!(listed(&ana, &document).await[0]["url"], Value::Null);
    // Found infected.
    let workflow = json!({"workflow": "w", "jobid": "j", "sources": [document.handle], "status": "Finished",
        "results": {"virus_detection_1": {"data": {"infected": true, "infections_list": ["Eicar"]}}}});
    app.happen(&event(2, "fs.workflow", workflow)).await;
    let answer = ana.get(&link).await;
    assert_eq!(answer.status, 409);
    assert!(answer.text().contains("A virus was found"));
}

#[actix_web::test]
async fn what_was_made_and_is_gone_says_so() {
    let app = app().start().await;
    let (ana, document) = app.somebody_with_a_document("ana").await;
    let handle = converted(&app, 1, &document).await;
    converted(&app, 2, &document).await;
    // The newest first.
    let before = links(&ana, &document).await;
    app.happen(&event(3, "fp.delete", url_of(&handle))).await;
    assert_eq!(ana.get(&before[1]).await.status, 410);
    assert_eq!(links(&ana, &document).await, before[..1]);
    assert_eq!(ana.get(&before[0]).await.status, 303);
    let page = ana.page(&format!("/documents/{}", document.id)).await;
    assert!(page.text().contains("Its file was deleted at Filestack"));
    assert_eq!(listed(&ana, &document).await[1]["url"], Value::Null);
    // With the document's own file it is as with the document.
    app.happen(&event(4, "fp.delete", url_of(&document.handle))).await;
    assert_eq!(ana.get(&before[0]).await.status, 410);
    assert!(links(&ana, &document).await.is_empty());
}

#[actix_web::test]
async fn a_video_that_is_not_there_yet_has_no_link() {
    let app = app().start().await;
    let (ana, document) = app.somebody_with_a_document("ana").await;
    let (id, now) = (document.id, app.services.clock.now());
    let expected = app
        .services
        .db
        .write(move |c| results::expect(c, id, results::VIDEO, "aaaa", now));
    expected.await.expect("expected");
    let page = ana.page(&format!("/documents/{id}")).await;
    assert!(page.text().contains("Converted video") && page.text().contains("It is not there yet."));
    assert!(links(&ana, &document).await.is_empty());
    let listed = listed(&ana, &document).await.remove(0);
    let result = listed["id"].as_str().expect("an id");
    for (field, value) in [
        ("state", json!("pending")),
        ("type", Value::Null),
        ("size", Value::Null),
        ("url", Value::Null),
    ] {
        assert_eq!(listed[field], value, "{field}");
    }
    let path = format!("/documents/{id}/results/{result}/download");
    assert_eq!(ana.get(&path).await.status, 404);
}
