//! What comes about at the same moment as an event, or while Filestack is asked about it: on PostgreSQL transactions run side by side.

use std::sync::{Arc, mpsc};
use std::time::Duration;

use bytes::Bytes;
use diesel::{RunQueryDsl as _, sql_query};
use satchel::db::DbConn;
use satchel::db::models::documents::{self, Content, INFECTED};
use satchel::db::models::events::{self as event_rows, EventState, Settlement};
use satchel::db::models::results::{self as result_rows, DONE, FAILED};
use satchel::db::models::{findings, users};
use satchel::filestack::{Handle, Purpose};
use satchel::ids::DocumentId;
use satchel::services::events;
use satchel::services::results::{self, Attached, MadeFile, VIDEO, WORKFLOW};
use satchel::services::verdicts::{self, VIRUSES, Verdict};
use serde_json::json;
use tokio::sync::Notify;

use super::sender::{app, event, url_of};
use crate::support::app::TestApp;
use crate::support::between::{is_waited_for, second_waits};

impl TestApp {
    async fn put_content(&self, handle: &Handle, bytes: &'static [u8]) {
        let purpose = Purpose::Overwrite {
            handle,
            max_size: 100,
        };
        let now = self.services.clock.now().system();
        let grant = self
            .services
            .filestack
            .grant(purpose, now, Duration::from_secs(60));
        self.services
            .filestack
            .overwrite(handle, grant, Bytes::from_static(bytes))
            .await
            .expect("overwritten");
    }
}

fn made(handle: &str) -> MadeFile {
    MadeFile {
        handle: Handle::new(handle).expect("a handle"),
        name: "made.mp4".to_owned(),
        content_type: "video/mp4".to_owned(),
        size_bytes: Some(5),
        details: json!({}),
    }
}

