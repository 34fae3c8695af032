//! `/admin`: figures that are counted once each, and what is wrong.

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::try_join_all;
use satchel::db::DbConn;
use satchel::db::models::events::{self, Event, EventState, Settlement};
use satchel::db::models::statistics as figure_rows;
use satchel::emulator::{Fault, Route};
use satchel::ids::EventId;
use satchel::queue::{Kind, NewJob};
use satchel::services::events::{NewDelivery, record};
use satchel::services::statistics;

use crate::support::app::TestApp;
use crate::support::between::second_waits;

async fn gather(app: &TestApp) {
    app.advance(Duration::from_secs(60));
    let gathered = statistics::gather(&app.services).await;
    gathered.expect("the figures are counted");
}

/// The figures of all days together.
async fn figures(app: &TestApp) -> Vec<(String, i64)> {
    let seen = statistics::overview(&app.services).await.expect("an overview");
    seen.figures
        .into_iter()
        .map(|figure| (figure.name, figure.value))
        .collect()
}

fn value(figures: &[(String, i64)], name: &str) -> i64 {
    figures
        .iter()
        .filter(|(known, _)| known == name)
        .map(|(_, value)| value)
        .sum()
}

async fn figures_are_counted_once_and_shown(app: TestApp) {
    gather(&app).await;
    let ana = app.user("ana").await;
    ana.document("a.txt", b"abc").await;
    ana.document("b.txt", b"abcd").await;
    gather(&app).await;
    for _ in 0..3 {
        gather(&app).await;
    }
    let known = figures(&app).await;
    assert_eq!(value(&known, "uploads"), 2, "{known:?}");
    assert_eq!(value(&known, "bytes"), 7, "{known:?}");
    assert_eq!(value(&known, "documents"), 2);

    // The next day has figures of its own; what is there is carried on.
    app.advance(Duration::from_secs(24 * 3_600));
    gather(&app).await;
    ana.document("c.txt", b"abcde").await;
    gather(&app).await;
    let known = figures(&app).await;
    assert_eq!(value(&known, "uploads"), 3, "{known:?}");

    let admin = app.admin().await;
    let page = admin.page("/admin").await;
    assert_eq!(page.status, 200);
    assert_eq!(page.texts("h1"), ["Everything is well"]);
    let shown = page.texts(".figure").concat();
    assert!(shown.contains("12 bytes"), "{shown}");
    assert_eq!(page.attributes("svg.bars", "role").len(), 4);
    assert_eq!(
        page.attributes(".chart-table", "role").len(),
        4,
        "each has a table"
    );
    for link in page.attributes(".figure, .check-card, .chart h2 a", "href") {
        assert_eq!(admin.get(&link).await.status, 200, "{link}");
    }
}

