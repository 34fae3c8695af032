//! `/admin/jobs`: the list, its filter and pages, and what can be done with a job.

use std::time::Duration;

use satchel::db::models::jobs::JobState;
use satchel::emulator::{Fault, Route};
use satchel::queue::{Kind, NewJob};
use satchel::services::audit::Action;

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

async fn failed_jobs_are_shown_first_and_then_tried(app: TestApp) {
    let id = app.user("ana").await.document("a.txt", b"x").await;
    let document = id.parse().expect("an id");
    let about = |kind, key: Option<&str>| NewJob {
        unique_key: key.map(str::to_owned),
        ..NewJob::about(kind, document)
    };
    let mut dead = Vec::new();
    for job in [
        about(Kind::ReadMetadata, None),
        about(Kind::ReadMetadata, Some("the same")),
        about(Kind::ReadMetadata, Some("the same")),
        about(Kind::VerifyFile, None),
        about(Kind::ReadMetadata, None),
    ] {
        app.advance(Duration::from_secs(1));
        let id = app.enqueue(job).await;
        app.emulator.faults().next(Route::Metadata, Fault::Status(403));
        app.run_jobs_however().await;
        assert_eq!(app.job(id).await.state, JobState::Dead);
        dead.push(id);
    }
    let admin = app.admin().await;
    let page = admin.page("/admin/jobs?state=dead&kind=read-metadata").await;
    let there = "/admin/jobs/attempts?kind=read-metadata";
    assert_eq!(page.attributes(&format!("a[href='{there}']"), "href"), [there]);
    let preview = admin.page(there).await;
    let text = preview.text();
    assert!(text.contains("3 of 4 would wait anew"), "{text}");
    assert_eq!(preview.texts(".attempt").len(), 4);
    for id in [0, 1, 2, 4] {
        assert!(text.contains(dead[id].as_str()), "{id}");
    }
    assert!(!text.contains(dead[3].as_str()), "of another kind");
    let stays = preview.texts(".attempt").remove(2);
    let told = format!("Would stay as it is: job {} does the same", dead[1]);
    assert!(stays.contains(&told), "{stays}");
    assert!(
        admin
            .page("/admin/jobs/attempts")
            .await
            .text()
            .contains("4 of 5 would")
    );
    for id in &dead {
        assert_eq!(
            app.job(*id).await.state,
            JobState::Dead,
            "nothing has been changed"
        );
    }

    // What is called off in the meantime stays so.
    let attempt = format!("/admin/jobs/{}/attempt", dead[4]);
    let cancellation = format!("/admin/jobs/{}/cancellation", dead[4]);
    for path in [attempt, cancellation] {
        assert_eq!(admin.post_form(&path, &[]).await.status, 303);
    }
    let before = app.trail(Action::JobRetried).await.len();
    let kind = [("kind", "read-metadata")];
    let sent = admin.post_form("/admin/jobs/attempts", &kind).await;
    assert_eq!((sent.status, sent.location()), (303, "/admin/jobs"));
    let mut states = Vec::new();
    for id in &dead {
        states.push(app.job(*id).await.state.to_string());
    }
    assert_eq!(states, ["waiting", "waiting", "dead", "dead", "cancelled"]);
    let entries = app.trail(Action::JobRetried).await;
    let mut told: Vec<&str> = entries.iter().map(|entry| entry.subject.as_str()).collect();
    // Entries of one moment come in any order; the last of these was tried by itself.
    told.sort_unstable();
    assert_eq!(told, [dead[0].as_str(), dead[1].as_str(), dead[4].as_str()]);
    assert!(entries.iter().all(|entry| entry.actor == "admin@example.org"));

    // Once more: the one that waits keeps the other back, and nothing is written.
    let preview = admin.page(there).await.text();
    assert!(preview.contains("0 of 1 would wait anew"), "{preview}");
    assert!(!preview.contains("method=\"post\" action=\"/admin/jobs/attempts\""));
    assert_eq!(admin.post_form("/admin/jobs/attempts", &kind).await.status, 303);
    assert_eq!(app.trail(Action::JobRetried).await.len(), before + 2);
    let none = admin.page("/admin/jobs/attempts?kind=send-mail").await;
    assert!(none.text().contains("There are no such jobs"));
    assert_eq!(admin.get("/admin/jobs/attempts?kind=x").await.status, 400);
    let odd = admin.post_form("/admin/jobs/attempts", &[("kind", "x")]).await;
    assert_eq!(odd.status, 400);
}

#[actix_web::test]
async fn failed_jobs_are_shown_first_and_then_tried_on_sqlite() {
    failed_jobs_are_shown_first_and_then_tried(TestApp::sqlite().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn failed_jobs_are_shown_first_and_then_tried_on_postgres() {
    failed_jobs_are_shown_first_and_then_tried(TestApp::postgres().await).await;
}
