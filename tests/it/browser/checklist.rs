//! What a person expects of a list and of a page, and no test of the journey shows: keys, choosing many, sizes of targets, settings of
//! the system that are honoured.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::browser::{Chromium, DESKTOP, PHONE, Theme};
use crate::support::documents::a_document;
use crate::support::png;

const DOWN: &str = "\u{e015}";
const UP: &str = "\u{e013}";
const DELETE: &str = "\u{e017}";

async fn with_list(count: usize) -> (TestApp, Chromium) {
    let app = TestApp::sqlite().await;
    let browser = Chromium::start().await;
    browser.sign_in(&app, "ana").await;
    for number in 0..count {
        a_document(&format!("{number:02}.txt")).create(&app, "ana").await;
    }
    browser.goto(&format!("{}/documents?sort=name", app.url)).await;
    (app, browser)
}

async fn focused(browser: &Chromium) -> String {
    let script =
        "const e = document.activeElement; return e.closest('tr')?.querySelector('th')?.innerText ?? e.id";
    let text = browser.run(script, &[]).await;
    text.as_str().unwrap_or_default().trim().to_owned()
}

async fn chosen(browser: &Chromium) -> usize {
    browser.count("tbody .cell-select input:checked").await
}

#[actix_web::test]
#[ignore = "needs Chromium"]
async fn single_keys_search_upload_move_choose_and_delete_and_can_be_switched_off() {
    let (app, browser) = with_list(5).await;
    browser.type_keys("?").await;
    browser.see_text("#shortcuts h2", "Keyboard shortcuts").await;
    browser.click("#shortcuts form button").await;
    // Until it has closed, keys are the dialog's own.
    browser
        .until("the dialog gone", async || !browser.is_shown("#shortcuts").await)
        .await;
    browser.type_keys("/").await;
    assert_eq!(focused(&browser).await, "q");
    // In a field they are letters.
    browser.type_keys("ux?").await;
    let typed = browser
        .run("return document.getElementById('q').value", &[])
        .await;
    assert_eq!(typed, "ux?");
    browser
        .run("document.querySelector('tbody th a').focus()", &[])
        .await;
    for (key, row) in [
        (DOWN, "01.txt"),
        (DOWN, "02.txt"),
        (UP, "01.txt"),
        (UP, "00.txt"),
        (UP, "00.txt"),
    ] {
        browser.type_keys(key).await;
        assert_eq!(focused(&browser).await, row);
    }
    browser.type_keys("x").await;
    browser.type_keys(DOWN).await;
    browser.type_keys("x").await;
    browser.see_text("[data-bulk-count]", "2 documents chosen").await;
    browser.type_keys(DELETE).await;
    browser.see_text(".notice", "2 documents are in the trash.").await;
    assert_eq!(app.owner("ana").await.trashed_count, 2);
    browser.type_keys("u").await;
    browser
        .until("the upload page", async || browser.path().await == "/uploads/new")
        .await;
    browser.type_keys("d").await;
    browser
        .until("the list", async || browser.path().await == "/documents")
        .await;

    // Off, and off on the next page too.
    browser.type_keys("?").await;
    browser.click("#shortcuts [data-shortcuts-switch]").await;
    browser.click("#shortcuts form button").await;
    browser.goto(&format!("{}/documents", app.url)).await;
    browser.type_keys("u/?").await;
    assert_eq!(browser.path().await, "/documents");
    assert!(!browser.is_shown("#shortcuts").await);
    browser.assert_quiet().await;
}

#[actix_web::test]
#[ignore = "needs Chromium"]
async fn documents_are_chosen_one_by_one_in_a_range_and_all_of_a_page() {
    let (_app, browser) = with_list(6).await;
    browser.click("tbody tr:nth-child(2) .cell-select input").await;
    let range = "document.querySelector('tbody tr:nth-child(5) .cell-select input')
        .dispatchEvent(new MouseEvent('click', {shiftKey: true, bubbles: true}))";
    browser.run(range, &[]).await;
    assert_eq!(chosen(&browser).await, 4);
    browser.see_text("[data-bulk-count]", "4 documents chosen").await;
    browser.click("[data-select-all] input").await;
    assert_eq!(chosen(&browser).await, 6);
    browser.click("[data-select-all] input").await;
    assert_eq!(chosen(&browser).await, 0);
    assert!(
        !browser.is_shown("#bulk").await,
        "the bar comes when there is something to do"
    );
}

