//! Failures of jobs: what is tried again, what is dead, and what the breaker keeps from being tried.

use std::time::Duration;

use diesel::{RunQueryDsl as _, sql_query};
use satchel::db::models::jobs::JobState;
use satchel::emulator::{Fault, Route};
use satchel::ids::DocumentId;
use satchel::jobs::{Ended, Step};
use satchel::queue::{Kind, NewJob};

use crate::support::app::TestApp;
use crate::support::between::cancel_who_waits;
use crate::support::eventually;

/// Down, and asking for a wait that is longer than the client's patience: it gives up at once.
fn down() -> Fault {
    Fault::Reply {
        status: 503,
        headers: vec![("Retry-After".to_owned(), "120".to_owned())],
        body: String::new(),
    }
}

async fn a_document(app: &TestApp) -> DocumentId {
    let ana = app.token("ana").await;
    ana.document("a.txt", b"a").await.parse().expect("an id")
}

fn is_again(step: &Step) -> bool {
    matches!(
        step,
        Step::Ran {
            ended: Ended::Again(_),
            ..
        }
    )
}

#[actix_web::test]
async fn what_filestack_refuses_is_not_tried_again() {
    let app = TestApp::sqlite().await;
    let document = a_document(&app).await;
    let id = app.enqueue(NewJob::about(Kind::ReadMetadata, document)).await;
    app.emulator.faults().next(Route::Metadata, Fault::Status(403));
    let ran = app.run_jobs_however().await;
    assert!(matches!(&ran[..], [(_, Ended::Dead(_))]), "{ran:?}");
    let job = app.job(id).await;
    assert_eq!((job.state, job.attempts), (JobState::Dead, 1));
    assert!(
        job.reason
            .as_deref()
            .is_some_and(|reason| reason.contains("(403)")),
        "{job:?}"
    );
    assert_eq!(app.emulator.faults().count(Route::Metadata), 1);
}

#[actix_web::test]
async fn what_may_pass_is_tried_again_after_the_wait_that_was_asked_for() {
    let app = TestApp::sqlite().await;
    let document = a_document(&app).await;
    let id = app.enqueue(NewJob::about(Kind::ReadMetadata, document)).await;
    app.emulator.faults().next(Route::Metadata, down());
    assert!(is_again(&app.run_one_job().await));
    assert_eq!(app.job(id).await.state, JobState::Waiting);
    app.advance(Duration::from_secs(119));
    assert_eq!(app.run_jobs().await, 0);
    app.advance(Duration::from_secs(2));
    assert_eq!(app.run_jobs().await, 1);
    let job = app.job(id).await;
    assert_eq!((job.state, job.attempts), (JobState::Done, 2));
}

#[actix_web::test]
async fn while_filestack_is_down_jobs_wait_without_using_up_their_attempts_and_mail_goes_on() {
    let app = TestApp::sqlite().await;
    let document = a_document(&app).await;
    for _ in 0..8 {
        let new = NewJob {
            unique_key: None,
            ..NewJob::about(Kind::ReadMetadata, document)
        };
        app.enqueue(new).await;
    }
    app.emulator.faults().next_times(Route::Metadata, 6, down());
    for n in 1..=4 {
        assert!(is_again(&app.run_one_job().await), "{n}");
    }
    let fifth = app.run_one_job().await;
    assert!(
        matches!(
            fifth,
            Step::Ran {
                ended: Ended::PutBack,
                ..
            }
        ),
        "{fifth:?}"
    );
    assert!(app.services.breaker.opened().is_some());
    assert!(
        matches!(app.run_one_job().await, Step::Idle),
        "three more are due, and left alone"
    );
    assert_eq!(app.emulator.faults().count(Route::Metadata), 5);

    let mail = app.enqueue(NewJob::new(Kind::SendMail)).await;
    let other = app.run_one_job().await;
    assert!(matches!(other, Step::Ran { id, .. } if id == mail), "{other:?}");

    // A probe, which fails; then one that does not.
    app.advance(Duration::from_secs(16));
    let probe = app.run_one_job().await;
    assert!(
        matches!(
            probe,
            Step::Ran {
                ended: Ended::PutBack,
                ..
            }
        ),
        "{probe:?}"
    );
    assert!(matches!(app.run_one_job().await, Step::Idle));
    app.advance(Duration::from_secs(200));
    assert_eq!(app.run_jobs().await, 8);
    assert!(app.services.breaker.opened().is_none());
    let done = app
        .jobs()
        .await
        .into_iter()
        .filter(|job| job.kind == "read-metadata");
    assert!(done.clone().all(|job| job.state == JobState::Done));
    assert!(
        done.clone().all(|job| job.attempts <= 2),
        "{:?}",
        done.map(|job| job.attempts).collect::<Vec<_>>()
    );
}

