//! I2, I3, S7: somebody else's document is not there, for whatever is asked of it.

use reqwest::Method;
use reqwest::header::CONTENT_TYPE;

use crate::support::answer::Answer;
use crate::support::app::TestApp;
use crate::support::client::Client;

/// Every route that names a document.
const ROUTES: [(&str, &str); 15] = [
    ("GET", "/documents/{id}"),
    ("GET", "/documents/{id}/download"),
    ("GET", "/trash/{id}/purge"),
    ("POST", "/trash/{id}/purge"),
    ("POST", "/documents/{id}/restoration"),
    ("GET", "/api/documents/{id}/jobs"),
    ("POST", "/documents/{id}/name"),
    ("POST", "/documents/{id}/description"),
    ("POST", "/documents/{id}/deletion"),
    ("GET", "/api/documents/{id}"),
    ("PATCH", "/api/documents/{id}"),
    ("DELETE", "/api/documents/{id}"),
    ("DELETE", "/api/trash/{id}"),
    ("GET", "/api/uploads/{id}/download-url"),
    ("GET", "/api/uploads/{id}/thumbnail"),
];

/// A document that nobody has.
const NOT_THERE: &str = "0195a3c2-7b1e-7c3d-8e4f-000000000000";

async fn ask(client: &Client, method: &str, path: &str) -> Answer {
    match method {
        "GET" => client.get(path).await,
        "POST" => {
            client
                .post_form(path, &[("name", "mine.txt"), ("tags", "mine"), ("note", "mine")])
                .await
        }
        "DELETE" => client.delete(path).await,
        _ => {
            client
                .patch_json(path, &serde_json::json!({"name": "mine.txt"}))
                .await
        }
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
async fn s7_i2_not_yours_and_not_there_are_the_same_bytes() {
    let app = TestApp::sqlite().await;
    let ana = app.user("ana").await;
    let id = ana.document("hers.png", b"\x89PNG\r\n\x1a\n").await;
    let before = ana.get(&format!("/api/documents/{id}")).await.json();
    for stranger in [app.user("bob").await, app.admin().await] {
        for (method, route) in ROUTES {
            let hers = ask(&stranger, method, &route.replace("{id}", &id)).await;
            assert_eq!(hers.status, 404, "{method} {route}: {}", hers.text());
            for other in [NOT_THERE, "abc", "0195A3C2-7B1E-7C3D-8E4F-000000000000"] {
                let nothing = ask(&stranger, method, &route.replace("{id}", other)).await;
                assert_eq!(essence(&hers), essence(&nothing), "{method} {route} {other}");
            }
        }
    }
    assert_eq!(ana.get(&format!("/api/documents/{id}")).await.json(), before);
    assert_eq!(app.stored_files(), 1);
}

#[actix_web::test]
async fn s7_i2_a_foreign_token_finds_nothing_either() {
    let app = TestApp::sqlite().await;
    let ana = app.token("ana").await;
    let id = ana.document("hers.txt", b"x").await;
    let bob = app.token("bob").await;
    for (method, route) in ROUTES.iter().filter(|(method, _)| *method != "POST") {
        let hers = ask(&bob, method, &route.replace("{id}", &id)).await;
        let nothing = ask(&bob, method, &route.replace("{id}", NOT_THERE)).await;
        assert_eq!(hers.status, 404, "{method} {route}");
        assert_eq!(essence(&hers), essence(&nothing), "{method} {route}");
    }
    assert_eq!(
        bob.get("/api/documents").await.json()["documents"],
        serde_json::json!([])
    );
}

#[actix_web::test]
async fn i2_nobody_is_told_to_sign_in_or_led_there() {
    let app = TestApp::sqlite().await;
    let ana = app.user("ana").await;
    let id = ana.document("hers.txt", b"x").await;
    let anon = app.anon();
    for (method, route) in ROUTES {
        let path = route.replace("{id}", &id);
        let hers = ask(&anon, method, &path).await;
        let nothing = ask(&anon, method, &route.replace("{id}", NOT_THERE)).await;
        assert_eq!(hers.status, nothing.status, "{method} {route}");
        if method == "GET" && !route.starts_with("/api") {
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