/// WCAG 2.5.8: what is pressed has 24 by 24 pixels, on a laptop and on a phone; links within text need not.
#[actix_web::test]
#[ignore = "needs Chromium"]
async fn what_is_pressed_is_large_enough_and_in_the_order_it_is_seen_in() {
    const SMALL: &str = "return [...document.querySelectorAll('button, select, input:not([type=hidden]), summary, .button, .icon-button, \
        .chip, nav a')].filter((e) => {
            const target = e.type === 'checkbox' ? (e.closest('label') ?? e) : e;
            const box = target.getBoundingClientRect();
            return e.checkVisibility() && !e.closest('.visually-hidden') && !e.matches('.visually-hidden') && !e.matches('.link-button')
                && box.width > 0 && (box.width < 24 || box.height < 24);
        }).map((e) => e.outerHTML.slice(0, 100))";
    const STAYING: &str = "return [...document.querySelectorAll('body *')].filter((e) => e.checkVisibility()
        && ['sticky', 'fixed'].includes(getComputedStyle(e).position)).map((e) => e.outerHTML.slice(0, 100))";
    // Along the order of the keyboard nothing lies above what came before it, within a row of the list.
    const ORDER: &str = "return [...document.querySelectorAll('tbody tr')].every((row) => {
        const stops = [...row.querySelectorAll('a, button, input')].filter((e) => e.checkVisibility());
        const places = stops.map((e) => e.getBoundingClientRect());
        return stops.every((e) => e.tabIndex === 0) && places.every((at, n) => n === 0 || at.left >= places[n - 1].left
            || at.top >= places[n - 1].bottom - 1);
    })";
    let (app, browser) = with_list(3).await;
    for size in [DESKTOP, PHONE] {
        browser.look(size, Theme::Light).await;
        for path in ["/documents", "/trash", "/uploads/new", "/account"] {
            browser.goto(&format!("{}{path}", app.url)).await;
            let small = browser.run(SMALL, &[]).await;
            assert_eq!(small, json!([]), "{path} at {size:?}");
        }
        browser.goto(&format!("{}/documents", app.url)).await;
        // WCAG 2.4.11: nothing stays where it is while the page moves below it.
        assert_eq!(browser.run(STAYING, &[]).await, json!([]));
        assert_eq!(browser.run(ORDER, &[]).await, Value::Bool(true), "at {size:?}");
    }
}

#[actix_web::test]
#[ignore = "needs Chromium"]
async fn what_the_system_prefers_is_honoured_and_the_theme_is_kept_for_the_first_paint() {
    let (app, browser) = with_list(1).await;
    let background = "return getComputedStyle(document.documentElement).backgroundColor";
    let style = async |property: &str| {
        let script = "return getComputedStyle(document.querySelector('.button'))[arguments[0]]";
        browser.run(script, &[json!(property)]).await
    };
    browser.look(DESKTOP, Theme::Light).await;
    let light = browser.run(background, &[]).await;
    // `look` asks for less motion.
    assert_eq!(style("transitionDuration").await, "0s");
    browser.look(DESKTOP, Theme::Dark).await;
    let dark = browser.run(background, &[]).await;
    assert_ne!(light, dark);
    // Another than the system's, in a cookie that the server reads: the page comes with it.
    browser.run(
        "const s = document.querySelector('[data-theme-switch]'); s.value = 'light'; s.dispatchEvent(new Event('change'))",
        &[],
    )
    .await;
    assert_eq!(browser.run(background, &[]).await, light);
    browser.scripts(false).await;
    browser.goto(&format!("{}/documents", app.url)).await;
    browser.scripts(true).await;
    assert_eq!(
        browser.run(background, &[]).await,
        light,
        "without a script having run"
    );
    let forced = json!({"features": [{"name": "forced-colors", "value": "active"}]});
    browser.devtools("Emulation.setEmulatedMedia", forced).await;
    browser.goto(&format!("{}/documents", app.url)).await;
    assert_eq!(
        style("borderTopStyle").await,
        "solid",
        "a button has an edge where there are no backgrounds"
    );
    browser.screenshot("documents-forced-colours").await;
}

