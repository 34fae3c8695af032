//! Tables are sorted from their headings: on every page, in links that can be passed on, and in files.

use std::time::Duration;

use satchel::queue::{Kind, NewJob};

use crate::support::app::TestApp;
use crate::support::client::Client;
use crate::support::documents::a_document;

async fn documents_are_sorted(app: TestApp) {
    let admin = app.admin().await;
    let ana = app.user("ana").await;
    drop(ana);
    let mut made = Vec::new();
    for n in 0..120_i64 {
        // Many sizes and names are the same: the id decides.
        let document = a_document(&format!("File {}", n % 7)).of_size(n % 5);
        let id = document.create(&app, "ana").await;
        made.push((n % 7, n % 5, format!("document-{id}")));
    }
    let by_time: Vec<String> = made.iter().map(|(_, _, id)| id.clone()).collect();
    let sorted = |key: fn(&(i64, i64, String)) -> i64| {
        let mut rows = made.clone();
        rows.sort_by_key(|row| (key(row), row.2.clone()));
        rows.into_iter().map(|row| row.2).collect::<Vec<_>>()
    };
    for (name, wanted) in [
        ("created", by_time),
        ("name", sorted(|row| row.0)),
        ("size", sorted(|row| row.1)),
    ] {
        let path = format!("/admin/documents?sort={name}");
        assert_eq!(admin.walked(&path).await, wanted, "{name}");
        let turned: Vec<String> = wanted.iter().rev().cloned().collect();
        let path = format!("/admin/documents?sort=-{name}");
        assert_eq!(admin.walked(&path).await, turned, "-{name}");
        let file = admin.get(&format!("{path}&format=json")).await.json();
        let ids: Vec<String> = file
            .as_array()
            .expect("a list")
            .iter()
            .map(|row| format!("document-{}", row["id"].as_str().expect("an id")))
            .collect();
        assert_eq!(ids, turned, "-{name} as a file");
        let page = admin.page(&path).await;
        assert_eq!(page.attributes("th[aria-sort]", "aria-sort"), ["descending"]);
        // There and back again.
        let second = page.attributes("a[rel=next]", "href").pop().expect("more");
        let back = admin.page(&second).await.attributes("a[rel=prev]", "href").pop();
        let first = admin.page(&back.expect("a way back")).await;
        assert_eq!(first.attributes("tbody tr", "id"), turned[..50], "-{name}");
        // A cursor of one order is none of another.
        let cursor = second.split("after=").nth(1).expect("a cursor");
        let odd = admin
            .get(&format!("/admin/documents?sort={name}&after={cursor}"))
            .await;
        assert_eq!(odd.status, 400, "{name}");
    }
    let usual = admin.page("/admin/documents").await;
    assert_eq!(
        usual.attributes("th a.sort", "href"),
        [
            "/admin/documents?sort=name",
            "/admin/documents?sort=-size",
            "/admin/documents?sort=created",
        ]
    );
    for odd in ["owner", "--size", "trashed", "size;--"] {
        let answer = admin.get(&format!("/admin/documents?sort={odd}")).await;
        assert_eq!(answer.status, 400, "{odd}");
    }
}

#[actix_web::test]
async fn documents_are_sorted_on_sqlite() {
    documents_are_sorted(TestApp::sqlite().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn documents_are_sorted_on_postgres() {
    documents_are_sorted(TestApp::postgres().await).await;
}

async fn jobs_and_events_are_turned_round(app: TestApp) {
    let admin = app.admin().await;
    app.user("ana").await;
    let id = a_document("a.txt").create(&app, "ana").await;
    for _ in 0..60 {
        app.enqueue(NewJob::about(Kind::ReadMetadata, id)).await;
        let sent = admin
            .post_form("/admin/webhooks/samples", &[("action", "fp.upload")])
            .await;
        assert_eq!(sent.status, 303);
        app.advance(Duration::from_secs(1));
    }
    for (path, key) in [("/admin/jobs", "created"), ("/admin/webhooks", "received")] {
        let newest = admin.walked(path).await;
        assert!(newest.len() >= 60, "{path}");
        let oldest = admin.walked(&format!("{path}?sort={key}")).await;
        assert_eq!(oldest, newest.iter().rev().cloned().collect::<Vec<_>>(), "{path}");
        assert_eq!(admin.walked(&format!("{path}?sort=-{key}")).await, newest);
        let page = admin.page(&format!("{path}?sort={key}")).await;
        assert_eq!(page.attributes("th[aria-sort]", "aria-sort"), ["ascending"]);
        assert_eq!(admin.get(&format!("{path}?sort=kind")).await.status, 400);
    }
    jobs_are_sorted_by_state(&app, &admin).await;
}

/// Some of the sixty of each, so that pages end amid a state.
async fn jobs_are_sorted_by_state(app: &TestApp, admin: &Client) {
    let jobs = app.jobs().await;
    let cancelled: Vec<_> = jobs.iter().rev().take(55).map(|job| job.id).collect();
    for id in &cancelled {
        let path = format!("/admin/jobs/{id}/cancellation");
        assert_eq!(admin.post_form(&path, &[]).await.status, 303);
    }
    let mut wanted = app.jobs().await;
    wanted.sort_by_key(|job| (job.state.as_str(), job.created_at, job.id.to_string()));
    let wanted: Vec<String> = wanted.iter().map(|job| format!("job-{}", job.id)).collect();
    assert_eq!(admin.walked("/admin/jobs?sort=state").await, wanted);
    let turned: Vec<String> = wanted.iter().rev().cloned().collect();
    assert_eq!(admin.walked("/admin/jobs?sort=-state").await, turned);
    let second = admin.page("/admin/jobs?sort=-state").await;
    let second = second.attributes("a[rel=next]", "href").pop().expect("more");
    let back = admin.page(&second).await.attributes("a[rel=prev]", "href").pop();
    let first = admin.page(&back.expect("a way back")).await;
    assert_eq!(first.attributes("tbody tr", "id"), turned[..50]);
    let of_one = admin.walked("/admin/jobs?state=cancelled&sort=-state").await;
    assert_eq!(of_one, admin.walked("/admin/jobs?state=cancelled").await);
    assert_eq!(of_one.len(), 55);
}

#[actix_web::test]
async fn jobs_and_events_are_turned_round_on_sqlite() {
    jobs_and_events_are_turned_round(TestApp::sqlite().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn jobs_and_events_are_turned_round_on_postgres() {
    jobs_and_events_are_turned_round(TestApp::postgres().await).await;
}
