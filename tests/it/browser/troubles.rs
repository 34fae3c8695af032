//! What the upload page says and does when something is in the way of a file.

use std::time::Duration;

use satchel::emulator::Route;
use serde_json::json;

use super::direct::Scene;
use crate::support::app::{PASSWORD, TestApp};
use crate::support::browser::Chromium;
use crate::support::{content, eventually};

const MIB: usize = 1 << 20;

#[actix_web::test]
#[ignore = "needs Chromium"]
async fn what_cannot_reach_filestack_from_the_browser_goes_through_the_server_and_is_said() {
    let scene = Scene::new().await;
    let browser = &scene.browser;
    scene.block(&["*/multipart/*"]).await;
    scene.choose("a.txt", b"Round about.").await;
    browser
        .see_text("#direct-note", "Filestack cannot be reached from here.")
        .await;
    browser.see_text("#direct-note", "through this server").await;
    scene.state(1, "Uploaded").await;
    scene.choose("b.txt", b"And the next one at once.").await;
    scene.state(2, "Uploaded").await;
    assert_eq!(scene.ways().await, (2, 0));
    browser.screenshot("upload-round-about").await;
    // Who has it already is told on this way too.
    scene.app.advance(Duration::from_secs(1));
    scene.choose("c.txt", b"Round about.").await;
    let skip = ".queue-row:nth-child(3) .queue-help button:nth-of-type(2)";
    browser.see(skip).await;
    assert_eq!(
        browser.text(".queue-row:nth-child(3) .queue-help a").await,
        "a.txt"
    );
    browser.click(skip).await;
    scene.state(3, "Skipped").await;
    assert_eq!(scene.names().await, ["a.txt", "b.txt"]);
}

#[actix_web::test]
#[ignore = "needs Chromium"]
async fn a_script_that_does_not_load_is_noticed_and_said() {
    let scene = Scene::new().await;
    let browser = &scene.browser;
    scene.block(&["*/filestack-js/*"]).await;
    scene.choose("a.txt", b"Round about.").await;
    browser
        .see_text("#direct-note", "Filestack's script did not load from")
        .await;
    scene.state(1, "Uploaded").await;
    assert_eq!(scene.ways().await, (1, 0));
    browser.click("#picker-open").await;
    browser
        .see_text("#picker-problem", "The Picker cannot be opened.")
        .await;
    browser.screenshot("upload-script-missing").await;
    // It is there again: pressed once more, the Picker opens.
    scene.block(&[]).await;
    browser.click("#picker-open").await;
    browser.see("#picker .fsp-inline").await;
    assert!(!browser.is_shown("#picker-problem").await);
}

#[actix_web::test]
#[ignore = "needs Chromium"]
async fn a_picker_that_does_not_load_is_noticed_and_said() {
    without_picker(Scene::new().await).await;
}

#[actix_web::test]
#[ignore = "needs Chromium and Filestack's JavaScript SDK"]
async fn a_picker_that_does_not_load_is_noticed_and_said_with_the_official_client() {
    without_picker(Scene::official().await).await;
}

async fn without_picker(scene: Scene) {
    let browser = &scene.browser;
    scene.block(&["*/picker/*"]).await;
    browser.click("#picker-open").await;
    browser
        .see_text(
            "#picker-problem",
            "The Picker cannot be opened. Its script did not load from 127.0.0.1",
        )
        .await;
    browser.see_text("#picker-problem", "Or use the box above.").await;
    scene.choose("a.txt", b"In the box.").await;
    scene.state(1, "Uploaded").await;
    assert_eq!(scene.ways().await, (0, 1));
    // It is there again: pressed once more, the Picker opens, and the queue is still here.
    scene.block(&[]).await;
    browser.click("#picker-open").await;
    browser.see("#picker .fsp-inline").await;
    assert!(!browser.is_shown("#picker-problem").await);
    scene.state(1, "Uploaded").await;
}

