//! The whole way over real sockets, on each database: set up, sign in, upload, list, download, expire, delete, purge, gone.

use std::time::Duration;

use satchel::services::accounts;
use sha2::{Digest as _, Sha256};

use crate::support::app::{PASSWORD, TestApp};
use crate::support::content;

const MIB: usize = 1_024 * 1_024;
/// Bytes of a part on its way to Filestack.
const PART: usize = 8 * MIB;

#[actix_web::test]
async fn the_whole_journey_on_sqlite() {
    journey(&TestApp::sqlite().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn the_whole_journey_on_postgresql() {
    journey(&TestApp::postgres().await).await;
}

async fn journey(app: &TestApp) {
    let browser = app.anon();
    assert_eq!(browser.get("/").await.location(), "/setup");
    let token = accounts::new_setup_token(&app.services).await;
    let token = token.expect("the database answers").expect("set-up is open");
    let setup = browser.page(&format!("/setup?token={token}")).await;
    assert_eq!(setup.texts("h1").len(), 1);
    let account = [
        ("token", token.as_str()),
        ("email", "ana@example.org"),
        ("password", PASSWORD),
    ];
    let set_up = browser.post_form("/setup", &account).await;
    assert_eq!(set_up.location(), "/documents", "{}", set_up.text());

    assert_eq!(browser.post_form("/sign-out", &[]).await.location(), "/sign-in");
    assert_eq!(
        browser.get("/documents").await.location(),
        "/sign-in?next=%2Fdocuments"
    );
    let signed_in = browser.sign_in("ana@example.org", PASSWORD).await;
    assert_eq!(signed_in.location(), "/documents");

    let mut files = Vec::new();
    for size in [20 * MIB, 0, 1, PART - 1, PART, PART + 1] {
        let (name, bytes) = (format!("{size} bytes.bin"), content(size));
        let id = browser.document(&name, &bytes).await;
        app.advance(Duration::from_secs(1));
        files.push((id, name, bytes));
    }

    let list = browser.page("/documents").await;
    let newest_first: Vec<_> = files.iter().rev().map(|(_, name, _)| name.clone()).collect();
    assert_eq!(list.texts("tbody tr .cell-name"), newest_first);
    assert_eq!(list.texts(".count"), ["6 documents"]);

    for (id, _, bytes) in &files {
        let document = browser.get(&format!("/api/documents/{id}")).await;
        assert_eq!(document.json()["size"], bytes.len());
        assert_eq!(document.field("sha256"), hex(&Sha256::digest(bytes)));
        let download = browser.get(&format!("/documents/{id}/download")).await;
        assert_eq!(download.status, 303);
        let file = app.fetch(download.location()).await;
        assert_eq!(file.status, 200, "{}", file.text());
        assert!(file.body == bytes[..], "{} other bytes", file.body.len());
    }

    let (id, _, _) = &files[0];
    let signed = browser.get(&format!("/documents/{id}/download")).await;
    app.advance(Duration::from_secs(299));
    assert_eq!(app.fetch(signed.location()).await.status, 200);
    app.advance(Duration::from_secs(1));
    assert_eq!(app.fetch(signed.location()).await.status, 403);

    for (n, (id, _, _)) in files.iter().enumerate() {
        let renewed = browser.get(&format!("/documents/{id}/download")).await;
        let deleted = browser.post_form(&format!("/documents/{id}/deletion"), &[]).await;
        assert_eq!(deleted.location(), "/documents");
        assert_eq!(browser.get(&format!("/documents/{id}")).await.status, 404);
        assert_eq!(app.stored_files(), files.len() - n, "it waits in the trash");
        let purged = browser.post_form(&format!("/trash/{id}/purge"), &[]).await;
        assert_eq!(purged.location(), "/trash");
        assert_eq!(app.fetch(renewed.location()).await.status, 404);
        assert_eq!(app.stored_files(), files.len() - n - 1);
        assert_eq!(browser.get(&format!("/trash/{id}/purge")).await.status, 404);
    }
    let list = browser.page("/documents").await;
    assert_eq!(list.texts(".empty h2"), ["Nothing here yet"]);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
