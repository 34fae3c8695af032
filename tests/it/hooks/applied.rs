//! What events change.

use std::time::Duration;

use bytes::Bytes;
use diesel::prelude::*;
use diesel::sql_query;
use satchel::clock::UtcTime;
use satchel::db::models::documents::{self, Document, NewDocument};
use satchel::db::models::events::Event;
use satchel::db::models::search::name_key;
use satchel::db::models::uploads::{self, Upload, UploadState};
use satchel::db::models::{file_removals, results as result_rows};
use satchel::emulator::{Fault, Route};
use satchel::filestack::{Handle, NewUpload, Purpose};
use satchel::ids::DocumentId;
use satchel::services::{events, results};
use serde_json::json;

use super::sender::{app, event, uploaded, url_of};
use crate::support::app::TestApp;
use crate::support::between::is_waited_for;
use crate::support::client::Client;
use crate::support::eventually;

const MINUTE: Duration = Duration::from_secs(60);

/// A file that an upload of this member's left at Filestack before its process died.
pub struct Stray {
    pub id: DocumentId,
    pub handle: Handle,
    pub key: String,
}

impl TestApp {
    /// Begins an upload, stores its file and ends there, as a process does that dies; `state` is how far the rows have come.
    pub async fn crashed_upload(
        &self,
        owner: &str,
        name: &str,
        bytes: &[u8],
        state: UploadState,
        failure: Option<&str>,
    ) -> Stray {
        let owner = self.owner(owner).await;
        let now = self.services.clock.now();
        let id = DocumentId::new(now);
        let path = format!("user-uploads/{}/{id}/", owner.id);
        let intent = Upload {
            id,
            owner_id: owner.id,
            state,
            name: name.to_owned(),
            path: path.clone(),
            handle: None,
            failure: failure.map(str::to_owned),
            wish: "nothing".to_owned(),
            started_at: now,
            updated_at: now,
        };
        self.services
            .db
            .write(move |c| uploads::insert(c, intent))
            .await
            .expect("an intent");
        let handle = self.store_file(&path, name, bytes).await;
        Stray {
            id,
            key: format!("{path}0123456789_{name}"),
            handle,
        }
    }

    /// Stores a file at the emulator, past the application.
    pub async fn store_file(&self, path: &str, name: &str, bytes: &[u8]) -> Handle {
        let purpose = Purpose::Upload {
            path,
            max_size: 16 << 20,
        };
        let grant = self
            .services
            .filestack
            .grant(purpose, self.services.clock.now().system(), MINUTE);
        let new = NewUpload {
            filename: name.to_owned(),
            mimetype: "text/plain".to_owned(),
            size: bytes.len() as u64,
            path: Some(path.to_owned()),
            ..NewUpload::default()
        };
        let stored = self
            .services
            .filestack
            .upload_bytes(new, grant, Bytes::copy_from_slice(bytes))
            .await;
        stored.expect("a stored file").handle
    }

    /// The member with a document, and the document.
    pub async fn somebody_with_a_document(&self, name: &str) -> (Client, Document) {
        let client = self.user(name).await;
        let id = client.document("a.txt", b"content").await;
        let documents = self.documents().await;
        let document = documents.into_iter().find(|document| document.id.as_str() == id);
        (client, document.expect("the document"))
    }

    async fn last_event(&self) -> Event {
        self.events().await.pop().expect("an event")
    }

    async fn state_of_last(&self) -> &'static str {
        self.last_event().await.state.as_str()
    }
}

fn upload_event(number: i64, stray: &Stray) -> serde_json::Value {
    event(number, "fp.upload", uploaded(stray.handle.as_str(), &stray.key))
}