#[actix_web::test]
#[ignore = "needs Chromium"]
async fn x1_a_script_other_than_the_one_that_is_named_does_not_run() {
    let scene = Scene::new().await;
    let browser = &scene.browser;
    let lie = "const real = window.fetch; window.fetch = async (...args) => {
        const answer = await real(...args);
        if (!String(args[0]).includes('picker-config')) return answer;
        const config = await answer.json();
        config.script.integrity = 'sha384-' + 'A'.repeat(64);
        return Response.json(config);
    };";
    browser.run(lie, &[]).await;
    scene.choose("a.txt", b"x").await;
    browser.see_text("#direct-note", "did not load").await;
    assert_eq!(
        browser.run("return typeof window.filestack", &[]).await,
        "undefined"
    );
    scene.state(1, "Uploaded").await;
}

#[actix_web::test]
#[ignore = "needs Chromium"]
async fn u6_what_is_too_large_is_refused_before_it_is_sent() {
    let scene = Scene::of(TestApp::new().var("SATCHEL_MAX_UPLOAD_BYTES", "1000")).await;
    scene.choose("large.bin", &content(1_001)).await;
    scene.state(1, "Too large").await;
    scene
        .browser
        .see_text(".queue-help", "Split it or compress it")
        .await;
    assert!(!scene.browser.is_shown("[data-role=retry]").await);
    scene.browser.click("#picker-open").await;
    scene.browser.see("#picker .fsp-inline").await;
    let large = scene.files.path().join("large.bin");
    scene
        .browser
        .choose("#picker input[type=file]", &[large.as_path()])
        .await;
    scene.browser.see_text("#picker [role=alert]", "Too large").await;
    assert_eq!(scene.app.stored_files(), 0);
}

#[actix_web::test]
#[ignore = "needs Chromium"]
async fn p5_a_right_that_ends_on_the_way_is_renewed_once_and_the_file_arrives() {
    renewed(Scene::new().await).await;
}

#[actix_web::test]
#[ignore = "needs Chromium and Filestack's JavaScript SDK"]
async fn p5_a_right_that_ends_on_the_way_is_renewed_once_with_the_official_client() {
    renewed(Scene::official().await).await;
}

async fn renewed(scene: Scene) {
    scene.network(false, 4.0 * MIB as f64).await;
    scene.choose("long.bin", &content(16 * MIB)).await;
    scene.state(1, " of 16 MiB").await;
    scene.app.advance(Duration::from_secs(1_000));
    scene.network(false, -1.0).await;
    scene.state(1, "Uploaded").await;
    assert_eq!(scene.app.documents().await[0].size_bytes, 16 * MIB as i64);
    assert_eq!(scene.ways().await, (0, 1));
    // Where Filestack's clock is off, renewing does not help, and it is said.
    scene.app.emulator.clock().advance(Duration::from_secs(3_600));
    scene.app.emulator.faults().forget_calls();
    scene.choose("late.txt", b"x").await;
    scene
        .browser
        .see_text(".queue-row:nth-child(2) .queue-help", "clock")
        .await;
    assert_eq!(
        scene.app.emulator.faults().count(Route::Start),
        2,
        "renewed once, no loop"
    );
    assert!(
        scene
            .browser
            .is_shown(".queue-row:nth-child(2) [data-role=retry]")
            .await
    );
}

#[actix_web::test]
#[ignore = "needs Chromium"]
async fn a_file_of_100_mb_arrives_although_the_network_was_lost_on_the_way() {
    network_lost(Scene::new().await).await;
}

#[actix_web::test]
#[ignore = "needs Chromium and Filestack's JavaScript SDK"]
async fn a_file_of_100_mb_arrives_although_the_network_was_lost_with_the_official_client() {
    network_lost(Scene::official().await).await;
}

