//! Reconciliation: rows whose file is gone, uploads that never ended; and nothing is changed by a dry run.

use std::time::Duration;

use satchel::db::models::uploads::UploadState;
use satchel::services::reconcile::{self, Plan};

use super::sender::app;

const AT_ONCE: Plan = Plan {
    dry_run: false,
    after: None,
    pause: Some(Duration::ZERO),
};

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
    let dry = reconcile::run(&app.services, plan).await.expect("a report");
    assert_eq!((dry.asked, dry.gone.len(), dry.stopped_at), (2, 1, None));
    assert!(
        app.documents()
            .await
            .iter()
            .all(|document| document.status == "stored")
    );

    let done = reconcile::run(&app.services, AT_ONCE).await.expect("a report");
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
    let again = reconcile::run(&app.services, AT_ONCE).await.expect("a report");
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
    let dry = reconcile::run(&app.services, plan).await.expect("a report");
    assert_eq!(dry.abandoned.len(), 1);
    assert_eq!(app.intents().await[0].state, UploadState::Started);
    reconcile::run(&app.services, AT_ONCE).await.expect("a report");
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
