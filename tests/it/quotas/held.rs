//! Room is held from before the first byte goes to Filestack until the upload has ended, one way or another (R1).

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::Method;
use satchel::db::models::uploads::{self, Upload, UploadState};
use satchel::emulator::{Fault, Route};
use satchel::ids::DocumentId;
use satchel::services::{quotas, sweep};
use serde_json::json;

use super::{bytes, documents};
use crate::support::app::{Setup, TestApp};
use crate::support::client::Client;
use crate::support::form::Form;
use crate::support::raw_post::RawPost;
use crate::support::{content, eventually};
use crate::uploads::import::{ok, server};

/// Fifty at once; gives how many were taken. The others are told, and leave nothing.
async fn fifty(clients: &[Client], size: usize) -> usize {
    let file = content(size);
    let uploads = (0..50).map(|n| {
        let (client, file) = (&clients[n % clients.len()], &file);
        async move { client.upload("a.bin", file).await }
    });
    let answers = join_all(uploads).await;
    let taken = answers.iter().filter(|answer| answer.status == 201).count();
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        assert_eq!((answer.status, answer.problem().as_str()), (413, "over-quota"));
    }
    taken
}

async fn room_for_one(app: TestApp) {
    app.quota("ana", bytes(1_500)).await;
    assert_eq!(fifty(&[app.token("ana").await], 1_000).await, 1);
    assert_eq!(app.kept("ana").await, (1, 1_000));

    app.quota("bob", documents(1)).await;
    assert_eq!(fifty(&[app.token("bob").await], 10).await, 1);
    assert_eq!(app.kept("bob").await, (1, 10));

    // Everybody together: room for one more, and two who want it.
    app.total_quota(documents(3)).await;
    let both = [app.token("cleo").await, app.token("dan").await];
    assert_eq!(fifty(&both, 10).await, 1);
    let (cleo, dan) = (app.kept("cleo").await, app.kept("dan").await);
    assert_eq!(cleo.0 + dan.0, 1);
    assert_eq!(app.stored_files(), 3);
    assert_eq!(app.documents().await.len(), 3);
}

