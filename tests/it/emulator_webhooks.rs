//! The embedded emulator tells the application of what happens to its files, as Filestack would.

use std::time::Duration;

use satchel::emulator::WebhookFilter;

use crate::support::app::TestApp;

#[actix_web::test]
async fn the_embedded_emulator_registers_the_applications_own_address_and_tells_it_of_an_upload() {
    let app = TestApp::new().with_webhooks().start().await;
    let endpoints = app.emulator.webhooks().endpoints();
    assert_eq!(endpoints.len(), 1);
    assert_eq!(endpoints[0].url, format!("{}/webhooks/filestack", app.url));
    app.user("ana").await.upload("note.txt", b"hello").await;
    assert!(app.emulator.webhooks().settle(Duration::from_secs(60)).await);
    let webhooks = app
        .emulator
        .webhooks()
        .list(&WebhookFilter::default())
        .expect("webhooks can be read");
    assert_eq!(webhooks.len(), 1, "{webhooks:?}");
    let body: serde_json::Value = serde_json::from_str(&webhooks[0].body).expect("JSON");
    assert_eq!(
        (&body["action"], &body["text"]["filename"]),
        (&"fp.upload".into(), &"note.txt".into())
    );
    let key = body["text"]["key"].as_str().expect("a key");
    assert!(key.starts_with("user-uploads/"), "{key}");
    // It was reached, and said what it thinks of it.
    assert!(
        webhooks[0].attempts[0].status.is_some(),
        "{:?}",
        webhooks[0].attempts
    );
}

#[actix_web::test]
async fn without_a_webhook_secret_the_embedded_emulator_tells_nobody() {
    let app = TestApp::new()
        .with_webhooks()
        .var("FILESTACK_WEBHOOK_SECRET", "")
        .start()
        .await;
    assert!(app.emulator.webhooks().endpoints().is_empty());
}
