//! `/docs` in a real browser: an operation is tried and answers, under our policy, and nothing is asked of anybody else.

use satchel::db::models::users::Role;
use serde_json::{Value, json};

use crate::accounts::people::{account, api_token};
use crate::support::app::TestApp;
use crate::support::browser::Chromium;

/// Every address the page has loaded something from or sent something to.
const ASKED: &str = "return performance.getEntriesByType('resource').map((entry) => entry.name)";

#[actix_web::test]
#[ignore = "needs Chromium"]
async fn an_operation_is_tried_and_answers_and_no_request_leaves_the_origin() {
    let app = TestApp::sqlite().await;
    let browser = Chromium::start().await;
    browser.sign_in(&app, "ana").await;
    browser.goto(&format!("{}/docs", app.url)).await;
    browser.see_text("h1", "The JSON API").await;
    browser.click("#listDocuments button[type=submit]").await;
    browser.see_text("#listDocuments [data-result]", "200").await;
    browser
        .see_text("#listDocuments [data-result] pre", "\"next_cursor\": null")
        .await;
    // One that changes something goes with the session and its form token.
    browser
        .fill("#trashDocuments-body", "{\"ids\": [\"nothing\"]}")
        .await;
    browser.click("#trashDocuments button[type=submit]").await;
    browser
        .see_text("#trashDocuments [data-result] pre", "\"not_found\"")
        .await;
    browser
        .see_text("#trashDocuments [data-curl]", "curl -X POST")
        .await;
    let asked = browser.run(ASKED, &[]).await;
    let asked: Vec<_> = asked
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert!(
        asked.iter().any(|url| url.ends_with("/api/documents")),
        "{asked:?}"
    );
    for url in asked {
        assert!(url.starts_with(&format!("{}/", app.url)), "{url} is elsewhere");
    }
    browser.assert_quiet().await;
}

#[actix_web::test]
#[ignore = "needs Chromium"]
async fn a_token_that_is_entered_is_used_instead_of_the_session() {
    let app = TestApp::sqlite().await;
    let ben = account(&app, "ben@example.org", Role::Member).await;
    let token = api_token(&app, &ben).await;
    let browser = Chromium::start().await;
    browser.goto(&format!("{}/docs", app.url)).await;
    browser.fill("#api-token", &token).await;
    browser.click("#showAccount button[type=submit]").await;
    browser
        .see_text("#showAccount [data-result] pre", "ben@example.org")
        .await;
    browser.assert_quiet().await;
}

/// A14: what a real browser blocks, it reports, and an administrator sees it.
#[actix_web::test]
#[ignore = "needs Chromium"]
async fn a14_what_a_real_browser_blocks_is_reported_and_shown() {
    let app = TestApp::sqlite().await;
    let browser = Chromium::start().await;
    browser.goto(&format!("{}/sign-in", app.url)).await;
    let inject = "const script = document.createElement('script');
        script.textContent = 'window.ran = true';
        document.body.append(script);
        return window.ran === true";
    assert_eq!(browser.run(inject, &[]).await, json!(false), "it ran");
    let admin = app.admin().await;
    crate::support::eventually("the report is shown", async || {
        let page = admin.page("/admin/system").await.text();
        page.contains("script-src-elem") && page.contains("/sign-in")
    })
    .await;
    let complaints = browser.complaints().await;
    assert!(
        complaints
            .iter()
            .any(|text| text.contains("Content Security Policy")),
        "{complaints:#?}"
    );
}
