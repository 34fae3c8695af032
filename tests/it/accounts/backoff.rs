//! What guessing costs, and whom it does not lock out (A5, R8, A6).

use std::time::Duration;

use satchel::db::models::sign_in_attempts;
use satchel::db::models::users::Role;
use satchel::services::audit::Action;

use super::people::{account, at_once, browser, disable};
use crate::support::app::{PASSWORD, Setup, TestApp};
use crate::support::between::second_waits;
use crate::support::wire::{Browser, Reply};

const ANA: &str = "ana@example.org";
const WRONG: &str = "not the password";

/// Behind a proxy that is trusted, so that the test can come from anywhere.
async fn app() -> TestApp {
    behind_a_proxy().start().await
}

fn behind_a_proxy() -> Setup {
    TestApp::new().var("SATCHEL_TRUSTED_PROXIES", "127.0.0.1")
}

/// A browser at this address, with its sign-in form open.
fn at(app: &TestApp, address: &str) -> (Browser, String) {
    let mut browser = browser(app).with_header("X-Forwarded-For", address);
    let form = browser.form_token("/sign-in");
    (browser, form)
}

fn sign_in(from: &mut (Browser, String), email: &str, password: &str) -> Reply {
    from.0
        .post("/sign-in", &from.1, &[("email", email), ("password", password)])
}

/// How long a refused try is told to wait.
#[track_caller]
fn wait_of(reply: &Reply) -> Duration {
    assert_eq!(reply.status, 429, "{}", reply.text());
    let seconds = reply.header("retry-after").and_then(|wait| wait.parse().ok());
    let wait = Duration::from_secs(seconds.expect("Retry-After in seconds"));
    assert!(wait > Duration::ZERO);
    assert!(reply.text().contains("Too many tries"), "{}", reply.text());
    wait
}

