//! The emulator's port is the same site as the application's: what it delivers must not run as ours (X9, U4).

use satchel::db::models::users::Role;

use crate::accounts::people::{account, address, api_token, emulator_address, upload};
use crate::support::app::TestApp;
use crate::support::wire::get;

/// What the document's signed address delivers.
fn delivered(app: &TestApp, token: &str, id: &str) -> crate::support::wire::Reply {
    let signed = get(&format!("/api/uploads/{id}/download-url"))
        .bearer(token)
        .send(address(app));
    let url = url::Url::parse(signed.json()["url"].as_str().unwrap_or_default()).expect("an address");
    assert_eq!(
        url.port(),
        Some(emulator_address(app).port()),
        "D6: downloads come from the CDN"
    );
    get(&url[url::Position::BeforePath..]).send(emulator_address(app))
}

#[actix_web::test]
async fn x9_what_could_run_script_is_delivered_as_a_sandboxed_attachment() {
    let app = TestApp::sqlite().await;
    let ana = account(&app, "ana@example.org", Role::Member).await;
    let token = api_token(&app, &ana).await;
    let script = "<script>fetch('/api/documents')</script>";
    for (name, content) in [
        (
            "page.html",
            format!("<!doctype html><html><body>{script}</body></html>"),
        ),
        (
            "page.xhtml",
            format!("<?xml version=\"1.0\"?><html xmlns=\"http://www.w3.org/1999/xhtml\">{script}</html>"),
        ),
        (
            "drawing.svg",
            format!("<svg xmlns=\"http://www.w3.org/2000/svg\">{script}</svg>"),
        ),
        (
            "data.xml",
            "<?xml version=\"1.0\"?><?xml-stylesheet href=\"x.xsl\"?><x/>".to_owned(),
        ),
        ("code.js", "alert(1)".to_owned()),
    ] {
        let id = upload(&app, &token, name, content.as_bytes());
        let reply = delivered(&app, &token, &id);
        assert_eq!(reply.status, 200, "{name}");
        assert_eq!(reply.body, content.as_bytes(), "{name}");
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"), "{name}");
        let disposition = reply.header("content-disposition").unwrap_or_default();
        let kind = reply.header("content-type").unwrap_or_default();
        let inert = ["text/plain", "application/octet-stream"]
            .iter()
            .any(|plain| kind.starts_with(plain));
        let policy = reply.header("content-security-policy").unwrap_or_default();
        let locked = disposition.starts_with("attachment") && policy.contains("sandbox");
        assert!(locked || inert, "{name}: {kind}, {disposition}, {policy}");
    }
}

#[actix_web::test]
async fn x9_markup_named_like_a_picture_is_not_delivered_as_markup() {
    let app = TestApp::sqlite().await;
    let ana = account(&app, "ana@example.org", Role::Member).await;
    let token = api_token(&app, &ana).await;
    let id = upload(
        &app,
        &token,
        "photo.png",
        b"<!doctype html><script>alert(1)</script>",
    );
    let reply = delivered(&app, &token, &id);
    assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
    let kind = reply.header("content-type").unwrap_or_default().to_owned();
    let attached = reply
        .header("content-disposition")
        .unwrap_or_default()
        .starts_with("attachment");
    assert!(attached || !kind.contains("html"), "{kind}");
}

#[actix_web::test]
async fn x9_the_emulator_sets_no_cookies() {
    let app = TestApp::sqlite().await;
    let ana = account(&app, "ana@example.org", Role::Member).await;
    let token = api_token(&app, &ana).await;
    let id = upload(&app, &token, "note.txt", b"note");
    assert_eq!(delivered(&app, &token, &id).header("set-cookie"), None);
    assert_eq!(
        get("/nothing").send(emulator_address(&app)).header("set-cookie"),
        None
    );
}
