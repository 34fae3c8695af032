//! What other sites, other programs on this computer and old pages can make a browser send (A4).

use satchel::db::models::users::Role;
use serde_json::json;

use super::people::{account, api_token, browser, emulator_address, signed_in, upload};
use crate::support::app::{PASSWORD, TestApp};
use crate::support::wire::{Browser, Reply, Request, get, post, request};

const ANA: &str = "ana@example.org";

/// Ana with a session, and a document of hers.
struct Scene {
    app: TestApp,
    browser: Browser,
    token: String,
    id: String,
}

impl Scene {
    async fn new() -> Self {
        let app = TestApp::sqlite().await;
        let ana = account(&app, ANA, Role::Member).await;
        let browser = signed_in(&app, &ana).await;
        let token = api_token(&app, &ana).await;
        let id = upload(&app, &token, "kept.txt", b"kept");
        Scene {
            app,
            browser,
            token,
            id,
        }
    }

    /// Each form of a signed-in page, with this form token.
    fn forms(&self, form_token: &str) -> Vec<(String, Request)> {
        let token = ("csrf_token", form_token);
        let id = &self.id;
        let form = |path: String, fields: &[(&str, &str)]| (path.clone(), post(&path).form(fields));
        vec![
            form(format!("/documents/{id}/name"), &[token, ("name", "stolen.txt")]),
            form(format!("/documents/{id}/deletion"), &[token]),
            form("/sign-out".to_owned(), &[token]),
            (
                "/uploads".to_owned(),
                post("/uploads").upload(&[token], "planted.txt", b"planted"),
            ),
        ]
    }

    /// Nothing has changed: the session goes on, the document is there under its name, and there is no other.
    #[track_caller]
    fn is_untouched(&mut self, after: &str) {
        let page = self.browser.get("/documents");
        assert_eq!(page.status, 200, "{after}: the session has ended");
        let documents = get("/api/documents")
            .bearer(&self.token)
            .send(self.browser.address)
            .json();
        let names: Vec<_> = documents["documents"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|one| &one["name"])
            .collect();
        assert_eq!(names, ["kept.txt"], "{after}");
    }
}

#[track_caller]
fn is_refused(reply: &Reply, what: &str) {
    assert_eq!(reply.status, 403, "{what}: {}", reply.text());
}

#[actix_web::test]
async fn a4_forms_without_a_token_or_with_a_foreign_or_old_one_are_refused() {
    let mut scene = Scene::new().await;
    let mallory = account(&scene.app, "mallory@example.org", Role::Member).await;
    let foreign = signed_in(&scene.app, &mallory).await.form_token("/uploads/new");
    let before_sign_in = browser(&scene.app).form_token("/sign-in");
    let mut changed = scene.browser.form_token("/uploads/new");
    let last = changed.pop();
    changed.push(if last == Some('A') { 'B' } else { 'A' });
    for token in ["", "x", &foreign, &before_sign_in, &changed] {
        for (path, form) in scene.forms(token) {
            let reply = scene.browser.send(form);
            is_refused(&reply, &path);
            scene.is_untouched(&path);
        }
    }
}

#[actix_web::test]
async fn a4_a_form_token_ends_with_its_session() {
    let mut scene = Scene::new().await;
    let old = scene.browser.form_token("/uploads/new");
    assert_eq!(scene.browser.submit("/documents", "/sign-out", &[]).status, 303);
    assert_eq!(scene.browser.sign_in(ANA, PASSWORD).status, 303);
    for (path, form) in scene.forms(&old) {
        is_refused(&scene.browser.send(form), &path);
        scene.is_untouched(&path);
    }
}

#[actix_web::test]
async fn a4_x9_requests_from_other_origins_are_refused_even_with_the_right_token() {
    let mut scene = Scene::new().await;
    let emulator = emulator_address(&scene.app);
    let token = scene.browser.form_token("/uploads/new");
    let origins = [
        ("Origin", format!("http://{emulator}")),
        ("Origin", format!("http://localhost:{}", emulator.port())),
        ("Origin", format!("https://{}", scene.browser.address)),
        ("Origin", "https://evil.example".to_owned()),
        ("Origin", "null".to_owned()),
        ("Sec-Fetch-Site", "cross-site".to_owned()),
        ("Sec-Fetch-Site", "same-site".to_owned()),
    ];
    for (name, value) in origins {
        for (path, form) in scene.forms(&token) {
            let reply = scene.browser.send(form.header(name, value.clone()));
            is_refused(&reply, &format!("{path} with {name}: {value}"));
        }
        let change = request("PATCH", &format!("/api/documents/{}", scene.id))
            .json(&json!({"name": "stolen.txt"}))
            .header("X-CSRF-Token", token.clone())
            .header(name, value.clone());
        is_refused(
            &scene.browser.send(change),
            &format!("PATCH with {name}: {value}"),
        );
        scene.is_untouched(&value);
    }
}

