//! Files straight from the page to Filestack, what is said when that cannot be, and the Picker's stand-in.

use std::path::PathBuf;
use std::time::Duration;

use satchel::emulator::Route;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::app::{Setup, TestApp};
use crate::support::browser::{Chromium, DESKTOP, PHONE, Theme};
use crate::support::{content, eventually};

const MIB: usize = 1 << 20;
/// The narrowest phone that the page is made for.
const NARROW: (u32, u32) = (320, 640);
const PICTURE: &[u8] = include_bytes!("../../../docs/screenshot-documents.png");

/// A member on the upload page.
struct Scene {
    app: TestApp,
    browser: Chromium,
    files: TempDir,
}

impl Scene {
    async fn new() -> Self {
        Self::of(TestApp::new()).await
    }

    async fn of(setup: Setup) -> Self {
        let (app, browser) = (setup.start().await, Chromium::start().await);
        browser.sign_in(&app, "ana").await;
        let scene = Scene {
            app,
            browser,
            files: tempfile::tempdir().expect("a temporary directory"),
        };
        scene.open().await;
        scene
    }

    async fn open(&self) {
        self.browser.goto(&format!("{}/uploads/new", self.app.url)).await;
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.files.path().join(name);
        std::fs::write(&path, bytes).expect("a file to upload");
        path
    }

    async fn choose(&self, name: &str, bytes: &[u8]) {
        self.browser.choose("#file", &[&self.file(name, bytes)]).await;
    }

    async fn state(&self, row: usize, words: &str) {
        let state = format!(".queue-row:nth-child({row}) .queue-state");
        self.browser.see_text(&state, words).await;
    }

    /// The browser cannot reach addresses with this in them.
    async fn block(&self, patterns: &[&str]) {
        self.browser.devtools("Network.enable", json!({})).await;
        self.browser
            .devtools("Network.setBlockedURLs", json!({"urls": patterns}))
            .await;
    }

    async fn network(&self, offline: bool, upload: f64) {
        let network =
            json!({"offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": upload});
        self.browser.devtools("Network.enable", json!({})).await;
        self.browser
            .devtools("Network.emulateNetworkConditions", network)
            .await;
    }

    /// How many uploads came through the server, and how many past it.
    async fn ways(&self) -> (usize, usize) {
        let intents = self.app.intents().await;
        let direct = intents.iter().filter(|intent| intent.path.contains('.')).count();
        (intents.len() - direct, direct)
    }

    async fn names(&self) -> Vec<String> {
        let documents = self.app.documents().await;
        let mut names: Vec<_> = documents.into_iter().map(|document| document.name).collect();
        names.sort();
        names
    }

    /// Pictures of the page on a phone and on a laptop, light and dark; nothing to scroll sideways on any.
    async fn look(&self, name: &str) {
        for (size, width) in [(NARROW, "narrow"), (PHONE, "phone"), (DESKTOP, "desktop")] {
            for (theme, shade) in [(Theme::Dark, "dark"), (Theme::Light, "light")] {
                self.browser.look(size, theme).await;
                assert!(
                    self.browser.overflow().await <= 0,
                    "{name} is wider than a {width}"
                );
                self.browser.screenshot(&format!("{name}-{width}-{shade}")).await;
            }
        }
    }
}

#[actix_web::test]
#[ignore = "needs Chromium"]
async fn files_go_straight_to_filestack_and_are_shown_with_their_details() {
    let scene = Scene::new().await;
    let browser = &scene.browser;
    scene.choose("summer.png", PICTURE).await;
    scene.state(1, "Uploaded").await;
    browser
        .drop_file(".drop-zone", "dropped.txt", "Dropped onto the page.\n")
        .await;
    scene.state(2, "Uploaded").await;
    let paste =
        "const transfer = new DataTransfer(); transfer.items.add(new File(['Pasted.'], 'pasted.txt'));
        document.dispatchEvent(new ClipboardEvent('paste', {clipboardData: transfer, bubbles: true}));";
    browser.run(paste, &[]).await;
    scene.state(3, "Uploaded").await;
    assert_eq!(scene.names().await, ["dropped.txt", "pasted.txt", "summer.png"]);
    assert_eq!(
        scene.ways().await,
        (0, 3),
        "the bytes did not pass through the server"
    );
    browser.click(".queue-row:nth-child(1) summary").await;
    browser
        .see_text(".queue-row:nth-child(1) [data-part=filestack]", "\"handle\"")
        .await;
    browser
        .see_text(".queue-row:nth-child(1) [data-part=registered]", "\"duplicates\"")
        .await;
    browser
        .until("the picture is shown as the CDN makes it", async || {
            let shown = "return document.querySelector('.queue-details img').naturalWidth > 0";
            browser.run(shown, &[]).await == true
        })
        .await;
    for role in ["open", "copy"] {
        assert!(browser.is_shown(&format!("[data-role={role}]")).await, "{role}");
    }
    assert!(browser.is_shown("#queue-more").await);
    scene.look("upload-direct").await;
    browser.assert_quiet().await;
}

