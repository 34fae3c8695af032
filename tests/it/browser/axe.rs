//! Every page through the eyes of an accessibility engine (`axe-core`), light and dark.

use std::time::Duration;

use serde_json::{Value, json};

use satchel::services::accounts;
use satchel::services::sessions::TRUSTED;

use super::direct::Scene;
use crate::sdk::bench::installed;
use crate::support::app::{PASSWORD, TestApp, email};
use crate::support::browser::{Chromium, DESKTOP, PHONE, Theme};

const PICTURE: &[u8] = include_bytes!("../../../docs/screenshot-documents.png");

/// What the engine has against the page as it is now.
async fn complaints(browser: &Chromium, engine: &str) -> Vec<String> {
    browser
        .run(&format!("if (!window.axe) {{ {engine} }}"), &[])
        .await;
    let script = "return axe.run(document, {resultTypes: ['violations']}).then(({violations}) =>
        violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html.slice(0, 160)).join(' | ')}`))";
    let found = browser.run(script, &[]).await;
    let found = found.as_array().unwrap_or_else(|| panic!("no answer: {found}"));
    found
        .iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

/// Looks at the page as it is, in every way.
async fn judge(browser: &Chromium, engine: &str, page: &str, found: &mut Vec<String>) {
    for (size, width) in [(DESKTOP, "desktop"), (PHONE, "phone")] {
        for theme in [Theme::Light, Theme::Dark] {
            browser.look(size, theme).await;
            for complaint in complaints(browser, engine).await {
                found.push(format!("{page}, {width}, {theme:?}: {complaint}"));
            }
        }
    }
    browser.look(DESKTOP, Theme::Light).await;
}

fn engine() -> String {
    let path = installed().join("javascript/node_modules/axe-core/axe.min.js");
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[actix_web::test]
#[ignore = "needs Chromium and Filestack's SDKs, beside which axe-core is installed"]
async fn an_accessibility_engine_finds_nothing_on_any_page() {
    let (app, browser, engine) = (TestApp::sqlite().await, Chromium::start().await, engine());
    let token = accounts::new_setup_token(&app.services).await;
    let token = token.expect("the database answers").expect("set-up is open");
    let mut found = Vec::new();
    let visit = async |path: &str, found: &mut Vec<String>| {
        browser.goto(&format!("{}{path}", app.url)).await;
        judge(&browser, &engine, path, found).await;
    };
    visit(&format!("/setup?token={token}"), &mut found).await;
    visit("/setup?token=wrong", &mut found).await;
    let admin = app.admin().await;
    visit("/sign-in", &mut found).await;
    browser.fill("#email", &email("admin")).await;
    browser.fill("#password", PASSWORD).await;
    browser.click("main button[type=submit]").await;
    browser
        .until("signed in", async || browser.path().await == "/documents")
        .await;
    judge(&browser, &engine, "/documents, empty", &mut found).await;
    let id = admin.document("summer.png", PICTURE).await;
    admin.document("notes.txt", b"A line.\n").await;
    let member = app.owner("admin").await.id;
    let theirs = app.user("ana").await.document("theirs.txt", b"x").await;
    for path in [
        "/documents",
        "/documents?q=notes&sort=name",
        "/documents?q=nothing",
        &format!("/documents/{id}"),
        "/trash",
        "/trash/emptying",
        "/documents/none",
        "/uploads/new",
        "/docs",
        "/account",
        "/admin",
        "/admin/users",
        &format!("/admin/users/{member}"),
        "/admin/documents",
        "/admin/documents?owner=nobody@example.org",
        &format!("/admin/documents/{theirs}"),
        "/admin/audit",
        "/admin/audit?action=document.add&sort=time",
        "/admin/settings",
        "/admin/system",
        "/admin/webhooks",
        "/admin/webhooks/refusals",
        "/admin/jobs",
        "/admin/jobs/attempts",
    ] {
        visit(path, &mut found).await;
    }
    // Forms that say what is wrong beside the field.
    for (path, fields, form) in [
        (
            "/account",
            &[
                ("#current-password", "not the password"),
                ("#new-password", "four plain words"),
            ][..],
            "/account/password",
        ),
        (
            "/account",
            &[("#token-name", "a program"), ("#token-days", "many")],
            "/account/tokens",
        ),
        (
            "/admin/users",
            &[("#invite-email", "ana@example.org")],
            "/admin/users",
        ),
        ("/admin/users", &[("#total-mebibytes", "much")], "/admin/quota"),
        (
            &format!("/admin/users/{member}"),
            &[("#quota-documents", "many")],
            &format!("/admin/users/{member}/quota"),
        ),
    ] {
        browser.goto(&format!("{}{path}", app.url)).await;
        for (field, value) in fields {
            browser.fill(field, value).await;
        }
        browser
            .click(&format!("form[method=post][action='{form}'] button[type=submit]"))
            .await;
        browser.see("[aria-invalid=true]").await;
        judge(&browser, &engine, &format!("{form} with an error"), &mut found).await;
    }
    assert!(found.is_empty(), "{found:#?}");
}

/// Sends a form of the page as it is filled in, whatever the browser thinks of that, and waits for a page with this on it.
async fn send(browser: &Chromium, form: &str, fields: &[(&str, &str)], then: &str) {
    let script = "const form = document.querySelector(arguments[0]);
        for (const [name, value] of arguments[1]) form.elements[name].value = value;
        form.submit();";
    browser.run(script, &[json!(form), json!(fields)]).await;
    browser.see(then).await;
}

#[actix_web::test]
#[ignore = "needs Chromium and Filestack's SDKs, beside which axe-core is installed"]
async fn an_accessibility_engine_finds_nothing_where_something_was_done() {
    let (app, browser, engine) = (TestApp::sqlite().await, Chromium::start().await, engine());
    let admin = app.admin().await;
    let kept = admin.document("kept.txt", b"A line.\n").await;
    let tagged = [("tags", "paid, tax 2026"), ("note", "By post.")];
    admin
        .post_form(&format!("/documents/{kept}/description"), &tagged)
        .await;
    let trashed = admin.document("trashed.txt", b"x").await;
    admin
        .post_form(&format!("/documents/{trashed}/deletion"), &[])
        .await;
    admin
        .post_form("/admin/webhooks/samples", &[("action", "fp.upload")])
        .await;
    browser.sign_in(&app, "admin").await;
    let mut found = Vec::new();
    let goto = async |path: &str| browser.goto(&format!("{}{path}", app.url)).await;
    for path in [
        "/documents?tag=paid&type=text&status=stored",
        "/trash",
        "/trash/emptying",
        &format!("/trash/{trashed}/purge"),
        "/admin/webhooks/replay",
    ] {
        goto(path).await;
        judge(&browser, &engine, path, &mut found).await;
    }
    goto("/admin/webhooks").await;
    browser.click("tbody a[href^='/admin/webhooks/']").await;
    browser.see("h1").await;
    judge(&browser, &engine, "an event", &mut found).await;

    let document = format!("/documents/{kept}");
    for (form, field) in [
        ("name", ("name", "...")),
        ("description", ("tags", &*"x".repeat(50))),
    ] {
        goto(&document).await;
        let form = format!("form[action='{document}/{form}']");
        send(&browser, &form, &[field], "[aria-invalid=true]").await;
        judge(&browser, &engine, &format!("{form} with an error"), &mut found).await;
    }
    goto("/documents").await;
    let many = "document.querySelector('tbody input[name=id]').checked = true;
        document.querySelector('#bulk').action = '/tags';";
    browser.run(many, &[]).await;
    let tags = "x".repeat(50);
    send(&browser, "#bulk", &[("tags", &tags)], "#tags[aria-invalid=true]").await;
    judge(&browser, &engine, "tags of many with an error", &mut found).await;

    goto("/uploads/new").await;
    send(&browser, "#uploader", &[], "#file-error").await;
    judge(&browser, &engine, "an upload of nothing", &mut found).await;
    let chosen = "const some = new DataTransfer(); some.items.add(new File(['x'], 'a.txt'));
        document.querySelector('#file').files = some.files;";
    browser.run(chosen, &[]).await;
    send(&browser, "#uploader", &[], ".queue-state.is-done").await;
    judge(&browser, &engine, "the result of an upload", &mut found).await;

    goto("/admin/users").await;
    let invited = [("email", "new@example.org")];
    send(
        &browser,
        "form[method=post][action='/admin/users']",
        &invited,
        ".secret",
    )
    .await;
    judge(&browser, &engine, "an invitation", &mut found).await;
    let link = browser.text(".secret").await;
    app.advance(TRUSTED + Duration::from_secs(1));
    goto("/account").await;
    let token = [("name", "a program"), ("days", "1")];
    send(
        &browser,
        "form[action='/account/tokens']",
        &token,
        "#confirm-password",
    )
    .await;
    judge(&browser, &engine, "the password again", &mut found).await;
    browser.devtools("Network.clearBrowserCookies", json!({})).await;
    browser.goto(&link).await;
    judge(&browser, &engine, "a password to choose", &mut found).await;
    send(
        &browser,
        "form[action='/password']",
        &[("password", "short")],
        "[aria-invalid=true]",
    )
    .await;
    judge(&browser, &engine, "a password that is too short", &mut found).await;
    goto("/sign-in").await;
    let wrong = [("email", "admin@example.org"), ("password", "wrong")];
    send(&browser, "form[action='/sign-in']", &wrong, "[role=alert]").await;
    judge(&browser, &engine, "a wrong password", &mut found).await;
    assert!(found.is_empty(), "{found:#?}");
}

#[actix_web::test]
#[ignore = "needs Chromium and Filestack's SDKs, beside which axe-core is installed"]
async fn an_accessibility_engine_finds_nothing_on_the_upload_page_at_work() {
    let (scene, engine) = (
        Scene::of(TestApp::new().var("SATCHEL_URL_IMPORT", "public")).await,
        engine(),
    );
    let browser = &scene.browser;
    let mut found = Vec::new();
    scene.choose("summer.png", PICTURE).await;
    scene.state(1, "Uploaded").await;
    scene.choose("again.png", PICTURE).await;
    browser
        .see_text(".queue-row:nth-child(2) .queue-help", "You already have this")
        .await;
    browser.click(".queue-row:nth-child(1) summary").await;
    judge(browser, &engine, "uploaded", &mut found).await;
    browser.click("#picker-open").await;
    browser.see("#picker .fsp-inline").await;
    let file = scene.file("one.png", PICTURE);
    browser
        .choose("#picker input[type=file]", &[file.as_path()])
        .await;
    browser.see_text("#picker .fsp-foot", "1 chosen").await;
    judge(browser, &engine, "the Picker in the page", &mut found).await;
    browser.look(PHONE, Theme::Light).await;
    scene.open().await;
    browser.click("#picker-open").await;
    browser.see("[role=dialog]").await;
    judge(browser, &engine, "the Picker over the page", &mut found).await;
    scene.open().await;
    scene.block(&["*/filestack-js/*", "*/api/uploads"]).await;
    scene.choose("a.txt", b"x").await;
    browser.see(".queue-row .is-failed").await;
    judge(browser, &engine, "failed", &mut found).await;
    assert!(found.is_empty(), "{found:#?}");
}
