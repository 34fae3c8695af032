//! `/admin/jobs`: the list, its filter and pages, and what can be done with a job.

use std::time::Duration;

use satchel::db::models::jobs::JobState;
use satchel::queue::{Kind, NewJob};

use crate::support::app::TestApp;

#[actix_web::test]
async fn administrators_see_all_jobs_and_steer_them() {
    let app = TestApp::sqlite().await;
    let ana = app.token("ana").await;
    ana.process("a.txt", b"a").await;
    let admin = app.admin().await;
    let page = admin.page("/admin/jobs").await;
    assert_eq!(page.status, 200);
    assert_eq!(
        page.texts("tbody th"),
        ["verify-file", "read-metadata", "scan-file"]
    );
    assert_eq!(page.texts("tbody .status"), ["Waiting", "Waiting", "Waiting"]);

    let id = app.jobs().await[0].id;
    let back = admin
        .post_form(&format!("/admin/jobs/{id}/cancellation"), &[])
        .await;
    assert_eq!((back.status, back.location()), (303, "/admin/jobs"));
    let job = app.job(id).await;
    assert_eq!(job.state, JobState::Cancelled);
    assert_eq!(job.reason.as_deref(), Some("Called off by admin@example.org."));
    let again = admin
        .post_form(&format!("/admin/jobs/{id}/cancellation"), &[])
        .await;
    assert_eq!(again.status, 409);
    assert!(
        again.text().contains("there is nothing to call off"),
        "{}",
        again.text()
    );

    let page = admin.page("/admin/jobs?state=cancelled").await;
    assert_eq!(page.texts("tbody th"), ["verify-file"]);
    let back = admin.post_form(&format!("/admin/jobs/{id}/attempt"), &[]).await;
    assert_eq!(back.status, 303);
    assert_eq!(app.job(id).await.state, JobState::Waiting);
    assert_eq!(app.run_jobs().await, 3);
    let done = admin.post_form(&format!("/admin/jobs/{id}/attempt"), &[]).await;
    assert_eq!(done.status, 409, "{}", done.text());
    assert!(
        done.text().contains("there is nothing to try again"),
        "{}",
        done.text()
    );
}

#[actix_web::test]
async fn pages_of_jobs_walk_there_and_back_without_a_gap() {
    let app = TestApp::sqlite().await;
    for _ in 0..120 {
        app.enqueue(NewJob::new(Kind::SendMail)).await;
        app.advance(Duration::from_secs(1));
    }
    let all: Vec<String> = app
        .jobs()
        .await
        .iter()
        .map(|job| format!("job-{}", job.id))
        .collect();
    let admin = app.admin().await;
    let mut seen = Vec::new();
    let mut next = Some("/admin/jobs?kind=send-mail".to_owned());
    let mut last = String::new();
    while let Some(path) = next {
        let page = admin.page(&path).await;
        seen.extend(page.attributes("tbody tr", "id"));
        next = page.attributes("a[rel=next]", "href").pop();
        last = path;
    }
    assert_eq!(seen, all);
    let page = admin.page(&last).await;
    let before = page.attributes("a[rel=prev]", "href").pop().expect("a way back");
    let page = admin.page(&before).await;
    assert_eq!(page.attributes("tbody tr", "id"), all[50..100]);
}

#[actix_web::test]
async fn an_odd_filter_or_cursor_is_told_and_members_see_nothing() {
    let app = TestApp::sqlite().await;
    let admin = app.admin().await;
    for odd in [
        "state=sleeping",
        "kind=x",
        "after=1",
        "after=1.x",
        "before=x.01890a5d-ac96-774b-bcce-b302099a8057",
    ] {
        assert_eq!(
            admin.get(&format!("/admin/jobs?{odd}")).await.status,
            400,
            "{odd}"
        );
    }
    let ana = app.user("ana").await;
    assert_eq!(ana.get("/admin/jobs").await.status, 403);
    assert!(
        ana.page("/documents")
            .await
            .attributes("a[href='/admin']", "href")
            .is_empty()
    );
}