#[actix_web::test]
#[ignore = "needs Chromium"]
async fn the_picker_opens_in_the_page_where_there_is_room_and_over_it_on_a_phone() {
    let scene = Scene::new().await;
    let browser = &scene.browser;
    browser.click("#picker-open").await;
    browser.see("#picker .fsp-inline").await;
    let paths = [
        scene.file("one.txt", b"The first."),
        scene.file("two.txt", b"The second."),
        scene.file("summer.png", PICTURE),
    ];
    let paths: Vec<_> = paths.iter().map(PathBuf::as_path).collect();
    browser.choose("#picker input[type=file]", &paths).await;
    browser
        .see_text("#picker .fsp-primary:not([hidden])", "Select")
        .await;
    browser.see_text("#picker footer", "3 chosen").await;
    scene.look("picker-inline").await;
    browser.click("#picker footer button").await;
    for row in 1..=3 {
        scene.state(row, "Uploaded").await;
    }
    assert_eq!(scene.names().await, ["one.txt", "summer.png", "two.txt"]);
    assert_eq!(scene.ways().await, (0, 3));
    let claims: std::collections::BTreeSet<_> = scene
        .app
        .intents()
        .await
        .into_iter()
        .map(|intent| intent.path)
        .collect();
    assert_eq!(claims.len(), 1, "one right for all of them");

    browser.look(PHONE, Theme::Light).await;
    scene.open().await;
    browser.click("#picker-open").await;
    browser.see("[role=dialog]").await;
    browser.screenshot("picker-overlay-phone-light").await;
    // By keyboard alone: closed with Escape, and the focus is back where it was.
    let escape =
        "document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {key: 'Escape', bubbles: true}))";
    browser.run(escape, &[]).await;
    browser
        .until("the Picker is closed", async || {
            let back = "return document.activeElement.id === 'picker-open' && !document.querySelector('[role=dialog]')";
            browser.run(back, &[]).await == true
        })
        .await;
    browser.assert_quiet().await;
}

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
async fn duplicates_are_kept_skipped_or_replaced_as_their_owner_says() {
    let scene = Scene::new().await;
    let browser = &scene.browser;
    let press = async |row: usize, button: usize| {
        let css = format!(".queue-row:nth-child({row}) .queue-help button:nth-of-type({button})");
        browser.see(&css).await;
        browser.click(&css).await;
    };
    scene.choose("first.txt", b"The same.").await;
    scene.state(1, "Uploaded").await;
    scene.choose("second.txt", b"The same.").await;
    browser
        .see_text(".queue-row:nth-child(2) .queue-help", "You already have this")
        .await;
    assert_eq!(
        browser.text(".queue-row:nth-child(2) .queue-help a").await,
        "first.txt"
    );
    scene.look("upload-duplicate").await;
    press(2, 1).await;
    assert_eq!(scene.names().await, ["first.txt", "second.txt"]);
    scene.choose("third.txt", b"The same.").await;
    press(3, 2).await;
    scene.state(3, "Skipped").await;
    assert_eq!(scene.names().await, ["first.txt", "second.txt"]);
    scene.choose("fourth.txt", b"The same.").await;
    press(4, 3).await;
    scene.state(4, "the earlier one is deleted").await;
    assert_eq!(scene.names().await, ["fourth.txt", "second.txt"]);
    browser.assert_quiet().await;
}

