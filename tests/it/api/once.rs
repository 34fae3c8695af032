//! `Idempotency-Key`: what is asked for twice is done once.

use std::time::Duration;

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, PgConnection, RunQueryDsl as _};
use reqwest::Method;
use serde_json::json;

use satchel::config::DatabaseConfig;
use satchel::emulator::{Fault, Route};
use satchel::services::sweep;

use crate::support::answer::Answer;
use crate::support::app::TestApp;
use crate::support::client::Client;
use crate::support::eventually;
use crate::support::form::Form;

async fn upload(client: &Client, path: &str, key: &str, name: &str, bytes: &[u8]) -> Answer {
    let form = Form::new().size(bytes.len()).file(name, "text/plain", bytes);
    let request = client
        .changing(Method::POST, path)
        .await
        .header("Idempotency-Key", key)
        .header("Content-Type", form.content_type())
        .body(form.bytes());
    client.send(request).await
}

async fn count(client: &Client) -> usize {
    let list = client.get("/api/documents?limit=200").await.json();
    list["documents"].as_array().expect("a list").len()
}

async fn the_same_request_gets_the_same_answer(app: TestApp) {
    let ana = app.token("ana").await;
    for (n, path) in ["/api/uploads", "/api/uploads/v2", "/api/uploads/with-processing"]
        .into_iter()
        .enumerate()
    {
        let key = format!("key-{n}");
        let first = upload(&ana, path, &key, "a.txt", b"hello").await;
        assert_eq!(first.status, 201, "{}", first.text());
        assert_eq!(first.header("idempotent-replayed"), None);
        let again = upload(&ana, path, &key, "a.txt", b"hello").await;
        assert_eq!((again.status, again.text()), (201, first.text()), "{path}");
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        assert_eq!(count(&ana).await, n + 1, "{path}");
        for (name, bytes, at) in [
            ("a.txt", &b"other"[..], path),
            ("b.txt", b"hello", path),
            (
                "a.txt",
                b"hello",
                ["/api/uploads/v2", "/api/uploads"][usize::from(n == 1)],
            ),
        ] {
            let other = upload(&ana, at, &key, name, bytes).await;
            assert_eq!(
                (other.status, other.problem().as_str()),
                (422, "idempotency-key-reused"),
                "{name} {at}"
            );
        }
        assert_eq!(count(&ana).await, n + 1, "{path}");
    }
    // A key is its user's own.
    let ben = app.token("ben").await;
    let his = upload(&ben, "/api/uploads", "key-0", "a.txt", b"hello").await;
    assert_eq!((his.status, his.header("idempotent-replayed")), (201, None));
    assert_eq!((count(&ben).await, count(&ana).await), (1, 3));
    // The answer stays when what it tells of has gone.
    let first = upload(&ana, "/api/uploads", "key-0", "a.txt", b"hello").await;
    ana.delete(&format!("/api/documents/{}", first.field("id"))).await;
    let again = upload(&ana, "/api/uploads", "key-0", "a.txt", b"hello").await;
    assert_eq!(again.text(), first.text());
    assert_eq!(count(&ana).await, 2);
    // After a day the key is anybody's again.
    app.advance(Duration::from_secs(25 * 3_600));
    sweep::once(&app.services).await.expect("a sweep");
    let anew = upload(&ana, "/api/uploads", "key-0", "other.txt", b"other").await;
    assert_eq!(
        (anew.status, anew.header("idempotent-replayed")),
        (201, None),
        "{}",
        anew.text()
    );
}

async fn of_many_at_once_one_is_made(app: TestApp) {
    let ana = app.token("ana").await;
    for round in 0..3 {
        let key = format!("race-{round}");
        let before = count(&ana).await;
        let tries = (0..10).map(|_| {
            let (ana, key) = (ana.clone(), key.clone());
            async move { upload(&ana, "/api/uploads", &key, "a.txt", b"raced").await }
        });
        let answers = futures_util::future::join_all(tries).await;
        let mut bodies: Vec<_> = answers
            .iter()
            .filter(|answer| answer.status == 201)
            .map(Answer::text)
            .collect();
        bodies.dedup();
        assert_eq!(bodies.len(), 1, "{bodies:?}");
        for answer in answers.iter().filter(|answer| answer.status != 201) {
            assert_eq!(
                (answer.status, answer.problem().as_str()),
                (409, "request-in-progress")
            );
            assert!(answer.header("retry-after").is_some());
        }
        let settled = upload(&ana, "/api/uploads", &key, "a.txt", b"raced").await;
        assert_eq!((settled.status, settled.text()), (201, bodies[0].clone()));
        assert_eq!(count(&ana).await, before + 1);
    }
}

