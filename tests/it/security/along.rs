//! I13: what is sent along with what belongs there. Nobody becomes more, has more or owns more by it, whichever way in it takes.

use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use satchel::db::models::users::{Role, User};
use serde_json::{Value, json};

use crate::support::app::{PASSWORD, TestApp, email};
use crate::support::form::Form;
use crate::uploads::import::{ok, server};
use crate::uploads::picker::{config, stored};

/// What somebody would like to be, have, or say about a file.
const WISHES: [(&str, &str); 16] = [
    ("role", "admin"),
    ("is_admin", "true"),
    ("admin", "1"),
    ("quota", "999999999"),
    ("quota_bytes", "999999999"),
    ("stored_bytes", "0"),
    ("disabled_at", ""),
    ("user_id", "THEIRS"),
    ("owner", "THEIRS"),
    ("owner_id", "THEIRS"),
    ("handle", "AAAAAAAAAAAAAAAAAAAA"),
    ("path", "user-uploads/x/"),
    ("status", "stored"),
    (
        "sha256",
        "0000000000000000000000000000000000000000000000000000000000000000",
    ),
    ("scopes", ""),
    ("analyzed", "true"),
];

fn standing(user: &User) -> (Role, Option<i64>, Option<i64>, bool, &str) {
    (
        user.role,
        user.quota_bytes,
        user.quota_documents,
        user.disabled_at.is_some(),
        &user.email,
    )
}

