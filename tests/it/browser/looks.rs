//! Every page on a phone and on a laptop, light and dark: nothing to scroll sideways, nothing in the console. The pictures stay in
//! `target/screenshots` for people to look at.

use satchel::services::{accounts, statistics};

use crate::quotas::documents;
use crate::support::app::TestApp;
use crate::support::browser::{Chromium, DESKTOP, PHONE, Theme};
use crate::support::documents::a_document;
use crate::support::eventually;

/// A large picture, for the preview.
const PICTURE: &[u8] = include_bytes!("../../../docs/screenshot-documents.png");

#[actix_web::test]
#[ignore = "needs Chromium"]
async fn every_page_fits_a_phone_and_a_laptop_in_light_and_dark() {
    let app = TestApp::sqlite().await;
    let browser = Chromium::start().await;
    let token = accounts::new_setup_token(&app.services).await;
    let token = token.expect("the database answers").expect("set-up is open");
    let before = [
        ("setup", format!("/setup?token={token}")),
        ("setup-bad-link", "/setup?token=wrong".to_owned()),
    ];
    look(&app, &browser, &before).await;

    let ana = app.user("ana").await;
    look(&app, &browser, &[("sign-in", "/sign-in".to_owned())]).await;
    browser.sign_in(&app, "ana").await;
    look(&app, &browser, &[("documents-empty", "/documents".to_owned())]).await;
    let picture = ana.document("Bildschirmfoto vom Sommer.png", PICTURE).await;
    ana.document("notes.txt", b"A line.\n").await;
    let long =
        "A name that goes on and on without any end in sight because somebody put a whole sentence into it "
            .repeat(2);
    let thrown = ana.document(&format!("{long}.txt"), b"x").await;
    assert_eq!(ana.delete(&format!("/api/documents/{thrown}")).await.status, 204);
    let long = ana.document(&format!("{long}.pdf"), b"%PDF-1.4\n").await;
    let after = [
        ("documents", "/documents".to_owned()),
        ("documents-found", "/documents?q=notes&sort=name".to_owned()),
        (
            "documents-not-found",
            "/documents?q=nothing+of+the+kind".to_owned(),
        ),
        ("document-picture", format!("/documents/{picture}")),
        ("document-long-name", format!("/documents/{long}")),
        ("trash", "/trash".to_owned()),
        ("trash-emptying", "/trash/emptying".to_owned()),
        ("trash-purge", format!("/trash/{thrown}/purge")),
        ("upload", "/uploads/new".to_owned()),
        ("account", "/account".to_owned()),
        ("docs", "/docs".to_owned()),
        ("missing", "/documents/none".to_owned()),
    ];
    look(&app, &browser, &after).await;
}

#[actix_web::test]
#[ignore = "needs Chromium"]
async fn every_page_of_administrators_fits_a_phone_and_a_laptop_in_light_and_dark() {
    let app = TestApp::sqlite().await;
    let browser = Chromium::start().await;
    let (ana, admin) = (app.user("ana").await, app.admin().await);
    let long =
        "A name that goes on and on without any end in sight because somebody put a sentence into it.pdf";
    let id = ana.document(long, b"%PDF-1.4\n").await;
    ana.process("notes.txt", b"A line.\n").await;
    let opened = ana.document("opened.txt", b"x").await;
    let reason = [("reason", "Ana asked for help with it")];
    admin
        .post_form(&format!("/admin/documents/{opened}"), &reason)
        .await;
    admin
        .post_form("/admin/webhooks/samples", &[("action", "fp.upload")])
        .await;
    app.advance(std::time::Duration::from_secs(60));
    app.deliver_raw(&[("FS-Timestamp", "1"), ("FS-Signature", "x")], b"<b>who</b>")
        .await;
    eventually("it is kept", async || !app.rejections().await.is_empty()).await;
    statistics::gather(&app.services)
        .await
        .expect("the figures are counted");
    app.quota("ana", documents(7)).await;
    let member = app.owner("ana").await.id;
    let event = app.events().await.remove(0).id;
    browser.sign_in(&app, "admin").await;
    let pages = [
        ("admin", "/admin".to_owned()),
        ("admin-documents", "/admin/documents".to_owned()),
        ("admin-document-closed", format!("/admin/documents/{id}")),
        ("admin-document-opened", format!("/admin/documents/{opened}")),
        ("admin-users", "/admin/users".to_owned()),
        (
            "admin-users-filtered",
            "/admin/users?role=admin&sort=-size".to_owned(),
        ),
        ("admin-webhooks", "/admin/webhooks".to_owned()),
        ("admin-jobs", "/admin/jobs".to_owned()),
        ("admin-jobs-attempts", "/admin/jobs/attempts".to_owned()),
        ("admin-audit", "/admin/audit".to_owned()),
        (
            "admin-audit-filtered",
            "/admin/audit?action=document.add&since=2h".to_owned(),
        ),
        ("admin-audit-nothing", "/admin/audit?subject=nothing".to_owned()),
        ("admin-audit-wrong", "/admin/audit?since=yesterday".to_owned()),
        ("admin-users", "/admin/users".to_owned()),
        ("admin-user", format!("/admin/users/{member}")),
        ("admin-webhook", format!("/admin/webhooks/{event}")),
        ("admin-webhook-replay", format!("/admin/webhooks/{event}/replay")),
        ("admin-webhooks-replay", "/admin/webhooks/replay".to_owned()),
        ("admin-webhook-refusals", "/admin/webhooks/refusals".to_owned()),
        ("admin-settings", "/admin/settings".to_owned()),
        ("admin-system", "/admin/system".to_owned()),
    ];
    look(&app, &browser, &pages).await;
    browser.goto(&format!("{}/admin", app.url)).await;
    browser.look(DESKTOP, Theme::Light).await;
    let tops = "return [...document.querySelectorAll('.charts > .panel')].slice(0, 2)
        .map((chart) => Math.round(chart.getBoundingClientRect().top))";
    let tops = browser.run(tops, &[]).await;
    assert!(
        tops[0].is_number() && tops[0] == tops[1],
        "charts side by side: {tops}"
    );
}

