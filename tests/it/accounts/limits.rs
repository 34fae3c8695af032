//! Those who guess, and tokens where a bound is set, are told to wait and for how long.

use std::time::Duration;

use reqwest::Method;
use satchel::clock::UtcTime;
use satchel::ids::DocumentId;
use satchel::services::audit::Actor;
use satchel::services::{accounts, passwords};

use crate::support::app::{PASSWORD, TestApp};
use crate::support::client::Client;

const A_DAY: Duration = Duration::from_secs(24 * 3_600);

#[actix_web::test]
async fn a5_whoever_guesses_ids_has_to_wait_and_nobody_else() {
    let app = TestApp::sqlite().await;
    let ana = app.user("ana").await;
    let id = ana.document("a.txt", b"x").await;
    let mut answered = 0;
    let slowed = loop {
        let guess = DocumentId::new(UtcTime::from_micros(answered * 1_000));
        let answer = ana.get(&format!("/api/documents/{guess}")).await;
        if answer.status != 404 {
            break answer;
        }
        answered += 1;
        assert!(answered < 1_000, "guessing is free");
    };
    assert_eq!(
        (slowed.status, slowed.problem().as_str()),
        (429, "too-many-tries")
    );
    assert_eq!(slowed.header("retry-after"), Some("1"));
    // However a token is written, it is the same one.
    let token =
        accounts::create_api_token(&app.services, &Actor::command(), "ana@example.org", "test", A_DAY).await;
    let token = token.expect("the account is there");
    let anon = app.anon();
    let written = async |written: String| {
        let guess = DocumentId::new(UtcTime::from_micros(0));
        let request = anon.request(Method::GET, &format!("/api/documents/{guess}"));
        anon.send(request.header("Authorization", written)).await.status
    };
    for blanks in 1..=300 {
        assert_eq!(
            written(format!("bearer{}{token}", " ".repeat(blanks % 20 + 1))).await,
            404,
            "{blanks}"
        );
    }
    assert_eq!(written(format!("BEARER {token}  ")).await, 429);
    assert_eq!(
        ana.get("/api/documents").await.status,
        200,
        "what names no id goes on"
    );
    let theirs = app.user("ben").await;
    let other = theirs.document("b.txt", b"x").await;
    assert_eq!(theirs.get(&format!("/api/documents/{other}")).await.status, 200);
    app.advance(Duration::from_secs(2));
    assert_eq!(ana.get(&format!("/api/documents/{id}")).await.status, 200);
}

#[actix_web::test]
async fn a9_wrong_set_up_links_have_to_wait() {
    let app = TestApp::sqlite().await;
    let stranger = app.anon();
    let mut statuses = Vec::new();
    for _ in 0..25 {
        statuses.push(stranger.get("/setup?token=guess").await.status);
    }
    assert_eq!(statuses[..20], [403; 20]);
    assert_eq!(statuses[20..], [429; 5]);
    waits_as_told(&app, &stranger, "/setup?token=guess", 403).await;
}

/// A link that lets one choose a password is guessed as slowly as ids are; whoever has the right one gets in after the wait.
#[actix_web::test]
async fn a5_a8_guessed_password_links_have_to_wait() {
    let app = TestApp::sqlite().await;
    app.account("ana").await;
    let ana = app.owner("ana").await.id;
    let link = passwords::reset(&app.services, &Actor::command(), ana).await;
    let right = passwords::path_of(&link.expect("a link").token);
    let stranger = app.anon();
    assert_eq!(stranger.get(&right).await.status, 200);
    for number in 0..300 {
        let guess = stranger.get(&format!("/password?token=guess{number}")).await;
        assert_eq!(guess.status, 404, "{number}");
    }
    let slowed = stranger.get(&right).await;
    assert_eq!(slowed.status, 429, "the right one waits too");
    // Whoever is signed in behind the same address goes on.
    for own in [app.user("ben").await, app.token("ben").await] {
        let id = own.document("a.txt", b"x").await;
        assert_eq!(own.get(&format!("/api/documents/{id}")).await.status, 200);
    }
    let sent = stranger
        .post_form("/password", &[("token", "guess"), ("password", PASSWORD)])
        .await;
    assert_eq!((sent.status, sent.header("retry-after")), (429, Some("1")));
    waits_as_told(&app, &stranger, &right, 200).await;
}

/// Refused, and told how long; answered again as soon as that has passed, and not a second before.
async fn waits_as_told(app: &TestApp, client: &Client, path: &str, afterwards: u16) {
    let slowed = client.get(path).await;
    assert_eq!(slowed.status, 429, "{path}");
    assert!(slowed.text().contains("Too many tries"), "{}", slowed.text());
    let wait: u64 = slowed
        .header("retry-after")
        .and_then(|wait| wait.parse().ok())
        .expect("how long");
    assert!((1..=900).contains(&wait), "{wait}");
    if wait > 1 {
        app.advance(Duration::from_secs(wait - 1));
        assert_eq!(client.get(path).await.status, 429, "{path}");
        app.advance(Duration::from_secs(1));
    } else {
        app.advance(Duration::from_secs(wait));
    }
    assert_eq!(client.get(path).await.status, afterwards, "{path}");
}

#[actix_web::test]
async fn a_token_is_bounded_when_somebody_says_so_and_other_tokens_are_not_touched() {
    let app = TestApp::new().var("SATCHEL_API_RATE", "5").start().await;
    let (ana, bob) = (app.token("ana").await, app.token("bob").await);
    for _ in 0..5 {
        assert_eq!(ana.get("/api/documents").await.status, 200);
    }
    let slowed = ana.get("/api/documents").await;
    assert_eq!((slowed.status, slowed.header("retry-after")), (429, Some("12")));
    assert_eq!(bob.get("/api/documents").await.status, 200);
    app.advance(Duration::from_secs(13));
    assert_eq!(ana.get("/api/documents").await.status, 200);

    let unbounded = TestApp::sqlite().await;
    let ana = unbounded.token("ana").await;
    for _ in 0..50 {
        assert_eq!(ana.get("/api/documents").await.status, 200);
    }
}
