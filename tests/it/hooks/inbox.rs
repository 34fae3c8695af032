//! The inbox, for administrators and on the command line.

use std::time::Duration;

use diesel::RunQueryDsl as _;
use satchel::db::models::events::EventState;
use satchel::services::audit::Action;
use serde_json::json;

use super::sender::{app, event, uploaded, url_of};
use crate::support::app::TestApp;
use crate::support::client::Client;

async fn with_admin() -> (TestApp, Client) {
    let app = app().start().await;
    let admin = app.admin().await;
    (app, admin)
}

#[actix_web::test]
async fn the_list_is_filtered_and_paged() {
    let (app, admin) = with_admin().await;
    for number in 1..=60 {
        app.deliver(&event(number, "fp.new-thing", json!({}))).await;
    }
    app.happen(&event(100, "fp.delete", url_of("NobodysFile123456789")))
        .await;
    let first = admin.page("/admin/webhooks").await;
    assert_eq!(first.texts("tbody tr").len(), 50);
    let next = first.attributes("a[rel=next]", "href").remove(0);
    assert_eq!(admin.page(&next).await.texts("tbody tr").len(), 11);
    for (query, count) in [
        ("action=fp.delete", 1),
        ("state=parked", 1),
        ("state=applied", 0),
        ("handle=NobodysFile123456789", 1),
        ("action=fp.delete&state=ignored", 0),
        ("since=1h&action=fp.delete", 1),
        ("until=1h", 0),
    ] {
        let page = admin.page(&format!("/admin/webhooks?{query}")).await;
        assert_eq!(page.texts("tbody tr").len(), count, "{query}");
    }
    for query in ["state=nonsense", "since=nonsense", "after=nonsense"] {
        assert_eq!(
            admin.get(&format!("/admin/webhooks?{query}")).await.status,
            400,
            "{query}"
        );
    }
}

#[actix_web::test]
async fn w22_a_hostile_body_is_shown_as_text() {
    let (app, admin) = with_admin().await;
    let hostile = "</script><img src=x onerror=alert(1)>\u{1b}[31m\u{202e}";
    app.deliver(&event(1, "fp.odd", json!({ "x": hostile }))).await;
    let raw = format!(
        r#"{{"id":2,"action":"fp.odd","x":"</code><svg onload=x>{}"}}"#,
        '\u{202e}'
    );
    app.deliver_bytes(raw.as_bytes()).await;
    for event in app.events().await {
        let page = admin.page(&format!("/admin/webhooks/{}", event.id)).await;
        assert!(
            page.attributes("main [onerror], main [onload]", "class")
                .is_empty()
        );
        assert!(page.texts("main img, main svg[onload], main script").is_empty());
        assert!(!page.text().contains('\u{202e}') && !page.text().contains('\u{1b}'));
        let policy = page
            .header("content-security-policy")
            .expect("a policy")
            .to_owned();
        assert!(!policy.contains("unsafe-inline"), "{policy}");
        let body = page.texts("pre code").remove(0);
        assert!(
            body.contains("<svg onload") || body.contains("<img src=x"),
            "{body}"
        );
    }
}