#[actix_web::test]
async fn r8_of_fifty_guesses_at_once_five_are_answered() {
    fifty_guesses(&app().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn r8_of_fifty_guesses_at_once_five_are_answered_with_postgresql() {
    fifty_guesses(&behind_a_proxy().on_postgres().start().await).await;
}

async fn fifty_guesses(app: &TestApp) {
    account(app, ANA, Role::Member).await;
    let mallory = at(app, "203.0.113.66");
    let replies = at_once(50, |number| {
        let password = format!("{WRONG} {number}");
        sign_in(&mut mallory.clone(), ANA, &password)
    });
    let answered = replies.iter().filter(|reply| reply.status == 422).count();
    assert!((1..=5).contains(&answered), "{answered} guesses were answered");
    for reply in replies.iter().filter(|reply| reply.status != 422) {
        wait_of(reply);
    }

    // Not even the right password is looked at while the wait lasts; afterwards it is.
    let mut there = mallory.clone();
    let refused = sign_in(&mut there, ANA, PASSWORD);
    app.advance(wait_of(&refused));
    assert_eq!(sign_in(&mut there, ANA, PASSWORD).status, 303);
}

#[actix_web::test]
async fn a5_each_further_guess_waits_twice_as_long_up_to_a_bound() {
    let app = app().await;
    account(&app, ANA, Role::Member).await;
    let mut mallory = at(&app, "203.0.113.66");
    for _ in 0..5 {
        assert_eq!(sign_in(&mut mallory, ANA, WRONG).status, 422);
    }
    let mut waits = Vec::new();
    for _ in 0..12 {
        let wait = wait_of(&sign_in(&mut mallory, ANA, WRONG));
        waits.push(wait.as_secs());
        app.advance(wait);
        assert_eq!(sign_in(&mut mallory, ANA, WRONG).status, 422);
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
}

#[actix_web::test]
async fn a5_the_owner_gets_in_from_elsewhere_while_somebody_guesses() {
    let app = app().await;
    account(&app, ANA, Role::Member).await;
    let mut mallory = at(&app, "203.0.113.66");
    for _ in 0..5 {
        sign_in(&mut mallory, ANA, WRONG);
    }
    wait_of(&sign_in(&mut mallory, ANA, WRONG));
    let mut owner = at(&app, "198.51.100.7");
    assert_eq!(sign_in(&mut owner, ANA, PASSWORD).status, 303);
    wait_of(&sign_in(&mut mallory, ANA, WRONG));
}

#[actix_web::test]
async fn a5_guessing_from_many_addresses_is_slowed_and_keeps_the_owner_out_for_half_a_minute_at_most() {
    let app = app().await;
    account(&app, ANA, Role::Member).await;
    let mut answered = 0;
    let mut slowed = 0;
    for number in 0..60 {
        let mut mallory = at(&app, &format!("203.0.113.{number}"));
        match sign_in(&mut mallory, ANA, WRONG).status {
            422 => answered += 1,
            429 => slowed += 1,
            other => panic!("{other}"),
        }
    }
    assert!(
        answered <= 20 && slowed >= 40,
        "{answered} answered, {slowed} slowed"
    );
    // The attack goes on whenever it may.
    for number in 60..70 {
        app.advance(Duration::from_secs(30));
        sign_in(&mut at(&app, &format!("203.0.113.{number}")), ANA, WRONG);
    }
    let mut owner = at(&app, "198.51.100.7");
    let wait = wait_of(&sign_in(&mut owner, ANA, PASSWORD));
    assert!(wait <= Duration::from_secs(30), "{wait:?}");
    app.advance(wait);
    assert_eq!(sign_in(&mut owner, ANA, PASSWORD).status, 303);
}

#[actix_web::test]
async fn a5_trying_one_password_on_many_accounts_is_slowed() {
    let app = app().await;
    let mut mallory = at(&app, "203.0.113.66");
    let answered = (0..40)
        .filter(|number| sign_in(&mut mallory, &format!("user{number}@example.org"), WRONG).status == 422)
        .count();
    assert!(answered <= 20, "{answered}");
    let mut elsewhere = at(&app, "198.51.100.7");
    assert_eq!(sign_in(&mut elsewhere, ANA, WRONG).status, 422);
}

#[actix_web::test]
async fn a5_an_hour_of_calm_forgives() {
    let app = app().await;
    account(&app, ANA, Role::Member).await;
    let mut somebody = at(&app, "198.51.100.7");
    for _ in 0..5 {
        sign_in(&mut somebody, ANA, WRONG);
    }
    wait_of(&sign_in(&mut somebody, ANA, WRONG));
    app.advance(Duration::from_secs(3_601));
    for _ in 0..5 {
        assert_eq!(sign_in(&mut somebody, ANA, WRONG).status, 422);
    }
}

#[actix_web::test]
async fn a5_one_right_password_forgives_the_slips_before_it() {
    let app = app().await;
    account(&app, ANA, Role::Member).await;
    for _ in 0..3 {
        let mut somebody = at(&app, "198.51.100.7");
        for _ in 0..4 {
            assert_eq!(sign_in(&mut somebody, ANA, WRONG).status, 422);
        }
        assert_eq!(sign_in(&mut somebody, ANA, PASSWORD).status, 303);
    }
}

#[actix_web::test]
async fn a6_an_unknown_a_known_and_a_disabled_account_get_the_same_answer() {
    let app = app().await;
    account(&app, "known@example.org", Role::Member).await;
    let disabled = account(&app, "disab@example.org", Role::Member).await;
    disable(&app, &disabled).await;
    let answers = |password: &str, address: &str| {
        ["known@example.org", "disab@example.org", "nobod@example.org"].map(|email| {
            let mut from = at(&app, address);
            let reply = sign_in(&mut from, email, password);
            let text = reply.text().replace(email, "EMAIL").replace(&from.1, "TOKEN");
            let mut headers: Vec<_> = reply
                .headers
                .iter()
                .filter(|(name, _)| !["date", "x-request-id"].contains(&name.as_str()))
                .cloned()
                .collect();
            headers.sort();
            (reply.status, headers, text)
        })
    };
    let [known, disabled, unknown] = answers(WRONG, "198.51.100.7");
    assert_eq!(known.0, 422);
    assert_eq!(known, disabled);
    assert_eq!(known, unknown);
    // A disabled account does not even tell that its password is right.
    let [_, disabled, unknown] = answers(PASSWORD, "198.51.100.8");
    assert_eq!(disabled, unknown);
}

#[actix_web::test]
async fn a6_guessing_slows_down_alike_whether_or_not_there_is_an_account() {
    let app = app().await;
    account(&app, "known@example.org", Role::Member).await;
    let statuses = |email: &str, address: &str| {
        let mut from = at(&app, address);
        (0..8)
            .map(|_| sign_in(&mut from, email, WRONG).status)
            .collect::<Vec<_>>()
    };
    let known = statuses("known@example.org", "198.51.100.7");
    let unknown = statuses("nobod@example.org", "198.51.100.8");
    assert_eq!(known, unknown);
}

async fn a_guesser_does_not_fill_the_trail(app: TestApp) {
    account(&app, ANA, Role::Member).await;
    // One account from one address, as fast as is let, for half a day.
    let mut mallory = at(&app, "203.0.113.66");
    let mut tries = 0;
    for _ in 0..100 {
        let reply = sign_in(&mut mallory, ANA, WRONG);
        if reply.status == 429 {
            app.advance(wait_of(&reply));
            continue;
        }
        assert_eq!(reply.status, 422);
        tries += 1;
    }
    assert!((32..64).contains(&tries), "{tries}");
    let entries = app.trail(Action::SignInFailed).await;
    let mut told: Vec<&str> = entries.iter().map(|entry| entry.after.as_str()).collect();
    // Several may be of one moment.
    told.sort_by_key(|text| (text.len(), *text));
    let counts = [1, 2, 3, 4, 5, 8, 16, 32].map(|tries| format!("{{\"tries\":{tries}}}"));
    assert_eq!(told, counts, "of {tries}");
    assert!(
        entries
            .iter()
            .all(|entry| entry.subject == ANA && entry.ip == "203.0.113.66" && entry.means == "nobody")
    );

    // Any account from anywhere: so many in an hour, and one that says so.
    app.advance(Duration::from_secs(24 * 3_600));
    for number in 0..110 {
        let mut anywhere = at(&app, &format!("198.51.100.{number}"));
        let reply = sign_in(&mut anywhere, &format!("nobody{number}@example.org"), WRONG);
        assert_eq!(reply.status, 422);
    }
    let entries = app.trail(Action::SignInFailed).await;
    assert_eq!(entries.len(), counts.len() + 101);
    let last: Vec<_> = entries
        .iter()
        .filter(|entry| entry.subject == "everybody")
        .collect();
    assert_eq!((last.len(), last[0].means.as_str()), (1, "server"));
    assert!(
        last[0].reason.contains("in the log alone until"),
        "{}",
        last[0].reason
    );

    // The next hour has entries of its own.
    app.advance(Duration::from_secs(3_601));
    let mut anywhere = at(&app, "192.0.2.1");
    assert_eq!(sign_in(&mut anywhere, ANA, WRONG).status, 422);
    assert_eq!(app.trail(Action::SignInFailed).await.len(), entries.len() + 1);
}

#[actix_web::test]
async fn a5_a_guesser_does_not_fill_the_trail() {
    a_guesser_does_not_fill_the_trail(app().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn a5_a_guesser_does_not_fill_the_trail_with_postgresql() {
    a_guesser_does_not_fill_the_trail(behind_a_proxy().on_postgres().start().await).await;
}

/// The sweep forgets tries that are a day old. Whoever makes sure of a row has it from then on, and can lock it for the next try.
#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn a5_tries_that_somebody_counts_are_not_forgotten_meanwhile() {
    let app = TestApp::postgres().await;
    let then = app.services.clock.now();
    let now = then.plus(Duration::from_secs(25 * 3_600));
    let known = app
        .services
        .db
        .write(move |c| sign_in_attempts::ensure(c, "somebody", then));
    known.await.expect("a try");
    let ((), forgotten) = second_waits(
        &app.services.db,
        move |c| sign_in_attempts::ensure(c, "somebody", now),
        move |c| sign_in_attempts::delete_older(c, now),
    )
    .await;
    assert_eq!(forgotten, 1, "nobody has counted a try in the end");
}
