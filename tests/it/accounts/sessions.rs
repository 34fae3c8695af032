//! Sessions: where they begin, what their cookie is like, and every way in which they end.

use std::time::Duration;

use satchel::db::models::users::Role;

use super::people::{account, api_token, browser, disable, signed_in};
use crate::support::app::{PASSWORD, TestApp};
use crate::support::wire::{Browser, get};

const ANA: &str = "ana@example.org";
const SESSION: &str = "__Host-satchel";
const DAY: Duration = Duration::from_secs(24 * 3_600);

/// Whether pages and the API know this browser.
#[track_caller]
fn is_known(browser: &mut Browser) -> bool {
    let page = browser.get("/documents");
    let call = browser.get("/api/documents");
    match (page.status, call.status) {
        (200, 200) => true,
        (303, 401) => {
            assert!(
                page.location().starts_with("/sign-in?next="),
                "{}",
                page.location()
            );
            assert!(call.header("www-authenticate").is_some());
            false
        }
        other => panic!("pages and API disagree: {other:?}"),
    }
}

#[actix_web::test]
async fn signing_in_leads_on_and_signing_out_leads_back() {
    let app = TestApp::sqlite().await;
    account(&app, ANA, Role::Member).await;
    let mut browser = browser(&app);
    let turned_away = browser.get("/documents?sort=name");
    assert_eq!(turned_away.location(), "/sign-in?next=%2Fdocuments%3Fsort%3Dname");
    let fields = [
        ("email", "ANA@example.org"),
        ("password", PASSWORD),
        ("next", "/documents?sort=name"),
    ];
    let entered = browser.submit(turned_away.location(), "/sign-in", &fields);
    assert_eq!(
        (entered.status, entered.location()),
        (303, "/documents?sort=name")
    );
    let page = browser.get("/documents");
    assert!(page.text().contains(ANA));
    assert_eq!(browser.get("/sign-in").location(), "/documents");
    assert_eq!(browser.get("/").location(), "/documents");

    let left = browser.submit("/documents", "/sign-out", &[]);
    assert_eq!((left.status, left.location()), (303, "/sign-in"));
    assert!(browser.get("/sign-in").text().contains("You are signed out."));
}

#[actix_web::test]
async fn a_wrong_password_is_422_and_keeps_the_address_but_not_the_password() {
    let app = TestApp::sqlite().await;
    account(&app, ANA, Role::Member).await;
    let answer = browser(&app).sign_in(ANA, "a wrong password");
    assert_eq!(answer.status, 422);
    assert!(
        answer
            .text()
            .contains("The e-mail address or the password is not right.")
    );
    assert!(answer.text().contains(&format!("value=\"{ANA}\"")));
    assert!(!answer.text().contains("a wrong password"));
    assert!(!answer.cookies().contains_key(SESSION));
}

#[actix_web::test]
async fn a1_an_id_chosen_by_somebody_else_is_never_a_session() {
    let app = TestApp::sqlite().await;
    account(&app, ANA, Role::Member).await;
    let planted = "A".repeat(43);
    let mut victim = browser(&app);
    victim.cookies.insert(SESSION.to_owned(), planted.clone());
    assert_eq!(victim.sign_in(ANA, PASSWORD).status, 303);
    assert_ne!(victim.cookies[SESSION], planted);
    assert!(is_known(&mut victim));
    let mut attacker = browser(&app);
    attacker.cookies.insert(SESSION.to_owned(), planted);
    assert!(!is_known(&mut attacker));
}

#[actix_web::test]
async fn a1_signing_in_again_gives_a_new_id_and_ends_the_old_session() {
    let app = TestApp::sqlite().await;
    let mallory = account(&app, "mallory@example.org", Role::Member).await;
    account(&app, ANA, Role::Member).await;
    // Mallory's own session, planted in Ana's browser.
    let mut planted = signed_in(&app, &mallory).await;
    let mut victim = planted.clone();
    let form = victim.form_token("/uploads/new");
    let entered = victim.post("/sign-in", &form, &[("email", ANA), ("password", PASSWORD)]);
    assert_eq!(entered.status, 303, "{}", entered.text());
    assert_ne!(victim.cookies[SESSION], planted.cookies[SESSION]);
    assert!(victim.get("/documents").text().contains(ANA));
    assert!(!is_known(&mut planted));
}

