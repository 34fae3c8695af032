//! Files straight from the page to Filestack, by the page's own box and by the Picker's stand-in.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::app::{Setup, TestApp};
use crate::support::browser::{Chromium, DESKTOP, PHONE, Theme};
use crate::support::content;
use crate::uploads::import::{ok, server};

const MIB: usize = 1 << 20;
/// The narrowest phone that the page is made for.
const NARROW: (u32, u32) = (320, 640);
const PICTURE: &[u8] = include_bytes!("../../../docs/screenshot-documents.png");

/// A member on the upload page.
pub struct Scene {
    pub app: TestApp,
    pub browser: Chromium,
    pub files: TempDir,
}

impl Scene {
    pub async fn new() -> Self {
        Self::of(TestApp::new()).await
    }

    /// With Filestack's own client in place of our small one.
    pub async fn official() -> Self {
        let client = crate::sdk::integrity::client();
        let path = client.to_str().expect("a plain path").to_owned();
        Self::of(TestApp::new().var("SATCHEL_CLIENT_SCRIPT", &path)).await
    }

    pub async fn of(setup: Setup) -> Self {
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

    pub async fn open(&self) {
        self.browser.goto(&format!("{}/uploads/new", self.app.url)).await;
    }

    pub fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.files.path().join(name);
        std::fs::write(&path, bytes).expect("a file to upload");
        path
    }

    pub async fn choose(&self, name: &str, bytes: &[u8]) {
        self.browser.choose("#file", &[&self.file(name, bytes)]).await;
    }

    pub async fn state(&self, row: usize, words: &str) {
        let state = format!(".queue-row:nth-child({row}) .queue-state");
        self.browser.see_text(&state, words).await;
    }

    /// The browser cannot reach addresses with this in them.
    pub async fn block(&self, patterns: &[&str]) {
        self.browser.devtools("Network.enable", json!({})).await;
        self.browser
            .devtools("Network.setBlockedURLs", json!({"urls": patterns}))
            .await;
    }

    pub async fn network(&self, offline: bool, upload: f64) {
        let network =
            json!({"offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": upload});
        self.browser.devtools("Network.enable", json!({})).await;
        self.browser
            .devtools("Network.emulateNetworkConditions", network)
            .await;
    }

    /// How many uploads came through the server, and how many past it.
    pub async fn ways(&self) -> (usize, usize) {
        let intents = self.app.intents().await;
        let direct = intents.iter().filter(|intent| intent.path.contains('.')).count();
        (intents.len() - direct, direct)
    }

    pub async fn names(&self) -> Vec<String> {
        let documents = self.app.documents().await;
        let kept = documents
            .into_iter()
            .filter(|document| document.trashed_at.is_none());
        let mut names: Vec<_> = kept.map(|document| document.name).collect();
        names.sort();
        names
    }

