//! Filestack's event is faster than the upload it is about: the document is there before its uploader's request records it.

use std::collections::BTreeSet;
use std::time::Duration;

use satchel::db::models::documents::{self, Document};
use satchel::db::models::{search, users};
use satchel::emulator::{Fault, Route};
use serde_json::json;

use super::PART;
use crate::hooks::sender::{app, event, uploaded};
use crate::support::answer::Answer;
use crate::support::app::TestApp;
use crate::support::client::Client;
use crate::support::form::Form;
use crate::support::raw_post::RawPost;
use crate::support::{content, eventually};

const FILE: &str = "form-data; name=\"file\"; filename=\"a.bin\"";

/// An upload whose last bytes are on their way while the event about its file has made the document.
struct Overtaken {
    post: RawPost,
    rest: Vec<u8>,
    document: Document,
}

impl Overtaken {
    /// Sends the rest.
    async fn end(mut self) -> Answer {
        self.post.write(&self.rest).await;
        self.post.answer().await
    }
}

fn sent() -> (Form, Vec<u8>) {
    let bytes = content(PART + 1_000);
    (Form::new().size(bytes.len()).part(FILE, None, &bytes), bytes)
}

/// Begins the upload; Filestack has these bytes in its place, and says so first by its event and then to the uploader.
async fn overtaken(app: &TestApp, ana: &Client, path: &str, key: Option<&str>, stored: &[u8]) -> Overtaken {
    let (form, bytes) = sent();
    let whole = form.bytes();
    let (kind, length) = (form.content_type(), whole.len().to_string());
    let mut headers = vec![("Content-Type", kind.as_str()), ("Content-Length", &length)];
    headers.extend(key.map(|key| ("Idempotency-Key", key)));
    let (begun, rest) = whole.split_at(whole.len() - 20);
    let mut post = RawPost::begin(ana, path, &headers).await;
    post.write(begun).await;
    eventually("the upload has begun", async || !app.intents().await.is_empty()).await;
    let intent = app.intents().await.remove(0);
    let handle = app.store_file(&intent.path, "a.bin", stored).await;
    let handle = handle.as_str();
    let place = format!("{}0123456789_a.bin", intent.path);
    app.happen(&event(1, "fp.upload", uploaded(handle, &place))).await;
    let document = app.documents().await.remove(0);
    assert_eq!((document.id, document.handle.as_str()), (intent.id, handle));
    let told = json!({"handle": handle, "url": format!("{}/{handle}", app.emulator_url), "filename": "a.bin",
        "size": bytes.len(), "mimetype": "application/octet-stream"});
    let told = Fault::Reply {
        status: 200,
        headers: vec![("Content-Type".to_owned(), "application/json".to_owned())],
        body: told.to_string(),
    };
    app.emulator.faults().next(Route::Complete, told);
    Overtaken {
        post,
        rest: rest.to_vec(),
        document,
    }
}

async fn has_its_steps_once(app: &TestApp) {
    let ana = app.token("ana").await;
    let (_, bytes) = sent();
    let upload = overtaken(app, &ana, "/api/uploads/with-processing", None, &bytes).await;
    let id = upload.document.id.to_string();
    app.run_jobs().await;
    assert_eq!(steps(app).await.len(), 3, "they end before the upload does");
    let answer = upload.end().await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let answer = answer.json();
    assert_eq!(answer["id"], id);
    let named = answer["jobs"].as_array().expect("jobs").iter();
    let named: BTreeSet<_> = named
        .map(|job| job["id"].as_str().expect("an id").to_owned())
        .collect();
    assert_eq!(named, steps(app).await);
    assert_eq!(named.len(), 3);
}

/// The jobs about documents: applying the event is one too.
async fn steps(app: &TestApp) -> BTreeSet<String> {
    let jobs = app.jobs().await.into_iter();
    let steps = jobs.filter(|job| job.document_id.is_some());
    steps.map(|job| job.id.to_string()).collect()
}

#[actix_web::test]
async fn s10_a_document_that_its_event_has_made_gets_its_steps_once() {
    has_its_steps_once(&app().start().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn s10_a_document_that_its_event_has_made_gets_its_steps_once_on_postgres() {
    has_its_steps_once(&app().on_postgres().start().await).await;
}

async fn keeps_what_a_retry_was_given(app: &TestApp) {
    let ana = app.token("ana").await;
    let (form, bytes) = sent();
    let upload = overtaken(app, &ana, "/api/uploads", Some("the-one"), &bytes).await;
    let handle = upload.document.handle.clone();
    let retry = async || {
        let request = ana.changing(reqwest::Method::POST, "/api/uploads").await;
        let request = request
            .header("Idempotency-Key", "the-one")
            .header("Content-Type", form.content_type());
        ana.send(request.body(form.bytes())).await
    };
    // It is taken for dead, unless it just says that it is alive.
    let mut given = retry().await;
    assert_eq!(given.status, 409, "{}", given.text());
    for _ in 0..5 {
        if given.status == 409 {
            app.advance(Duration::from_secs(21));
            given = retry().await;
        }
    }
    assert_eq!(given.status, 201, "{}", given.text());
    let late = upload.end().await;
    assert_eq!(late.status, 409, "{}", late.text());
    assert_eq!(app.documents().await.len(), 1, "the one that the retry was given");
    assert!(app.emulator.store().exists(&handle), "its file");
    assert_eq!(app.kept("ana").await, (1, bytes.len() as i64));
    assert_eq!(retry().await.text(), given.text());
}

#[actix_web::test]
async fn s11_a_document_that_a_retry_was_given_is_not_taken_back() {
    keeps_what_a_retry_was_given(&app().start().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn s11_a_document_that_a_retry_was_given_is_not_taken_back_on_postgres() {
    keeps_what_a_retry_was_given(&app().on_postgres().start().await).await;
}

/// What Filestack has is not what was sent, so the upload fails after all.
#[actix_web::test]
async fn a_document_in_the_trash_is_taken_back_when_its_upload_fails() {
    let app = app().start().await;
    let ana = app.token("ana").await;
    let upload = overtaken(&app, &ana, "/api/uploads", None, b"something else").await;
    let document = upload.document.id;
    let trashed = ana.delete(&format!("/api/documents/{document}")).await;
    assert_eq!(trashed.status, 204, "{}", trashed.text());
    assert_eq!(upload.end().await.status, 409);
    is_taken_back(&app).await;
}

async fn is_taken_back(app: &TestApp) {
    assert_eq!((app.documents().await.len(), app.stored_files()), (0, 0));
    assert_eq!(app.kept("ana").await, (0, 0));
    assert_eq!(app.owner("ana").await.trashed_count, 0);
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn a_document_put_into_the_trash_while_it_is_taken_back_is_counted_right() {
    let app = app().on_postgres().start().await;
    let ana = app.token("ana").await;
    let upload = overtaken(&app, &ana, "/api/uploads", None, b"something else").await;
    let (document, now) = (upload.document.clone(), app.services.clock.now());
    // As the owner's request does it, which has come as far as the document.
    let answer = app.in_between(
        move |c, other| {
            let owner = document.owner_id;
            assert!(documents::trash(c, owner, document.id, now)?, "it was there");
            other.waits(c)?;
            search::delete(c, document.seq)?;
            users::add_trashed(c, owner, 1)
        },
        upload.end(),
    );
    assert_eq!(answer.await.status, 409);
    is_taken_back(&app).await;
}
