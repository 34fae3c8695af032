//! U10, S9, S11: clients and servers that go away half-way.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use satchel::db::models::file_removals;
use satchel::db::models::uploads::{self, Upload, UploadState};
use satchel::emulator::Route;
use satchel::ids::DocumentId;
use satchel::services::sweep;

use super::{MIB, PART};
use crate::support::app::TestApp;
use crate::support::client::Client;
use crate::support::form::Form;
use crate::support::raw_post::RawPost;
use crate::support::{content, eventually};

const FILE: &str = "form-data; name=\"file\"; filename=\"a.bin\"";

/// Begins to upload a file of this size and sends so much of it; the form does not tell its size.
async fn begin(client: &Client, size: usize, sent: usize) -> RawPost {
    begin_form(client, Form::new(), size, sent).await
}

/// The same in a form that tells the size, so that the file goes in parts.
async fn begin_told(client: &Client, size: usize, sent: usize) -> RawPost {
    begin_form(client, Form::new().size(size), size, sent).await
}

async fn begin_form(client: &Client, form: Form, size: usize, sent: usize) -> RawPost {
    let form = form.open_part(FILE, None);
    let end = Form::new().bytes().len() + 2;
    let length = (form.begun().len() + size + end).to_string();
    let headers = [("Content-Type", form.content_type()), ("Content-Length", length)];
    let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
    let mut wire = RawPost::begin(client, "/api/uploads", &headers).await;
    wire.write(form.begun()).await;
    wire.write(&content(size)[..sent]).await;
    wire
}

async fn has_intent(app: &TestApp, state: UploadState) -> bool {
    app.intents()
        .await
        .last()
        .is_some_and(|intent| intent.state == state)
}

#[actix_web::test]
async fn u10_a_connection_closed_at_any_part_leaves_nothing_behind() {
    let app = TestApp::sqlite().await;
    let ana = app.token("ana").await;
    let size = 20 * MIB;
    let mut begun = 0;
    for sent in [0, 1, PART, PART + 1, 2 * PART, 2 * PART + 1, size - 1, size] {
        for (reset, told) in [(false, false), (false, true), (true, false), (true, true)] {
            let wire = if told {
                begin_told(&ana, size, sent).await
            } else {
                begin(&ana, size, sent).await
            };
            if sent > PART {
                begun += 1;
                eventually("the upload has begun", async || {
                    app.intents().await.len() == begun
                })
                .await;
            }
            if reset {
                wire.reset();
            } else {
                wire.close().await;
            }
            eventually("the upload has ended", async || {
                app.intents()
                    .await
                    .iter()
                    .all(|intent| intent.state == UploadState::Failed)
            })
            .await;
        }
    }
    app.assert_nothing_left().await;
    let whole = ana.upload("whole.bin", &content(size)).await;
    assert_eq!(whole.status, 201, "{}", whole.text());
}

#[actix_web::test]
async fn u10_stalled_uploads_leave_room_for_others() {
    let app = TestApp::new()
        .var("SATCHEL_UPLOAD_MEMORY_BYTES", "16777216")
        .start()
        .await;
    let ana = app.token("ana").await;
    // One has sent nothing of its file, one a little, and many nothing at all: only the second holds memory.
    let mut stalled = vec![begin(&ana, 20 * MIB, 0).await, begin(&ana, 20 * MIB, 100).await];
    for _ in 0..10 {
        stalled.push(begin(&ana, 20 * MIB, 0).await);
    }
    let bob = app.token("bob").await;
    for size in [1, PART, 20 * MIB] {
        let answer = bob.upload("b.bin", &content(size)).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
    }
    drop(stalled);
    eventually("all memory is free again", async || {
        app.services.budget.free() == app.services.budget.all()
    })
    .await;
}

#[actix_web::test]
async fn s9_nothing_but_the_emulator_and_the_database_is_written() {
    let app = TestApp::sqlite().await;
    let ana = app.token("ana").await;
    let before = files(app.data_dir());
    let mut wire = begin(&ana, 20 * MIB, 18 * MIB).await;
    eventually("the upload has begun", async || {
        has_intent(&app, UploadState::Started).await
    })
    .await;
    assert_eq!(files(app.data_dir()), before);
    wire.write(&content(20 * MIB)[18 * MIB..]).await;
    wire.write(b"\r\n").await;
    wire.write(&Form::new().bytes()).await;
    let answer = wire.answer().await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_eq!(files(app.data_dir()), before);
    let database = std::fs::metadata(app.data_dir().join("satchel.db")).unwrap();
    assert!(database.len() < MIB as u64, "{} bytes", database.len());
}

/// The files in a directory but the emulator's, with those below.
fn files(directory: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(directory).expect("a readable directory") {
        let entry = entry.expect("a readable directory");
        let name = entry.file_name().into_string().expect("a readable directory");
        if name == "emulator" {
            continue;
        }
        if entry.file_type().expect("a readable directory").is_dir() {
            found.extend(
                files(&entry.path())
                    .into_iter()
                    .map(|below| format!("{name}/{below}")),
            );
        }
        found.insert(name);
    }
    found
}