#[actix_web::test]
#[ignore = "needs Chromium"]
async fn a_password_can_be_shown_and_is_never_sent_as_text() {
    let app = TestApp::sqlite().await;
    app.account("ana").await;
    let browser = Chromium::start().await;
    browser.goto(&format!("{}/sign-in", app.url)).await;
    let kind = "return document.getElementById('password').type";
    assert_eq!(browser.run(kind, &[]).await, "password");
    browser.click("[data-reveals=password]").await;
    assert_eq!(browser.run(kind, &[]).await, "text");
    assert_eq!(
        browser
            .run("return document.querySelector('[data-reveals]').ariaPressed", &[])
            .await,
        "true"
    );
    // Pasting is nobody's to forbid.
    let pasted = "const field = document.getElementById('password');
        return field.dispatchEvent(new ClipboardEvent('paste', {bubbles: true, cancelable: true}))";
    assert_eq!(
        browser.run(pasted, &[]).await,
        Value::Bool(true),
        "the paste is not refused"
    );
    browser.click("[data-reveals=password]").await;
    assert_eq!(browser.run(kind, &[]).await, "password");
}

#[actix_web::test]
#[ignore = "needs Chromium"]
async fn rows_of_the_list_change_by_themselves_when_a_check_has_ended() {
    let app = TestApp::sqlite().await;
    let browser = Chromium::start().await;
    let ana = app.user("ana").await;
    ana.process("a.txt", b"harmless").await;
    ana.process("b.png", &png(40, 30)).await;
    a_document("c.txt").create(&app, "ana").await;
    // Without scripts there is a link to the page as it then is.
    let page = ana.page("/documents?sort=name").await;
    assert_eq!(
        page.attributes("[data-unsettled] a", "href"),
        ["/documents?sort=name"]
    );
    browser.sign_in(&app, "ana").await;
    browser.goto(&format!("{}/documents?sort=name", app.url)).await;
    browser.see_text("[data-unsettled]", "change by themselves").await;
    let states = "return [...document.querySelectorAll('.cell-status')].map((cell) => cell.innerText.trim())";
    assert_eq!(
        browser.run(states, &[]).await,
        json!(["Being checked", "Being checked", "Ready"])
    );
    // Somebody chooses one and is about to press what removes it.
    let focus =
        "document.querySelector('tbody input').click(); document.querySelector('tbody .icon-danger').focus()";
    browser.run(focus, &[]).await;
    // A check is a workflow of some seconds.
    for _ in 0..12 {
        app.run_jobs_however().await;
        app.advance(Duration::from_secs(3));
    }
    browser.see("tbody tr:nth-child(2) .status-ready").await;
    assert_eq!(browser.run(states, &[]).await, json!(["Ready", "Ready", "Ready"]));
    browser.see_text("[data-unsettled]", "Ready").await;
    let kept = "return [document.activeElement.getAttribute('aria-label'), document.querySelector('tbody input').checked]";
    assert_eq!(
        browser.run(kept, &[]).await,
        json!(["Move a.txt to the trash", true])
    );
    assert_eq!(
        browser.count("tbody a.icon-button").await,
        3,
        "each can be downloaded"
    );
    assert_eq!(browser.count("tbody tr:nth-child(2) .thumb img").await, 1);
    // Nothing is asked for any more.
    let page = ana.page("/documents").await;
    assert!(page.attributes("[data-unsettled]", "role").is_empty());
}

#[actix_web::test]
#[ignore = "needs Chromium"]
async fn a_digest_is_copied_and_said_and_a_picture_that_cannot_be_had_gives_way_to_its_icon() {
    let app = TestApp::sqlite().await;
    let browser = Chromium::start().await;
    let ana = app.user("ana").await;
    let id = ana.document("summer.png", &png(40, 30)).await;
    browser.sign_in(&app, "ana").await;
    browser.goto(&format!("{}/documents/{id}", app.url)).await;
    browser
        .devtools(
            "Browser.grantPermissions",
            json!({"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}),
        )
        .await;
    browser.see(".preview img").await;
    browser.click("[data-copies=sha256]").await;
    browser.see_text("[data-copies=sha256]", "Copied").await;
    assert_eq!(
        browser.count("[data-copies=sha256] span[aria-live=polite]").await,
        1
    );
    let handle = ana.get(&format!("/api/documents/{id}")).await.field("handle");
    app.emulator
        .store()
        .delete(&handle)
        .expect("the emulator's files can be written");
    browser.devtools("Network.enable", json!({})).await;
    browser
        .devtools("Network.setCacheDisabled", json!({"cacheDisabled": true}))
        .await;
    for (path, icon) in [
        ("/documents".to_owned(), ".cell-thumb svg"),
        (format!("/documents/{id}"), ".preview .thumb svg"),
    ] {
        browser.goto(&format!("{}{path}", app.url)).await;
        browser.see(icon).await;
        assert_eq!(browser.count("img[data-fallback]").await, 0, "{path}");
    }
}