async fn network_lost(scene: Scene) {
    let bytes = content(100_000_000);
    // Slow enough that it is still on its way when that is seen.
    scene.network(false, 12.0 * MIB as f64).await;
    scene.choose("large.bin", &bytes).await;
    scene.state(1, " of 95.4 MiB").await;
    scene.network(true, -1.0).await;
    eventually("the browser is offline", async || {
        scene.browser.run("return navigator.onLine", &[]).await == false
    })
    .await;
    scene.network(false, -1.0).await;
    scene.state(1, "Uploaded").await;
    let document = scene.app.documents().await.remove(0);
    assert_eq!(document.size_bytes, 100_000_000);
    let stored = scene.app.emulator.store().read(&document.handle);
    assert_eq!(stored.expect("the files can be read"), Some(bytes));
}

#[actix_web::test]
#[ignore = "needs Chromium"]
async fn what_was_added_offline_starts_by_itself_when_the_network_is_back() {
    let scene = Scene::new().await;
    scene.network(true, -1.0).await;
    scene.choose("a.txt", b"Later.").await;
    scene.state(1, "You are offline.").await;
    scene
        .browser
        .see_text(".queue-help", "It starts again by itself")
        .await;
    scene.browser.screenshot("upload-offline").await;
    scene.network(false, -1.0).await;
    scene.state(1, "Uploaded").await;
    assert_eq!(scene.names().await, ["a.txt"]);
}

#[actix_web::test]
#[ignore = "needs Chromium"]
async fn who_signed_out_meanwhile_is_told_and_goes_on_after_signing_in() {
    let scene = Scene::new().await;
    let browser = &scene.browser;
    let leave = "const page = new DOMParser().parseFromString(await (await fetch('/uploads/new')).text(), 'text/html');
        const csrf_token = page.querySelector('meta[name=csrf-token]').content;
        const body = new URLSearchParams({csrf_token});
        return (await fetch('/sign-out', {method: 'POST', body})).status";
    let leave = &format!("return (async () => {{ {leave} }})()");
    assert_eq!(browser.run(leave, &[]).await, json!(200));
    scene.choose("a.txt", b"Kept meanwhile.").await;
    scene.state(1, "You are signed out.").await;
    browser
        .see_text(".queue-help", "Sign in again in another tab")
        .await;
    browser.screenshot("upload-signed-out").await;
    come_back(browser).await;
    browser.click("[data-role=retry]").await;
    scene.state(1, "Uploaded").await;
    assert_eq!(scene.names().await, ["a.txt"]);

    // In the middle of an upload: what has been stored by then is not sent again.
    scene.network(false, 4.0 * MIB as f64).await;
    scene.choose("b.bin", &content(8 * MIB)).await;
    scene.state(2, " of 8 MiB").await;
    assert_eq!(browser.run(leave, &[]).await, json!(200));
    scene.network(false, -1.0).await;
    scene.state(2, "You are signed out.").await;
    assert_eq!(scene.app.stored_files(), 2);
    assert_eq!(scene.names().await, ["a.txt"]);
    come_back(browser).await;
    browser.click(".queue-row:nth-child(2) [data-role=retry]").await;
    scene.state(2, "Uploaded").await;
    assert_eq!(
        scene.app.emulator.faults().count(Route::Start),
        2,
        "sent once each"
    );
    assert_eq!(scene.names().await, ["a.txt", "b.bin"]);
}

/// Signs in again, as in another tab.
async fn come_back(browser: &Chromium) {
    let come_back =
        "const page = new DOMParser().parseFromString(await (await fetch('/sign-in')).text(), 'text/html');
        const csrf_token = page.querySelector('meta[name=csrf-token]').content;
        const body = new URLSearchParams({csrf_token, email: arguments[0], password: arguments[1]});
        return (await fetch('/sign-in', {method: 'POST', body})).status";
    let script = format!("return (async () => {{ {come_back} }}).apply(null, arguments)")
        .replace("(async () => {", "(async function () {");
    let back = browser
        .run(&script, &[json!("ana@example.org"), json!(PASSWORD)])
        .await;
    assert_eq!(back, json!(200));
}