#[actix_web::test]
async fn figures_are_counted_once_and_shown_on_sqlite() {
    figures_are_counted_once_and_shown(TestApp::sqlite().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn figures_are_counted_once_and_shown_on_postgres() {
    figures_are_counted_once_and_shown(TestApp::postgres().await).await;
}

/// Workers that are behind settle events after everything of that time was counted. Each is counted when it is settled, and then once.
async fn an_event_that_is_settled_late_is_counted(app: TestApp) {
    gather(&app).await;
    let now = app.services.clock.now();
    let id = EventId::new(now);
    let late = Event {
        id,
        dedupe_key: "late".to_owned(),
        filestack_id: None,
        action: "fp.delete".to_owned(),
        body: b"{}".to_vec(),
        digest: "0".repeat(64),
        state: EventState::Received,
        reason: None,
        handle: None,
        path: None,
        document_id: None,
        late: false,
        sample: false,
        signed_at: now,
        received_at: now,
        settled_at: None,
        deliveries: 1,
        attempts: 0,
        headers: "[]".to_owned(),
        took_micros: 0,
    };
    let added = app
        .services
        .db
        .write(move |c| events::insert_new(c, &[&late]).map(|_| ()));
    added.await.expect("an event");
    for _ in 0..5 {
        gather(&app).await;
    }
    assert_eq!(value(&figures(&app).await, "events"), 0);
    let settle = async || {
        let now = app.services.clock.now();
        let settlement = Settlement {
            state: EventState::Ignored,
            reason: "It is for this test.".to_owned(),
            document: None,
        };
        let settled = app
            .services
            .db
            .write(move |c| events::settle(c, id, EventState::Received, &settlement, now));
        assert!(settled.await.expect("rows"));
        gather(&app).await;
        let known = figures(&app).await;
        assert_eq!(value(&known, "events"), 1, "{known:?}");
        assert_eq!(value(&known, "event-micros"), 300_000_000, "{known:?}");
    };
    settle().await;
    let reopened = app.services.db.write(move |c| events::reopen(c, id));
    assert!(reopened.await.expect("rows"));
    settle().await;
}

#[actix_web::test]
async fn an_event_that_is_settled_late_is_counted_on_sqlite() {
    an_event_that_is_settled_late_is_counted(TestApp::sqlite().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn an_event_that_is_settled_late_is_counted_on_postgres() {
    an_event_that_is_settled_late_is_counted(TestApp::postgres().await).await;
}

/// Two new servers look at the same moment: the sweep of neither may end there.
#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn two_servers_that_begin_to_count_at_once_set_one_mark() {
    let app = TestApp::postgres().await;
    let now = app.services.clock.now();
    let later = now.plus(Duration::from_secs(1));
    let begin = |at| move |c: &mut DbConn| figure_rows::begin(c, at);
    second_waits(&app.services.db, begin(now), begin(later)).await;
    let mark = app.services.db.run(figure_rows::mark);
    assert_eq!(mark.await.expect("rows"), Some(now));
}

#[actix_web::test]
async fn a_failed_job_is_on_the_first_screen() {
    let app = TestApp::sqlite().await;
    gather(&app).await;
    let id = app.user("ana").await.document("a.txt", b"x").await;
    let job = NewJob::about(Kind::ReadMetadata, id.parse().expect("an id"));
    app.enqueue(job).await;
    app.emulator.faults().next(Route::Metadata, Fault::Status(403));
    app.run_jobs_however().await;
    gather(&app).await;
    let page = app.admin().await.page("/admin").await;
    assert_eq!(page.texts("h1"), ["Something needs a look"]);
    assert!(page.texts(".checks").concat().contains("1 failed for good"));
    assert_eq!(page.texts(".shares tbody th"), ["read-metadata"]);
}

/// Events that nobody understands, with these numbers.
async fn unreadable(app: &TestApp, numbers: std::ops::Range<i32>) {
    let now = app.services.clock.now();
    let recorded = numbers.map(|number| {
        let delivery = NewDelivery {
            body: Bytes::from(format!("{{\"odd\": {number}}}")),
            headers: "[]".to_owned(),
            signed_at: now,
            late: false,
            took_micros: 0,
        };
        record(&app.services, delivery)
    });
    try_join_all(recorded).await.expect("they are recorded");
    app.run_jobs().await;
}

async fn many_troubled_events_are_counted_to_a_bound(app: TestApp) {
    let admin = app.admin().await;
    let told = async || {
        let checks = admin.page("/admin").await.texts(".check-card").concat();
        let head = admin
            .page("/admin/webhooks")
            .await
            .texts(".page-head .count")
            .concat();
        (checks, head)
    };
    unreadable(&app, 0..999).await;
    let (checks, head) = told().await;
    assert!(checks.contains("999 need a look."), "{checks}");
    assert!(head.contains("999 need a look"), "{head}");
    unreadable(&app, 999..1_010).await;
    let (checks, head) = told().await;
    let many = head.replace(['\u{202f}', '\u{a0}'], ",");
    assert!(many.contains("1,000 or more need a look"), "{head}");
    let many = checks.replace(['\u{202f}', '\u{a0}'], ",");
    assert!(many.contains("1,000 or more need a look."), "{checks}");
    assert!(!many.contains("1,010"), "{checks}");
}

#[actix_web::test]
async fn many_troubled_events_are_counted_to_a_bound_on_sqlite() {
    many_troubled_events_are_counted_to_a_bound(TestApp::sqlite().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn many_troubled_events_are_counted_to_a_bound_on_postgres() {
    many_troubled_events_are_counted_to_a_bound(TestApp::postgres().await).await;
}
