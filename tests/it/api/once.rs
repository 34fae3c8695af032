//! `Idempotency-Key`: what is asked for twice is done once.

use std::net::SocketAddr;
use std::time::Duration;

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, PgConnection, RunQueryDsl as _};
use reqwest::Method;
use serde_json::{Value, json};

use satchel::config::DatabaseConfig;
use satchel::emulator::{Fault, Route};
use satchel::services::sweep;

use crate::support::answer::Answer;
use crate::support::app::{Setup, TestApp};
use crate::support::client::Client;
use crate::support::eventually;
use crate::support::form::Form;
use crate::uploads::import::{ok, server};
use crate::uploads::picker::stored;

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

/// A file that a browser has stored, as its own claim says.
async fn store(ana: &Client, name: &str) -> String {
    let config = ana.get("/api/uploads/picker-config").await.json();
    stored(&config, name, name.as_bytes()).await
}

async fn send(ana: &Client, path: &str, key: &str, body: &Value) -> Answer {
    let request = ana.changing(Method::POST, path).await;
    ana.send(request.header("Idempotency-Key", key).json(body)).await
}

async fn a_registration_gets_the_answer_it_had(app: TestApp) {
    let ana = app.token("ana").await;
    let handle = store(&ana, "direct.txt").await;
    let register = async |key: &str, handle: &str| {
        send(&ana, "/api/uploads/register", key, &json!({"handle": handle})).await
    };
    let first = register("reg", &handle).await;
    assert_eq!(first.status, 201, "{}", first.text());
    let again = register("reg", &handle).await;
    assert_eq!((again.status, again.text()), (201, first.text()));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    // Without the key, or with another, it is known already.
    assert_eq!(register("reg-2", &handle).await.status, 200);
    assert_eq!(
        register("reg-2", &handle).await.header("idempotent-replayed"),
        Some("true")
    );
    for (key, other) in [("reg", "AAAAAAAAAAAAAAAAAAAA"), ("reg-2", "AAAAAAAAAAAAAAAAAAAA")] {
        let other = register(key, other).await;
        assert_eq!(
            (other.status, other.problem().as_str()),
            (422, "idempotency-key-reused")
        );
    }
    assert_eq!(count(&ana).await, 1);
    // A key is one route's.
    let elsewhere = upload(&ana, "/api/uploads", "reg", "a.txt", b"hello").await;
    assert_eq!(elsewhere.problem(), "idempotency-key-reused");
    // One that failed may be sent again.
    app.emulator.faults().next(Route::Metadata, Fault::Status(403));
    let second = store(&ana, "second.txt").await;
    let failed = register("reg-3", &second).await;
    assert!(failed.status >= 500, "{}", failed.text());
    app.emulator.faults().clear();
    let answer = settled(async || register("reg-3", &second).await).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_eq!(count(&ana).await, 2);
}

/// Of ten at once, with the same key and body, one does it; the others get its answer or are told to wait, and for how long.
async fn of_many_registrations_and_imports_one_is_made(app: TestApp, place: SocketAddr) {
    let ana = app.token("ana").await;
    for round in 0..3 {
        let handle = store(&ana, &format!("{round}.txt")).await;
        let import = json!({"url": format!("http://{place}/{round}.txt")});
        for (path, body) in [
            ("/api/uploads/register", json!({"handle": handle})),
            ("/api/uploads/import", import),
        ] {
            let before = count(&ana).await;
            let key = format!("{round}{}", path.replace('/', "-"));
            let tries = (0..10).map(|_| send(&ana, path, &key, &body));
            let answers = futures_util::future::join_all(tries).await;
            let mut made: Vec<_> = Vec::new();
            for answer in &answers {
                if answer.status == 201 {
                    made.push(answer.text());
                } else {
                    let told = (answer.status, answer.problem());
                    assert_eq!(told, (409, "request-in-progress".to_owned()), "{path}");
                    assert!(answer.header("retry-after").is_some());
                }
            }
            made.dedup();
            assert_eq!(made.len(), 1, "{path}: {made:?}");
            let late = send(&ana, path, &key, &body).await;
            assert_eq!((late.status, late.text()), (201, made[0].clone()), "{path}");
            assert_eq!(count(&ana).await, before + 1, "{path}");
        }
    }
}

