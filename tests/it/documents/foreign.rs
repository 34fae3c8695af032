//! I2, I3, S7: somebody else's document is not there, for whatever is asked of it.

use std::collections::BTreeSet;
use std::time::Duration;

use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use satchel::db::models::results::{self, DONE, DocumentResult};
use serde_json::json;

use crate::security::table::routes;
use crate::support::answer::Answer;
use crate::support::app::TestApp;
use crate::support::client::Client;

/// Every route that names a document, but those of administrators, who need a reason: read from the application's own table, so that a
/// new one is asked too.
fn about_a_document() -> Vec<(String, String)> {
    let own = [
        "/documents/",
        "/trash/",
        "/api/documents/",
        "/api/trash/",
        "/api/uploads/",
    ];
    let mut routes = routes();
    routes.retain(|(_, path)| path.contains("{id}") && own.iter().any(|part| path.starts_with(part)));
    assert!(routes.len() >= 17, "{routes:?}");
    for (_, path) in &mut routes {
        *path = path.replace("{result}", RESULT);
    }
    routes
}

/// What was made of the document of [`made_of`].
const RESULT: &str = "0195a3c2-7b1e-7c3d-8e4f-111111111111";

/// A file that was made of this document, for the routes that name one.
async fn made_of(app: &TestApp, owner: &Client, id: &str) {
    let now = app.services.clock.now();
    let made = DocumentResult {
        id: RESULT.parse().expect("an id"),
        document_id: id.parse().expect("an id"),
        kind: "conversion".to_owned(),
        key: "Made1".to_owned(),
        state: DONE.to_owned(),
        handle: Some("Made1".to_owned()),
        name: "made.pdf".to_owned(),
        content_type: "application/pdf".to_owned(),
        size_bytes: None,
        details: "{}".to_owned(),
        created_at: now,
        updated_at: now,
    };
    let added = app.services.db.write(move |c| results::insert(c, &made));
    assert!(added.await.expect("a result"));
    let path = format!("/documents/{id}/results/{RESULT}/download");
    assert_eq!(owner.get(&path).await.status, 303);
}

/// A document that nobody has.
const NOT_THERE: &str = "0195a3c2-7b1e-7c3d-8e4f-000000000000";

async fn ask(client: &Client, method: &str, path: &str) -> Answer {
    match method {
        "GET" => client.get(path).await,
        "POST" if path.starts_with("/api/") => client.post_json(path, &json!({})).await,
        "POST" => {
            client
                .post_form(path, &[("name", "mine.txt"), ("tags", "mine"), ("note", "mine")])
                .await
        }
        "DELETE" => client.delete(path).await,
        _ => client.patch_json(path, &json!({"name": "mine.txt"})).await,
    }
}

/// All of the answer but what every answer has of its own.
fn essence(answer: &Answer) -> (u16, Vec<(String, String)>, String) {
    let own = ["x-request-id", "date"];
    let headers = answer
        .headers
        .iter()
        .filter(|(name, _)| !own.contains(&name.as_str()));
    let mut headers: Vec<_> = headers
        .map(|(name, value)| {
            (
                name.to_string(),
                value.to_str().expect("plain characters").to_owned(),
            )
        })
        .collect();
    headers.sort();
    (answer.status, headers, answer.text())
}