#[actix_web::test]
async fn s11_an_upload_whose_process_died_becomes_its_document() {
    adopted(&app().start().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn s11_an_upload_whose_process_died_becomes_its_document_on_postgres() {
    adopted(&app().on_postgres().start().await).await;
}

async fn adopted(app: &TestApp) {
    let ana = app.user("ana").await;
    for (number, state, failure) in [
        (1, UploadState::Started, None),
        (
            2,
            UploadState::Abandoned,
            Some("the server stopped before the upload ended"),
        ),
        (3, UploadState::Failed, Some("filestack-unconfirmed")),
    ] {
        let stray = app
            .crashed_upload("ana", "letter.txt", b"dear reader", state, failure)
            .await;
        app.happen(&upload_event(number, &stray)).await;
        let event = app
            .events()
            .await
            .into_iter()
            .find(|event| event.filestack_id == Some(number))
            .expect("the event");
        assert_eq!(
            (event.state.as_str(), event.document_id),
            ("applied", Some(stray.id)),
            "{state}: {event:?}"
        );
        let document = ana.get(&format!("/api/documents/{}", stray.id)).await.json();
        assert_eq!(document["name"], "letter.txt", "the name is the intent's");
        let rows = app.documents().await;
        let row = rows.iter().find(|row| row.id == stray.id).expect("the document");
        assert_eq!(row.content_type, "text/plain", "the type is not the event's");
        assert_eq!(row.sha256.len(), 64, "{row:?}");
        let url = ana
            .get(&format!("/api/uploads/{}/download-url", stray.id))
            .await
            .field("url");
        assert_eq!(app.fetch(&url).await.text(), "dear reader");
    }
    assert_eq!(app.owner("ana").await.document_count, 3);
    assert_eq!(app.owner("ana").await.stored_bytes, 33);
}

#[actix_web::test]
async fn s11_a_file_of_an_upload_that_failed_for_good_is_removed() {
    let app = app().start().await;
    app.user("ana").await;
    let stray = app
        .crashed_upload("ana", "a.txt", b"x", UploadState::Failed, Some("interrupted"))
        .await;
    let before = app.stored_files();
    app.happen(&upload_event(1, &stray)).await;
    app.advance(MINUTE * 2);
    satchel::services::sweep::once(&app.services)
        .await
        .expect("a sweep");
    app.run_jobs().await;
    assert_eq!(app.stored_files(), before - 1);
    assert!(app.documents().await.is_empty());
}

#[actix_web::test]
async fn w14_events_that_are_too_early_wait_for_their_document() {
    let app = app().start().await;
    app.user("ana").await;
    let stray = app
        .crashed_upload("ana", "a.txt", b"x", UploadState::Started, None)
        .await;
    app.happen(&event(2, "fp.delete", url_of(stray.handle.as_str())))
        .await;
    assert_eq!(app.last_event().await.state.as_str(), "parked");
    app.happen(&upload_event(1, &stray)).await;
    let document = app.documents().await.remove(0);
    assert_eq!((document.id, document.status.as_str()), (stray.id, "gone"));
    assert!(
        app.events()
            .await
            .iter()
            .filter(|event| event.filestack_id.is_some_and(|n| n < 9))
            .all(|event| event.state.as_str() == "applied")
    );
}

/// A client that sent its last request twice: the second file does not stay when the document of the first is gone, either.
#[actix_web::test]
async fn s11_a_second_file_of_an_upload_whose_document_is_gone_does_not_stay() {
    let app = app().start().await;
    let ana = app.user("ana").await;
    let stray = app
        .crashed_upload("ana", "a.txt", b"x", UploadState::Started, None)
        .await;
    app.happen(&upload_event(1, &stray)).await;
    let intent = app.intents().await.remove(0);
    let second = app.store_file(&intent.path, "a.txt", b"x").await;
    assert_eq!(ana.purge(stray.id.as_str()).await.status, 204);
    app.happen(&upload_event(2, &stray)).await;
    assert_eq!(app.state_of_last().await, "ignored");
    let told = app.last_event().await.reason.expect("a reason");
    assert!(told.contains("was deleted here"), "{told}");
    let told = event(3, "fp.upload", uploaded(second.as_str(), &stray.key));
    app.happen(&told).await;
    assert_eq!(app.state_of_last().await, "ignored");
    let handle = second.as_str().to_owned();
    let is_to_go = app.services.db.run(move |c| file_removals::exists(c, &handle));
    assert!(is_to_go.await.expect("rows"), "{:?}", app.last_event().await);
}

/// On PostgreSQL each statement sees what others have committed by then: the document may come to be between two questions about it.
#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn s11_a_document_that_comes_to_be_while_its_event_is_looked_at_keeps_its_file() {
    let app = app().on_postgres().start().await;
    app.account("ana").await;
    let stray = app
        .crashed_upload("ana", "a.txt", b"x", UploadState::Started, None)
        .await;
    app.deliver(&upload_event(1, &stray)).await;
    let document = NewDocument {
        id: stray.id,
        owner_id: app.owner("ana").await.id,
        handle: stray.handle.as_str().to_owned(),
        name: "a.txt".to_owned(),
        name_key: name_key("a.txt"),
        content_type: "text/plain".to_owned(),
        declared_type: "text/plain".to_owned(),
        size_bytes: 1,
        sha256: "0".repeat(64),
        status: "stored",
        created_at: app.services.clock.now(),
        updated_at: app.services.clock.now(),
    };
    // While Filestack thinks about its answer, the rows that are asked for between the document and its upload are locked.
    app.emulator
        .faults()
        .next(Route::Metadata, Fault::Delay(Duration::from_secs(2)));
    let recorded = async {
        eventually("Filestack is asked", async || {
            app.emulator.faults().waiting().is_empty()
        })
        .await;
        let recording = app.services.db.write(move |c| {
            sql_query("LOCK TABLE document_results IN ACCESS EXCLUSIVE MODE").execute(c)?;
            let is_waited_for = is_waited_for(c)?;
            let now = document.created_at;
            uploads::finish(
                c,
                document.id,
                UploadState::Recorded,
                Some(&document.handle),
                None,
                now,
            )?;
            documents::insert(c, &document)?;
            Ok(is_waited_for)
        });
        assert!(recording.await.expect("a document"), "the event did not wait");
    };
    futures_util::join!(app.apply_events(), recorded);
    let event = app.only_event().await;
    assert_eq!(
        (event.state.as_str(), event.document_id),
        ("applied", Some(stray.id)),
        "{event:?}"
    );
    let handle = stray.handle.as_str().to_owned();
    let is_to_go = app.services.db.run(move |c| file_removals::exists(c, &handle));
    assert!(!is_to_go.await.expect("rows"), "the file was let go");
}

#[actix_web::test]
async fn w14_an_event_about_a_file_of_nobodys_is_given_up_with_a_reason() {
    let app = app().start().await;
    for (number, action) in [
        (1, "fp.upload"),
        (2, "fp.delete"),
        (3, "fp.overwrite"),
        (4, "fp.converse"),
    ] {
        let mut text = uploaded("NobodysFile123456789", "elsewhere/x");
        if action == "fp.converse" {
            text = json!({"url": "/resize=w:1/NobodysFile123456789", "link": {"handle": "Made1"}});
        }
        app.happen(&event(number, action, text)).await;
        assert_eq!(app.state_of_last().await, "parked", "{action}");
    }
    app.advance(events::PARKED_FOR + MINUTE);
    events::sweep(&app.services).await.expect("a sweep");
    for event in app.events().await {
        assert_eq!(event.state.as_str(), "ignored", "{event:?}");
        assert!(event.reason.expect("a reason").contains("within a day"));
    }
}

#[actix_web::test]
async fn w15_no_event_gives_anybody_anothers_file() {
    let app = app().start().await;
    let (_, of_bob) = app.somebody_with_a_document("bob").await;
    app.user("ana").await;
    let stray = app
        .crashed_upload("ana", "mine.txt", b"x", UploadState::Started, None)
        .await;
    let bobs_file = app.store_file("elsewhere/", "b.txt", b"of bob's").await;
    let before = app.owner("bob").await;
    // Bob's document under a path of Ana's; a file that is not where the event says; a path under the wrong owner.
    app.happen(&event(1, "fp.upload", uploaded(&of_bob.handle, &stray.key)))
        .await;
    app.happen(&event(2, "fp.upload", uploaded(bobs_file.as_str(), &stray.key)))
        .await;
    assert_eq!(app.state_of_last().await, "failed");
    let wrong = stray
        .key
        .replace(app.owner("ana").await.id.as_str(), before.id.as_str());
    app.happen(&event(3, "fp.upload", uploaded(stray.handle.as_str(), &wrong)))
        .await;
    // A conversion of Ana's that would be Bob's file.
    let (_, of_ana) = app.somebody_with_a_document("ana").await;
    let text = json!({"url": format!("/resize=w:1/{}", of_ana.handle), "link": {"handle": of_bob.handle, "filename": "x"}});
    app.happen(&event(4, "fp.converse", text)).await;
    assert_eq!(app.state_of_last().await, "ignored");
    let made = app
        .services
        .db
        .run(move |c| result_rows::list(c, of_ana.id))
        .await
        .expect("rows");
    assert!(made.is_empty());
    let documents = app.documents().await;
    assert_eq!(documents.len(), 2, "{documents:?}");
    let still = documents
        .into_iter()
        .find(|document| document.id == of_bob.id)
        .expect("Bob's");
    assert_eq!(
        (still.owner_id, &still.name, still.status.as_str()),
        (before.id, &of_bob.name, "stored")
    );
    let after = app.owner("bob").await;
    assert_eq!(
        (after.document_count, after.stored_bytes, after.role),
        (before.document_count, before.stored_bytes, before.role)
    );
}

#[actix_web::test]
async fn w16_addresses_in_events_are_never_fetched() {
    let app = app().start().await;
    let (_, document) = app.somebody_with_a_document("ana").await;
    // Somebody who would notice.
    let trap = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    trap.set_nonblocking(true).expect("it need not wait");
    let trap_at = trap.local_addr().expect("an address");
    let (of_the_trap, deep) = (
        format!("http://{trap_at}/AbCdEfGhIjKl"),
        format!("http://{trap_at}/a/b?c=d"),
    );
    for (number, url) in [
        (1, "http://169.254.169.254/latest/meta-data"),
        (2, of_the_trap.as_str()),
        (3, "file:///etc/passwd"),
        (4, "https://evil.example/?/AbC"),
        (5, deep.as_str()),
    ] {
        for (offset, action) in [(0, "fp.upload"), (10, "fp.overwrite"), (20, "fp.delete")] {
            app.happen(&event(number + offset, action, json!({"url": url, "key": "x/y"})))
                .await;
            let event = app.last_event().await;
            assert!(matches!(event.state.as_str(), "ignored" | "parked"), "{event:?}");
        }
    }
    assert_eq!(app.documents().await, vec![document]);
    app.run_jobs().await;
    let came = trap.accept().map(|(_, from)| from);
    assert!(came.is_err(), "somebody fetched from the address: {came:?}");
}

#[actix_web::test]
async fn a_deleted_file_makes_its_document_gone_and_the_download_410() {
    let app = app().start().await;
    let (ana, document) = app.somebody_with_a_document("ana").await;
    app.happen(&event(1, "fp.delete", url_of(&document.handle))).await;
    let path = format!("/api/uploads/{}/download-url", document.id);
    let answer = ana.get(&path).await;
    assert_eq!((answer.status, answer.problem().as_str()), (410, "file-gone"));
    let page = ana.page(&format!("/documents/{}", document.id)).await;
    assert!(page.text().contains("deleted at Filestack") && page.text().contains("File gone"));
    assert!(ana.page("/documents").await.text().contains("File gone"));
    // It can still be deleted, and stops counting when it leaves the trash.
    assert_eq!(ana.purge(document.id.as_str()).await.status, 204);
    let owner = app.owner("ana").await;
    assert_eq!((owner.document_count, owner.stored_bytes), (0, 0));
}

#[actix_web::test]
async fn an_overwritten_file_is_asked_about_and_not_believed() {
    let app = app().start().await;
    let (_, document) = app.somebody_with_a_document("ana").await;
    let handle = Handle::new(document.handle.as_str()).expect("a handle");
    let purpose = Purpose::Overwrite {
        handle: &handle,
        max_size: 100,
    };
    let grant = app
        .services
        .filestack
        .grant(purpose, app.services.clock.now().system(), MINUTE);
    app.services
        .filestack
        .overwrite(&handle, grant, Bytes::from_static(b"other content"))
        .await
        .expect("overwritten");
    let mut text = url_of(&document.handle);
    text["size"] = json!(999_999);
    app.happen(&event(1, "fp.overwrite", text)).await;
    let now = app.documents().await.remove(0);
    assert_eq!(now.size_bytes, 13);
    assert_ne!(now.sha256, document.sha256);
    assert_eq!(app.owner("ana").await.stored_bytes, 13);
}

#[actix_web::test]
async fn a_conversion_belongs_to_the_document_it_was_made_of() {
    let app = app().start().await;
    let (_, document) = app.somebody_with_a_document("ana").await;
    let text = json!({"url": format!("/output=format:pdf/{}", document.handle), "link": {
        "url": "https://www.filestackapi.com/api/file/Made1", "handle": "Made1", "filename": "a.pdf",
        "mimetype": "application/pdf", "path": "x", "provider": "internal_v2", "size": 5}});
    app.happen(&event(1, "fp.converse", text.clone())).await;
    app.happen(&event(2, "fp.converse", text)).await;
    let id = document.id;
    let made = app
        .services
        .db
        .run(move |c| result_rows::list(c, id))
        .await
        .expect("rows");
    assert_eq!(made.len(), 1);
    assert_eq!(
        (
            made[0].name.as_str(),
            made[0].content_type.as_str(),
            made[0].size_bytes
        ),
        ("a.pdf", "application/pdf", Some(5))
    );
}

#[actix_web::test]
async fn a_video_finds_its_document_by_its_uuid_before_or_after() {
    let app = app().start().await;
    let (_, document) = app.somebody_with_a_document("ana").await;
    let video = |uuid: &str| {
        json!({"status": "completed", "message": "Done", "uuid": uuid, "timestamp": "1700000060",
            "data": {"url": format!("https://cdn.filestackcontent.com/Video{uuid}")},
            "metadata": {"result": {"extname": ".mp4", "mime_type": "video/mp4", "file_size": 7}, "source": {}}})
    };
    let id = document.id;
    let expect = async |uuid: &'static str| {
        let now: UtcTime = app.services.clock.now();
        app.services
            .db
            .write(move |c| results::expect(c, id, results::VIDEO, uuid, now))
            .await
            .expect("expected");
    };
    expect("aaaa").await;
    app.happen(&video("aaaa")).await;
    app.happen(&video("bbbb")).await;
    assert_eq!(app.state_of_last().await, "parked");
    expect("bbbb").await;
    app.apply_events().await;
    let made = app
        .services
        .db
        .run(move |c| result_rows::list(c, id))
        .await
        .expect("rows");
    let handles: Vec<_> = made
        .iter()
        .map(|made| (made.handle.as_deref(), made.state.as_str(), made.name.as_str()))
        .collect();
    assert_eq!(
        handles,
        [
            (Some("Videoaaaa"), "done", "a.mp4"),
            (Some("Videobbbb"), "done", "a.mp4")
        ]
    );
    // Without number and action it is known again all the same.
    app.deliver(&video("aaaa")).await;
    assert_eq!(
        app.events()
            .await
            .iter()
            .filter(|event| event.action == "video")
            .count(),
        2
    );
}