#[actix_web::test]
async fn the_same_request_gets_the_same_answer_on_sqlite() {
    the_same_request_gets_the_same_answer(TestApp::sqlite().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn the_same_request_gets_the_same_answer_with_postgresql() {
    the_same_request_gets_the_same_answer(TestApp::postgres().await).await;
}

#[actix_web::test]
async fn of_many_at_once_one_is_made_on_sqlite() {
    of_many_at_once_one_is_made(TestApp::sqlite().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn of_many_at_once_one_is_made_with_postgresql() {
    of_many_at_once_one_is_made(TestApp::postgres().await).await;
}

/// A request that is slow to record its document is taken for dead and sent again: neither waits for the other for ever.
#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn a_slow_request_and_the_one_that_takes_it_for_dead_do_not_lock_each_other_out() {
    let app = TestApp::postgres().await;
    let DatabaseConfig::Postgres { url } = &app.config.database else {
        panic!("this is about PostgreSQL");
    };
    let ana = app.token("ana").await;
    let mut other = PgConnection::establish(url).expect("the database listens");
    for round in 0..3 {
        let key = format!("slow-{round}");
        let ask = || upload(&ana, "/api/uploads", &key, "a.txt", b"hello");
        // The first has ended its intent, in the transaction that waits now.
        other
            .batch_execute("BEGIN; LOCK TABLE documents IN EXCLUSIVE MODE")
            .expect("a lock");
        let release = async {
            waits(url, 1).await;
            app.advance(Duration::from_secs(21));
            let again = ask();
            let release = async {
                waits(url, 2).await;
                other.batch_execute("ROLLBACK").expect("no lock any more");
            };
            futures_util::join!(again, release).0
        };
        let (first, again) = futures_util::join!(ask(), release);
        assert_eq!(first.status, 201, "{}", first.text());
        assert_eq!((again.status, again.text()), (201, first.text()), "{round}");
        assert_eq!(count(&ana).await, round + 1);
    }
}

/// Until so many of the database's connections wait for a lock.
async fn waits(url: &str, count: i64) {
    #[derive(diesel::QueryableByName)]
    struct Row {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        waiting: i64,
    }
    let mut connection = PgConnection::establish(url).expect("the database listens");
    eventually("they wait for each other", || {
        let waiting = "SELECT count(*) AS waiting FROM pg_stat_activity \
             WHERE datname = current_database() AND wait_event_type = 'Lock'";
        let row: Row = diesel::sql_query(waiting)
            .get_result(&mut connection)
            .expect("an answer");
        std::future::ready(row.waiting >= count)
    })
    .await;
}

#[actix_web::test]
async fn a_request_that_failed_may_be_sent_again() {
    let app = TestApp::sqlite().await;
    let ana = app.token("ana").await;
    app.emulator
        .faults()
        .next_times(Route::Start, 100, Fault::Status(500));
    let failed = upload(&ana, "/api/uploads", "again", "a.txt", b"hello").await;
    assert!(failed.status >= 500, "{}", failed.text());
    app.emulator.faults().clear();
    let mut stored = upload(&ana, "/api/uploads", "again", "a.txt", b"hello").await;
    for _ in 0..50 {
        if stored.status != 409 {
            break;
        }
        // The failed one lets go a moment after its answer.
        tokio::time::sleep(Duration::from_millis(20)).await;
        stored = upload(&ana, "/api/uploads", "again", "a.txt", b"hello").await;
    }
    assert_eq!(stored.status, 201, "{}", stored.text());
    assert_eq!(count(&ana).await, 1);
}

#[actix_web::test]
async fn a_key_that_is_none_is_refused_and_changes_nothing() {
    let app = TestApp::sqlite().await;
    let ana = app.token("ana").await;
    for key in ["", "two words", "ümlaut", &"x".repeat(256)] {
        let refused = upload(&ana, "/api/uploads", key, "a.txt", b"hello").await;
        assert_eq!(
            (refused.status, refused.problem().as_str()),
            (400, "invalid-idempotency-key"),
            "{key:?}"
        );
    }
    assert_eq!(count(&ana).await, 0);
}

#[actix_web::test]
async fn a_registration_with_a_key_gets_the_answer_it_had() {
    let app = TestApp::sqlite().await;
    let ana = app.token("ana").await;
    let config = ana.get("/api/uploads/picker-config").await.json();
    let text = |field: &str| config[field].as_str().expect("a text").to_owned();
    let filestack = Client::new(config["urls"]["uploadApiUrl"].as_str().expect("an address"));
    let request = filestack.request(Method::POST, "/api/store/S3").query(&[
        ("key", text("apikey")),
        ("policy", text("policy")),
        ("signature", text("signature")),
        ("path", text("path")),
        ("filename", "direct.txt".to_owned()),
    ]);
    let stored = filestack.send(request.body("direct")).await;
    let url = stored.field("url");
    let handle = url.rsplit('/').next().expect("a handle");
    let register = async |key: &str, handle: &str| {
        let request = ana.request(Method::POST, "/api/uploads/register");
        ana.send(
            request
                .header("Idempotency-Key", key)
                .json(&json!({"handle": handle})),
        )
        .await
    };
    let first = register("reg", handle).await;
    assert_eq!(first.status, 201, "{}", first.text());
    let again = register("reg", handle).await;
    assert_eq!((again.status, again.text()), (201, first.text()));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    // Without the key, or with another, it is known already.
    assert_eq!(register("reg-2", handle).await.status, 200);
    assert_eq!(
        register("reg-2", handle).await.header("idempotent-replayed"),
        Some("true")
    );
    let other = register("reg", "AAAAAAAAAAAAAAAAAAAA").await;
    assert_eq!(other.problem(), "idempotency-key-reused");
    assert_eq!(count(&ana).await, 1);
}