/// Two bodies with one key at once: one of them is done, and the other is told that the key is taken.
async fn of_two_bodies_with_one_key_one_is_done(app: TestApp, place: SocketAddr) {
    let ana = app.token("ana").await;
    for round in 0..5 {
        let before = count(&ana).await;
        let (first, second) = (store(&ana, "1").await, store(&ana, "2").await);
        let key = format!("register-{round}");
        let bodies = (json!({"handle": first}), json!({"handle": second}));
        both(&ana, "/api/uploads/register", &key, &bodies).await;
        let key = format!("import-{round}");
        let url = |name: &str| json!({"url": format!("http://{place}/{name}")});
        both(&ana, "/api/uploads/import", &key, &(url("1"), url("2"))).await;
        assert_eq!(count(&ana).await, before + 2);
    }
}

async fn both(ana: &Client, path: &str, key: &str, bodies: &(Value, Value)) {
    let (one, two) = futures_util::join!(send(ana, path, key, &bodies.0), send(ana, path, key, &bodies.1));
    let (done, other) = if one.status == 201 { (one, two) } else { (two, one) };
    assert_eq!(done.status, 201, "{}", done.text());
    // On PostgreSQL both may come before either has its key: then the other is told that it is in use.
    let told = (other.status, other.problem());
    let taken = [(422, "idempotency-key-reused"), (409, "request-in-progress")];
    assert!(
        taken
            .iter()
            .any(|(status, code)| told == (*status, (*code).to_owned())),
        "{told:?}"
    );
}

async fn an_import_gets_the_answer_it_had(app: TestApp, place: SocketAddr) {
    let ana = app.token("ana").await;
    let import = async |key: &str, body: Value| send(&ana, "/api/uploads/import", key, &body).await;
    let url = format!("http://{place}/a.txt");
    let first = import("imp", json!({"url": url})).await;
    assert_eq!(first.status, 201, "{}", first.text());
    let again = import("imp", json!({"url": url})).await;
    assert_eq!((again.status, again.text()), (201, first.text()));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    for other in [
        json!({"url": format!("http://{place}/b.txt")}),
        json!({"url": url, "name": "other.txt"}),
    ] {
        let other = import("imp", other).await;
        assert_eq!(
            (other.status, other.problem().as_str()),
            (422, "idempotency-key-reused")
        );
    }
    assert_eq!(count(&ana).await, 1);
    let missing = json!({"url": format!("http://{place}/missing")});
    for _ in 0..2 {
        let failed = settled(async || import("imp-2", missing.clone()).await).await;
        assert_eq!((failed.status, failed.problem().as_str()), (400, "import-failed"));
    }
    assert_eq!(count(&ana).await, 1);
}

/// The answer of a request that is sent again a moment after it failed: the failed one lets go of its key behind its answer.
async fn settled(ask: impl AsyncFn() -> Answer) -> Answer {
    for _ in 0..100 {
        let answer = ask().await;
        if answer.status != 409 {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the key is never let go");
}

/// Somebody's server, and an application that may fetch from it.
fn importing() -> (Setup, SocketAddr) {
    let place = server(|path| match path {
        "/missing" => b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_vec(),
        _ => ok("Content-Length: 5\r\n", b"hello"),
    });
    (
        TestApp::new().var("SATCHEL_URL_IMPORT", &format!("public,{place}")),
        place,
    )
}

#[actix_web::test]
async fn a_registration_with_a_key_gets_the_answer_it_had_on_sqlite() {
    a_registration_gets_the_answer_it_had(TestApp::sqlite().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn a_registration_with_a_key_gets_the_answer_it_had_with_postgresql() {
    a_registration_gets_the_answer_it_had(TestApp::postgres().await).await;
}

#[actix_web::test]
async fn an_import_with_a_key_gets_the_answer_it_had_on_sqlite() {
    let (setup, place) = importing();
    an_import_gets_the_answer_it_had(setup.start().await, place).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn an_import_with_a_key_gets_the_answer_it_had_with_postgresql() {
    let (setup, place) = importing();
    an_import_gets_the_answer_it_had(setup.on_postgres().start().await, place).await;
}

#[actix_web::test]
async fn of_many_registrations_and_imports_at_once_one_is_made_on_sqlite() {
    let (setup, place) = importing();
    of_many_registrations_and_imports_one_is_made(setup.start().await, place).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn of_many_registrations_and_imports_at_once_one_is_made_with_postgresql() {
    let (setup, place) = importing();
    of_many_registrations_and_imports_one_is_made(setup.on_postgres().start().await, place).await;
}

#[actix_web::test]
async fn of_two_bodies_with_one_key_at_once_one_is_done_on_sqlite() {
    let (setup, place) = importing();
    of_two_bodies_with_one_key_one_is_done(setup.start().await, place).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn of_two_bodies_with_one_key_at_once_one_is_done_with_postgresql() {
    let (setup, place) = importing();
    of_two_bodies_with_one_key_one_is_done(setup.on_postgres().start().await, place).await;
}
