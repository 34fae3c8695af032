//! R3: documents that are deleted while something is being done with them. It ends cleanly, and nothing brings them back.

use std::time::Duration;

use diesel::prelude::*;
use futures_util::future::join;
use satchel::db::models::file_removals;
use satchel::db::models::jobs::JobState;
use satchel::db::schema::{document_findings, document_results};
use satchel::emulator::{Fault, Route};
use satchel::filestack::Handle;
use satchel::ids::DocumentId;
use satchel::jobs::{Ended, Step};
use satchel::queue::{Kind, NewJob};
use satchel::services::results::{self, Attached, MadeFile};
use serde_json::json;

use crate::hooks::sender::{app, event, uploaded, url_of};
use crate::support::app::TestApp;
use crate::support::client::Client;
use crate::support::{content, eventually, png};

/// Long enough to be deleted in.
const MEANWHILE: Duration = Duration::from_millis(1_500);

#[actix_web::test]
async fn r3_a_document_deleted_while_it_is_scanned_read_or_converted_stays_deleted() {
    deleted_meanwhile(&app().start().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn r3_a_document_deleted_while_it_is_scanned_read_or_converted_stays_deleted_on_postgresql() {
    deleted_meanwhile(&app().on_postgres().start().await).await;
}

/// What Filestack made of a document is told at the moment in which the document is purged: it goes too.
#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn r3_what_is_made_of_a_document_while_it_is_purged_goes_too() {
    let app = app().on_postgres().start().await;
    let ana = app.token("ana").await;
    let now = app.services.clock.now();
    for (handle, was_asked_for) in [("MadeUnasked0123456789", false), ("MadeAsAsked0123456789", true)] {
        let id = ana.document("a.txt", b"x").await;
        assert_eq!(ana.delete(&format!("/api/documents/{id}")).await.status, 204);
        let document: DocumentId = id.parse().expect("an id");
        if was_asked_for {
            let asked = app
                .services
                .db
                .write(move |c| results::expect(c, document, results::VIDEO, handle, now));
            asked.await.expect("a row");
        }
        let file = MadeFile {
            handle: Handle::new(handle).expect("a handle"),
            name: "made.mp4".to_owned(),
            content_type: "video/mp4".to_owned(),
            size_bytes: Some(1),
            details: json!({}),
        };
        let place = format!("/api/trash/{id}");
        let purged = app.in_between(
            move |c, other| {
                let attached = results::attach(c, document, results::VIDEO, handle, &file, now)?;
                assert_eq!(attached, Attached::Now);
                other.waits(c)
            },
            ana.delete(&place),
        );
        assert_eq!(purged.await.status, 204);
        let is_to_go = app.services.db.run(move |c| file_removals::exists(c, handle));
        assert!(is_to_go.await.expect("rows"), "{handle} stays for ever");
    }
}

async fn deleted_meanwhile(app: &TestApp) {
    let ana = app.token("ana").await;
    for (number, kind, route) in [
        (10, Kind::ScanFile, Route::Delivery),
        (20, Kind::ReadMetadata, Route::Metadata),
        (30, Kind::VerifyFile, Route::Metadata),
        (40, Kind::PrepareThumbnail, Route::Delivery),
        (50, Kind::TagImage, Route::Delivery),
    ] {
        let id: DocumentId = ana.document("a.png", &png(8, 8)).await.parse().expect("an id");
        let document = app.documents().await.remove(0);
        let intent = app.intents().await.pop().expect("an intent");
        let job = app.enqueue(NewJob::about(kind, id)).await;
        app.emulator.faults().next(route, Fault::Delay(MEANWHILE));
        let deleting = async {
            is_asked(app).await;
            delete(&ana, id.as_str()).await;
        };
        let (step, ()) = join(app.run_one_job(), deleting).await;
        assert!(
            matches!(
                step,
                Step::Ran {
                    ended: Ended::Lost,
                    ..
                }
            ),
            "{kind}: {step:?}"
        );
        let job = app.job(job).await;
        assert_eq!(
            (job.state, job.reason.as_deref()),
            (JobState::Cancelled, Some("The document was deleted."))
        );
        // What Filestack tells of it comes later, and in any order.
        let made = json!({"url": format!("/resize=w:1/{}", document.handle), "link": {"handle": format!("Made{number}"), "filename": "m"}});
        let workflow = json!({"workflow": "w", "jobid": "j", "sources": [document.handle], "status": "Finished",
            "results": {"v": {"data": {"infected": true, "infections_list": ["Eicar"]}}}});
        let late = [
            ("fp.converse", made),
            ("fp.overwrite", url_of(&document.handle)),
            ("fs.workflow", workflow),
            ("fp.delete", url_of(&document.handle)),
            (
                "fp.upload",
                uploaded(&document.handle, &format!("{}0_a.png", intent.path)),
            ),
        ];
        for (offset, (action, text)) in late.into_iter().enumerate() {
            app.happen(&event(number + offset as i64, action, text)).await;
        }
        app.run_jobs().await;
        nothing_is_left(app).await;
    }
    let ignored = app.events().await;
    assert!(
        ignored.iter().all(|event| event.state.as_str() == "ignored"),
        "{ignored:?}"
    );
}

/// Into the trash, and from there for good.
async fn delete(ana: &Client, id: &str) {
    for path in [format!("/api/documents/{id}"), format!("/api/trash/{id}")] {
        let answer = ana.delete(&path).await;
        assert_eq!(answer.status, 204, "{path}: {}", answer.text());
    }
}

/// Waits until the emulator has a call that it answers in a while.
async fn is_asked(app: &TestApp) {
    eventually("Filestack is asked", async || {
        app.emulator.faults().waiting().is_empty()
    })
    .await;
}

#[actix_web::test]
async fn r3_deleting_at_the_moment_in_which_steps_end_never_fails() {
    deleted_at_the_end(&app().start().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn r3_deleting_at_the_moment_in_which_steps_end_never_fails_on_postgresql() {
    deleted_at_the_end(&app().on_postgres().start().await).await;
}

async fn deleted_at_the_end(app: &TestApp) {
    let ana = app.token("ana").await;
    for number in 0..15 {
        let id = ana.process("a.png", &png(8, 8)).await.field("id");
        let deleting = async {
            tokio::time::sleep(Duration::from_millis(number * 4)).await;
            delete(&ana, &id).await;
        };
        let (first, second) = (app.run_jobs_however(), app.run_jobs_however());
        let ((first, second), ()) = join(join(first, second), deleting).await;
        for (kind, ended) in first.into_iter().chain(second) {
            assert!(
                matches!(ended, Ended::Done | Ended::Waits | Ended::Lost),
                "{kind}: {ended:?}"
            );
        }
        app.run_jobs().await;
        nothing_is_left(app).await;
    }
    assert!(app.jobs().await.iter().all(|job| job.state.is_final()));
}

async fn nothing_is_left(app: &TestApp) {
    assert!(app.documents().await.is_empty());
    let left: (i64, i64) = app
        .services
        .db
        .run(|c| {
            Ok((
                document_findings::table.count().get_result(c)?,
                document_results::table.count().get_result(c)?,
            ))
        })
        .await
        .expect("the database answers");
    assert_eq!(left, (0, 0), "findings and results");
    assert_eq!(app.stored_files(), 0);
    let owner = app.owner("ana").await;
    assert_eq!((owner.document_count, owner.stored_bytes), (0, 0));
}

#[actix_web::test]
async fn r3_a_download_that_runs_ends_and_no_other_begins() {
    let app = TestApp::sqlite().await;
    let ana = app.token("ana").await;
    let bytes = content(3 << 20);
    let id = ana.document("large.bin", &bytes).await;
    let url = ana
        .get(&format!("/api/uploads/{id}/download-url"))
        .await
        .field("url");
    app.emulator
        .faults()
        .next(Route::Delivery, Fault::Delay(MEANWHILE));
    let deleting = async {
        is_asked(&app).await;
        delete(&ana, &id).await;
    };
    let (running, ()) = join(app.fetch(&url), deleting).await;
    // Whole or not at all.
    assert!(
        running.status == 404 || running.body == bytes,
        "{}",
        running.status
    );
    assert_eq!(app.fetch(&url).await.status, 404);
    assert_eq!(
        ana.get(&format!("/api/uploads/{id}/download-url")).await.status,
        404
    );
    assert_eq!(app.stored_files(), 0);
}