#[actix_web::test]
async fn a2_every_cookie_is_for_this_host_over_https_and_no_script() {
    let app = TestApp::sqlite().await;
    account(&app, ANA, Role::Member).await;
    let mut browser = browser(&app);
    let mut cookies = Vec::new();
    let mut collect = |reply: &crate::support::wire::Reply| cookies.extend(reply.cookies());
    collect(&browser.get("/sign-in"));
    collect(&browser.sign_in(ANA, PASSWORD));
    collect(&browser.get("/documents"));
    collect(&browser.submit("/documents", "/sign-out", &[]));
    collect(&browser.get("/sign-in"));
    let names: Vec<_> = cookies.iter().map(|(name, _)| name.as_str()).collect();
    for expected in ["__Host-satchel-form", SESSION, "__Host-satchel-notice"] {
        assert!(names.contains(&expected), "{expected} was never set: {names:?}");
    }
    for (name, cookie) in &cookies {
        assert!(name.starts_with("__Host-"), "{name}");
        let attributes: Vec<_> = cookie.split("; ").skip(1).collect();
        for attribute in ["HttpOnly", "Secure", "Path=/"] {
            assert!(
                attributes.contains(&attribute),
                "{name} lacks {attribute}: {cookie}"
            );
        }
        let same_site = attributes.contains(&"SameSite=Lax") || attributes.contains(&"SameSite=Strict");
        assert!(same_site, "{name}: {cookie}");
        assert!(!cookie.contains("Domain"), "{name}: {cookie}");
        assert!(name.len() + cookie.len() < 4_096, "{name}");
    }
}

#[actix_web::test]
async fn a3_after_signing_out_the_cookie_is_refused_everywhere() {
    let app = TestApp::sqlite().await;
    let ana = account(&app, ANA, Role::Member).await;
    let mut browser = signed_in(&app, &ana).await;
    let mut other_device = signed_in(&app, &ana).await;
    let mut copy = browser.clone();
    assert!(is_known(&mut copy));
    let left = browser.submit("/documents", "/sign-out", &[]);
    assert!(left.cookies()[SESSION].contains("Max-Age=0"), "{left:?}");
    assert!(!browser.cookies.contains_key(SESSION));
    assert!(!is_known(&mut copy));
    assert!(is_known(&mut other_device), "other sessions go on");
}

#[actix_web::test]
async fn a3_a_disabled_user_is_out_at_once() {
    let app = TestApp::sqlite().await;
    let ana = account(&app, ANA, Role::Member).await;
    let mut session = signed_in(&app, &ana).await;
    let token = api_token(&app, &ana).await;
    assert!(is_known(&mut session));
    disable(&app, &ana).await;
    assert!(!is_known(&mut session));
    let call = get("/api/documents").bearer(&token).send(session.address);
    assert_eq!(call.status, 401);
    assert_eq!(browser(&app).sign_in(ANA, PASSWORD).status, 422);
}

#[actix_web::test]
async fn a3_a_session_ends_after_a_week_without_use() {
    let app = TestApp::sqlite().await;
    let ana = account(&app, ANA, Role::Member).await;
    let mut used = signed_in(&app, &ana).await;
    let mut idle = used.clone();
    app.advance(6 * DAY);
    assert!(is_known(&mut used));
    app.advance(6 * DAY);
    assert!(is_known(&mut idle), "use counts, whichever window it came from");
    app.advance(7 * DAY + Duration::from_secs(1));
    assert!(!is_known(&mut idle));
    assert!(!is_known(&mut used));
}

#[actix_web::test]
async fn a3_a_session_ends_after_thirty_days_however_much_it_is_used() {
    let app = TestApp::sqlite().await;
    let ana = account(&app, ANA, Role::Member).await;
    let mut session = signed_in(&app, &ana).await;
    for _ in 0..5 {
        app.advance(5 * DAY);
        assert!(is_known(&mut session));
    }
    app.advance(5 * DAY);
    assert!(!is_known(&mut session));
}

#[actix_web::test]
async fn a3_a_cookie_that_is_no_session_is_ignored() {
    let app = TestApp::sqlite().await;
    for value in ["", "x", &"x".repeat(43), &"x".repeat(3_000), "%00", "ü"] {
        let mut browser = browser(&app);
        browser.cookies.insert(SESSION.to_owned(), value.to_owned());
        assert!(!is_known(&mut browser), "{value:?}");
    }
}
