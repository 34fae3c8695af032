//! What a request says about itself is not believed: host, scheme, address (A10).

use satchel::db::models::users::Role;

use crate::accounts::people::{account, address, api_token, browser, signed_in, upload};
use crate::support::app::TestApp;
use crate::support::wire::{get, post};

const SPOOFED: [(&str, &str); 6] = [
    ("Host", "evil.example"),
    ("X-Forwarded-Host", "evil.example"),
    ("X-Forwarded-Proto", "https"),
    ("Forwarded", "host=evil.example;proto=https;for=10.0.0.1"),
    ("X-Original-URL", "/api/documents"),
    ("X-Rewrite-URL", "/api/documents"),
];

#[actix_web::test]
async fn a10_links_and_redirects_do_not_follow_the_request() {
    let app = TestApp::sqlite().await;
    let ana = account(&app, "ana@example.org", Role::Member).await;
    let token = api_token(&app, &ana).await;
    let id = upload(&app, &token, "kept.txt", b"kept");
    let targets = [
        "/".to_owned(),
        "/sign-in".to_owned(),
        "/documents".to_owned(),
        format!("/documents/{id}"),
        format!("/documents/{id}/download"),
        format!("/api/uploads/{id}/download-url"),
        format!("/api/uploads/{id}/thumbnail"),
        "/favicon.ico".to_owned(),
        "/nothing".to_owned(),
    ];
    for target in &targets {
        for who in [None, Some(token.as_str())] {
            let asked = |spoofed: Option<(&str, &str)>| {
                let mut request = get(target);
                if let Some(token) = who {
                    request = request.bearer(token);
                }
                if let Some((name, value)) = spoofed {
                    request = request.header(name, value);
                }
                request.send(address(&app))
            };
            let honest = asked(None);
            for (name, value) in SPOOFED {
                let reply = asked(Some((name, value)));
                let what = format!("{target} with {name}: {value}");
                assert_eq!(reply.status, honest.status, "{what}");
                assert_eq!(reply.header("location"), honest.header("location"), "{what}");
                assert!(!reply.text().contains("evil.example"), "{what}");
                assert_eq!(reply.header("strict-transport-security"), None, "{what}");
            }
        }
    }
}

#[actix_web::test]
async fn a10_a_foreign_name_that_resolves_to_us_is_not_our_origin() {
    let app = TestApp::sqlite().await;
    let ana = account(&app, "ana@example.org", Role::Member).await;
    let mut browser = signed_in(&app, &ana).await;
    let token = browser.form_token("/uploads/new");
    let port = browser.address.port();
    for forwarded in ["Host", "X-Forwarded-Host"] {
        let form = post("/sign-out")
            .form(&[("csrf_token", &token)])
            .header(forwarded, format!("evil.example:{port}"))
            .header("Origin", format!("http://evil.example:{port}"));
        assert_eq!(browser.send(form).status, 403, "{forwarded}");
    }
    assert_eq!(browser.get("/documents").status, 200);
}

#[actix_web::test]
async fn a10_with_a_public_address_only_that_one_is_our_origin() {
    let app = TestApp::new()
        .var("SATCHEL_PUBLIC_URL", "https://files.example.org")
        .start()
        .await;
    let ana = account(&app, "ana@example.org", Role::Member).await;
    let mut browser = signed_in(&app, &ana).await;
    let token = browser.form_token("/uploads/new");
    let mut sign_out = |origin: &str| {
        let form = post("/sign-out")
            .form(&[("csrf_token", &token)])
            .header("Origin", origin);
        browser.send(form).status
    };
    let port = address(&app).port();
    for origin in [
        format!("http://127.0.0.1:{port}"),
        format!("http://localhost:{port}"),
        "http://files.example.org".to_owned(),
        "https://files.example.org:8443".to_owned(),
        "https://files.example.org.evil.example".to_owned(),
        "https://sub.files.example.org".to_owned(),
    ] {
        assert_eq!(sign_out(&origin), 403, "{origin}");
    }
    assert_eq!(sign_out("https://files.example.org"), 303);
}

#[actix_web::test]
async fn a10_an_address_nobody_vouches_for_buys_no_guesses() {
    let app = TestApp::sqlite().await;
    account(&app, "ana@example.org", Role::Member).await;
    let answered = (0..12)
        .filter(|number| {
            let mut mallory = browser(&app).with_header("X-Forwarded-For", format!("203.0.113.{number}"));
            mallory.sign_in("ana@example.org", "wrong password").status == 422
        })
        .count();
    assert_eq!(answered, 5);
}

#[actix_web::test]
async fn a10_behind_a_trusted_proxy_only_the_last_address_counts() {
    let app = TestApp::new()
        .var("SATCHEL_TRUSTED_PROXIES", "127.0.0.1")
        .start()
        .await;
    account(&app, "ana@example.org", Role::Member).await;
    let answered = (0..12)
        .filter(|number| {
            // The client made the first one up; the proxy added the second.
            let chain = format!("203.0.113.{number}, 198.51.100.7");
            let mut mallory = browser(&app).with_header("X-Forwarded-For", chain);
            mallory.sign_in("ana@example.org", "wrong password").status == 422
        })
        .count();
    assert_eq!(answered, 5);
}