#[actix_web::test]
async fn a_workflow_becomes_a_verdict_and_tags() {
    let app = app().start().await;
    let (ana, document) = app.somebody_with_a_document("ana").await;
    let workflow = |infected: bool| {
        json!({"workflow": "w", "jobid": "j", "sources": [document.handle], "status": "Finished", "results": {
            "virus_detection_1": {"data": {"infected": infected, "infections_list": if infected { vec!["Eicar"] } else { vec![] }}},
            "tags_1": {"data": {"tags": {"auto": {"dog": 97}, "user": null}}}}})
    };
    app.happen(&event(1, "fs.workflow", workflow(false))).await;
    assert_eq!(app.documents().await[0].status, "stored");
    app.happen(&event(2, "fs.workflow", workflow(true))).await;
    app.happen(&event(3, "fs.workflow", workflow(false))).await;
    assert_eq!(
        app.documents().await[0].status,
        "infected",
        "a later clean one takes nothing back"
    );
    let answer = ana
        .get(&format!("/api/uploads/{}/download-url", document.id))
        .await;
    assert_eq!(
        (answer.status, answer.problem().as_str()),
        (409, "document-infected")
    );
    let answer = ana.get(&format!("/api/uploads/{}/thumbnail", document.id)).await;
    assert_eq!(answer.status, 409);
    let id = document.id;
    let findings = app
        .services
        .db
        .run(move |c| satchel::db::models::findings::list(c, id))
        .await
        .expect("rows");
    let found: Vec<_> = findings
        .iter()
        .map(|found| (found.kind.as_str(), found.value.as_str()))
        .collect();
    assert_eq!(found, [("tags", r#"{"dog":97}"#), ("viruses", r#"["Eicar"]"#)]);
}