#[actix_web::test]
#[ignore = "needs Chromium"]
async fn a_folder_keeps_the_way_to_each_file_in_its_name() {
    let scene = Scene::new().await;
    let root = scene.files.path().join("trip");
    std::fs::create_dir_all(root.join("day 1")).expect("a folder");
    for (path, text) in [("plan.txt", "Go."), ("day 1/plan.txt", "Go on.")] {
        std::fs::write(root.join(path), text).expect("a file");
    }
    scene.browser.choose("#folder", &[root.as_path()]).await;
    scene.state(1, "Uploaded").await;
    scene.state(2, "Uploaded").await;
    assert_eq!(
        scene.names().await,
        ["trip › day 1 › plan.txt", "trip › plan.txt"]
    );
    // The same on the way through the server.
    scene.block(&["*/filestack-js/*"]).await;
    scene.open().await;
    std::fs::write(root.join("day 1/more.txt"), "More.").expect("a file");
    scene.browser.choose("#folder", &[root.as_path()]).await;
    for row in 1..=3 {
        scene.state(row, "Uploaded").await;
    }
    assert!(
        scene
            .names()
            .await
            .contains(&"trip › day 1 › more.txt".to_owned())
    );
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
    let scene = Scene::new().await;
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
    let scene = Scene::new().await;
    let bytes = content(100_000_000);
    scene.network(false, 30.0 * MIB as f64).await;
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
async fn a_file_may_be_cancelled_and_sent_again_and_leaves_nothing_behind() {
    let scene = Scene::new().await;
    scene.network(false, 2.0 * MIB as f64).await;
    scene.choose("large.bin", &content(12 * MIB)).await;
    scene.state(1, " of 12 MiB").await;
    scene.browser.click("[data-role=cancel]").await;
    scene.state(1, "Cancelled").await;
    assert_eq!(scene.app.stored_files(), 0);
    scene.network(false, -1.0).await;
    scene.browser.click("[data-role=retry]").await;
    scene.state(1, "Uploaded").await;
    assert_eq!(
        (scene.app.stored_files(), scene.app.documents().await.len()),
        (1, 1)
    );
    scene.browser.assert_quiet().await;
}

#[actix_web::test]
#[ignore = "needs Chromium"]
async fn who_signed_out_meanwhile_is_told_and_goes_on_after_signing_in() {
    let scene = Scene::new().await;
    let browser = &scene.browser;
    let leave = "const body = new URLSearchParams({csrf_token: document.querySelector('meta[name=csrf-token]').content});
        return fetch('/sign-out', {method: 'POST', body}).then((answer) => answer.status)";
    assert_eq!(browser.run(leave, &[]).await, json!(200));
    scene.choose("a.txt", b"Kept meanwhile.").await;
    browser
        .see_text(".queue-help", "Sign in again in another tab")
        .await;
    browser.screenshot("upload-signed-out").await;
    let come_back =
        "const page = new DOMParser().parseFromString(await (await fetch('/sign-in')).text(), 'text/html');
        const csrf_token = page.querySelector('meta[name=csrf-token]').content;
        const body = new URLSearchParams({csrf_token, email: arguments[0], password: arguments[1]});
        return (await fetch('/sign-in', {method: 'POST', body})).status";
    let script = format!("return (async () => {{ {come_back} }}).apply(null, arguments)")
        .replace("(async () => {", "(async function () {");
    let back = browser
        .run(
            &script,
            &[json!("ana@example.org"), json!(crate::support::app::PASSWORD)],
        )
        .await;
    assert_eq!(back, json!(200));
    browser.click("[data-role=retry]").await;
    scene.state(1, "Uploaded").await;
    assert_eq!(scene.names().await, ["a.txt"]);
}

#[actix_web::test]
#[ignore = "needs Chromium and Filestack's JavaScript SDK"]
async fn the_official_client_uploads_and_opens_our_picker() {
    let client = crate::sdk::integrity::client();
    let path = client.to_str().expect("a plain path").to_owned();
    let scene = Scene::of(TestApp::new().var("SATCHEL_CLIENT_SCRIPT", &path)).await;
    let browser = &scene.browser;
    scene.choose("summer.png", PICTURE).await;
    scene.state(1, "Uploaded").await;
    let version = browser.run("return window.filestack.version ?? null", &[]).await;
    assert!(version != Value::String("stand-in".to_owned()), "{version}");
    browser.click("#picker-open").await;
    browser.see("#picker .fsp-inline").await;
    let second = scene.file("two.txt", b"The second.");
    browser
        .choose("#picker input[type=file]", &[second.as_path()])
        .await;
    browser.click("#picker footer button").await;
    scene.state(2, "Uploaded").await;
    assert_eq!(scene.names().await, ["summer.png", "two.txt"]);
    assert_eq!(scene.ways().await, (0, 2));
    browser.assert_quiet().await;
}