/// The wishes with somebody else's id in them.
fn wishes(theirs: &str) -> Vec<(&'static str, String)> {
    let wish = |(name, value): (&'static str, &str)| (name, value.replace("THEIRS", theirs));
    WISHES.into_iter().map(wish).collect()
}

async fn scene() -> (TestApp, User, User) {
    let place = server(|_| ok("Content-Length: 2\r\n", b"hi"));
    let app = TestApp::new()
        .var("SATCHEL_URL_IMPORT", &format!("public,{place}"))
        .start()
        .await;
    app.account("ana").await;
    app.account("bob").await;
    let (ana, bob) = (app.owner("ana").await, app.owner("bob").await);
    (app, ana, bob)
}

#[actix_web::test]
async fn i13_a_body_with_more_than_belongs_there_is_refused_on_every_route_that_takes_json() {
    let (app, _, bob) = scene().await;
    let ana = app.token("ana").await;
    let id = ana.document("a.txt", b"a").await;
    let handle = stored(&config(&app.user("ana").await, "").await, "b.txt", b"b").await;
    let before = ana.get("/api/documents").await.json();
    let bodies = [
        (
            Method::PATCH,
            format!("/api/documents/{id}"),
            json!({"name": "b.txt"}),
        ),
        (
            Method::POST,
            "/api/uploads/register".to_owned(),
            json!({"handle": handle}),
        ),
        (
            Method::POST,
            "/api/uploads/import".to_owned(),
            json!({"url": "http://127.0.0.1/"}),
        ),
        (
            Method::POST,
            "/api/tags".to_owned(),
            json!({"ids": [id], "add": ["a"]}),
        ),
        (Method::POST, "/api/trash".to_owned(), json!({"ids": [id]})),
        (
            Method::POST,
            "/api/trash/restorations".to_owned(),
            json!({"ids": [id]}),
        ),
        (Method::POST, "/api/archive".to_owned(), json!({"ids": [id]})),
    ];
    for (method, path, body) in bodies {
        for (name, value) in wishes(bob.id.as_str()) {
            if body.get(name).is_some() {
                continue;
            }
            let mut more = body.clone();
            more[name] = Value::String(value);
            let request = ana
                .request(method.clone(), &path)
                .header(CONTENT_TYPE, "application/json");
            let answer = ana.send(request.body(more.to_string())).await;
            assert_eq!(
                (answer.status, answer.problem().as_str()),
                (400, "invalid-json"),
                "{path} {name}"
            );
        }
    }
    assert_eq!(ana.get("/api/documents").await.json(), before);
    assert_eq!(app.stored_files(), 2, "and nothing was fetched");
}

#[actix_web::test]
async fn i13_a_form_with_more_than_belongs_there_does_what_it_does_and_no_more() {
    let (app, before, bob) = scene().await;
    let ana = app.user("ana").await;
    let id = ana.document("a.txt", b"a").await;
    let forms: [(String, &[(&str, &str)]); 7] = [
        (format!("/documents/{id}/name"), &[("name", "b.txt")]),
        (
            format!("/documents/{id}/description"),
            &[("tags", "b"), ("note", "c")],
        ),
        ("/tags".to_owned(), &[("id", &id), ("tags", "d")]),
        ("/account/theme".to_owned(), &[("theme", "dark")]),
        (
            "/account/tokens".to_owned(),
            &[("name", "x"), ("days", "1"), ("scope", "documents:read")],
        ),
        (
            "/account/password".to_owned(),
            &[
                ("current_password", PASSWORD),
                ("password", "five other plain words here"),
            ],
        ),
        ("/account/sessions/deletion".to_owned(), &[]),
    ];
    for (path, fields) in &forms {
        let more = wishes(bob.id.as_str());
        let mut all = fields.to_vec();
        all.extend(more.iter().map(|(name, value)| (*name, value.as_str())));
        let answer = ana.post_form(path, &all).await;
        assert!(matches!(answer.status, 201 | 303), "{path}: {}", answer.status);
    }
    assert_eq!(standing(&app.owner("ana").await), standing(&before));
    assert_eq!(standing(&app.owner("bob").await), standing(&bob));
    let document = app.documents().await.remove(0);
    assert_eq!((document.owner_id, document.name.as_str()), (before.id, "b.txt"));
    assert_eq!(document.tags().collect::<Vec<_>>(), ["b", "d"]);
    assert_ne!(document.handle, "AAAAAAAAAAAAAAAAAAAA");
    assert_ne!(document.sha256, "0".repeat(64));
    assert_eq!(ana.get("/admin").await.status, 403);

    // Signing in and choosing a password by a link.
    let other = app.anon();
    let mut fields = vec![("email", "bob@example.org"), ("password", PASSWORD)];
    let more = wishes(before.id.as_str());
    fields.extend(more.iter().map(|(name, value)| (*name, value.as_str())));
    assert_eq!(other.post_form("/sign-in", &fields).await.status, 303);
    assert_eq!(other.get("/api/account").await.field("email"), email("bob"));
    assert_eq!(other.get("/admin").await.status, 403);
    let by = satchel::services::audit::Actor::command();
    let link = satchel::services::passwords::reset(&app.services, &by, bob.id).await;
    let token = link.expect("a link").token;
    fields[0] = ("token", &token);
    fields.push(("email", "ana@example.org"));
    assert_eq!(app.anon().post_form("/password", &fields).await.status, 303);
    assert_eq!(standing(&app.owner("bob").await), standing(&bob));
    assert_eq!(standing(&app.owner("ana").await), standing(&before));
}

#[actix_web::test]
async fn i13_fields_beside_a_file_and_words_in_an_address_are_no_matter() {
    let (app, owner, bob) = scene().await;
    let (ana, page) = (app.token("ana").await, app.user("ana").await);
    for path in ["/api/uploads", "/api/uploads/v2", "/api/uploads/with-processing"] {
        let mut form = Form::new();
        for (name, value) in wishes(bob.id.as_str()) {
            form = form.field(name, &value);
        }
        let answer = ana
            .upload_form(path, &form.file("a.txt", "text/plain", b"a"))
            .await;
        assert_eq!(answer.status, 201, "{path}: {}", answer.text());
    }
    let mut form = Form::new().field("csrf_token", &page.csrf_token().await);
    for (name, value) in wishes(bob.id.as_str()) {
        form = form.field(name, &value);
    }
    let form = form.file("a.txt", "text/plain", b"a");
    let request = page
        .request(Method::POST, "/uploads")
        .header(CONTENT_TYPE, form.content_type());
    assert_eq!(page.send(request.body(form.bytes())).await.status, 200);
    let documents = app.documents().await;
    assert_eq!(documents.len(), 4);
    for document in documents {
        assert_eq!(document.owner_id, owner.id);
        assert_ne!(document.sha256, "0".repeat(64));
        let meta = app
            .emulator
            .store()
            .get(&document.handle)
            .expect("files")
            .expect("its file");
        assert!(
            meta.key.starts_with(&format!("user-uploads/{}/", owner.id)),
            "{}",
            meta.key
        );
    }
    let theirs = app.token("bob").await.document("bobs.txt", b"b").await;
    for (name, value) in wishes(bob.id.as_str()) {
        let value: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
        for path in ["/api/documents", "/api/trash", "/documents", "/api/account"] {
            let answer = ana.get(&format!("{path}?{name}={value}")).await;
            assert!(!answer.text().contains(&theirs), "{path} {name}");
        }
    }
    assert_eq!(standing(&app.owner("ana").await), standing(&owner));
}
