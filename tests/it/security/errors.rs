//! Failures: dressed for whoever asked, protected like everything else, and silent about our inside (X6).

use diesel::prelude::*;
use satchel::db::models::users::Role;

use super::headers::{is_not_kept, is_protected};
use crate::accounts::people::{account, address, api_token, signed_in};
use crate::support::app::TestApp;
use crate::support::wire::{Browser, Reply, Request, get, post, request};

/// A page for people: a heading, a sentence, and the request id unless that would tell one 404 from another.
#[track_caller]
fn is_page(reply: &Reply, what: &str) {
    assert_eq!(
        reply.header("content-type"),
        Some("text/html; charset=utf-8"),
        "{what}"
    );
    let page = reply.page();
    let heading = scraper::Selector::parse("h1").expect("a selector");
    assert_eq!(page.select(&heading).count(), 1, "{what}");
    assert!(
        reply.text().contains(&format!("Error {}", reply.status)),
        "{what}"
    );
}

/// RFC 9457, with a stable code and a sentence.
#[track_caller]
fn is_problem(reply: &Reply, what: &str) {
    assert_eq!(
        reply.header("content-type"),
        Some("application/problem+json"),
        "{what}"
    );
    let problem = reply.json();
    assert_eq!(problem["status"], reply.status, "{what}");
    assert_eq!(problem["type"], "about:blank", "{what}");
    let text = |name: &str| problem[name].as_str().unwrap_or_default().to_owned();
    assert!(!text("title").is_empty(), "{what}");
    assert!(text("detail").ends_with('.'), "{what}: {problem}");
    let code = text("code");
    assert!(
        !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'),
        "{what}: {code}"
    );
}

/// Words that only our inside uses.
#[track_caller]
fn has_no_internals(reply: &Reply, what: &str) {
    let text = reply.text();
    for inside in [
        "src/",
        ".rs",
        "panicked",
        "diesel",
        "SELECT",
        "sqlite",
        "no such table",
        "127.0.0.1:",
        "/tmp",
        "actix",
    ] {
        assert!(!text.contains(inside), "{what} says {inside}: {text}");
    }
}

/// Requests that fail, and how.
fn failures() -> Vec<(u16, Request)> {
    let form = "application/x-www-form-urlencoded";
    vec![
        (400, get("/documents?sort=nonsense")),
        (400, get("/documents?after=nonsense")),
        (400, get("/api/documents?limit=many")),
        (400, get("/api/documents?limit=0")),
        (400, get("/api/documents?cursor=nonsense")),
        (403, post("/sign-out").form(&[])),
        // A form from another site: refused before anybody looks at it.
        (
            403,
            post("/uploads")
                .header("Origin", "https://evil.example")
                .form(&[]),
        ),
        (404, get("/nothing/at/all")),
        (404, get("/api/nothing")),
        (404, get("/documents/not-an-id")),
        (404, get("/api/documents/not-an-id")),
        (404, get("/assets/none.css")),
        (405, request("DELETE", "/documents")),
        (405, request("PUT", "/api/documents")),
        (413, post("/sign-in").body(form, "x".repeat(50_000))),
        (415, post("/sign-in").body("text/plain", "x")),
        (415, post("/uploads").body("text/plain", "x")),
    ]
}

#[actix_web::test]
async fn x6_every_failure_is_dressed_for_people_and_for_programs() {
    let app = TestApp::sqlite().await;
    let ana = account(&app, "ana@example.org", Role::Member).await;
    let browser = signed_in(&app, &ana).await;
    for (status, request) in failures() {
        let asked = |accept: Option<&str>| {
            let mut request = request.clone();
            if let Some(accept) = accept {
                request = request.header("Accept", accept);
            }
            let mut browser: Browser = browser.clone();
            browser.send(request)
        };
        let what = format!("{} {}", request.method(), request.target());
        let plain = asked(None);
        if request.target().starts_with("/api/") {
            is_problem(&plain, &what);
        } else {
            is_page(&plain, &what);
        }
        let for_people = asked(Some("text/html,application/xhtml+xml,*/*;q=0.8"));
        is_page(&for_people, &what);
        let for_programs = asked(Some("application/json"));
        is_problem(&for_programs, &what);
        for reply in [plain, for_people, for_programs] {
            assert_eq!(reply.status, status, "{what}");
            is_protected(&reply, &what);
            is_not_kept(&reply, &what);
            has_no_internals(&reply, &what);
            assert_eq!(reply.header("vary"), Some("Accept"), "{what}");
        }
    }
}

#[actix_web::test]
async fn x6_without_a_session_the_api_says_how_to_have_one() {
    let app = TestApp::sqlite().await;
    let reply = get("/api/documents").send(address(&app));
    assert_eq!(reply.status, 401);
    is_problem(&reply, "401");
    is_protected(&reply, "401");
    assert_eq!(reply.header("www-authenticate"), Some("Bearer"));
}

#[actix_web::test]
async fn x6_what_breaks_on_our_side_says_so_and_nothing_more() {
    let app = TestApp::sqlite().await;
    let ana = account(&app, "ana@example.org", Role::Member).await;
    let token = api_token(&app, &ana).await;
    let broken = app.services.db.write(|c| {
        diesel::sql_query("ALTER TABLE documents RENAME TO lost_documents").execute(c)?;
        Ok(())
    });
    broken.await.unwrap();
    let page = get("/documents").bearer(&token).send(address(&app));
    is_page(&page, "page");
    let call = get("/api/documents").bearer(&token).send(address(&app));
    is_problem(&call, "call");
    assert_eq!(call.json()["code"], "internal");
    for reply in [page, call] {
        assert_eq!(reply.status, 500);
        is_protected(&reply, "500");
        is_not_kept(&reply, "500");
        has_no_internals(&reply, "500");
        let id = reply.header("x-request-id").unwrap().to_owned();
        assert!(reply.text().contains(&id), "the answer names its request id");
        assert!(!reply.text().contains("lost_documents"));
    }
    assert_eq!(get("/healthz").send(address(&app)).status, 200);
}

#[actix_web::test]
async fn x6_too_many_tries_and_too_long_files_carry_the_headers_too() {
    let app = TestApp::new()
        .var("SATCHEL_MAX_UPLOAD_BYTES", "1000")
        .start()
        .await;
    let ana = account(&app, "ana@example.org", Role::Member).await;
    let token = api_token(&app, &ana).await;
    let long = post("/api/uploads")
        .bearer(&token)
        .upload(&[], "long.bin", &[0; 2_000])
        .send(address(&app));
    assert_eq!(long.status, 413, "{}", long.text());
    is_problem(&long, "413");
    is_protected(&long, "413");
    let mut browser = Browser::new(address(&app));
    let last = (0..6)
        .map(|_| browser.sign_in("ana@example.org", "wrong"))
        .last()
        .unwrap();
    assert_eq!(last.status, 429);
    assert!(last.header("retry-after").is_some());
    is_protected(&last, "429");
    is_not_kept(&last, "429");
    has_no_internals(&last, "429");
}
