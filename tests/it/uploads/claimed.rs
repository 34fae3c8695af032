//! A browser stored a file and never came back: Filestack's own word about it makes the document, whichever comes first.

use std::time::Duration;

use satchel::db::models::file_removals;
use satchel::emulator::{Fault, Route};
use satchel::filestack::{Handle, Metadata};
use satchel::services::audit::Actor;
use satchel::services::claims::Claim;
use satchel::services::picker::{self, Redeemed};
use serde_json::{Value, json};

use super::picker::{config, register, store, stored};
use crate::hooks::sender::{app, event, uploaded, url_of};
use crate::support::app::TestApp;
use crate::support::{content, eventually};

/// A workflow that looks for viruses.
const WORKFLOW: &str = "11112222-3333-4444-5555-666677778888";

/// What Filestack says once a file lies in this folder.
fn arrival(number: i64, config: &Value, handle: &str) -> Value {
    let folder = config["path"].as_str().expect("a folder");
    event(
        number,
        "fp.upload",
        uploaded(handle, &format!("{folder}0123456789_evil name.exe")),
    )
}

async fn state_of(app: &TestApp, number: i64) -> &'static str {
    let events = app.events().await;
    let event = events.iter().find(|event| event.filestack_id == Some(number));
    event.expect("the event").state.as_str()
}

async fn adopted(app: &TestApp) {
    let ana = app.user("ana").await;
    let config = config(&ana, "?files=2").await;
    let handle = stored(&config, "a report.txt", b"dear reader").await;
    // Faster than what it is about.
    app.happen(&event(2, "fp.delete", url_of("NotTheFileOfAnybody0")))
        .await;
    app.happen(&arrival(1, &config, &handle)).await;
    assert_eq!(state_of(app, 1).await, "applied");
    let document = app.documents().await.remove(0);
    assert_eq!(
        (document.name.as_str(), document.size_bytes),
        ("a report.txt", 11),
        "not what the event says"
    );
    assert_eq!(document.content_type, "text/plain");
    assert_eq!(document.sha256.len(), 64);
    assert_eq!(document.owner_id, app.owner("ana").await.id);
    // The browser after all, and the event once more.
    let late = register(&ana, &handle).await;
    assert_eq!(
        (late.status, late.json()),
        (200, json!({"id": document.id, "duplicates": []}))
    );
    app.happen(&arrival(3, &config, &handle)).await;
    assert_eq!(state_of(app, 3).await, "applied");
    assert_eq!(app.documents().await.len(), 1);
    // The other way round.
    let handle = stored(&config, "second.txt", b"more").await;
    let answer = register(&ana, &handle).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    app.happen(&arrival(4, &config, &handle)).await;
    assert_eq!(state_of(app, 4).await, "applied");
    assert_eq!(app.documents().await.len(), 2);
    let owner = app.owner("ana").await;
    assert_eq!((owner.document_count, owner.stored_bytes), (2, 15));
    let found = ana.page("/documents?q=report").await.text();
    assert!(
        found.contains("a report.txt") && !found.contains("second.txt"),
        "{found}"
    );
}