#[actix_web::test]
async fn r1_fifty_uploads_with_room_for_one() {
    room_for_one(TestApp::sqlite().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn r1_fifty_uploads_with_room_for_one_on_postgres() {
    room_for_one(TestApp::postgres().await).await;
}

async fn a_killed_process(app: TestApp) {
    app.quota("ana", bytes(1_500)).await;
    let ana = app.token("ana").await;
    leave_behind(&app, 1_000).await;
    let refused = ana.upload("a.bin", &content(1_000)).await;
    assert_eq!((refused.status, refused.problem().as_str()), (413, "over-quota"));
    assert!(
        refused.text().contains("500 bytes of that is left"),
        "{}",
        refused.text()
    );
    app.advance(sweep::GRACE + Duration::from_secs(1));
    sweep::once(&app.services).await.expect("a sweep");
    assert_eq!(app.kept("ana").await, (0, 0));
    assert_eq!(ana.upload("a.bin", &content(1_000)).await.status, 201);
    assert_eq!(app.kept("ana").await, (1, 1_000));
}

/// An upload as a process that was killed leaves it, with the room that it held.
pub(super) async fn leave_behind(app: &TestApp, size: u64) -> DocumentId {
    let (now, owner) = (app.services.clock.now(), app.owner("ana").await);
    let id = DocumentId::new(now);
    let upload = Upload {
        id,
        owner_id: owner.id,
        state: UploadState::Started,
        name: "a.txt".to_owned(),
        path: format!("user-uploads/{}/{id}/", owner.id),
        handle: None,
        failure: None,
        wish: "nothing".to_owned(),
        started_at: now,
        updated_at: now,
    };
    let written = app.services.db.write(move |c| {
        let quotas::Verdict::Held(bytes) = quotas::hold(c, owner.id, size, size)? else {
            panic!("nothing was held");
        };
        uploads::insert_holding(c, upload, bytes)
    });
    written.await.expect("an intent");
    id
}

#[actix_web::test]
async fn r1_what_a_killed_process_held_is_given_back_by_the_sweep() {
    a_killed_process(TestApp::sqlite().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn r1_what_a_killed_process_held_is_given_back_by_the_sweep_on_postgres() {
    a_killed_process(TestApp::postgres().await).await;
}

/// Filestack refuses at each step, the file is not what was said, the client goes or falls silent, an address gives nothing: afterwards
/// the whole of the room can be used.
async fn every_way_to_fail(setup: fn(Setup) -> Setup) {
    let place = server(|path| match path {
        "/short" => ok("Content-Length: 80000\r\n", b"not so many"),
        "/long" => ok("Content-Length: 900000\r\n", b"x"),
        _ => b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_vec(),
    });
    let app = TestApp::new()
        .var("SATCHEL_URL_IMPORT", &format!("public,{place}"))
        .stall(Duration::from_millis(400));
    let app = setup(app).start().await;
    let all = content(100_000);
    app.quota("ana", bytes(100_000)).await;
    let ana = app.token("ana").await;
    let page = app.user("ana").await;
    for route in [Route::Start, Route::PartUrl, Route::Put, Route::Complete] {
        app.emulator.faults().next_times(route, 1, Fault::Status(403));
        let failed = ana.upload("a.bin", &all).await;
        assert!(failed.status >= 500, "{route:?}: {}", failed.text());
        app.emulator.faults().clear();
        app.assert_nothing_left().await;
    }
    for (told, sent) in [(99_999, 100_000), (100_000, 99_999), (100_001, 100_000), (0, 1)] {
        let form = Form::new().size(told).file("a.bin", "text/plain", &content(sent));
        let lied = ana.upload_form("/api/uploads", &form).await;
        assert!(matches!(lied.status, 400 | 413), "{told} {sent}: {}", lied.status);
        app.assert_nothing_left().await;
    }
    for path in ["short", "long", "missing"] {
        let request = ana.changing(Method::POST, "/api/uploads/import").await;
        let failed = ana
            .send(request.json(&json!({"url": format!("http://{place}/{path}")})))
            .await;
        assert!(matches!(failed.status, 400 | 413), "{path}: {}", failed.text());
        app.assert_nothing_left().await;
    }
    // The client falls silent, or goes, in the middle of a file whose first part is on its way.
    app.quota("ana", bytes(20 << 20)).await;
    let form = Form::new()
        .size(20 << 20)
        .file("a.bin", "text/plain", &content(20 << 20));
    let (kind, whole) = (form.content_type(), form.bytes());
    let length = whole.len().to_string();
    for goes in [false, true] {
        let headers = [
            ("Content-Type", kind.as_str()),
            ("Content-Length", length.as_str()),
        ];
        let mut wire = RawPost::begin(&ana, "/api/uploads", &headers).await;
        wire.write(&whole[..9 << 20]).await;
        if goes {
            eventually("it has begun", async || {
                app.owner("ana").await.reserved_bytes == 20 << 20
            })
            .await;
            drop(wire);
        } else {
            assert_eq!(wire.answer().await.status, 408);
        }
        app.assert_no_room_is_held().await;
        app.assert_nothing_left().await;
    }
    app.quota("ana", bytes(100_000)).await;
    let failed = page.post_files(&[("a.bin", &content(100_001))]).await;
    assert_eq!(failed.status, 422);
    app.assert_nothing_left().await;
    assert_eq!(ana.upload("a.bin", &all).await.status, 201);
    assert_eq!(app.kept("ana").await, (1, 100_000));
}

#[actix_web::test]
async fn r1_every_way_to_fail_gives_the_room_back() {
    every_way_to_fail(|setup| setup).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn r1_every_way_to_fail_gives_the_room_back_on_postgres() {
    every_way_to_fail(Setup::on_postgres).await;
}

#[actix_web::test]
async fn r1_a_failure_gives_the_room_back() {
    let app = TestApp::sqlite().await;
    app.quota("ana", bytes(100_000)).await;
    let ana = app.token("ana").await;
    app.emulator.faults().next(Route::Start, Fault::Status(403));
    let failed = ana.upload("a.bin", &content(80_000)).await;
    assert!(failed.status >= 500, "{}", failed.text());
    eventually("the room is free again", async || {
        app.owner("ana").await.reserved_bytes == 0
    })
    .await;
    // What says it is larger than it is.
    let form = Form::new()
        .size(90_000)
        .file("a.bin", "text/plain", &content(80_000));
    let lied = ana.upload_form("/api/uploads", &form).await;
    assert_eq!(lied.status, 400, "{}", lied.text());
    assert_eq!(ana.upload("a.bin", &content(100_000)).await.status, 201);
    assert_eq!(app.kept("ana").await, (1, 100_000));
}