#[actix_web::test]
async fn s7_i2_i3_i7_not_yours_and_not_there_are_the_same_bytes() {
    not_yours(&TestApp::sqlite().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn s7_i2_i3_i7_not_yours_and_not_there_are_the_same_bytes_on_postgresql() {
    not_yours(&TestApp::postgres().await).await;
}

async fn not_yours(app: &TestApp) {
    let ana = app.user("ana").await;
    let id = ana.document("hers.png", b"\x89PNG\r\n\x1a\n").await;
    let trashed = ana.document("thrown away.png", b"\x89PNG\r\n\x1a\n").await;
    assert_eq!(ana.delete(&format!("/api/documents/{trashed}")).await.status, 204);
    made_of(app, &ana, &id).await;
    let before = ana.get(&format!("/api/documents/{id}")).await.json();
    let trail = app.trail_of(&id).await.len();
    for stranger in [app.user("bob").await, app.admin().await] {
        for (method, route) in &about_a_document() {
            let hers = ask(&stranger, method, &route.replace("{id}", &id)).await;
            assert_eq!(hers.status, 404, "{method} {route}: {}", hers.text());
            for other in [NOT_THERE, "abc", "0195A3C2-7B1E-7C3D-8E4F-000000000000"] {
                let nothing = ask(&stranger, method, &route.replace("{id}", other)).await;
                assert_eq!(essence(&hers), essence(&nothing), "{method} {route} {other}");
            }
            // What is in the trash is no more anybody else's than what is not.
            let thrown = ask(&stranger, method, &route.replace("{id}", &trashed)).await;
            assert_eq!(essence(&hers), essence(&thrown), "{method} {route} in the trash");
        }
    }
    assert_eq!(ana.get(&format!("/api/documents/{id}")).await.json(), before);
    assert_eq!(app.trail_of(&id).await.len(), trail, "nothing was done to it");
    assert_eq!(app.owner("ana").await.trashed_count, 1);
    assert_eq!(app.stored_files(), 2);
}

/// I8: documents whose ids differ in the last letters alone, and everything that a careless comparison takes for one of them.
async fn very_ids(app: &TestApp) {
    let ana = app.user("ana").await;
    let mut ids: Vec<String> = Vec::new();
    for number in 0..4 {
        ids.push(ana.document(&format!("{number}.txt"), b"x").await);
    }
    let handle = ana
        .get(&format!("/api/documents/{}", ids[0]))
        .await
        .field("handle");
    let before = ana.get("/api/documents").await.json();
    let id = &ids[0];
    made_of(app, &ana, id).await;
    let near = [
        id[..id.len() - 1].to_owned(),
        id[..8].to_owned(),
        format!("{id}0"),
        format!("{id}%2F"),
        format!("{id}%20"),
        format!("{id}%00"),
        format!("%20{id}"),
        format!("{id},{}", ids[1]),
        id.to_uppercase(),
        id.replace('-', ""),
        format!("%7B{id}%7D"),
        format!("urn:uuid:{id}"),
        "%25".to_owned(),
        "_".repeat(36),
        "*".to_owned(),
        handle,
    ];
    for (method, route) in &about_a_document() {
        // Not so fast that it would be slowed down.
        app.advance(Duration::from_secs(10));
        for other in &near {
            let answer = ask(&ana, method, &route.replace("{id}", other)).await;
            assert_eq!(answer.status, 404, "{method} {route} {other}");
        }
        // A slash behind an address is another address.
        let slashed = format!("{}/", route.replace("{id}", id));
        assert_eq!(
            ask(&ana, method, &slashed).await.status,
            404,
            "{method} {slashed}"
        );
    }
    assert_eq!(ana.get("/api/documents").await.json(), before);
    assert_eq!(app.stored_files(), 4);

    // Of many that begin alike, the one that is named goes, and its file alone.
    assert_eq!(ana.purge(id).await.status, 204);
    let left: BTreeSet<_> = app.documents().await.iter().map(|d| d.id.to_string()).collect();
    assert_eq!(left, ids[1..].iter().cloned().collect());
    assert_eq!(app.stored_files(), 3);
    for other in &ids[1..] {
        let url = ana
            .get(&format!("/api/uploads/{other}/download-url"))
            .await
            .field("url");
        assert_eq!(app.fetch(&url).await.text(), "x");
    }
}

#[actix_web::test]
async fn i8_nothing_but_the_very_id_names_a_document() {
    very_ids(&TestApp::sqlite().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn i8_nothing_but_the_very_id_names_a_document_on_postgresql() {
    very_ids(&TestApp::postgres().await).await;
}

#[actix_web::test]
async fn s7_i2_a_foreign_token_finds_nothing_either() {
    let app = TestApp::sqlite().await;
    let ana = app.token("ana").await;
    let id = ana.document("hers.txt", b"x").await;
    made_of(&app, &ana, &id).await;
    let bob = app.token("bob").await;
    for (method, route) in about_a_document()
        .iter()
        .filter(|(method, path)| method != "POST" || path.starts_with("/api/"))
    {
        let hers = ask(&bob, method, &route.replace("{id}", &id)).await;
        let nothing = ask(&bob, method, &route.replace("{id}", NOT_THERE)).await;
        assert_eq!(hers.status, 404, "{method} {route}");
        assert_eq!(essence(&hers), essence(&nothing), "{method} {route}");
    }
    assert_eq!(bob.get("/api/documents").await.json()["documents"], json!([]));
}

#[actix_web::test]
async fn i2_nobody_is_told_to_sign_in_or_led_there() {
    let app = TestApp::sqlite().await;
    let ana = app.user("ana").await;
    let id = ana.document("hers.txt", b"x").await;
    let anon = app.anon();
    for (method, route) in &about_a_document() {
        let path = route.replace("{id}", &id);
        let hers = ask(&anon, method, &path).await;
        let nothing = ask(&anon, method, &route.replace("{id}", NOT_THERE)).await;
        assert_eq!(hers.status, nothing.status, "{method} {route}");
        if *method == "GET" && !route.starts_with("/api") {
            let next = path.replace('/', "%2F");
            assert_eq!(hers.location(), format!("/sign-in?next={next}"), "{route}");
        } else {
            assert_eq!(hers.status, 401, "{method} {route}");
        }
    }
    assert_eq!(
        anon.get("/documents").await.location(),
        "/sign-in?next=%2Fdocuments"
    );
    assert_eq!(anon.get("/api/documents").await.status, 401);
    assert_eq!(app.stored_files(), 1);
}

#[actix_web::test]
async fn i2_a_token_reads_pages_and_changes_nothing_on_them() {
    let app = TestApp::sqlite().await;
    let ana = app.token("ana").await;
    let id = ana.document("hers.txt", b"x").await;
    ana.page(&format!("/documents/{id}")).await;
    for path in [
        format!("/documents/{id}/name"),
        format!("/documents/{id}/deletion"),
        "/uploads".to_owned(),
    ] {
        let request = ana.request(Method::POST, &path);
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        let answer = ana.send(request.body("name=mine.txt")).await;
        assert_eq!(answer.status, 403, "{path}: {}", answer.text());
    }
    assert_eq!(app.documents().await[0].name, "hers.txt");
}