#[actix_web::test]
async fn an_event_shows_its_headers_verdict_attempts_and_document() {
    let (app, admin) = with_admin().await;
    let (_, document) = app.somebody_with_a_document("ana").await;
    let delete = event(1, "fp.delete", url_of(&document.handle));
    app.happen(&delete).await;
    app.deliver(&delete).await;
    let event = app
        .events()
        .await
        .into_iter()
        .find(|event| event.filestack_id == Some(1))
        .expect("it");
    let page = admin.page(&format!("/admin/webhooks/{}", event.id)).await.text();
    for said in [
        "fs-signature",
        "duplicate",
        "delivered 2 times",
        "a.txt",
        "ana@example.org",
        document.id.as_str(),
        "Applied",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
}

#[actix_web::test]
async fn what_cannot_be_applied_is_not_said_to_be_and_what_waits_is_applied() {
    let (app, admin) = with_admin().await;
    app.happen(&event(1, "fp.new-thing", json!({"a": 1}))).await;
    app.happen(&event(1, "fp.new-thing", json!({"a": 2}))).await;
    let events = app.events().await;
    let conflict = events
        .iter()
        .find(|event| event.state == EventState::Conflict)
        .expect("it");
    let path = format!("/admin/webhooks/{}/replay", conflict.id);
    let page = admin.page(&path).await;
    assert!(page.text().contains("cannot be applied"), "{}", page.text());
    assert!(
        page.attributes("main form", "action").is_empty(),
        "there is no button"
    );
    let sent = admin.post_form(&path, &[]).await;
    assert_eq!(sent.status, 409);
    assert!(sent.text().contains("cannot be applied"), "{}", sent.text());

    // Its job was called off: it would wait for long.
    app.deliver(&event(2, "fp.delete", url_of("NobodysFile123456789")))
        .await;
    let waiting = app
        .events()
        .await
        .into_iter()
        .find(|event| event.filestack_id == Some(2))
        .expect("it");
    assert_eq!(waiting.state, EventState::Received);
    for job in app.jobs().await.iter().filter(|job| !job.state.is_final()) {
        admin
            .post_form(&format!("/admin/jobs/{}/cancellation", job.id), &[])
            .await;
    }
    let sent = admin
        .post_form(&format!("/admin/webhooks/{}/replay", waiting.id), &[])
        .await;
    assert_eq!(sent.status, 303);
    app.run_jobs().await;
    let applied = app
        .events()
        .await
        .into_iter()
        .find(|event| event.filestack_id == Some(2))
        .expect("it");
    assert_eq!(applied.state, EventState::Parked);
}

#[actix_web::test]
async fn a_replay_is_shown_first_and_then_done() {
    let (app, admin) = with_admin().await;
    app.user("ana").await;
    let stray = app
        .crashed_upload(
            "ana",
            "a.txt",
            b"x",
            satchel::db::models::uploads::UploadState::Started,
            None,
        )
        .await;
    // As if it had been given up: the event was too old for its time.
    app.happen(&event(1, "fp.upload", uploaded("NobodysFile123456789", "x/y")))
        .await;
    app.happen(&event(2, "fp.delete", url_of("NobodysFile123456789")))
        .await;
    app.advance(Duration::from_secs(25 * 3_600));
    satchel::services::events::sweep(&app.services)
        .await
        .expect("a sweep");
    app.happen(&event(
        3,
        "fp.upload",
        uploaded(stray.handle.as_str(), &stray.key),
    ))
    .await;
    let adopted = app
        .events()
        .await
        .into_iter()
        .find(|event| event.filestack_id == Some(3))
        .expect("it");
    let id = adopted.id;

    // Nothing is changed by looking.
    let before = app.documents().await;
    let preview = admin.page(&format!("/admin/webhooks/{id}/replay")).await;
    assert!(
        preview.text().contains("Nothing else would change"),
        "{}",
        preview.text()
    );
    assert_eq!(app.documents().await, before);
    let answer = admin
        .post_form(&format!("/admin/webhooks/{id}/replay"), &[])
        .await;
    assert_eq!(answer.location(), format!("/admin/webhooks/{id}"));
    app.apply_events().await;
    assert_eq!(
        app.documents().await,
        before,
        "a replay of what was applied changes nothing"
    );

    // Many, by filter.
    let preview = admin
        .page("/admin/webhooks/replay?handle=NobodysFile123456789")
        .await;
    assert_eq!(preview.texts("section.panel").len(), 2);
    let answer = admin
        .post_form("/admin/webhooks/replay", &[("handle", "NobodysFile123456789")])
        .await;
    assert_eq!(answer.status, 303);
    app.apply_events().await;
    let states: Vec<_> = app
        .events()
        .await
        .iter()
        .map(|event| event.state.as_str())
        .collect();
    assert_eq!(states, ["parked", "parked", "applied"]);
}

#[actix_web::test]
async fn a_dry_run_says_what_would_change_and_changes_nothing() {
    let (app, admin) = with_admin().await;
    let (_, document) = app.somebody_with_a_document("ana").await;
    app.happen(&event(1, "fp.delete", url_of(&document.handle))).await;
    // As if somebody had repaired the row by hand.
    let id = document.id;
    let now = app.services.clock.now();
    let repaired = app
        .services
        .db
        .write(move |c| satchel::db::models::documents::move_on(c, id, &["gone"], "stored", now));
    assert!(repaired.await.expect("written"));
    let before = app.documents().await;
    let event = app
        .events()
        .await
        .into_iter()
        .find(|event| event.filestack_id == Some(1))
        .expect("it");
    let page = admin.page(&format!("/admin/webhooks/{}/replay", event.id)).await;
    assert!(page.text().contains("status: stored → gone"), "{}", page.text());
    assert_eq!(app.documents().await, before);
    assert_eq!(
        app.events().await.iter().find(|one| one.id == event.id),
        Some(&event)
    );
}

#[actix_web::test]
async fn samples_of_each_kind_arrive_and_change_nothing() {
    let (app, admin) = with_admin().await;
    for kind in satchel::services::events::samples::KINDS {
        app.advance(Duration::from_secs(1));
        let answer = admin
            .post_form("/admin/webhooks/samples", &[("action", kind)])
            .await;
        assert_eq!(answer.status, 303, "{kind}: {}", answer.text());
    }
    app.apply_events().await;
    let events = app.events().await;
    assert_eq!(events.len(), 7);
    assert!(
        events
            .iter()
            .all(|event| event.sample && event.state.as_str() == "ignored"),
        "{events:?}"
    );
    assert_eq!(
        admin
            .post_form("/admin/webhooks/samples", &[("action", "x")])
            .await
            .status,
        400
    );
}

#[actix_web::test]
async fn i3_events_are_administrators_alone() {
    let (app, admin) = with_admin().await;
    let (ana, document) = app.somebody_with_a_document("ana").await;
    app.happen(&event(1, "fp.delete", url_of(&document.handle))).await;
    let event = app.events().await.remove(0);
    for path in [
        "/admin/webhooks".to_owned(),
        format!("/admin/webhooks/{}", event.id),
        format!("/admin/webhooks/{}/replay", event.id),
        "/admin/webhooks/refusals".to_owned(),
    ] {
        let refused = ana.get(&path).await;
        assert_eq!(refused.status, 403, "{path}");
        assert!(!refused.text().contains(&document.handle));
        assert_eq!(app.anon().get(&path).await.status, 303, "{path}");
        assert_eq!(admin.get(&path).await.status, 200, "{path}");
    }
}

#[actix_web::test]
async fn refused_deliveries_can_be_looked_at() {
    let (app, admin) = with_admin().await;
    app.deliver_raw(&[("FS-Timestamp", "1"), ("FS-Signature", "x")], b"<b>who</b>")
        .await;
    crate::support::eventually("it is kept", async || !app.rejections().await.is_empty()).await;
    let page = admin.page("/admin/webhooks/refusals").await;
    assert!(
        page.texts("section.panel").remove(0).contains("signature"),
        "{}",
        page.text()
    );
    assert!(page.texts("pre code").remove(0).contains("<b>who</b>"));
}

async fn a_sample_and_its_entry_come_together_or_not_at_all(app: TestApp, refusing: &'static str) {
    let admin = app.admin().await;
    let sample = [("action", "fp.upload")];
    let sent = admin.post_form("/admin/webhooks/samples", &sample).await;
    assert_eq!(sent.status, 303);
    let event = sent.location().trim_start_matches("/admin/webhooks/").to_owned();
    let entries = app.trail(Action::SampleSent).await;
    assert_eq!(entries.len(), 1);
    assert_eq!(
        (entries[0].subject.as_str(), entries[0].subject_name.as_str()),
        (event.as_str(), "fp.upload")
    );
    let (rows, jobs) = (admin.walked("/admin/webhooks").await, app.jobs().await.len());
    assert_eq!(rows, [format!("event-{event}")]);
    assert!(jobs > 0, "the event is to be applied");

    // A trail that takes no entry of a sample: there is no sample either, and no job for it.
    let refused = app
        .services
        .db
        .write(move |c| Ok(diesel::sql_query(refusing).execute(c)?));
    refused.await.expect("the trail refuses");
    let sent = admin.post_form("/admin/webhooks/samples", &sample).await;
    assert!(sent.status >= 500, "{}", sent.status);
    assert_eq!(admin.walked("/admin/webhooks").await, rows);
    assert_eq!(app.jobs().await.len(), jobs);
}

#[actix_web::test]
async fn a_sample_and_its_entry_come_together_or_not_at_all_on_sqlite() {
    let refusing = "CREATE TRIGGER no_samples BEFORE INSERT ON audit_entries WHEN new.action = 'event.sample' \
                    BEGIN SELECT RAISE(ABORT, 'no samples'); END";
    a_sample_and_its_entry_come_together_or_not_at_all(TestApp::sqlite().await, refusing).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn a_sample_and_its_entry_come_together_or_not_at_all_on_postgres() {
    let refusing =
        "ALTER TABLE audit_entries ADD CONSTRAINT no_samples CHECK (action <> 'event.sample') NOT VALID";
    a_sample_and_its_entry_come_together_or_not_at_all(TestApp::postgres().await, refusing).await;
}
