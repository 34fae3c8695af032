//! Files that a browser stores by itself: the policy lets in no more than there is room for, and `register` and the event no more either.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE;
use satchel::db::DbConn;
use satchel::db::models::uploads::UploadState;
use satchel::emulator::{Fault, Route};
use satchel::filestack::{Handle, Metadata};
use satchel::services::audit::Actor;
use satchel::services::claims::Claim;
use satchel::services::picker::{self, Redeemed};
use serde_json::{Value, json};

use super::{bytes, documents};
use crate::hooks::sender::{app, event, uploaded};
use crate::support::app::TestApp;
use crate::support::between::Other;
use crate::support::client::Client;
use crate::support::{content, eventually};
use crate::uploads::picker::{config, register, stored};

/// Long enough for an event to be applied in.
const MEANWHILE: Duration = Duration::from_secs(2);

fn max_size(config: &Value) -> Value {
    let policy = BASE64_URL_SAFE.decode(config["policy"].as_str().expect("a policy"));
    let policy: Value = serde_json::from_slice(&policy.expect("base64")).expect("JSON");
    policy["maxSize"].clone()
}

async fn bounded(app: &TestApp) {
    let ana = app.user("ana").await;
    app.quota("ana", bytes(1_000)).await;
    let right = config(&ana, "?files=3").await;
    assert_eq!(
        (&right["max_size"], max_size(&right)),
        (&json!(1_000), json!(1_000))
    );
    // Each is small enough, and they are not so together.
    let (first, second) = (
        stored(&right, "a.bin", &content(600)).await,
        stored(&right, "b.bin", &content(601)).await,
    );
    assert_eq!(register(&ana, &first).await.status, 201);
    let refused = register(&ana, &second).await;
    assert_eq!((refused.status, refused.problem().as_str()), (413, "over-quota"));
    assert!(
        refused.field("detail").contains("400 bytes of that is left"),
        "{}",
        refused.text()
    );
    assert_eq!(max_size(&config(&ana, "").await), json!(400));
    app.settle_removals().await;
    assert_eq!(app.stored_files(), 1, "what was refused does not stay");
    assert_eq!(app.kept("ana").await, (1, 600));
    let trail = app.trail_of_user("ana").await;
    let refusal = trail.iter().find(|entry| entry.action == "upload.refuse");
    let told = &refusal.expect("an entry").after;
    assert_eq!(told, r#"{"bytes":601,"name":"b.bin"}"#);

    app.quota("ana", documents(1)).await;
    let full = ana.get("/api/uploads/picker-config").await;
    assert_eq!((full.status, full.problem().as_str()), (413, "over-quota"));
}

#[actix_web::test]
async fn u6_a_browsers_file_that_there_is_no_room_for_is_refused() {
    bounded(&TestApp::sqlite().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn u6_a_browsers_file_that_there_is_no_room_for_is_refused_on_postgres() {
    bounded(&TestApp::postgres().await).await;
}

/// The event is faster than the browser: the file does not stay, and whoever comes to register it is told why.
#[actix_web::test]
async fn an_event_over_quota_loses_no_file_in_silence() {
    let app = app().start().await;
    let ana = app.user("ana").await;
    app.quota("ana", bytes(1_000)).await;
    let right = config(&ana, "?files=2").await;
    let file = stored(&right, "a.bin", &content(900)).await;
    app.quota("ana", bytes(800)).await;
    let folder = right["path"].as_str().expect("a folder");
    app.happen(&event(
        1,
        "fp.upload",
        uploaded(&file, &format!("{folder}0123456789_a.bin")),
    ))
    .await;
    let told = app.events().await.remove(0).reason.expect("a reason");
    assert!(told.contains("quota has no room"), "{told}");
    let trail = app.trail_of_user("ana").await;
    let refusal = trail.iter().find(|entry| entry.action == "upload.refuse");
    assert_eq!(refusal.expect("an entry").means, "filestack");
    for _ in 0..2 {
        let late = register(&ana, &file).await;
        assert_eq!((late.status, late.problem().as_str()), (413, "over-quota"));
        app.settle_removals().await;
    }
    assert_eq!(app.stored_files(), 0);
    assert_eq!(app.kept("ana").await, (0, 0));
}

/// A file of hers for which there was room when it was stored, and is none now; and where it is.
async fn outgrown(app: &TestApp, ana: &Client, query: &str) -> (String, String) {
    app.quota("ana", bytes(1_000)).await;
    let right = config(ana, query).await;
    let file = stored(&right, "a.bin", &content(900)).await;
    app.quota("ana", bytes(800)).await;
    let folder = right["path"].as_str().expect("a folder");
    (file, format!("{folder}0123456789_a.bin"))
}

/// Has the file refused while somebody else, who looks at it too, waits for that.
async fn refused_before<T>(app: &TestApp, file: &str, place: &str, other: impl Future<Output = T>) -> T {
    let claim = Claim::of_path(&app.services.secret_key, place).expect("a claim");
    let handle = Handle::new(file).expect("a handle");
    let (services, now) = (app.services.clone(), app.services.clock.now());
    let metadata = Metadata {
        size: Some(900),
        ..Metadata::default()
    };
    let document = picker::document_of(claim, &handle, &metadata, b"", now);
    let refuse = move |c: &mut DbConn, other: &Other| {
        let redeemed = picker::redeem(&services, c, claim, document, &Actor::command(), now)?;
        assert!(matches!(redeemed, Redeemed::Refused(_)), "there is no room");
        other.waits(c)
    };
    app.in_between(refuse, other).await
}

/// `register` and the event at once: one of them refuses the file, and the other knows it.
#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn u6_a_browsers_file_is_refused_once_however_many_ask_at_once() {
    let app = app().on_postgres().start().await;
    let ana = app.user("ana").await;
    let (file, place) = outgrown(&app, &ana, "?files=2").await;
    app.deliver(&event(1, "fp.upload", uploaded(&file, &place))).await;
    refused_before(&app, &file, &place, app.apply_events()).await;
    let intents = app.intents().await;
    assert_eq!(intents.len(), 1, "{intents:?}");
    let trail = app.trail_of_user("ana").await;
    let refusals = trail.iter().filter(|entry| entry.action == "upload.refuse");
    assert_eq!(refusals.count(), 1, "{trail:?}");
    assert_eq!(app.kept("ana").await, (0, 0));
}

/// `register` has seen no refusal when the event refuses the file, and loses: it says why, and not that the right to store was used.
#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn u6_a_browsers_file_that_is_refused_while_it_is_registered_is_over_quota() {
    let app = app().on_postgres().start().await;
    let ana = app.user("ana").await;
    let (file, place) = outgrown(&app, &ana, "").await;
    let late = refused_before(&app, &file, &place, register(&ana, &file)).await;
    assert_eq!(
        (late.status, late.problem().as_str()),
        (413, "over-quota"),
        "{}",
        late.text()
    );
    let intents = app.intents().await;
    assert_eq!(intents.len(), 1, "{intents:?}");
    assert_eq!(app.kept("ana").await, (0, 0));
}

/// The same on either database, where the refused file is even gone before `register` asks Filestack about it.
#[actix_web::test]
async fn u6_a_browsers_file_that_is_gone_while_it_is_registered_is_over_quota() {
    let app = app().start().await;
    let ana = app.user("ana").await;
    let (file, place) = outgrown(&app, &ana, "").await;
    let refused = event(1, "fp.upload", uploaded(&file, &place));
    app.emulator
        .faults()
        .next(Route::Metadata, Fault::Delay(MEANWHILE));
    let (late, ()) = futures_util::join!(register(&ana, &file), async {
        eventually("Filestack is asked", async || {
            app.emulator.faults().waiting().is_empty()
        })
        .await;
        app.happen(&refused).await;
        app.settle_removals().await;
    });
    assert_eq!(app.stored_files(), 0);
    assert_eq!(
        (late.status, late.problem().as_str()),
        (413, "over-quota"),
        "{}",
        late.text()
    );
}

/// A file whose upload was let in is adopted whatever has become of the quota.
#[actix_web::test]
async fn an_adopted_file_over_quota_is_kept_and_the_trail_says_so() {
    let app = app().start().await;
    let _ana = app.user("ana").await;
    app.quota("ana", bytes(5)).await;
    let stray = app
        .crashed_upload("ana", "letter.txt", b"dear reader", UploadState::Started, None)
        .await;
    app.happen(&event(
        1,
        "fp.upload",
        uploaded(stray.handle.as_str(), &stray.key),
    ))
    .await;
    assert_eq!(app.kept("ana").await, (1, 11));
    let trail = app.trail_of(stray.id.as_str()).await;
    assert!(
        trail.iter().any(|entry| entry.action == "quota.exceed"),
        "{trail:?}"
    );
}