#[actix_web::test]
async fn other_bytes_than_were_uploaded_are_a_dead_letter_with_the_reason() {
    let app = TestApp::sqlite().await;
    let document = a_document(&app).await;
    let id = app.enqueue(NewJob::about(Kind::VerifyFile, document)).await;
    let body = format!(r#"{{"size": 1, "sha256": "{}"}}"#, "0".repeat(64));
    app.emulator.faults().next(
        Route::Metadata,
        Fault::Reply {
            status: 200,
            headers: Vec::new(),
            body,
        },
    );
    app.run_jobs_however().await;
    let job = app.job(id).await;
    assert_eq!(job.state, JobState::Dead);
    assert!(
        job.reason
            .is_some_and(|reason| reason.starts_with("Filestack's SHA-256 of this file is not"))
    );
}

#[actix_web::test]
async fn a_job_of_a_kind_that_this_version_does_not_know_is_left_for_one_that_does() {
    let app = TestApp::sqlite().await;
    let document = a_document(&app).await;
    let id = app.enqueue(NewJob::new(Kind::SendMail)).await;
    app.services
        .db
        .write(move |c| {
            use diesel::prelude::*;
            use satchel::db::schema::jobs;
            diesel::update(jobs::table.find(id))
                .set(jobs::kind.eq("from-tomorrow"))
                .execute(c)?;
            Ok(())
        })
        .await
        .unwrap();
    let known = app.enqueue(NewJob::about(Kind::ReadMetadata, document)).await;
    assert_eq!(app.run_jobs().await, 1);
    assert_eq!(app.job(known).await.state, JobState::Done);
    assert_eq!(app.job(id).await.state, JobState::Waiting);
}

/// As after a deadlock: it need not be claimed by nobody until its lease is over.
#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn a_job_whose_end_could_not_be_written_waits_for_its_next_attempt_at_once() {
    let app = TestApp::postgres().await;
    let document = a_document(&app).await;
    let id = app.enqueue(NewJob::about(Kind::ReadMetadata, document)).await;
    app.emulator
        .faults()
        .next(Route::Metadata, Fault::Delay(Duration::from_secs(2)));
    let cancelled = async {
        eventually("Filestack is asked", async || {
            app.emulator.faults().waiting().is_empty()
        })
        .await;
        let cancelling = app.services.db.write(|c| {
            sql_query("LOCK TABLE jobs IN ACCESS EXCLUSIVE MODE").execute(c)?;
            cancel_who_waits(c)
        });
        assert!(cancelling.await.expect("a lock"), "nobody wanted to end the job");
    };
    let (step, ()) = futures_util::join!(app.run_one_job(), cancelled);
    assert!(is_again(&step), "{step:?}");
    let job = app.job(id).await;
    assert_eq!((job.state, job.lease_until), (JobState::Waiting, None));
    let reason = job.reason.expect("a reason");
    assert_eq!(reason, "What it found could not be kept: the database was busy.");
    app.advance(Duration::from_secs(59));
    assert_eq!(app.run_jobs().await, 1, "its lease would not be over");
}