#[actix_web::test]
async fn s5_a_claimed_file_becomes_its_document_when_the_browser_never_comes_back() {
    adopted(&app().start().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn s5_a_claimed_file_becomes_its_document_when_the_browser_never_comes_back_on_postgres() {
    adopted(&app().on_postgres().start().await).await;
}

async fn at_once(app: &TestApp) {
    let ana = app.token("ana").await;
    for number in 0..8 {
        let config = config(&ana, "").await;
        let handle = stored(&config, "a.txt", &content(100)).await;
        app.deliver(&arrival(number, &config, &handle)).await;
        let (answer, ()) = futures_util::future::join(register(&ana, &handle), app.apply_events()).await;
        assert!(matches!(answer.status, 200 | 201), "{}", answer.text());
        assert_eq!(app.documents().await.len(), number as usize + 1);
        assert_eq!(register(&ana, &handle).await.field("id"), answer.field("id"));
        assert_eq!(state_of(app, number).await, "applied");
    }
    assert_eq!(app.owner("ana").await.document_count, 8);
}

#[actix_web::test]
async fn r2_registering_and_the_event_at_once_make_one_document() {
    at_once(&app().start().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn r2_registering_and_the_event_at_once_make_one_document_on_postgres() {
    at_once(&app().on_postgres().start().await).await;
}

async fn early(app: &TestApp) {
    let ana = app.user("ana").await;
    let config = config(&ana, "").await;
    let handle = stored(&config, "a.txt", b"x").await;
    app.happen(&event(1, "fp.delete", url_of(&handle))).await;
    assert_eq!(state_of(app, 1).await, "parked");
    assert_eq!(register(&ana, &handle).await.status, 201);
    app.apply_events().await;
    assert_eq!(state_of(app, 1).await, "applied");
    assert_eq!(app.documents().await[0].status, "gone");
}

#[actix_web::test]
async fn w14_events_about_a_file_that_is_registered_later_wait_for_it() {
    early(&app().start().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn w14_events_about_a_file_that_is_registered_later_wait_for_it_on_postgres() {
    early(&app().on_postgres().start().await).await;
}

#[actix_web::test]
async fn s5_an_event_proves_no_claim_that_filestack_does_not_confirm() {
    let app = app().start().await;
    let (ana, eve) = (app.user("ana").await, app.user("eve").await);
    let (anas, eves) = (config(&ana, "").await, config(&eve, "").await);
    let handle = stored(&anas, "a.txt", b"ana's").await;
    app.happen(&arrival(1, &eves, &handle)).await;
    assert_eq!(state_of(&app, 1).await, "failed");
    // A folder that nobody gave out.
    let mut forged = anas.clone();
    let folder = forged["path"].as_str().expect("a folder").replace(".1.", ".9.");
    forged["path"] = json!(folder);
    app.happen(&arrival(2, &forged, &handle)).await;
    assert_eq!(state_of(&app, 2).await, "parked");
    assert!(app.documents().await.is_empty());
    app.happen(&arrival(3, &anas, &handle)).await;
    assert_eq!(app.documents().await[0].owner_id, app.owner("ana").await.id);
}

#[actix_web::test]
async fn a_claimed_file_that_may_not_be_registered_any_more_is_removed() {
    let app = app().start().await;
    let ana = app.user("ana").await;
    let first = config(&ana, "").await;
    let (one, two) = (stored(&first, "1", b"1").await, stored(&first, "2", b"2").await);
    assert_eq!(register(&ana, &one).await.status, 201);
    app.happen(&arrival(1, &first, &two)).await;
    assert_eq!(state_of(&app, 1).await, "ignored");
    // Nor is it registered while it is being removed.
    assert_eq!(register(&ana, &two).await.status, 409);
    let config = config(&ana, "").await;
    let late = stored(&config, "late", b"late").await;
    app.advance(Duration::from_secs(25 * 3_600));
    app.happen(&arrival(2, &config, &late)).await;
    assert_eq!(state_of(&app, 2).await, "ignored");
    app.advance(Duration::from_secs(120));
    satchel::services::sweep::once(&app.services)
        .await
        .expect("a sweep");
    app.run_jobs().await;
    assert_eq!((app.documents().await.len(), app.stored_files()), (1, 1));
}

/// It is registered in the last moment, and its event comes in the one after: the event sees the document, however late that commits.
#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn s5_a_file_registered_in_the_last_moment_is_not_removed_by_its_event() {
    let app = app().on_postgres().start().await;
    let ana = app.user("ana").await;
    let config = config(&ana, "").await;
    let file = stored(&config, "a.txt", b"x").await;
    let in_time = app.services.clock.now();
    app.advance(Duration::from_secs(25 * 3_600));
    app.deliver(&arrival(1, &config, &file)).await;
    let folder = config["path"].as_str().expect("a folder");
    let claim = Claim::of_path(&app.services.secret_key, &format!("{folder}0_a.txt")).expect("a claim");
    let handle = Handle::new(&file).expect("a handle");
    let document = picker::document_of(claim, &handle, &Metadata::default(), b"x", in_time);
    let services = app.services.clone();
    app.in_between(
        move |c, other| {
            let redeemed = picker::redeem(&services, c, claim, document, &Actor::command(), in_time)?;
            assert!(matches!(redeemed, Redeemed::Made(..)), "its right holds");
            other.waits(c)
        },
        app.apply_events(),
    )
    .await;
    assert_eq!(state_of(&app, 1).await, "applied");
    assert_eq!(app.documents().await.len(), 1);
    let is_to_go = app.services.db.run(move |c| file_removals::exists(c, &file));
    assert!(!is_to_go.await.expect("rows"), "the file was let go");
}

#[actix_web::test]
async fn a_deleted_documents_file_is_not_registered_again() {
    let app = app().start().await;
    let ana = app.user("ana").await;
    let config = config(&ana, "?files=3").await;
    let handle = stored(&config, "a.txt", b"x").await;
    let id = register(&ana, &handle).await.field("id");
    let faults = app.emulator.faults();
    faults.next_times(Route::Delete, 100, Fault::Status(503));
    assert_eq!(ana.purge(&id).await.status, 202);
    let again = register(&ana, &handle).await;
    assert_eq!((again.status, again.problem().as_str()), (409, "claim-spent"));
    app.happen(&arrival(1, &config, &handle)).await;
    assert!(app.documents().await.is_empty());
}

#[actix_web::test]
async fn the_embedded_emulators_own_event_adopts_a_claimed_file() {
    let app = TestApp::new().with_webhooks().start().await;
    let ana = app.user("ana").await;
    let handle = stored(&config(&ana, "").await, "a.txt", b"x").await;
    eventually("the file is a document", async || {
        app.apply_events().await;
        !app.documents().await.is_empty()
    })
    .await;
    assert_eq!(register(&ana, &handle).await.status, 200);
}

async fn types(app: &TestApp) {
    let ana = app.user("ana").await;
    let config = config(&ana, "?files=10").await;
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    let mut large = png.clone();
    large.extend(content(300_000));
    for (number, (name, bytes, expected)) in [
        (
            "page.png",
            b"<!DOCTYPE html><script>alert(1)</script>".to_vec(),
            "text/html",
        ),
        ("picture.html", png, "image/png"),
        ("large.txt", large, "image/png"),
        ("one.bin", b"1".to_vec(), "text/plain"),
    ]
    .into_iter()
    .enumerate()
    {
        for by_event in [false, true] {
            let handle = stored(&config, name, &bytes).await;
            if by_event {
                app.happen(&arrival(number as i64, &config, &handle)).await;
            } else {
                assert_eq!(register(&ana, &handle).await.status, 201);
            }
            let documents = app.documents().await;
            let document = documents.iter().find(|document| document.handle == handle);
            let document = document.expect("a document");
            assert_eq!(document.content_type, expected, "{name}, by event: {by_event}");
        }
    }
}

#[actix_web::test]
async fn u5_u6_a_file_that_the_browser_stored_has_the_type_of_its_bytes() {
    types(&app().start().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn u5_u6_a_file_that_the_browser_stored_has_the_type_of_its_bytes_on_postgres() {
    types(&app().on_postgres().start().await).await;
}

#[actix_web::test]
async fn a_register_that_filestack_fails_changes_nothing_and_can_be_repeated() {
    let app = app().start().await;
    let ana = app.user("ana").await;
    let handle = stored(&config(&ana, "").await, "a.txt", b"x").await;
    for route in [Route::Metadata, Route::Delivery] {
        app.emulator.faults().next_times(route, 100, Fault::Status(500));
        assert_eq!(register(&ana, &handle).await.status, 503, "{route:?}");
        assert!(app.documents().await.is_empty());
        app.emulator.faults().clear();
    }
    assert_eq!(register(&ana, &handle).await.status, 201);
}

#[actix_web::test]
async fn u7_the_smallest_and_the_largest_file_are_registered_and_one_byte_more_is_not_stored() {
    let app = app().var("SATCHEL_MAX_UPLOAD_BYTES", "1000").start().await;
    let ana = app.user("ana").await;
    let config = config(&ana, "?files=10").await;
    let folder = config["path"].as_str().expect("a folder");
    for size in [0, 1, 1_000] {
        let handle = stored(&config, "a.bin", &content(size)).await;
        let answer = register(&ana, &handle).await;
        assert_eq!(answer.status, 201, "{size}: {}", answer.text());
        let documents = app.documents().await;
        let document = documents.iter().find(|document| document.handle == handle);
        assert_eq!(document.expect("a document").size_bytes, size as i64);
    }
    assert_eq!(store(&config, folder, "a.bin", &content(1_001)).await.status, 403);
    assert_eq!(app.owner("ana").await.stored_bytes, 1_001);
}

#[actix_web::test]
async fn p9_no_path_leads_out_of_the_folder_that_was_given() {
    let app = app().start().await;
    let (ana, eve) = (app.user("ana").await, app.user("eve").await);
    let (anas, eves) = (config(&ana, "").await, config(&eve, "").await);
    let folder = anas["path"].as_str().expect("a folder");
    for elsewhere in [
        eves["path"].as_str().expect("a folder"),
        &format!("{folder}../../"),
        &format!("{folder}%2e%2e/"),
        &format!("{folder}a/b/"),
        &format!("x/{folder}"),
        &format!("{folder}\n/"),
        folder.trim_end_matches('/'),
        "/etc/",
    ] {
        let reply = store(&anas, elsewhere, "a.txt", b"x").await;
        if reply.status == 200 {
            let url = reply.field("url");
            let handle = url.rsplit('/').next().expect("a handle");
            assert_eq!(register(&ana, handle).await.status, 404, "{elsewhere}");
            assert_eq!(register(&eve, handle).await.status, 404, "{elsewhere}");
        }
    }
    // A name climbs nowhere either.
    let handle = stored(&anas, "../../../etc/passwd", b"x").await;
    assert_eq!(register(&ana, &handle).await.status, 201);
    assert_eq!(app.documents().await[0].name, "passwd");
}

async fn quarantined(app: &TestApp) {
    let ana = app.user("ana").await;
    let config = config(&ana, "?files=2").await;
    let (one, two) = (
        stored(&config, "one.txt", b"1").await,
        stored(&config, "two.txt", b"2").await,
    );
    assert_eq!(register(&ana, &one).await.status, 201);
    app.happen(&arrival(1, &config, &two)).await;
    let through_the_server = ana.document("three.txt", b"3").await;
    let documents = app.documents().await;
    let jobs = app.jobs().await;
    let like = |id: &str| {
        let document = documents.iter().find(|document| document.id.as_str() == id);
        let kinds: Vec<_> = jobs
            .iter()
            .filter(|job| job.document_id.is_some_and(|document| document.as_str() == id))
            .map(|job| job.kind.clone())
            .collect();
        (document.expect("a document").status.clone(), kinds)
    };
    let usual = like(&through_the_server);
    assert_eq!(usual.0, "quarantined");
    for document in &documents {
        assert_eq!(like(document.id.as_str()), usual, "{}", document.name);
    }
}

#[actix_web::test]
async fn u6_u14_a_file_that_the_browser_stored_is_looked_at_like_any_other() {
    quarantined(&app().var("SATCHEL_SCAN_WORKFLOW", WORKFLOW).start().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn u6_u14_a_file_that_the_browser_stored_is_looked_at_like_any_other_on_postgres() {
    let setup = app().var("SATCHEL_SCAN_WORKFLOW", WORKFLOW);
    quarantined(&setup.on_postgres().start().await).await;
}
