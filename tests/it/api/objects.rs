//! Bodies are JSON objects, as the description says, and nothing else that could be read as one.

use std::collections::BTreeSet;

use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

use crate::support::answer::Answer;
use crate::support::app::TestApp;
use crate::support::client::Client;

async fn send(client: &Client, method: &str, path: &str, body: &str) -> Answer {
    let method = Method::from_bytes(method.as_bytes()).expect("a method");
    let request = client.changing(method, path).await;
    let request = request.header(CONTENT_TYPE, "application/json");
    client.send(request.body(body.to_owned())).await
}

/// Every operation that takes JSON.
fn described() -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    let described = satchel::web::openapi::description();
    for (path, item) in described["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            if operation["requestBody"]["content"]["application/json"].is_object() {
                found.insert((method.to_uppercase(), path.clone()));
            }
        }
    }
    found
}

#[actix_web::test]
async fn a_list_of_its_values_is_no_object_on_any_route() {
    let app = TestApp::new().var("SATCHEL_URL_IMPORT", "public").start().await;
    let ana = app.token("ana").await;
    let id = ana.document("old.txt", b"x").await;
    let trashed = ana.document("trashed.txt", b"y").await;
    ana.delete(&format!("/api/documents/{trashed}")).await;
    let (path, address) = (format!("/api/documents/{id}"), "http://127.0.0.1:1/");
    let before = ana.get(&path).await.json();
    // As a list of values in their order, and as an object, which is understood whatever then comes of it.
    let bodies = [
        (
            ("PATCH", "/api/documents/{id}"),
            json!(["new.txt", ["t1"], "note!"]),
            json!({"name": "new.txt", "tags": ["t1"], "note": "note!"}),
        ),
        (
            ("POST", "/api/tags"),
            json!([[id], ["via"], []]),
            json!({"ids": [id], "add": ["via"], "remove": []}),
        ),
        (("POST", "/api/archive"), json!([[id]]), json!({"ids": [id]})),
        (("POST", "/api/trash"), json!([[id]]), json!({"ids": [id]})),
        (
            ("POST", "/api/trash/restorations"),
            json!([[trashed]]),
            json!({"ids": [trashed]}),
        ),
        (
            ("POST", "/api/uploads/register"),
            json!(["AbCdEfGhIjKlMnOpQrSt"]),
            json!({"handle": "AbCdEfGhIjKlMnOpQrSt"}),
        ),
        (
            ("POST", "/api/uploads/import"),
            json!([address, "a.txt"]),
            json!({"url": address, "name": "a.txt"}),
        ),
    ];
    let asked: BTreeSet<_> = bodies
        .iter()
        .map(|((method, path), ..)| ((*method).to_owned(), (*path).to_owned()))
        .collect();
    assert_eq!(asked, described(), "each has its bodies here");
    let is_refused = |answer: &Answer| answer.json()["code"] == "invalid-json";
    for ((method, route), list, _) in &bodies {
        let route = route.replace("{id}", &id);
        for wrong in [
            list.clone(),
            json!([list]),
            json!([]),
            Value::Null,
            json!("x"),
            json!(1),
        ] {
            let answer = send(&ana, method, &route, &wrong.to_string()).await;
            assert_eq!(answer.status, 400, "{method} {route} {wrong}");
            assert!(is_refused(&answer), "{method} {route} {wrong}: {}", answer.text());
        }
    }
    let twice = send(&ana, "PATCH", &path, r#"{"note": "a", "note": "b"}"#).await;
    assert!(is_refused(&twice), "{}", twice.text());
    assert_eq!(ana.get(&path).await.json(), before, "nothing has changed");
    assert_eq!(ana.get(&format!("/api/documents/{trashed}")).await.status, 404);
    for ((method, route), _, object) in &bodies {
        let route = route.replace("{id}", &id);
        let answer = send(&ana, method, &route, &object.to_string()).await;
        let is_json = answer
            .header("content-type")
            .is_some_and(|kind| kind.contains("json"));
        assert!(
            !is_json || !is_refused(&answer),
            "{method} {route}: {}",
            answer.text()
        );
    }
    assert_eq!(ana.get(&format!("/api/documents/{trashed}")).await.status, 200);
}
