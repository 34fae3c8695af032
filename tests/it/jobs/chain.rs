//! `POST /api/uploads/with-processing`: what is put into the queue with the document, and what comes of it.

use satchel::db::models::findings;
use satchel::db::models::jobs::JobState;
use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::form::Form;

async fn the_answer_names_the_jobs_and_they_run(app: &TestApp) {
    let ana = app.token("ana").await;
    let answer = ana.process("letter.txt", b"Dear Ben, all is well.").await.json();
    for key in ["id", "handle", "url"] {
        assert!(answer[key].is_string(), "{answer}");
    }
    let kinds: Vec<_> = answer["jobs"]
        .as_array()
        .expect("there")
        .iter()
        .map(|job| job["kind"].clone())
        .collect();
    assert_eq!(kinds, ["scan-file", "read-metadata", "verify-file"]);
    assert!(
        answer["jobs"]
            .as_array()
            .expect("there")
            .iter()
            .all(|job| job["state"] == "waiting")
    );

    let ids: Vec<_> = app.jobs().await.iter().rev().map(|job| json!(job.id)).collect();
    let named: Vec<Value> = answer["jobs"]
        .as_array()
        .expect("there")
        .iter()
        .map(|job| job["id"].clone())
        .collect();
    assert_eq!(named, ids);

    assert_eq!(app.run_jobs().await, 3);
    for job in app.jobs().await.into_iter().filter(|job| job.kind != "scan-file") {
        assert_eq!(job.state, JobState::Done, "{job:?}");
        assert!(
            job.reason.is_some_and(|reason| reason.ends_with('.')),
            "a sentence for the owner"
        );
    }
    let id = answer["id"].as_str().expect("there").parse().expect("there");
    let check = app
        .services
        .db
        .run(move |c| findings::find(c, id, "check"))
        .await
        .expect("there");
    assert_eq!(check.expect("a finding").value, r#"{"sha256":true,"size":true}"#);
}

#[actix_web::test]
async fn an_upload_with_processing_names_its_jobs_and_they_run() {
    the_answer_names_the_jobs_and_they_run(&TestApp::sqlite().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn an_upload_with_processing_names_its_jobs_and_they_run_on_postgresql() {
    the_answer_names_the_jobs_and_they_run(&TestApp::postgres().await).await;
}

#[actix_web::test]
async fn s10_a_document_that_could_not_be_recorded_has_no_jobs() {
    let app = TestApp::sqlite().await;
    let ana = app.token("ana").await;
    app.emulator.faults().next(
        satchel::emulator::Route::Start,
        satchel::emulator::Fault::Status(400),
    );
    let form = Form::new().file("a.txt", "text/plain", b"a");
    let answer = ana.upload_form("/api/uploads/with-processing", &form).await;
    assert_eq!(answer.status, 502, "{}", answer.text());
    assert!(app.jobs().await.is_empty());
    app.assert_nothing_left().await;
}

#[actix_web::test]
async fn s10_jobs_are_there_as_soon_as_the_document_is_and_survive_without_a_worker() {
    let app = TestApp::sqlite().await;
    let ana = app.token("ana").await;
    ana.process("a.txt", b"a").await;
    let jobs = app.jobs().await;
    assert_eq!(jobs.len(), 3);
    assert!(
        jobs.iter()
            .all(|job| job.state == JobState::Waiting && job.attempts == 0)
    );
}

#[actix_web::test]
async fn an_upload_without_processing_has_no_jobs() {
    let app = TestApp::sqlite().await;
    app.token("ana").await.document("a.txt", b"a").await;
    assert!(app.jobs().await.is_empty());
}

#[actix_web::test]
async fn steps_of_a_purged_document_do_nothing() {
    let app = TestApp::sqlite().await;
    let ana = app.token("ana").await;
    let id = ana.process("a.txt", b"a").await.field("id");
    assert_eq!(ana.purge(&id).await.status, 204);
    assert_eq!(app.run_jobs().await, 0, "they were called off with it");
    assert!(
        app.jobs()
            .await
            .iter()
            .all(|job| job.state == JobState::Cancelled)
    );
}
