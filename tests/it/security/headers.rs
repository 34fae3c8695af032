//! What every answer carries, pages and failures alike (A12, D2, D3).

use std::io::Write as _;
use std::time::Duration;

use satchel::db::models::users::Role;

use crate::accounts::people::{account, address, api_token, browser, signed_in, upload};
use crate::support::app::TestApp;
use crate::support::wire::{Reply, connect, get, read_reply};

/// The protections that no answer goes without.
#[track_caller]
pub fn is_protected(reply: &Reply, what: &str) {
    is_protected_but_for(reply, what, "");
}

/// As [`is_protected`], with one origin more that scripts may come from: the upload page's own CSP, pinned by X12.
#[track_caller]
fn is_protected_but_for(reply: &Reply, what: &str, scripts: &str) {
    let policy = reply
        .header("content-security-policy")
        .unwrap_or_else(|| panic!("{what} has no CSP"));
    let directives: Vec<_> = policy.split(';').map(str::trim).collect();
    let script_src = format!("script-src 'self' {scripts}");
    for directive in [
        "default-src 'none'",
        script_src.trim_end(),
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ] {
        assert!(directives.contains(&directive), "{what}: {policy}");
    }
    for loose in ["unsafe-inline", "unsafe-eval", "*", "data:", "http: ", "https: "] {
        assert!(!policy.contains(loose), "{what}: {policy}");
    }
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        assert_eq!(reply.header(name), Some(value), "{what}: {name}");
        assert_eq!(reply.all(name).count(), 1, "{what}: {name}");
    }
    assert!(reply.header("x-request-id").is_some(), "{what}");
    assert_eq!(reply.header("server"), None, "{what}");
}

/// Nobody may keep it, neither the browser nor anything between.
#[track_caller]
pub fn is_not_kept(reply: &Reply, what: &str) {
    assert_eq!(reply.header("cache-control"), Some("no-store"), "{what}");
}

#[actix_web::test]
async fn a12_d3_every_page_and_call_is_unframed_and_personal_ones_are_not_kept() {
    let app = TestApp::sqlite().await;
    let ana = account(&app, "ana@example.org", Role::Member).await;
    let token = api_token(&app, &ana).await;
    let id = upload(&app, &token, "kept.txt", b"kept");
    let mut browser = signed_in(&app, &ana).await;
    for target in [
        "/".to_owned(),
        "/sign-in".to_owned(),
        "/documents".to_owned(),
        "/documents?q=nothing".to_owned(),
        format!("/documents/{id}"),
        format!("/documents/{id}/download"),
        "/trash".to_owned(),
        "/trash/emptying".to_owned(),
        "/uploads/new".to_owned(),
        "/api/documents".to_owned(),
        format!("/api/documents/{id}"),
        format!("/api/uploads/{id}/download-url"),
        "/healthz".to_owned(),
        "/readyz".to_owned(),
        "/nothing".to_owned(),
        "/api/nothing".to_owned(),
    ] {
        let reply = browser.get(&target);
        let scripts = if target == "/uploads/new" {
            app.emulator_url.as_str()
        } else {
            ""
        };
        is_protected_but_for(&reply, &target, scripts);
        is_not_kept(&reply, &target);
    }
    let left = browser.submit("/documents", "/sign-out", &[]);
    is_protected(&left, "/sign-out");
    is_not_kept(&left, "/sign-out");
}

#[actix_web::test]
async fn d2_static_files_may_be_kept_and_set_no_cookie() {
    let app = TestApp::sqlite().await;
    let ana = account(&app, "ana@example.org", Role::Member).await;
    let mut browser = signed_in(&app, &ana).await;
    let page = browser.get("/documents").text();
    let mut assets: Vec<_> = page
        .split("\"/assets/")
        .skip(1)
        .filter_map(|rest| rest.split(['"', '#']).next())
        .collect();
    assets.sort_unstable();
    assets.dedup();
    assert!(assets.len() >= 4, "{assets:?}");
    for asset in assets {
        let reply = browser.get(&format!("/assets/{asset}"));
        assert_eq!(reply.status, 200, "{asset}");
        is_protected(&reply, asset);
        assert!(
            reply
                .header("cache-control")
                .is_some_and(|keep| keep.starts_with("public")),
            "{asset}"
        );
        assert_eq!(reply.header("set-cookie"), None, "{asset}");
    }
}

#[actix_web::test]
async fn no_page_has_script_or_style_of_its_own_or_from_elsewhere() {
    let app = TestApp::sqlite().await;
    let ana = account(&app, "ana@example.org", Role::Member).await;
    let token = api_token(&app, &ana).await;
    let id = upload(&app, &token, "<img src=x onerror=alert(1)>.txt", b"kept");
    let mut browser = signed_in(&app, &ana).await;
    for target in [
        "/documents".to_owned(),
        "/documents?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E".to_owned(),
        format!("/documents/{id}"),
        "/trash".to_owned(),
        "/trash/emptying".to_owned(),
        "/uploads/new".to_owned(),
        "/%3Cscript%3Ealert(1)%3C/script%3E".to_owned(),
    ] {
        let reply = browser.get(&target);
        let page = reply.page();
        let all = scraper::Selector::parse("*").unwrap();
        for element in page.select(&all) {
            let element = element.value();
            let own = ["style"].contains(&element.name()) || element.attr("style").is_some();
            assert!(!own, "{target}: {element:?}");
            assert!(
                !element.attrs().any(|(name, _)| name.starts_with("on")),
                "{target}: {element:?}"
            );
            if element.name() == "script" {
                let source = element.attr("src").unwrap_or_default();
                assert!(source.starts_with("/assets/"), "{target}: {element:?}");
            }
        }
    }
}

#[actix_web::test]
async fn behind_https_browsers_are_told_to_stay_there() {
    let app = TestApp::new()
        .var("SATCHEL_PUBLIC_URL", "https://files.example.org")
        .start()
        .await;
    let reply = get("/sign-in").send(address(&app));
    assert!(
        reply
            .header("strict-transport-security")
            .is_some_and(|value| value.starts_with("max-age="))
    );
    let plain = TestApp::sqlite().await;
    assert_eq!(
        browser(&plain)
            .get("/sign-in")
            .header("strict-transport-security"),
        None
    );
}

#[actix_web::test]
async fn a12_x6_only_answers_without_a_body_to_what_is_no_request_go_without() {
    let app = TestApp::new().head(Duration::from_millis(500)).start().await;
    let endless = format!("GET / HTTP/1.1\r\nHost: x\r\nX-Long: {}", "x".repeat(1 << 20));
    for (status, request) in [
        (400, "nonsense\r\n\r\n"),
        (400, "GET / HTTP/1.1\r\nHost x\r\n\r\n"),
        (400, "GET / HTTP/9.9\r\n\r\n"),
        (400, "GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n"),
        (431, &endless),
        (408, "GET / HTTP/1.1\r\nHost: "),
    ] {
        let mut stream = connect(address(&app)).expect("a server that listens");
        // A server may refuse before it has read everything.
        let _ = stream.write_all(request.as_bytes());
        let what = &request[..request.len().min(40)];
        let reply = read_reply(&mut stream, false).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(reply.status, status, "{what}");
        assert!(reply.body.is_empty(), "{what}: {}", reply.text());
        assert_eq!(reply.header("content-type"), None, "{what}");
    }
}