#[actix_web::test]
async fn a4_our_own_pages_get_through_with_what_browsers_send() {
    let mut scene = Scene::new().await;
    let own = format!("http://{}", scene.browser.address);
    let own_by_name = format!("http://localhost:{}", scene.browser.address.port());
    let headers = [
        &[("Origin", own.as_str()), ("Sec-Fetch-Site", "same-origin")][..],
        &[("Origin", "null"), ("Sec-Fetch-Site", "same-origin")],
        &[("Origin", own_by_name.as_str())],
        &[],
    ];
    for (number, sent) in headers.into_iter().enumerate() {
        let token = scene.browser.form_token("/uploads/new");
        let name = format!("name {number}");
        let mut form =
            post(&format!("/documents/{}/name", scene.id)).form(&[("csrf_token", &token), ("name", &name)]);
        for (header, value) in sent {
            form = form.header(header, *value);
        }
        assert_eq!(scene.browser.send(form).status, 303, "{sent:?}");
    }
}

#[actix_web::test]
async fn a4_the_api_takes_a_cookie_only_together_with_the_form_token() {
    let mut scene = Scene::new().await;
    let target = format!("/api/documents/{}", scene.id);
    let body = json!({"name": "stolen.txt"}).to_string();
    for kind in [
        "text/plain",
        "application/json",
        "application/x-www-form-urlencoded",
    ] {
        let reply = scene
            .browser
            .send(request("PATCH", &target).body(kind, body.clone()));
        is_refused(&reply, kind);
    }
    is_refused(&scene.browser.send(request("DELETE", &target)), "DELETE");
    for path in ["/api/uploads", "/api/uploads/", "/api/uploads/v2"] {
        is_refused(
            &scene
                .browser
                .send(post(path).upload(&[], "planted.txt", b"planted")),
            path,
        );
    }
    scene.is_untouched("the API");

    let token = scene.browser.form_token("/uploads/new");
    let plain = request("PATCH", &target)
        .body("text/plain", body.clone())
        .header("X-CSRF-Token", token.clone());
    assert_eq!(scene.browser.send(plain).status, 415);
    scene.is_untouched("text/plain");
    let right = request("PATCH", &target)
        .body("application/json", body)
        .header("X-CSRF-Token", token);
    assert_eq!(scene.browser.send(right).status, 200);
}

#[actix_web::test]
async fn a4_nobody_can_be_signed_in_or_out_by_another_site() {
    let mut scene = Scene::new().await;
    account(&scene.app, "mallory@example.org", Role::Member).await;
    let credentials = [("email", "mallory@example.org"), ("password", PASSWORD)];
    let mallorys = browser(&scene.app).form_token("/sign-in");

    // A form of Mallory's, sent by the browser of somebody who has none, one, or a session.
    let mut stranger = browser(&scene.app);
    is_refused(&stranger.post("/sign-in", &mallorys, &credentials), "no cookie");
    let mut visitor = browser(&scene.app);
    let own = visitor.form_token("/sign-in");
    is_refused(
        &visitor.post("/sign-in", &mallorys, &credentials),
        "another's token",
    );
    let cross = post("/sign-in")
        .form(&[&[("csrf_token", own.as_str())][..], &credentials].concat())
        .header("Origin", "https://evil.example");
    is_refused(&visitor.send(cross), "another site");
    assert!(!visitor.cookies.contains_key("__Host-satchel"));

    is_refused(
        &scene.browser.send(post("/sign-out").form(&[])),
        "sign-out without a token",
    );
    let signed_out = post("/sign-out").form(&[("csrf_token", &mallorys)]);
    is_refused(&scene.browser.send(signed_out), "sign-out with another's token");
    assert_eq!(scene.browser.get("/sign-out").status, 405);
    scene.is_untouched("sign-out");
}

#[actix_web::test]
async fn a4_the_token_stands_before_the_files() {
    let mut scene = Scene::new().await;
    let token = scene.browser.form_token("/uploads/new");
    let before = scene.app.stored_files();
    let (kind, body) = crate::support::wire::multipart(&[], "planted.txt", b"planted");
    let boundary = kind.split("boundary=").nth(1).unwrap();
    let file = String::from_utf8(body).unwrap();
    let file = file.trim_end_matches(&format!("--{boundary}--\r\n"));
    let field =
        format!("--{boundary}\r\nContent-Disposition: form-data; name=\"csrf_token\"\r\n\r\n{token}\r\n");
    let behind = format!("{file}{field}--{boundary}--\r\n");
    is_refused(
        &scene.browser.send(post("/uploads").body(&kind, behind)),
        "the token behind the file",
    );
    scene.is_untouched("the token behind the file");
    assert_eq!(scene.app.stored_files(), before);

    let in_front = format!("{field}{file}--{boundary}--\r\n");
    assert_eq!(
        scene.browser.send(post("/uploads").body(&kind, in_front)).status,
        200
    );
}

#[actix_web::test]
async fn a4_forms_of_another_content_type_are_refused() {
    let mut scene = Scene::new().await;
    let token = scene.browser.form_token("/uploads/new");
    let body = format!("csrf_token={token}&name=stolen.txt");
    let target = format!("/documents/{}/name", scene.id);
    for kind in [
        "text/plain",
        "application/json",
        "multipart/form-data; boundary=x",
    ] {
        assert_eq!(
            scene.browser.send(post(&target).body(kind, body.clone())).status,
            415,
            "{kind}"
        );
    }
    scene.is_untouched("other content types");
}