    /// Pictures of the page on a phone and on a laptop, light and dark; nothing to scroll sideways on any.
    pub async fn look(&self, name: &str) {
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
    browser.see_text("#picker .fsp-foot", "3 chosen").await;
    scene.look("picker-inline").await;
    browser.click("#picker .fsp-foot button").await;
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
    // The clock stands still, and of two documents of one moment neither is the earlier one.
    scene.app.advance(Duration::from_secs(1));
    scene.choose("second.txt", b"The same.").await;
    browser
        .see_text(".queue-row:nth-child(2) .queue-help", "You already have this")
        .await;
    assert_eq!(
        browser.text(".queue-row:nth-child(2) .queue-help a").await,
        "first.txt"
    );
    scene.look("upload-duplicate").await;
    browser.look(NARROW, Theme::Light).await;
    let lines = "return new Set([...document.querySelectorAll('.queue-choices button')]
        .map((button) => Math.round(button.getBoundingClientRect().top))).size";
    assert_eq!(
        browser.run(lines, &[]).await,
        json!(1),
        "all choices are in one line"
    );
    browser.look(DESKTOP, Theme::Light).await;
    press(2, 1).await;
    assert_eq!(scene.names().await, ["first.txt", "second.txt"]);
    scene.choose("third.txt", b"The same.").await;
    press(3, 2).await;
    scene.state(3, "Skipped").await;
    assert_eq!(scene.names().await, ["first.txt", "second.txt"]);
    scene.choose("fourth.txt", b"The same.").await;
    press(4, 3).await;
    scene.state(4, "the earlier one is in the trash").await;
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
async fn a_file_may_be_cancelled_and_sent_again_and_leaves_nothing_behind() {
    cancelled(Scene::new().await).await;
}

#[actix_web::test]
#[ignore = "needs Chromium and Filestack's JavaScript SDK"]
async fn a_file_may_be_cancelled_and_sent_again_with_the_official_client() {
    cancelled(Scene::official().await).await;
}

async fn cancelled(scene: Scene) {
    scene.network(false, 0.5 * MIB as f64).await;
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
#[ignore = "needs Chromium and Filestack's JavaScript SDK"]
async fn the_official_client_uploads_and_opens_our_picker() {
    let scene = Scene::official().await;
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
    browser.click("#picker .fsp-foot button").await;
    scene.state(2, "Uploaded").await;
    assert_eq!(scene.names().await, ["summer.png", "two.txt"]);
    assert_eq!(scene.ways().await, (0, 2));
    browser.assert_quiet().await;
}

#[actix_web::test]
#[ignore = "needs Chromium"]
async fn a_phone_is_offered_its_camera() {
    let scene = Scene::new().await;
    let browser = &scene.browser;
    assert!(!browser.is_shown("#choose-camera").await, "there is a mouse");
    let touch = json!({"enabled": true});
    browser
        .devtools("Emulation.setTouchEmulationEnabled", touch)
        .await;
    scene.open().await;
    browser.see("#choose-camera").await;
    let asks = "return document.querySelector('#camera').getAttribute('capture')";
    assert_eq!(browser.run(asks, &[]).await, "environment");
    let picture = scene.file("photo.png", PICTURE);
    browser.choose("#camera", &[picture.as_path()]).await;
    scene.state(1, "Uploaded").await;
    assert_eq!(scene.names().await, ["photo.png"]);
    scene.look("upload-camera").await;
}

#[actix_web::test]
#[ignore = "needs Chromium"]
async fn a_file_keeps_its_name() {
    keeps_its_name(Scene::new().await).await;
}

#[actix_web::test]
#[ignore = "needs Chromium and Filestack's JavaScript SDK"]
async fn a_file_keeps_its_name_with_the_official_client() {
    keeps_its_name(Scene::official().await).await;
}

/// Unless told otherwise, the client puts dashes for half of these.
async fn keeps_its_name(scene: Scene) {
    let name = "Ana's 100 % {draft} #1 [a] ~ ^.txt";
    scene.choose(name, b"Kept.").await;
    scene.state(1, "Uploaded").await;
    assert_eq!(scene.ways().await, (0, 1));
    assert_eq!(scene.names().await, [name]);
}

#[actix_web::test]
#[ignore = "needs Chromium"]
async fn a_file_is_imported_from_an_address_where_that_is_switched_on() {
    let place = server(|_| ok("Content-Length: 17\r\n", b"From far away.\n\n\n"));
    let scene = Scene::of(TestApp::new().var("SATCHEL_URL_IMPORT", &place.to_string())).await;
    let browser = &scene.browser;
    browser
        .fill("#import-url", &format!("http://{place}/letters/far.txt"))
        .await;
    browser.click("#import button").await;
    scene.state(1, "Uploaded").await;
    browser.fill("#import-url", "http://127.0.0.1/far.txt").await;
    browser.click("#import button").await;
    scene.state(2, "could not be fetched").await;
    assert_eq!(scene.names().await, ["far.txt"]);
    scene.look("upload-import").await;
}

#[actix_web::test]
#[ignore = "needs Chromium"]
async fn two_tabs_upload_side_by_side() {
    let scene = Scene::new().await;
    let browser = &scene.browser;
    scene.network(false, 4.0 * MIB as f64).await;
    scene.choose("first.bin", &content(12 * MIB)).await;
    scene.state(1, " of 12 MiB").await;
    let first = browser.tab().await;
    let second = browser.new_tab().await;
    scene.open().await;
    scene.choose("second.txt", b"Beside it.").await;
    scene.state(1, "Uploaded").await;
    assert_ne!(first, second);
    browser.switch_to(&first).await;
    scene.network(false, -1.0).await;
    scene.state(1, "Uploaded").await;
    assert_eq!(scene.names().await, ["first.bin", "second.txt"]);
}

#[actix_web::test]
#[ignore = "needs Chromium"]
async fn the_picker_is_used_by_keyboard_alone() {
    let scene = Scene::new().await;
    let browser = &scene.browser;
    browser.look(PHONE, Theme::Light).await;
    browser
        .run("document.getElementById('picker-open').focus()", &[])
        .await;
    browser.keys("#picker-open", "\u{e007}").await;
    browser.see("[role=dialog]").await;
    // The focus goes round inside the window.
    let inside = "return document.querySelector('[role=dialog]').contains(document.activeElement)";
    for _ in 0..8 {
        browser.type_keys("\u{e004}").await;
        assert_eq!(browser.run(inside, &[]).await, true, "Tab left the window");
    }
    let file = scene.file("by-keyboard.txt", b"No mouse.");
    browser
        .choose("[role=dialog] input[type=file]", &[file.as_path()])
        .await;
    browser.see_text("[role=dialog] .fsp-foot", "1 chosen").await;
    browser
        .run(
            "document.querySelector('[role=dialog] .fsp-foot button').focus()",
            &[],
        )
        .await;
    browser.type_keys("\u{e007}").await;
    scene.state(1, "Uploaded").await;
    browser
        .until("the focus is back", async || {
            browser
                .run("return document.activeElement.id === 'picker-open'", &[])
                .await
                == true
        })
        .await;
}
