//! The webhooks that the embedded emulator sends by itself, from end to end.

use std::time::Duration;

use satchel::db::models::uploads::UploadState;
use satchel::filestack::{Handle, Purpose};

use crate::support::app::TestApp;
use crate::support::eventually;

/// Waits until an event with this action has come to this state; gives what it came to.
async fn settled(app: &TestApp, action: &str, state: &str) {
    eventually(&format!("{action} is {state}"), async || {
        app.apply_events().await;
        let events = app.events().await;
        events
            .iter()
            .any(|event| event.action == action && event.state.as_str() == state)
    })
    .await;
}

#[actix_web::test]
async fn an_upload_is_confirmed_by_its_event() {
    let app = TestApp::new().with_webhooks().start().await;
    let (_, document) = app.somebody_with_a_document("ana").await;
    settled(&app, "fp.upload", "applied").await;
    let event = app.events().await.remove(0);
    assert_eq!(event.document_id, Some(document.id));
    assert_eq!(app.documents().await.len(), 1);
}

#[actix_web::test]
async fn s11_a_file_that_was_stored_before_its_process_died_is_adopted() {
    let app = TestApp::new().with_webhooks().start().await;
    let ana = app.user("ana").await;
    let stray = app
        .crashed_upload("ana", "letter.txt", b"dear reader", UploadState::Started, None)
        .await;
    settled(&app, "fp.upload", "applied").await;
    let url = ana
        .get(&format!("/api/uploads/{}/download-url", stray.id))
        .await
        .field("url");
    assert_eq!(app.fetch(&url).await.text(), "dear reader");
}

#[actix_web::test]
async fn a_file_deleted_at_filestack_makes_its_document_gone() {
    let app = TestApp::new().with_webhooks().start().await;
    let (ana, document) = app.somebody_with_a_document("ana").await;
    let handle = Handle::new(document.handle.as_str()).expect("a handle");
    let now = app.services.clock.now().system();
    let grant =
        app.services
            .filestack
            .grant(Purpose::Remove { handle: &handle }, now, Duration::from_secs(60));
    app.services
        .filestack
        .delete(&handle, grant)
        .await
        .expect("deleted");
    settled(&app, "fp.delete", "applied").await;
    let answer = ana
        .get(&format!("/api/uploads/{}/download-url", document.id))
        .await;
    assert_eq!((answer.status, answer.problem().as_str()), (410, "file-gone"));
}

#[actix_web::test]
async fn our_own_deletion_comes_back_as_an_event_and_changes_nothing() {
    let app = TestApp::new().with_webhooks().start().await;
    let (ana, document) = app.somebody_with_a_document("ana").await;
    settled(&app, "fp.upload", "applied").await;
    assert_eq!(ana.purge(document.id.as_str()).await.status, 204);
    settled(&app, "fp.delete", "ignored").await;
    assert!(app.documents().await.is_empty());
}
