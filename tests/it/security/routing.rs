//! No spelling of an address and no header turns a request into another one (A13).

use satchel::db::models::users::Role;

use crate::accounts::people::{account, address, api_token, browser, signed_in, upload};
use crate::support::app::TestApp;
use crate::support::wire::{get, post, request};

#[actix_web::test]
async fn a13_headers_and_fields_do_not_change_the_method() {
    let app = TestApp::sqlite().await;
    let ana = account(&app, "ana@example.org", Role::Member).await;
    let token = api_token(&app, &ana).await;
    let id = upload(&app, &token, "kept.txt", b"kept");
    let target = format!("/api/documents/{id}");
    for name in ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"] {
        let reply = get(&target)
            .bearer(&token)
            .header(name, "DELETE")
            .send(address(&app));
        assert_eq!(reply.status, 200, "{name}");
        let reply = post(&target)
            .bearer(&token)
            .header(name, "DELETE")
            .send(address(&app));
        assert_eq!(reply.status, 405, "{name}");
    }
    for query in ["?_method=DELETE", "?method=delete", "?_method=PATCH&name=x"] {
        let reply = get(&format!("{target}{query}"))
            .bearer(&token)
            .send(address(&app));
        assert_eq!(reply.status, 200, "{query}");
    }
    let document = get(&target).bearer(&token).send(address(&app)).json();
    assert_eq!(document["name"], "kept.txt");
}

#[actix_web::test]
async fn a13_head_answers_like_get_without_a_body_and_changes_nothing() {
    let app = TestApp::sqlite().await;
    let ana = account(&app, "ana@example.org", Role::Member).await;
    let token = api_token(&app, &ana).await;
    let id = upload(&app, &token, "kept.txt", b"kept");
    let mut browser = signed_in(&app, &ana).await;
    for target in [
        "/documents".to_owned(),
        format!("/documents/{id}"),
        "/trash".to_owned(),
        format!("/documents/{id}/download"),
        format!("/api/documents/{id}"),
        "/nothing".to_owned(),
    ] {
        let full = browser.get(&target);
        let head = browser.send(request("HEAD", &target));
        assert_eq!(head.status, full.status, "{target}");
        assert_eq!(
            head.header("content-type"),
            full.header("content-type"),
            "{target}"
        );
    }
    for target in ["/sign-out", "/uploads", &format!("/documents/{id}/name")] {
        assert_eq!(browser.send(request("HEAD", target)).status, 405, "{target}");
    }
    assert_eq!(browser.get(&format!("/documents/{id}")).status, 200);
}

#[actix_web::test]
async fn a13_no_spelling_of_an_address_gets_round_signing_in() {
    let app = TestApp::sqlite().await;
    let ana = account(&app, "ana@example.org", Role::Member).await;
    let token = api_token(&app, &ana).await;
    let id = upload(&app, &token, "secret-name.txt", b"kept");
    for target in spellings(&id) {
        let reply = browser(&app).get(&target);
        assert!(
            matches!(reply.status, 303 | 400 | 401 | 404),
            "{target}: {}",
            reply.status
        );
        assert!(!reply.text().contains("secret-name"), "{target}");
    }
}

#[actix_web::test]
async fn a13_no_spelling_of_an_address_shows_a_foreign_document() {
    let app = TestApp::sqlite().await;
    let ana = account(&app, "ana@example.org", Role::Member).await;
    let other = account(&app, "other@example.org", Role::Member).await;
    let token = api_token(&app, &ana).await;
    let id = upload(&app, &token, "secret-name.txt", b"kept");
    let mut browser = signed_in(&app, &other).await;
    for target in spellings(&id) {
        let reply = browser.get(&target);
        assert!(!reply.text().contains("secret-name"), "{target}");
        if target.contains(&id) {
            assert!(matches!(reply.status, 400 | 404), "{target}: {}", reply.status);
        }
    }
}

fn spellings(id: &str) -> Vec<String> {
    vec![
        "/documents/".to_owned(),
        "//documents".to_owned(),
        "/./documents".to_owned(),
        "/%2e/documents".to_owned(),
        "/assets/../documents".to_owned(),
        "/assets/%2e%2e/documents".to_owned(),
        "/assets/..%2fdocuments".to_owned(),
        "/%64ocuments".to_owned(),
        "/DOCUMENTS".to_owned(),
        "/documents;x".to_owned(),
        "/documents%00".to_owned(),
        "/documents%20".to_owned(),
        "/api/documents/".to_owned(),
        "//api/documents".to_owned(),
        "/api//documents".to_owned(),
        "/healthz/../api/documents".to_owned(),
        "/sign-in/../documents".to_owned(),
        "/webhooks/filestack/../../documents".to_owned(),
        format!("/documents/{id}/"),
        format!("//documents/{id}"),
        format!("/documents//{id}"),
        format!("/documents/%2e/{id}"),
        format!("/documents/x/../{id}"),
        format!("/documents/{}", id.to_uppercase()),
        format!("/documents/{}", id.replace('-', "")),
        format!("/documents/{{{id}}}"),
        format!("/documents/urn:uuid:{id}"),
        format!("/documents/{id}%00"),
        format!("/documents/{id}/download/"),
        format!("/api/documents/{id}/"),
        format!("/api/uploads/{id}/download-url/"),
        format!("/api/uploads/{id}/%64ownload-url"),
    ]
}

#[actix_web::test]
async fn a13_a_form_for_the_webhook_path_is_no_way_round_the_check_of_origins() {
    let app = TestApp::sqlite().await;
    let ana = account(&app, "ana@example.org", Role::Member).await;
    let mut browser = signed_in(&app, &ana).await;
    let token = browser.form_token("/uploads/new");
    for target in [
        "/webhooks/filestack/../../sign-out",
        "/webhooks/filestack/%2e%2e/%2e%2e/sign-out",
    ] {
        let form = post(target)
            .form(&[("csrf_token", &token)])
            .header("Origin", "https://evil.example");
        let reply = browser.send(form);
        assert!(
            matches!(reply.status, 400 | 403 | 404),
            "{target}: {}",
            reply.status
        );
    }
    assert_eq!(browser.get("/documents").status, 200);
}

#[actix_web::test]
async fn a13_static_files_do_not_lead_out_of_their_directory() {
    let app = TestApp::sqlite().await;
    for target in [
        "/assets/../Cargo.toml",
        "/assets/..%2f..%2fetc%2fpasswd",
        "/assets/%2e%2e/%2e%2e/etc/passwd",
        "/assets/..%5c..%5cetc%5cpasswd",
        "/assets/app.css",
        "/assets/",
        "/assets",
    ] {
        assert!(
            matches!(get(target).send(address(&app)).status, 400 | 404),
            "{target}"
        );
    }
}
