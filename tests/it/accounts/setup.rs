//! `/setup`: the first administrator, for whoever has the printed link (A9).

use std::time::Duration;

use satchel::db::models::users::Role;
use satchel::services::accounts;

use super::people::{account, at_once, browser, count_accounts, find};
use crate::support::app::{PASSWORD, TestApp};
use crate::support::wire::{Browser, get, request};

const EMAIL: &str = "first@example.org";

async fn setup_token(app: &TestApp) -> String {
    let token = accounts::new_setup_token(&app.services).await;
    token.expect("a database that answers").expect("set-up is open")
}

/// A browser, and a form token that is good for any form before sign-in.
fn with_form(app: &TestApp) -> (Browser, String) {
    let mut browser = browser(app);
    let form = browser.form_token("/sign-in");
    (browser, form)
}

#[actix_web::test]
async fn the_link_makes_an_administrator_who_is_signed_in_and_welcomed() {
    let app = TestApp::sqlite().await;
    let token = setup_token(&app).await;
    let mut browser = browser(&app);
    assert_eq!(browser.get("/").location(), "/setup");
    let fields = [
        ("token", token.as_str()),
        ("email", " First@Example.org "),
        ("password", PASSWORD),
    ];
    let made = browser.submit(&format!("/setup?token={token}"), "/setup", &fields);
    assert_eq!(
        (made.status, made.location()),
        (303, "/documents"),
        "{}",
        made.text()
    );
    assert!(browser.get("/documents").text().contains("Set-up is done."));
    assert_eq!(find(&app, EMAIL).await.unwrap().role, Role::Admin);
}

#[actix_web::test]
async fn a9_without_the_printed_token_set_up_says_where_to_find_it() {
    let app = TestApp::sqlite().await;
    let token = setup_token(&app).await;
    let (mut browser, form) = with_form(&app);
    let mut wrong = token.clone();
    wrong.pop();
    for bad in ["", "wrong", &wrong, &"x".repeat(5_000)] {
        let shown = browser.get(&format!("/setup?token={bad}"));
        let sent = browser.post(
            "/setup",
            &form,
            &[("token", bad), ("email", EMAIL), ("password", PASSWORD)],
        );
        for answer in [shown, sent] {
            assert_eq!(answer.status, 403);
            assert!(
                answer
                    .text()
                    .contains("the link that Satchel printed when it started"),
                "{}",
                answer.text()
            );
        }
    }
    assert_eq!(browser.get("/setup").status, 403);
    assert_eq!(count_accounts(&app).await, 0);
}

#[actix_web::test]
async fn a9_of_twenty_at_once_one_becomes_administrator() {
    race(&TestApp::sqlite().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn a9_of_twenty_at_once_one_becomes_administrator_with_postgresql() {
    race(&TestApp::postgres().await).await;
}

async fn race(app: &TestApp) {
    let token = setup_token(app).await;
    let prepared: Vec<_> = (0..20).map(|_| with_form(app)).collect();
    let statuses = at_once(prepared.len(), |number| {
        let (mut browser, form) = prepared[number].clone();
        let email = format!("racer{number}@example.org");
        let fields = [
            ("token", token.as_str()),
            ("email", &email),
            ("password", PASSWORD),
        ];
        browser.post("/setup", &form, &fields).status
    });
    let won = statuses.iter().filter(|status| **status == 303).count();
    let lost = statuses.iter().filter(|status| **status == 404).count();
    assert_eq!((won, lost), (1, 19), "{statuses:?}");
    assert_eq!(count_accounts(app).await, 1);
}

#[actix_web::test]
async fn a9_once_there_is_a_user_set_up_is_gone_for_ever() {
    let app = TestApp::sqlite().await;
    let token = setup_token(&app).await;
    let (mut browser, form) = with_form(&app);
    account(&app, "by-command@example.org", Role::Member).await;
    let link = format!("/setup?token={token}");
    for target in ["/setup", "/setup?token=wrong", &link] {
        assert_eq!(browser.get(target).status, 404, "{target}");
        assert_eq!(
            request("HEAD", target).send(browser.address).status,
            404,
            "{target}"
        );
    }
    let fields = [
        ("token", token.as_str()),
        ("email", EMAIL),
        ("password", PASSWORD),
    ];
    assert_eq!(browser.post("/setup", &form, &fields).status, 404);
    assert_eq!(accounts::new_setup_token(&app.services).await.unwrap(), None);
    assert_eq!(count_accounts(&app).await, 1);
    let nothing = get("/no-such-page").send(browser.address);
    let gone = get("/setup").send(browser.address);
    assert_eq!(gone.status, nothing.status);
}

#[actix_web::test]
async fn a9_a_link_works_for_a_day() {
    let app = TestApp::sqlite().await;
    let token = setup_token(&app).await;
    let link = format!("/setup?token={token}");
    app.advance(Duration::from_secs(23 * 3_600));
    assert_eq!(browser(&app).get(&link).status, 200);
    app.advance(Duration::from_secs(2 * 3_600));
    assert_eq!(browser(&app).get(&link).status, 403);
    let (mut browser, form) = with_form(&app);
    let fields = [
        ("token", token.as_str()),
        ("email", EMAIL),
        ("password", PASSWORD),
    ];
    assert_eq!(browser.post("/setup", &form, &fields).status, 403);
    assert_eq!(count_accounts(&app).await, 0);
}

#[actix_web::test]
async fn what_is_wrong_is_said_beside_the_field_and_the_address_is_kept() {
    let app = TestApp::sqlite().await;
    let token = setup_token(&app).await;
    let link = format!("/setup?token={token}");
    for (email, password, wrong) in [
        ("ana", PASSWORD, &["#email-error"][..]),
        (EMAIL, "short", &["#password-error"]),
        (
            "\"><script>alert(1)</script>",
            "elevenchars",
            &["#email-error", "#password-error"],
        ),
    ] {
        let fields = [
            ("token", token.as_str()),
            ("email", email),
            ("password", password),
        ];
        let answer = browser(&app).submit(&link, "/setup", &fields);
        assert_eq!(answer.status, 422);
        let page = answer.page();
        let select = |selector: &str| {
            let selector = scraper::Selector::parse(selector).unwrap();
            page.select(&selector).next().map(|element| element.html())
        };
        for error in ["#email-error", "#password-error"] {
            assert_eq!(
                select(error).is_some(),
                wrong.contains(&error),
                "{error} of {email}"
            );
        }
        let email_field = scraper::Selector::parse("input#email").unwrap();
        let kept = page.select(&email_field).next().unwrap().attr("value");
        assert_eq!(kept, Some(email));
        assert!(!answer.text().contains(password), "a password is never sent back");
        assert!(
            !answer.text().contains("<script>alert"),
            "what was typed is inert"
        );
    }
    assert_eq!(count_accounts(&app).await, 0);
    assert_eq!(browser(&app).get(&link).status, 200);
}
