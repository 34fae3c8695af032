//! API tokens: where they count, what they may do, and when they stop (A11).

use std::time::Duration;

use satchel::db::models::users::Role;
use satchel::services::accounts;
use satchel::services::audit::Actor;
use serde_json::json;

use super::people::{account, address, api_token, signed_in, upload};
use crate::support::app::TestApp;
use crate::support::wire::{get, post, request};

const ANA: &str = "ana@example.org";

#[actix_web::test]
async fn a11_a_token_in_the_address_is_ignored() {
    let app = TestApp::sqlite().await;
    let ana = account(&app, ANA, Role::Member).await;
    let token = api_token(&app, &ana).await;
    for name in [
        "token",
        "access_token",
        "api_token",
        "api_key",
        "key",
        "authorization",
    ] {
        let call = get(&format!("/api/documents?{name}={token}")).send(address(&app));
        assert_eq!(call.status, 401, "{name}");
        let page = get(&format!("/documents?{name}={token}")).send(address(&app));
        assert_eq!(page.status, 303, "{name}");
    }
}

#[actix_web::test]
async fn a11_a_token_counts_in_the_authorization_header_as_bearer_only() {
    let app = TestApp::sqlite().await;
    let ana = account(&app, ANA, Role::Member).await;
    let token = api_token(&app, &ana).await;
    let call = |name: &str, value: String| {
        get("/api/documents")
            .header(name, value)
            .send(address(&app))
            .status
    };
    assert_eq!(call("Authorization", format!("Bearer {token}")), 200);
    assert_eq!(call("authorization", format!("bearer {token}")), 200);
    for (name, value) in [
        ("Authorization", token.clone()),
        ("Authorization", format!("Basic {token}")),
        ("Authorization", format!("Token {token}")),
        ("Authorization", "Bearer".to_owned()),
        ("Authorization", "Bearer ".to_owned()),
        ("Authorization", format!("Bearer {token}x")),
        ("Authorization", format!("Bearer {}", &token[..token.len() - 1])),
        (
            "Authorization",
            format!("Bearer {}", token.trim_start_matches("satchel_")),
        ),
        ("X-Api-Key", token.clone()),
        ("Cookie", format!("__Host-satchel={token}")),
    ] {
        assert_eq!(call(name, value.clone()), 401, "{name}: {value}");
    }
}

#[actix_web::test]
async fn a11_a_wrong_token_is_not_helped_by_a_session() {
    let app = TestApp::sqlite().await;
    let ana = account(&app, ANA, Role::Member).await;
    let mut browser = signed_in(&app, &ana).await;
    let call = browser.send(get("/api/documents").bearer("satchel_wrong"));
    assert_eq!(call.status, 401);
    let said = call.json()["detail"].as_str().unwrap_or_default().to_owned();
    assert!(said.contains("no API token that is valid"), "{said}");
    assert_eq!(browser.get("/api/documents").status, 200);
}

#[actix_web::test]
async fn a11_an_expired_token_is_refused() {
    let app = TestApp::sqlite().await;
    account(&app, ANA, Role::Member).await;
    let hour = Duration::from_secs(3_600);
    let token = accounts::create_api_token(&app.services, &Actor::command(), ANA, "short", hour)
        .await
        .unwrap();
    let call = || get("/api/documents").bearer(&token).send(address(&app)).status;
    app.advance(hour - Duration::from_secs(1));
    assert_eq!(call(), 200);
    app.advance(Duration::from_secs(1));
    assert_eq!(call(), 401);
    // Whoever brought a token is told about the token, and not sent to a form.
    assert_eq!(get("/documents").bearer(&token).send(address(&app)).status, 401);
}

#[actix_web::test]
async fn a11_pages_may_be_read_with_a_token_and_nothing_can_be_changed_there() {
    let app = TestApp::sqlite().await;
    let ana = account(&app, ANA, Role::Member).await;
    let token = api_token(&app, &ana).await;
    let id = upload(&app, &token, "kept.txt", b"kept");
    for page in [
        "/documents".to_owned(),
        format!("/documents/{id}"),
        "/uploads/new".to_owned(),
    ] {
        assert_eq!(
            get(&page).bearer(&token).send(address(&app)).status,
            200,
            "{page}"
        );
    }
    for form in [
        post(&format!("/documents/{id}/name")).form(&[("name", "changed.txt")]),
        post(&format!("/documents/{id}/deletion")).form(&[]),
        post("/sign-out").form(&[]),
        post("/uploads").upload(&[], "more.txt", b"more"),
    ] {
        let reply = form.bearer(&token).send(address(&app));
        assert_eq!(reply.status, 403);
        assert!(reply.text().contains("Use the JSON API"), "{}", reply.text());
    }
    let documents = get("/api/documents").bearer(&token).send(address(&app)).json();
    assert_eq!(documents["documents"].as_array().unwrap().len(), 1);
    assert_eq!(documents["documents"][0]["name"], "kept.txt");
}

#[actix_web::test]
async fn a_token_needs_no_form_token_to_change_things_through_the_api() {
    let app = TestApp::sqlite().await;
    let ana = account(&app, ANA, Role::Member).await;
    let token = api_token(&app, &ana).await;
    let id = upload(&app, &token, "old.txt", b"bytes");
    let target = format!("/api/documents/{id}");
    let renamed = request("PATCH", &target)
        .json(&json!({"name": "new.txt"}))
        .bearer(&token)
        // What a page elsewhere would send along changes nothing: no browser adds the token by itself.
        .header("Origin", "https://elsewhere.example")
        .send(address(&app));
    assert_eq!(
        (renamed.status, renamed.json()["name"].as_str()),
        (200, Some("new.txt"))
    );
    assert_eq!(
        request("DELETE", &target)
            .bearer(&token)
            .send(address(&app))
            .status,
        204
    );
}

#[actix_web::test]
async fn i13_nobody_can_hand_themselves_more_than_a_name() {
    let app = TestApp::sqlite().await;
    let ana = account(&app, ANA, Role::Member).await;
    let token = api_token(&app, &ana).await;
    let id = upload(&app, &token, "kept.txt", b"kept");
    for extra in [
        "owner_id", "role", "is_admin", "size", "sha256", "handle", "status",
    ] {
        let body = json!({"name": "changed.txt", extra: "x"});
        let reply = request("PATCH", &format!("/api/documents/{id}"))
            .json(&body)
            .bearer(&token)
            .send(address(&app));
        assert!(matches!(reply.status, 400 | 422), "{extra}: {}", reply.status);
    }
    let document = get(&format!("/api/documents/{id}"))
        .bearer(&token)
        .send(address(&app))
        .json();
    assert_eq!(document["name"], "kept.txt");
}
