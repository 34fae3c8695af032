//! Reconciliation: rows whose file is gone, uploads that never ended; and nothing is changed by a dry run.

use std::time::Duration;

use diesel::prelude::*;
use satchel::db::models::uploads::{self, UploadState};
use satchel::emulator::{Fault, Route};
use satchel::queue::{Kind, NewJob, Progress};
use satchel::services::reconcile::{self, Plan, Report};

use super::sender::app;
use crate::support::app::TestApp;
use crate::support::eventually;

const AT_ONCE: Plan = Plan {
    dry_run: false,
    after: None,
    pause: Some(Duration::ZERO),
};

async fn run(app: &TestApp, plan: Plan) -> Report {
    reconcile::run(&app.services, plan, &Progress::default())
        .await
        .expect("a report")
}

#[actix_web::test]
async fn a_document_without_a_file_is_found_and_marked() {
    let app = app().start().await;
    let (ana, kept) = app.somebody_with_a_document("ana").await;
    let (_, lost) = app.somebody_with_a_document("bob").await;
    let removed = app.emulator.store().delete(&lost.handle);
    assert!(removed.is_ok(), "{removed:?}");

    let plan = Plan {
        dry_run: true,
        ..AT_ONCE
    };
    let dry = run(&app, plan).await;
    assert_eq!((dry.asked, dry.gone.len(), dry.stopped_at), (2, 1, None));
    assert!(
        app.documents()
            .await
            .iter()
            .all(|document| document.status == "stored")
    );

    let done = run(&app, AT_ONCE).await;
    assert_eq!(done.gone[0].id, lost.id);
    let documents = app.documents().await;
    let status = |id| {
        documents
            .iter()
            .find(|document| document.id == id)
            .map(|document| document.status.clone())
    };
    assert_eq!(status(lost.id).as_deref(), Some("gone"));
    assert_eq!(status(kept.id).as_deref(), Some("stored"));
    assert_eq!(
        ana.get(&format!("/api/uploads/{}/download-url", kept.id))
            .await
            .status,
        200
    );
    let again = run(&app, AT_ONCE).await;
    assert_eq!((again.asked, again.gone.len()), (1, 0));
}

#[actix_web::test]
async fn an_upload_that_never_ended_is_abandoned_and_its_file_adopted_when_its_event_comes() {
    let app = app().start().await;
    app.user("ana").await;
    let stray = app
        .crashed_upload("ana", "a.txt", b"x", UploadState::Started, None)
        .await;
    app.advance(Duration::from_secs(7 * 3_600));
    let plan = Plan {
        dry_run: true,
        ..AT_ONCE
    };
    let dry = run(&app, plan).await;
    assert_eq!(dry.abandoned.len(), 1);
    assert_eq!(app.intents().await[0].state, UploadState::Started);
    run(&app, AT_ONCE).await;
    assert_eq!(app.intents().await[0].state, UploadState::Abandoned);
    // Filestack tries for half a day.
    let text = super::sender::uploaded(stray.handle.as_str(), &stray.key);
    app.happen(&super::sender::event(1, "fp.upload", text)).await;
    assert_eq!(app.intents().await[0].state, UploadState::Recorded);
    assert_eq!(app.documents().await.len(), 1);
}

#[actix_web::test]
async fn a_reconciliation_is_due_once_a_day_and_only_when_there_is_something() {
    let app = app().start().await;
    let jobs = async || {
        let jobs = app.jobs().await;
        jobs.iter().filter(|job| job.kind == "reconcile").count()
    };
    reconcile::schedule(&app.services).await.expect("scheduled");
    assert_eq!(jobs().await, 0);
    app.somebody_with_a_document("ana").await;
    for (hours, count) in [(0, 1), (1, 1), (24, 2)] {
        app.advance(Duration::from_secs(hours * 3_600));
        reconcile::schedule(&app.services).await.expect("scheduled");
        app.run_jobs().await;
        assert_eq!(jobs().await, count, "after {hours} hours");
    }
}

#[actix_web::test]
async fn a_file_without_a_row_is_named_and_becomes_its_document_when_there_is_one_to_be() {
    let app = app().start().await;
    app.user("ana").await;
    // As after a backup was restored that is older than the file: its upload is not known.
    let stray = app
        .crashed_upload("ana", "a.txt", b"x", UploadState::Started, None)
        .await;
    let intent = app.intents().await.remove(0);
    let forgotten = app
        .services
        .db
        .write(|c| Ok(diesel::delete(satchel::db::schema::uploads::table).execute(c)?));
    assert_eq!(forgotten.await.expect("written"), 1);
    let told = |number, handle: &str, key: &str| {
        super::sender::event(number, "fp.upload", super::sender::uploaded(handle, key))
    };
    app.happen(&told(1, stray.handle.as_str(), &stray.key)).await;
    app.happen(&told(2, "NobodysFile123456789", "elsewhere/x")).await;
    let run = async |dry_run| {
        app.advance(Duration::from_secs(1));
        run(&app, Plan { dry_run, ..AT_ONCE }).await
    };
    let report = run(false).await;
    assert_eq!((report.unowned.len(), report.parked), (2, 2));
    assert!(
        report
            .unowned
            .iter()
            .all(|file| file.outcome.contains("No upload or document of ours")),
        "{report:?}"
    );
    // The backup that was made later is there now.
    let restored = app.services.db.write(move |c| uploads::insert(c, intent));
    restored.await.expect("written");
    let report = run(true).await;
    let outcome = |handle: &str| {
        let mut files = report.unowned.iter();
        let file = files
            .find(|file| file.handle.as_deref() == Some(handle))
            .expect("the file");
        file.outcome.clone()
    };
    assert!(
        outcome(stray.handle.as_str()).contains("its document was made"),
        "{report:?}"
    );
    assert!(
        outcome("NobodysFile123456789").contains("No upload or document"),
        "{report:?}"
    );
    assert!(app.documents().await.is_empty(), "nothing was changed");

    run(false).await;
    assert_eq!(app.documents().await[0].id, stray.id);
    let report = run(true).await;
    assert_eq!((report.unowned.len(), report.parked), (1, 1));
    assert!(
        report.sentence().contains("1 files have no document"),
        "{}",
        report.sentence()
    );
}

#[actix_web::test]
async fn the_job_says_how_far_it_is() {
    let app = app().start().await;
    for name in ["ana", "bob"] {
        app.somebody_with_a_document(name).await;
    }
    let id = app.enqueue(NewJob::new(Kind::Reconcile)).await;
    // The first is asked about at once, the second takes longer than a worker goes without a sign of life.
    let slow = Fault::Delay(Duration::from_secs(8));
    app.emulator
        .faults()
        .next(Route::Metadata, Fault::Delay(Duration::ZERO));
    app.emulator.faults().next(Route::Metadata, slow);
    let looking = eventually("it is half done", async || app.job(id).await.progress == 50);
    futures_util::future::join(app.run_jobs(), looking).await;
    assert_eq!(app.job(id).await.progress, 100);
}