/// WCAG 1.4.12 in a style sheet of the browser's own.
const SPACED: &str = "const sheet = new CSSStyleSheet();
    sheet.replaceSync('* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important; } \
        p { margin-block-end: 2em !important; }');
    document.adoptedStyleSheets = [sheet];";
const UNSPACED: &str = "document.adoptedStyleSheets = [];";

/// Looks at pages, one by one, in every way.
async fn look(app: &TestApp, browser: &Chromium, pages: &[(&str, String)]) {
    for (name, path) in pages {
        browser.goto(&format!("{}{path}", app.url)).await;
        // As wide as 1280 pixels are at 400 % (WCAG 1.4.10), and with letters and lines as far apart as anybody may set them (1.4.12).
        browser.look((320, 640), Theme::Light).await;
        for spaced in [false, true] {
            if spaced {
                browser.run(SPACED, &[]).await;
            }
            let wide = browser.beyond_the_edge().await;
            let overflow = browser.overflow().await;
            assert!(
                overflow <= 0,
                "{path} is wider than 320 pixels (spaced: {spaced}): {wide}"
            );
        }
        browser.run(UNSPACED, &[]).await;
        for (size, width) in [(PHONE, "phone"), (DESKTOP, "desktop")] {
            for theme in [Theme::Light, Theme::Dark] {
                browser.look(size, theme).await;
                let wide = browser.beyond_the_edge().await;
                assert!(
                    browser.overflow().await <= 0,
                    "{path} is wider than a {width}: {wide}"
                );
                let shade = if theme == Theme::Dark { "dark" } else { "light" };
                browser.screenshot(&format!("{name}-{width}-{shade}")).await;
            }
        }
        // An error page is an answer that the console tells of.
        let complaints = browser.complaints().await;
        let unexpected = |text: &&String| !text.contains("the server responded with a status of");
        let unexpected: Vec<_> = complaints.iter().filter(unexpected).collect();
        assert!(unexpected.is_empty(), "{path}: {unexpected:#?}");
    }
}

/// What of a page came over the network, pictures from the CDN aside, and when something of it was to be seen.
const WEIGHT: &str = "return new Promise((done) => {
    const weigh = () => {
        const paint = performance.getEntriesByName('first-contentful-paint')[0];
        if (!paint) return requestAnimationFrame(weigh);
        const parts = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')];
        const own = parts.filter((part) => new URL(part.name).origin === location.origin);
        done({paint: paint.startTime, page: own[0].encodedBodySize,
            all: own.reduce((sum, part) => sum + part.encodedBodySize, 0)});
    };
    weigh();
});";

#[actix_web::test]
#[ignore = "needs Chromium"]
async fn the_list_and_the_upload_page_are_small() {
    let app = TestApp::sqlite().await;
    let browser = Chromium::start().await;
    browser.sign_in(&app, "ana").await;
    for number in 0..60 {
        let name = format!("Quarterly report number {number}.pdf");
        a_document(&name).create(&app, "ana").await;
    }
    for path in ["/documents", "/uploads/new"] {
        browser.goto(&format!("{}{path}", app.url)).await;
        let weight = browser.run(WEIGHT, &[]).await;
        let size = |part: &str| weight[part].as_u64().expect("a size");
        let (page, all) = (size("page"), size("all"));
        let paint = weight["paint"].as_f64().expect("a time");
        println!(
            "{path}: {page} bytes, {all} with styles, scripts and icons; first contentful paint after {paint:.0} ms"
        );
        assert!(page > 0 && page < 100_000, "{path}: {page} bytes");
    }
}