#[actix_web::test]
async fn s11_the_intent_is_written_before_filestack_has_the_file() {
    let app = TestApp::sqlite().await;
    let ana = app.token("ana").await;
    let wire = begin(&ana, 20 * MIB, PART + 1).await;
    eventually("the upload has begun", async || {
        has_intent(&app, UploadState::Started).await
    })
    .await;
    let intent = app.intents().await.remove(0);
    let owner = app.owner("ana").await.id;
    assert_eq!(intent.path, format!("user-uploads/{owner}/{}/", intent.id));
    assert!(app.documents().await.is_empty());
    wire.reset();
    eventually("the upload has failed", async || {
        has_intent(&app, UploadState::Failed).await
    })
    .await;
    app.assert_nothing_left().await;
}

#[actix_web::test]
async fn s11_the_sweep_settles_what_a_crash_left() {
    let app = TestApp::sqlite().await;
    app.token("ana").await;
    let handle = app
        .emulator
        .store()
        .put(b"stray", "a.txt", "text/plain", None)
        .unwrap();
    let started = leave_behind(&app, UploadState::Started, None).await;
    let stored = leave_behind(&app, UploadState::Stored, Some(handle.clone())).await;
    let state = async |id| {
        let found = app.services.db.run(move |c| uploads::find(c, id)).await.unwrap();
        found.unwrap().state
    };

    sweep::once(&app.services).await.unwrap();
    assert_eq!(state(started).await, UploadState::Started, "it may be a slow one");

    app.advance(sweep::GRACE + Duration::from_secs(1));
    sweep::once(&app.services).await.unwrap();
    assert_eq!(state(started).await, UploadState::Abandoned);
    assert_eq!(state(stored).await, UploadState::Abandoned);

    app.advance(Duration::from_secs(60));
    sweep::once(&app.services).await.unwrap();
    app.run_jobs().await;
    assert!(
        !app.emulator.store().exists(&handle),
        "the stray file is still there"
    );
    assert_eq!(app.services.db.run(file_removals::count).await.unwrap(), 0);
}

/// By time and not with each part: a part of a slow upload may take longer than the sweep waits.
#[actix_web::test]
async fn r1_an_upload_in_the_middle_of_a_part_gives_signs_of_life() {
    let app = TestApp::sqlite().await;
    let ana = app.token("ana").await;
    let sent = PART + PART / 2;
    let mut wire = begin_told(&ana, 20 * MIB, sent).await;
    eventually("the intent is written", async || {
        has_intent(&app, UploadState::Started).await
    })
    .await;
    let seen = async || app.intents().await[0].updated_at;
    let begun = seen().await;
    app.advance(Duration::from_secs(1));
    let rest = content(20 * MIB);
    for at in sent..sent + 120 {
        if seen().await > begun {
            return;
        }
        wire.write(&rest[at..=at]).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    panic!("no sign of life in a minute");
}

/// The sweep has it on its list already when the sign of life comes.
#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn s11_an_upload_that_shows_life_while_the_sweep_looks_goes_on() {
    let app = TestApp::postgres().await;
    app.token("ana").await;
    let upload = leave_behind(&app, UploadState::Started, None).await;
    app.advance(sweep::GRACE + Duration::from_secs(1));
    let now = app.services.clock.now();
    let swept = app.in_between(
        move |c, other| {
            uploads::touch(c, upload, now)?;
            other.waits(c)
        },
        sweep::once(&app.services),
    );
    swept.await.unwrap();
    assert!(has_intent(&app, UploadState::Started).await, "it was ended");
}

/// An upload as a process that was killed leaves it.
async fn leave_behind(app: &TestApp, state: UploadState, handle: Option<String>) -> DocumentId {
    let (now, owner) = (app.services.clock.now(), app.owner("ana").await);
    let id = DocumentId::new(now);
    let upload = Upload {
        id,
        owner_id: owner.id,
        state,
        name: "a.txt".to_owned(),
        path: format!("user-uploads/{}/{id}/", owner.id),
        handle,
        failure: None,
        wish: "nothing".to_owned(),
        started_at: now,
        updated_at: now,
    };
    app.services
        .db
        .write(move |c| uploads::insert(c, upload))
        .await
        .expect("a new intent");
    id
}

#[actix_web::test]
async fn s11_an_upload_that_was_given_up_meanwhile_leaves_no_file() {
    let app = TestApp::sqlite().await;
    let ana = app.token("ana").await;
    let mut wire = begin_told(&ana, 20 * MIB, PART + 1).await;
    // Not before the first part is whole there: its policy would not survive the jump of the clock.
    let commits = || app.emulator.faults().count(Route::Commit);
    eventually("the first part is there", async || commits() == 1).await;
    app.advance(sweep::GRACE + Duration::from_secs(1));
    sweep::once(&app.services).await.unwrap();
    wire.write(&content(20 * MIB)[PART + 1..]).await;
    wire.write(b"\r\n").await;
    wire.write(&Form::new().bytes()).await;
    let answer = wire.answer().await;
    assert_eq!(answer.status, 409, "{}", answer.text());
    answer.problem();
    assert!(has_intent(&app, UploadState::Abandoned).await);
    assert!(app.documents().await.is_empty());
    assert_eq!(app.stored_files(), 0);
}
