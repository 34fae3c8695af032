//! From the set-up link to a deleted document.

use std::path::{Path, PathBuf};

use satchel::services::accounts;

use crate::support::app::{PASSWORD, TestApp};
use crate::support::browser::Chromium;
use crate::support::{content, eventually};

const MIB: usize = 1_024 * 1_024;

#[actix_web::test]
#[ignore = "needs Chromium"]
async fn a_person_sets_up_uploads_finds_downloads_and_deletes() {
    let app = TestApp::sqlite().await;
    let browser = Chromium::start().await;
    let here = |path: &str| format!("{}{path}", app.url);
    let files = tempfile::tempdir().expect("a temporary directory");

    let token = accounts::new_setup_token(&app.services).await;
    let token = token.expect("the database answers").expect("set-up is open");
    browser.goto(&here(&format!("/setup?token={token}"))).await;
    browser.fill("#email", "ana@example.org").await;
    browser.fill("#password", PASSWORD).await;
    browser.click("main button[type=submit]").await;
    browser.see_text(".empty h2", "Nothing here yet").await;

    browser.click("details.account summary").await;
    browser.click("details.account button").await;
    browser
        .until("signed out", async || browser.path().await == "/sign-in")
        .await;
    browser.sign_in(&app, "ana").await;

    browser
        .click(".page-head a[href='/uploads/new'], .empty a[href='/uploads/new']")
        .await;
    let report = file(files.path(), "Bericht März.txt", b"Chosen from a dialog.\n");
    browser.choose("#file", &[&report]).await;
    uploaded(&browser, 1).await;
    browser
        .drop_file(".drop-zone", "dropped.txt", "Dropped onto the page.\n")
        .await;
    uploaded(&browser, 2).await;
    browser.see_text("#queue-summary", "2 of 2 uploaded").await;
    browser.see("#queue-done a").await;

    cancel_and_retry(
        &app,
        &browser,
        &file(files.path(), "large.bin", &content(12 * MIB)),
    )
    .await;

    browser.click("#queue-done a").await;
    browser.see_text(".count", "3 documents").await;
    browser.fill("#q", "märz").await;
    browser.click(".search button").await;
    browser.see_text(".count", "1 document found").await;
    browser.click("tbody .cell-name a").await;
    browser.see_text("h1", "Bericht März.txt").await;

    browser.fill("#name", "Report, March.txt").await;
    browser.click("form[action$='/name'] button").await;
    browser.see_text("h1", "Report, March.txt").await;

    browser.click(".document-main-action a").await;
    // Filestack names the file as it was uploaded.
    let saved = browser.downloads().join("Bericht März.txt");
    eventually("the download is whole", async || saved.exists()).await;
    assert_eq!(
        std::fs::read(&saved).expect("a readable file"),
        b"Chosen from a dialog.\n"
    );

    browser.click(".panel-danger button").await;
    browser.see_text(".count", "2 documents").await;
    browser.see_text(".notice", "The document is in the trash.").await;
    browser.click(".undo button").await;
    browser.see_text(".count", "3 documents").await;
    browser
        .see_text(".notice", "One document is back in your list.")
        .await;
    // Chosen by its box, which makes the bar come.
    assert!(!browser.is_shown("#bulk").await);
    browser.click("tbody tr:first-child .cell-select input").await;
    browser.see_text("[data-bulk-count]", "1 document chosen").await;
    browser.click("[data-bulk-trash]").await;
    browser.see_text(".count", "2 documents").await;
    assert_eq!(app.stored_files(), 3, "it waits in the trash");
    browser.goto(&format!("{}/trash", app.url)).await;
    browser.screenshot("trash").await;
    browser.click("tbody .icon-danger").await;
    browser.see_text("h1", "Delete this document for good?").await;
    browser.click(".button-danger").await;
    browser.see_text(".empty h2", "The trash is empty").await;
    assert_eq!(app.stored_files(), 2);
    browser.assert_quiet().await;
}

/// Sends a file slowly, cancels it on its way, and sends it again at full speed.
async fn cancel_and_retry(app: &TestApp, browser: &Chromium, file: &Path) {
    browser.upload_speed(Some(2 * MIB as u32)).await;
    browser.choose("#file", &[file]).await;
    let row = ".queue-row:nth-child(3)";
    browser
        .see_text(&format!("{row} .queue-state"), " MiB of 12 MiB")
        .await;
    browser.screenshot("upload-progress").await;
    browser.click(&format!("{row} [data-role=cancel]")).await;
    browser
        .see_text(&format!("{row} .queue-state"), "Cancelled")
        .await;
    eventually("the cancelled upload is over", async || {
        let intents = app.intents().await;
        !intents.iter().any(|intent| intent.state.as_str() == "started")
    })
    .await;
    assert_eq!(app.stored_files(), 2, "a cancelled file was kept");
    browser.upload_speed(None).await;
    browser.click(&format!("{row} [data-role=retry]")).await;
    uploaded(browser, 3).await;
}

async fn uploaded(browser: &Chromium, row: usize) {
    let row = format!(".queue-row:nth-child({row})");
    browser.see_text(&format!("{row} .queue-state"), "Uploaded").await;
    assert!(browser.is_shown(&format!("{row} [data-role=open]")).await);
}

fn file(directory: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = directory.join(name);
    std::fs::write(&path, bytes).expect("a file to upload");
    path
}
