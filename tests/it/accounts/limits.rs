//! Those who guess, and tokens where a bound is set, are told to wait and for how long.

use std::time::Duration;

use satchel::clock::UtcTime;
use satchel::ids::DocumentId;

use crate::support::app::TestApp;

#[actix_web::test]
async fn a5_an_address_that_guesses_ids_has_to_wait() {
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
    assert_eq!(
        ana.get("/api/documents").await.status,
        200,
        "what names no id goes on"
    );
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