/// An event asks; the file is overwritten again, and another event asks and is applied; then the first one gets on with what it was told.
#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn what_was_said_of_older_content_does_not_replace_what_is_known_of_newer() {
    let app = app().on_postgres().start().await;
    let (_, document) = app.somebody_with_a_document("ana").await;
    let handle = Handle::new(document.handle.as_str()).expect("a handle");
    app.put_content(&handle, b"older").await;
    app.deliver(&event(1, "fp.overwrite", url_of(&document.handle)))
        .await;
    let (locked, waited) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (has_locked, has_waited) = (Arc::clone(&locked), Arc::clone(&waited));
    let (overwritten, is_overwritten) = mpsc::channel();
    // The other event, which is first in the end. Uploads are what is looked at first once Filestack has answered.
    let other = app.services.db.write(move |c| {
        sql_query("LOCK TABLE uploads IN ACCESS EXCLUSIVE MODE").execute(c)?;
        has_locked.notify_one();
        let is_waited_for = is_waited_for(c);
        has_waited.notify_one();
        is_overwritten.recv().expect("a word");
        assert!(is_waited_for?, "nobody has asked Filestack");
        let newer = Content {
            size_bytes: 13,
            sha256: "",
            content_type: "text/plain",
        };
        users::add_usage(c, document.owner_id, 0, 13 - document.size_bytes)?;
        let now = document.updated_at.plus(Duration::from_secs(1));
        documents::refresh(c, &document, &newer, now)
    });
    let applied = async {
        locked.notified().await;
        app.apply_events().await;
    };
    let overwriting = async {
        waited.notified().await;
        app.put_content(&handle, b"newer content").await;
        overwritten.send(()).expect("heard");
    };
    let (other, (), ()) = futures_util::join!(other, applied, overwriting);
    assert!(other.expect("rows"), "the document was as it had been");
    assert_eq!(app.only_event().await.state, EventState::Applied);
    assert_eq!(app.documents().await.remove(0).size_bytes, 13);
    assert_eq!(app.owner("ana").await.stored_bytes, 13);
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn a_clean_verdict_that_comes_with_an_infected_one_leaves_the_names_of_the_viruses() {
    let app = app().on_postgres().start().await;
    let id = app.somebody_with_a_document("ana").await.1.id;
    let now = app.services.clock.now();
    let settle = |infections: &[&str]| {
        let verdict = Verdict {
            infections: Some(infections.iter().map(|name| (*name).to_owned()).collect()),
            ..Verdict::default()
        };
        move |c: &mut DbConn| verdicts::settle(c, id, &verdict, now, now)
    };
    let (infected, clean) = second_waits(&app.services.db, settle(&["Eicar"]), settle(&[])).await;
    assert_eq!((infected, clean), (true, false), "one of them is news");
    assert_eq!(app.documents().await[0].status, INFECTED);
    let kept = app.services.db.run(move |c| findings::find(c, id, VIRUSES));
    let kept = kept.await.expect("rows").expect("a finding");
    assert_eq!(kept.value, r#"["Eicar"]"#);
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn a_result_that_comes_while_it_is_given_up_is_there() {
    let app = app().on_postgres().start().await;
    let id = app.somebody_with_a_document("ana").await.1.id;
    let now = app.services.clock.now();
    let expected = app
        .services
        .db
        .write(move |c| results::expect(c, id, VIDEO, "uuid", now));
    expected.await.expect("a result to come");
    let (attached, ()) = second_waits(
        &app.services.db,
        move |c| results::attach(c, id, VIDEO, "uuid", &made("Made1"), now),
        move |c| results::give_up(c, VIDEO, "uuid", &json!({"why": "too late"}), now),
    )
    .await;
    assert_eq!(attached, Attached::Now);
    let known = app.the_result_of(id).await;
    assert_eq!(
        (known.state.as_str(), known.handle.as_deref()),
        (DONE, Some("Made1"))
    );
}

impl TestApp {
    async fn the_result_of(&self, document: DocumentId) -> result_rows::DocumentResult {
        let rows = self.services.db.run(move |c| result_rows::list(c, document));
        let mut rows = rows.await.expect("rows");
        assert_eq!(rows.len(), 1, "{rows:?}");
        rows.remove(0)
    }
}

#[actix_web::test]
async fn w14_a_made_file_that_is_said_to_be_gone_before_it_is_known_is_gone() {
    let app = app().start().await;
    let id = app.somebody_with_a_document("ana").await.1.id;
    app.happen(&event(1, "fp.delete", url_of("Made1"))).await;
    assert_eq!(app.only_event().await.state, EventState::Parked);
    let now = app.services.clock.now();
    let attached = app
        .services
        .db
        .write(move |c| results::attach(c, id, WORKFLOW, "step", &made("Made1"), now));
    assert_eq!(attached.await.expect("rows"), Attached::Now);
    app.apply_events().await;
    assert_eq!(app.only_event().await.state, EventState::Applied);
    assert_eq!(app.the_result_of(id).await.state, FAILED);
}

/// The same when each is written while the other cannot be seen: the sweep brings them together, and leaves alone what stays parked.
#[actix_web::test]
async fn w14_a_made_file_and_the_word_that_it_is_gone_meet_in_the_sweep() {
    let app = app().start().await;
    let id = app.somebody_with_a_document("ana").await.1.id;
    let now = app.services.clock.now();
    let attached = app
        .services
        .db
        .write(move |c| results::attach(c, id, WORKFLOW, "step", &made("Made1"), now));
    attached.await.expect("rows");
    for (number, action) in [(1, "fp.delete"), (2, "fp.overwrite")] {
        app.deliver(&event(number, action, url_of("Made1"))).await;
    }
    let parked = app.events().await;
    let park = parked.iter().map(|event| event.id).collect::<Vec<_>>();
    let parked = app.services.db.write(move |c| {
        let parked = Settlement {
            state: EventState::Parked,
            reason: "It is for this test.".to_owned(),
            document: None,
        };
        for id in park {
            event_rows::settle(c, id, EventState::Received, &parked, now)?;
        }
        Ok(())
    });
    parked.await.expect("rows");
    events::sweep(&app.services).await.expect("a sweep");
    let states: Vec<_> = app.events().await.iter().map(|event| event.state).collect();
    assert_eq!(states, [EventState::Received, EventState::Parked]);
    app.apply_events().await;
    assert_eq!(app.the_result_of(id).await.state, FAILED);
}

/// The sweep has read which events are old enough to be forgotten when somebody has one of them applied anew.
#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn an_event_that_is_applied_anew_while_it_is_being_forgotten_stays() {
    let app = app().on_postgres().start().await;
    for number in [1, 2] {
        app.happen(&event(number, "fp.new-thing", json!({}))).await;
    }
    let id = app.events().await[0].id;
    let later = app.services.clock.now().plus(Duration::from_secs(1));
    let (reopened, forgotten) = second_waits(
        &app.services.db,
        move |c| event_rows::reopen(c, id),
        move |c| event_rows::delete_older(c, later, 100),
    )
    .await;
    assert_eq!((reopened, forgotten), (true, 1));
    assert_eq!(app.only_event().await.id, id);
}
