//! The upload page without scripts: a form, and an answer with a line per file.

use crate::support::app::TestApp;
use crate::support::browser::Chromium;

#[actix_web::test]
#[ignore = "needs Chromium"]
async fn the_form_uploads_several_files_without_scripts() {
    let app = TestApp::sqlite().await;
    let browser = Chromium::start().await;
    browser.scripts(false).await;
    browser.sign_in(&app, "ana").await;
    browser.goto(&format!("{}/uploads/new", app.url)).await;
    assert_eq!(browser.count("html.is-enhanced").await, 0, "scripts run");
    for scripted in [".picker-choice", "#choose-more", "#queue", "#direct-note"] {
        assert!(
            !browser.is_shown(scripted).await,
            "{scripted} does nothing without scripts"
        );
    }

    let files = tempfile::tempdir().expect("a temporary directory");
    let paths = ["one.txt", "two.txt"].map(|name| files.path().join(name));
    for path in &paths {
        std::fs::write(path, name_of(path)).expect("a file to upload");
    }
    browser.choose("#file", &[&paths[0], &paths[1]]).await;
    browser.click("button.form-only").await;
    browser.see_text("h1", "All 2 files were uploaded").await;
    assert_eq!(browser.count(".queue-row .is-done").await, 2);
    browser.screenshot("upload-result-no-script").await;
    browser.click(".queue-row a").await;
    browser.see_text("h1", "one.txt").await;
    assert_eq!(app.stored_files(), 2);
}

fn name_of(path: &std::path::Path) -> &[u8] {
    path.file_name().expect("it has a name").as_encoded_bytes()
}
