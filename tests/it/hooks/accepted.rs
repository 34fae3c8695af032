//! What is taken: once each, whatever comes again.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use diesel::prelude::*;
use satchel::db::DbError;
use satchel::db::models::events::batches;
use satchel::db::models::jobs::Job;
use satchel::db::schema::events;
use satchel::ids::BatchId;
use satchel::queue::{Kind, NewJob};
use satchel::services::events::ledger;
use serde_json::json;

use super::sender::{PATH, SECRET, app, event, sign, url_of};
use crate::cli::process::Place;
use crate::support::app::TestApp;
use crate::support::wire::post;

const HANDLE: &str = "AbCdEfGhIjKlMnOpQrSt";

#[actix_web::test]
async fn w21_the_answer_is_exactly_200_and_received() {
    let app = app().start().await;
    let delete = event(1, "fp.delete", url_of(HANDLE)).to_string();
    let unknown = event(2, "fp.new-thing", json!({"a": 1})).to_string();
    for body in [&delete, &delete, &unknown, &delete.replace("delete", "upload")] {
        let answer = app.deliver_bytes(body.as_bytes()).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.text(), r#"{"received":true}"#);
    }
}

#[actix_web::test]
async fn s3_w3_a_replay_is_counted_and_changes_nothing() {
    replayed(&app().start().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn s3_w3_a_replay_is_counted_and_changes_nothing_on_postgres() {
    replayed(&app().on_postgres().start().await).await;
}

async fn replayed(app: &TestApp) {
    let (_, document) = app.somebody_with_a_document("ana").await;
    let made = json!({"url": format!("/resize=w:1/{}", document.handle), "link": {"handle": "Made1", "filename": "m.png"}});
    let body = event(42, "fp.converse", made).to_string();
    let time = app.seconds().to_string();
    let signature = sign(SECRET, &time, body.as_bytes());
    let headers = [("FS-Timestamp", time.as_str()), ("FS-Signature", &signature)];
    let all = (0..50).map(|_| app.deliver_raw(&headers, body.as_bytes()));
    for answer in futures_util::future::join_all(all).await {
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    for _ in 0..3 {
        assert_eq!(app.deliver_raw(&headers, body.as_bytes()).await.status, 200);
    }
    let event = app.only_event().await;
    assert_eq!((event.filestack_id, event.deliveries), (Some(42), 53));
    let deliveries = app.deliveries(&event).await;
    let numbers: Vec<_> = deliveries.iter().map(|delivery| delivery.number).collect();
    assert_eq!(numbers, (1..=53).collect::<Vec<_>>());
    assert_eq!(deliveries[0].verdict, "new");
    assert!(
        deliveries[1..]
            .iter()
            .all(|delivery| delivery.verdict == "duplicate")
    );
    app.apply_events().await;
    app.deliver_raw(&headers, body.as_bytes()).await;
    app.run_jobs().await;
    let id = document.id;
    let made = app
        .services
        .db
        .run(move |c| satchel::db::models::results::list(c, id))
        .await;
    assert_eq!(made.expect("rows").len(), 1, "its effect is there once");
    let event = app.only_event().await;
    assert_eq!(
        (event.state.as_str(), event.attempts, event.deliveries),
        ("applied", 1, 54)
    );
}

#[actix_web::test]
async fn w4_an_old_delivery_of_an_unseen_event_is_taken_as_late_within_filestacks_tries() {
    let app = app().start().await;
    for (number, age, status, late) in [
        (1, 0, 200, false),
        (2, 299, 200, false),
        (3, 301, 200, true),
        (4, 12 * 3_600 + 35 * 60, 200, true),
        (5, 14 * 3_600, 400, false),
    ] {
        let body = event(number, "fp.delete", url_of(HANDLE)).to_string();
        let answer = app
            .deliver_signed(SECRET, app.seconds() - age, body.as_bytes())
            .await;
        assert_eq!(answer.status, status, "{age}");
        let kept = app
            .events()
            .await
            .into_iter()
            .find(|event| event.filestack_id == Some(number));
        assert_eq!(
            kept.map(|event| event.late),
            (status == 200).then_some(late),
            "{age}"
        );
    }
}

#[actix_web::test]
async fn w4_the_ledger_remembers_longer_than_filestack_tries() {
    let app = app().start().await;
    let body = event(1, "fp.new-thing", json!({})).to_string();
    app.deliver_bytes(body.as_bytes()).await;
    app.advance(Duration::from_secs(20 * 24 * 3_600));
    satchel::services::events::sweep(&app.services)
        .await
        .expect("a sweep");
    app.deliver_bytes(body.as_bytes()).await;
    assert_eq!(app.only_event().await.deliveries, 2);
    app.advance(Duration::from_secs(11 * 24 * 3_600));
    satchel::services::events::sweep(&app.services)
        .await
        .expect("a sweep");
    assert!(app.events().await.is_empty());
}

#[actix_web::test]
async fn w6_one_number_with_two_bodies_the_first_wins() {
    conflicting(&app().start().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn w6_one_number_with_two_bodies_the_first_wins_on_postgres() {
    conflicting(&app().on_postgres().start().await).await;
}

async fn conflicting(app: &TestApp) {
    let ana = app.user("ana").await;
    let id = ana.document("a.txt", b"content").await;
    let document = app.documents().await.remove(0);
    app.deliver(&event(9, "fp.new-thing", json!({}))).await;
    let second = event(9, "fp.delete", url_of(&document.handle));
    app.happen(&second).await;
    app.happen(&second).await;
    let events = app.events().await;
    let states: Vec<_> = events.iter().map(|event| event.state.as_str()).collect();
    assert_eq!(states, ["ignored", "conflict"]);
    assert_eq!(events[1].deliveries, 2);
    assert!(
        events[1]
            .reason
            .as_deref()
            .is_some_and(|reason| reason.contains("came first"))
    );
    let answer = ana.get(&format!("/api/uploads/{id}/download-url")).await;
    assert_eq!(answer.status, 200, "the second event had an effect");
    let page = app.admin().await.page("/admin/webhooks?state=conflict").await;
    assert_eq!(page.texts("tbody tr").len(), 1, "it is to be found in the inbox");
}

#[actix_web::test]
async fn w13_an_unknown_action_is_kept_and_ignored() {
    let app = app().start().await;
    app.happen(&event(1, "fp.dialog", json!({"x": [1, 2]}))).await;
    let event = app.only_event().await;
    assert_eq!(
        (event.action.as_str(), event.state.as_str()),
        ("fp.dialog", "ignored")
    );
    let page = app.admin().await.page("/admin/webhooks").await.text();
    assert!(page.contains("fp.dialog") && page.contains("Ignored"), "{page}");
}

#[actix_web::test]
async fn w17_two_secrets_are_taken_while_one_replaces_the_other() {
    let both = app()
        .var("FILESTACK_WEBHOOK_SECRET_PREVIOUS", "the-old-secret")
        .start()
        .await;
    let body = |number| event(number, "fp.x", json!({})).to_string();
    for (number, secret, status) in [(1, SECRET, 200), (2, "the-old-secret", 200), (3, "another", 400)] {
        let answer = both
            .deliver_signed(secret, both.seconds(), body(number).as_bytes())
            .await;
        assert_eq!(answer.status, status, "{secret}");
    }
    let after = app().start().await;
    let answer = after
        .deliver_signed("the-old-secret", after.seconds(), body(4).as_bytes())
        .await;
    assert_eq!(answer.status, 400);
}

#[actix_web::test]
async fn a_delivery_is_kept_with_its_headers_and_its_very_bytes() {
    let app = app().start().await;
    let body = b"{ \"id\" : 7,\n\t\"action\":\"fp.x\", \"text\": {\"\xc3\xa4\":1.50} }";
    let time = (app.seconds() - 10).to_string();
    let signature = sign(SECRET, &time, body);
    let headers = [
        ("FS-Timestamp", time.as_str()),
        ("FS-Signature", &signature),
        ("User-Agent", "Filestack"),
    ];
    assert_eq!(app.deliver_raw(&headers, body).await.status, 200);
    let event = app.only_event().await;
    assert_eq!(event.body, body);
    assert_eq!(event.signed_at.seconds(), app.seconds() - 10);
    let delivery = app.deliveries(&event).await.remove(0);
    assert!(
        delivery.headers.contains(r#"["user-agent","Filestack"]"#),
        "{}",
        delivery.headers
    );
    assert!(delivery.took_micros >= 0);
}

/// What is answered lies in its batch, and is entered once by whoever comes first: a worker, or somebody who looks.
async fn entered_once(app: &TestApp) {
    let waiting = async || {
        let listed = app.services.db.run(|c| batches::list(c, 100)).await;
        listed.expect("batches")
    };
    let rows = async || {
        let counted = app
            .services
            .db
            .run(|c| Ok(events::table.count().get_result::<i64>(c)?));
        counted.await.expect("events")
    };
    let admin = app.admin().await;
    let body = |number| event(number, "fp.new-thing", json!({"\u{0}": "\u{0}ä"})).to_string();
    let all = (0..100).map(|number| async move {
        // Each is there twice.
        app.deliver_bytes(body(number % 50).as_bytes()).await.status
    });
    let answers = futures_util::future::join_all(all).await;
    assert_eq!(answers, [200; 100]);
    let batched = waiting().await;
    assert!((1..=100).contains(&batched.len()), "{}", batched.len());
    let jobs = app.jobs().await;
    assert_eq!(jobs.len(), batched.len());
    assert!(jobs.iter().all(|job| job.kind == "record-events"));
    assert_eq!(rows().await, 0, "nothing else has happened before the answer");

    // Two at once, and then the jobs.
    let (services, now) = (&app.services, app.services.clock.now());
    let enter = |id| services.db.write(move |c| ledger::enter_batch(c, id, now));
    let (one, other) = futures_util::join!(enter(batched[0]), enter(batched[0]));
    let (one, other) = (one.expect("entered"), other.expect("entered"));
    assert!(one.min(other) == 0 && one.max(other) > 0, "{one} and {other}");
    app.run_jobs().await;
    assert!(waiting().await.is_empty());
    let kept = app.events().await;
    assert_eq!(kept.len(), 50);
    for event in &kept {
        let text = std::str::from_utf8(&event.body).expect("text");
        assert_eq!(text, body(event.filestack_id.expect("a number")), "byte for byte");
        assert_eq!(event.deliveries, 2);
    }
    assert_eq!(
        app.jobs().await.len(),
        jobs.len(),
        "there is nothing to do about them"
    );

    // Without a worker.
    app.advance(Duration::from_secs(1));
    app.deliver_bytes(body(99).as_bytes()).await;
    let page = admin.page("/admin/webhooks").await;
    assert!(page.texts("tbody tr").concat().contains("99"));
    assert!(waiting().await.is_empty());
    app.run_jobs().await;
    assert_eq!(rows().await, 51);
}

#[actix_web::test]
async fn s3_what_is_answered_is_entered_once_by_whoever_comes_first() {
    entered_once(&app().start().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn s3_what_is_answered_is_entered_once_by_whoever_comes_first_on_postgres() {
    entered_once(&app().on_postgres().start().await).await;
}

/// A batch without its job would lie for ever, and a job without its batch has nothing to do.
async fn both_or_neither(app: &TestApp) {
    let now = app.services.clock.now();
    let add = async |id: BatchId, job: &Job| {
        let job = job.clone();
        let added = app
            .services
            .db
            .write_statement(move |c| batches::insert(c, id, "[]", &job));
        added.await
    };
    let (batch, other_batch) = (BatchId::new(now), BatchId::new(now));
    let (job, other_job) = (
        NewJob::new(Kind::RecordEvents).into_row(now),
        NewJob::new(Kind::RecordEvents).into_row(now),
    );
    add(batch, &job).await.expect("both");
    assert!(matches!(add(other_batch, &job).await, Err(DbError::Conflict)));
    assert!(matches!(add(batch, &other_job).await, Err(DbError::Conflict)));
    let listed = app.services.db.run(|c| batches::list(c, 100)).await;
    assert_eq!(listed.expect("batches"), [batch]);
    let ids: Vec<_> = app.jobs().await.into_iter().map(|job| job.id).collect();
    assert_eq!(ids, [job.id]);
}

#[actix_web::test]
async fn s3_a_batch_comes_with_its_job_or_not_at_all() {
    both_or_neither(&app().start().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn s3_a_batch_comes_with_its_job_or_not_at_all_on_postgres() {
    both_or_neither(&app().on_postgres().start().await).await;
}

/// Somebody called the job off that would have entered them; the sweep does.
#[actix_web::test]
async fn s3_what_is_answered_is_entered_although_its_job_was_called_off() {
    let app = app().start().await;
    app.deliver_bytes(event(1, "fp.new-thing", json!({})).to_string().as_bytes())
        .await;
    let (admin, job) = (app.admin().await, app.jobs().await.remove(0));
    assert_eq!(job.kind, "record-events");
    let sent = admin
        .post_form(&format!("/admin/jobs/{}/cancellation", job.id), &[])
        .await;
    assert_eq!(sent.status, 303);
    app.run_jobs().await;
    let count = async || {
        let counted = app
            .services
            .db
            .run(|c| Ok(events::table.count().get_result::<i64>(c)?));
        counted.await.expect("events")
    };
    assert_eq!(count().await, 0);
    satchel::services::events::sweep(&app.services)
        .await
        .expect("a sweep");
    assert_eq!(count().await, 1);
}

/// A writer of webhooks that breaks down leaves nobody waiting, and the next delivery has another.
#[test]
fn x3_a_webhook_is_taken_after_its_writer_broke_down() {
    let place = Place::new()
        .with("FILESTACK_WEBHOOK_SECRET", SECRET)
        .with("SATCHEL_FAILPOINTS", "webhook.before-record=panic");
    let server = place.serve();
    let deliver = || {
        let seconds = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("it is later than 1970");
        let time = seconds.as_secs().to_string();
        let body = br#"{"id": 1, "action": "fp.new-thing", "timestamp": 1, "text": {}}"#;
        post(PATH)
            .header("FS-Timestamp", &*time)
            .header("FS-Signature", sign(SECRET, &time, body))
            .body("application/json", body.to_vec())
            .send(server.address)
            .status
    };
    assert_eq!(deliver(), 500);
    assert_eq!((deliver(), deliver()), (200, 200));
}
