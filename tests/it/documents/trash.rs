//! The trash: into it, out of it, and from it away for good, by the pages' forms and by the API.

use std::time::Duration;

use futures_util::future::join_all;
use satchel::db::models::file_removals;
use satchel::emulator::{Fault, Route};
use satchel::services::sweep;
use serde_json::json;

use crate::support::answer::Answer;
use crate::support::app::TestApp;
use crate::support::client::Client;
use crate::support::documents::a_document;
use crate::support::png;

const DAY: Duration = Duration::from_secs(24 * 3_600);
/// A document that nobody has.
const NOT_THERE: &str = "0195a3c2-7b1e-7c3d-8e4f-000000000000";

fn names(page: &Answer) -> Vec<String> {
    page.texts("tbody tr .cell-name")
}

/// Sends the form that the notice on this page offers.
async fn undo(client: &Client, page: &Answer) -> Answer {
    let action = page.attributes("form.undo", "action").pop().expect("an undo");
    let at = page.attributes("form.undo input[name=at]", "value").pop();
    let fields: Vec<_> = at.iter().map(|at| ("at", at.as_str())).collect();
    client.post_form(&action, &fields).await
}

#[actix_web::test]
async fn a_deleted_document_is_in_the_trash_and_one_click_brings_it_back() {
    let app = TestApp::sqlite().await;
    let ana = app.user("ana").await;
    let id = ana.document("a.txt", b"hello").await;
    let before = ana.get(&format!("/api/documents/{id}")).await.json();
    let deleted = ana.post_form(&format!("/documents/{id}/deletion"), &[]).await;
    assert_eq!(deleted.location(), "/documents");
    let list = ana.page("/documents").await;
    assert!(list.text().contains("The document is in the trash."));
    assert_eq!(list.texts(".count"), ["0 documents"]);
    assert_eq!(list.texts(".empty h2"), ["Nothing here yet"]);
    let owner = app.owner("ana").await;
    assert_eq!(
        (owner.document_count, owner.stored_bytes, owner.trashed_count),
        (1, 5, 1),
        "it is still kept"
    );

    assert_eq!(undo(&ana, &list).await.location(), "/documents");
    let list = ana.page("/documents").await;
    assert!(list.text().contains("One document is back in your list."));
    assert_eq!(names(&list), ["a.txt"]);
    assert_eq!(names(&ana.page("/documents?q=a.t").await), ["a.txt"]);
    assert_eq!(ana.get(&format!("/api/documents/{id}")).await.json(), before);
    assert_eq!(app.owner("ana").await.trashed_count, 0);
    let trail = app.trail_of(&id).await;
    let mut acts: Vec<_> = trail.iter().map(|entry| entry.action.as_str()).collect();
    acts.sort_unstable();
    assert_eq!(acts, ["document.add", "document.restore", "document.trash"]);
}

#[actix_web::test]
async fn d7_what_is_in_the_trash_is_served_nowhere() {
    d7(&TestApp::sqlite().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn d7_what_is_in_the_trash_is_served_nowhere_on_postgresql() {
    d7(&TestApp::postgres().await).await;
}

async fn d7(app: &TestApp) {
    let ana = app.user("ana").await;
    let id = ana.document("holiday.png", &png(4, 4)).await;
    let paths = [
        format!("/documents/{id}"),
        format!("/documents/{id}/events"),
        format!("/documents/{id}/download"),
        format!("/api/documents/{id}"),
        format!("/api/documents/{id}/jobs"),
        format!("/api/uploads/{id}/download-url"),
        format!("/api/uploads/{id}/thumbnail"),
    ];
    assert_eq!(ana.delete(&format!("/api/documents/{id}")).await.status, 204);
    for path in &paths {
        assert_eq!(ana.get(path).await.status, 404, "{path}");
    }
    assert_eq!(ana.delete(&format!("/api/documents/{id}")).await.status, 404);
    let renamed = ana
        .patch_json(&format!("/api/documents/{id}"), &json!({"name": "b"}))
        .await;
    assert_eq!(renamed.status, 404);
    assert_eq!(names(&ana.page("/documents").await), [""; 0]);
    assert_eq!(names(&ana.page("/documents?q=holiday").await), [""; 0]);
    assert_eq!(
        ana.get("/api/documents").await.json(),
        json!({"documents": [], "next_cursor": null})
    );
    let page = ana.page("/trash").await;
    assert_eq!(
        page.texts(".count"),
        ["1 document, kept for 30 days and then deleted for good"]
    );
    assert_eq!(names(&page), ["holiday.png"]);
    assert!(page.attributes("main img", "src").is_empty());

    // The trash is its owner's alone.
    for other in [app.user("bob").await, app.admin().await] {
        assert_eq!(names(&other.page("/trash").await), [""; 0]);
        assert_eq!(other.get(&format!("/trash/{id}/purge")).await.status, 404);
        assert_eq!(
            other.post_form(&format!("/trash/{id}/purge"), &[]).await.status,
            404
        );
        let restored = other
            .post_form(&format!("/documents/{id}/restoration"), &[])
            .await;
        assert_eq!(restored.status, 404);
        assert_eq!(other.delete(&format!("/api/trash/{id}")).await.status, 404);
        assert_eq!(
            other.delete("/api/trash").await.json(),
            json!({"purged": 0, "left": 0})
        );
    }
    assert_eq!(app.stored_files(), 1);

    assert_eq!(
        ana.post_form(&format!("/documents/{id}/restoration"), &[])
            .await
            .status,
        303
    );
    for path in &paths[..1] {
        assert_eq!(ana.get(path).await.status, 200, "{path}");
    }
}

#[actix_web::test]
async fn purging_asks_first_names_the_document_and_removes_its_file() {
    let app = TestApp::sqlite().await;
    let (ana, script) = (app.user("ana").await, app.token("ana").await);
    let first = ana.document("a.txt", b"x").await;
    let second = ana.document("b.txt", b"y").await;
    ana.delete(&format!("/api/documents/{first}")).await;

    let question = ana.page(&format!("/trash/{first}/purge")).await;
    assert_eq!(question.texts("h1"), ["Delete this document for good?"]);
    assert!(question.texts("bdi").contains(&"a.txt".to_owned()));
    assert_eq!(app.stored_files(), 2, "asking deletes nothing");
    let purged = ana.post_form(&format!("/trash/{first}/purge"), &[]).await;
    assert_eq!(purged.location(), "/trash");
    let page = ana.page("/trash").await;
    assert!(
        page.text()
            .contains("The document is deleted for good, here and at Filestack.")
    );
    assert_eq!(page.texts(".empty h2"), ["The trash is empty"]);
    assert_eq!(app.stored_files(), 1);

    // A document outside of the trash cannot be purged.
    assert_eq!(script.delete(&format!("/api/trash/{second}")).await.status, 404);
    let purged = script.purge(&second).await;
    assert_eq!((purged.status, purged.body.len()), (204, 0));
    assert_eq!(script.delete(&format!("/api/trash/{second}")).await.status, 404);
    assert_eq!(app.stored_files(), 0);
    let owner = app.owner("ana").await;
    assert_eq!(
        (owner.document_count, owner.stored_bytes, owner.trashed_count),
        (0, 0, 0)
    );
    let trail = app.trail_of(&first).await;
    let mut acts: Vec<_> = trail.iter().map(|entry| entry.action.as_str()).collect();
    acts.sort_unstable();
    assert_eq!(acts, ["document.add", "document.purge", "document.trash"]);
}

#[actix_web::test]
async fn a_file_that_filestack_keeps_is_told_and_removed_later() {
    let app = TestApp::sqlite().await;
    let (ana, script) = (app.user("ana").await, app.token("ana").await);
    let first = ana.document("a.txt", b"x").await;
    let second = ana.document("b.txt", b"x").await;
    ana.delete(&format!("/api/documents/{second}")).await;
    // For longer than anybody waits for an answer.
    let down = Fault::Reply {
        status: 503,
        headers: vec![("Retry-After".to_owned(), "90".to_owned())],
        body: String::new(),
    };
    app.emulator.faults().next_times(Route::Delete, 3, down);

    let answer = script.purge(&first).await;
    assert_eq!(answer.status, 202);
    assert_eq!(answer.field("code"), "file-removal-pending");
    ana.post_form(&format!("/trash/{second}/purge"), &[]).await;
    let page = ana.page("/trash").await;
    assert!(
        page.text().contains("Filestack could not remove its file yet"),
        "{}",
        page.text()
    );
    assert_eq!(page.texts(".empty h2"), ["The trash is empty"]);
    assert_eq!(app.stored_files(), 2);

    let waiting = async || app.services.db.run(file_removals::count).await.unwrap();
    assert_eq!(app.run_jobs().await, 0, "too soon");
    app.advance(Duration::from_secs(30));
    let ran = app.run_jobs_however().await;
    assert_eq!(ran.len(), 2);
    assert_eq!(waiting().await, 1, "one fails once more: {ran:?}");
    app.advance(Duration::from_secs(90));
    assert_eq!(app.run_jobs().await, 1);
    assert_eq!((waiting().await, app.stored_files()), (0, 0));
}

#[actix_web::test]
async fn a_file_that_is_gone_already_counts_as_removed() {
    let app = TestApp::sqlite().await;
    let ana = app.token("ana").await;
    let uploaded = ana.upload("a.txt", b"x").await;
    app.emulator.store().delete(&uploaded.field("handle")).unwrap();
    let purged = ana.purge(&uploaded.field("id")).await;
    assert_eq!(purged.status, 204, "{}", purged.text());
}

#[actix_web::test]
async fn the_trash_is_emptied_after_a_question_that_names_what_goes() {
    let app = TestApp::sqlite().await;
    let (ana, bob) = (app.user("ana").await, app.user("bob").await);
    let kept = ana.document("kept.txt", b"x").await;
    let theirs = bob.document("bob.txt", b"x").await;
    bob.delete(&format!("/api/documents/{theirs}")).await;
    for name in ["a.txt", "b.txt"] {
        let id = ana.document(name, b"x").await;
        ana.delete(&format!("/api/documents/{id}")).await;
    }
    let question = ana.page("/trash/emptying").await;
    assert_eq!(question.texts("h1"), ["Empty the trash?"]);
    let mut named = question.texts(".names li");
    named.sort();
    assert_eq!(named, ["a.txt", "b.txt"]);
    let emptied = ana.post_form("/trash/emptying", &[]).await;
    assert_eq!(emptied.location(), "/trash");
    let page = ana.page("/trash").await;
    assert!(
        page.text()
            .contains("2 documents are deleted for good. The trash is empty."),
        "{}",
        page.text()
    );
    assert_eq!(app.run_jobs().await, 2, "jobs remove the files");
    assert_eq!(app.stored_files(), 2, "hers that was kept, and his");
    assert_eq!(ana.get(&format!("/api/documents/{kept}")).await.status, 200);
    let owner = app.owner("ana").await;
    assert_eq!((owner.document_count, owner.trashed_count), (1, 0));
    assert_eq!(
        bob.delete("/api/trash").await.json(),
        json!({"purged": 1, "left": 0})
    );
}

#[actix_web::test]
async fn what_was_long_enough_in_the_trash_is_purged_by_itself() {
    due(&TestApp::new().var("SATCHEL_TRASH_DAYS", "7").start().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn what_was_long_enough_in_the_trash_is_purged_by_itself_on_postgresql() {
    let setup = TestApp::new().var("SATCHEL_TRASH_DAYS", "7").on_postgres();
    due(&setup.start().await).await;
}

async fn due(app: &TestApp) {
    let ana = app.token("ana").await;
    let first = ana.document("a.txt", b"x").await;
    let second = ana.document("b.txt", b"x").await;
    ana.delete(&format!("/api/documents/{first}")).await;
    app.advance(DAY);
    ana.delete(&format!("/api/documents/{second}")).await;
    app.advance(6 * DAY - Duration::from_secs(1));
    sweep::once(&app.services).await.expect("a round");
    assert_eq!(app.documents().await.len(), 2, "a second too soon");
    app.advance(Duration::from_secs(1));
    sweep::once(&app.services).await.expect("a round");
    let left: Vec<_> = app.documents().await.iter().map(|d| d.id.to_string()).collect();
    assert_eq!(left, [second]);
    app.run_jobs().await;
    assert_eq!(app.stored_files(), 1);
    let owner = app.owner("ana").await;
    assert_eq!((owner.document_count, owner.trashed_count), (1, 1));
    let trail = app.trail_of(&first).await;
    let last = trail.first().expect("an entry");
    assert_eq!(
        (last.action.as_str(), last.means.as_str()),
        ("document.purge", "server")
    );
}

#[actix_web::test]
async fn r6_of_a_purge_and_a_restoration_at_once_one_wins() {
    r6(&TestApp::sqlite().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn r6_of_a_purge_and_a_restoration_at_once_one_wins_on_postgresql() {
    r6(&TestApp::postgres().await).await;
}

async fn r6(app: &TestApp) {
    let ana = app.token("ana").await;
    for round in 0..12 {
        let id = ana.document(&format!("{round}.txt"), b"x").await;
        assert_eq!(ana.delete(&format!("/api/documents/{id}")).await.status, 204);
        let purge = async || ana.delete(&format!("/api/trash/{id}")).await.status;
        let restore = async || {
            let path = format!("/api/documents/{id}/restoration");
            let request = ana.changing(reqwest::Method::POST, &path).await;
            ana.send(request).await.status
        };
        let (purged, restored) = if round % 2 == 0 {
            futures_util::join!(purge(), restore())
        } else {
            let (restored, purged) = futures_util::join!(restore(), purge());
            (purged, restored)
        };
        let is_there = ana.get(&format!("/api/documents/{id}")).await.status == 200;
        match (purged, restored) {
            (204, 404) => assert!(!is_there, "purged"),
            (404, 200) => assert!(is_there, "restored"),
            other => panic!("both or neither won: {other:?}"),
        }
        let found = ana.page(&format!("/documents?q={round}.txt")).await;
        assert_eq!(found.texts("tbody tr").len(), usize::from(is_there));
        if is_there {
            assert_eq!(ana.purge(&id).await.status, 204);
        }
    }
    let owner = app.owner("ana").await;
    assert_eq!(
        (owner.document_count, owner.stored_bytes, owner.trashed_count),
        (0, 0, 0)
    );
    assert_eq!(app.stored_files(), 0);
}

#[actix_web::test]
async fn i6_of_mixed_ids_ones_own_are_done_and_the_others_not_found() {
    i6(&TestApp::sqlite().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn i6_of_mixed_ids_ones_own_are_done_and_the_others_not_found_on_postgresql() {
    i6(&TestApp::postgres().await).await;
}

async fn i6(app: &TestApp) {
    let (ana, bob) = (app.token("ana").await, app.token("bob").await);
    let mine = ana.document("mine.txt", b"x").await;
    let other = ana.document("other.txt", b"x").await;
    let hers = bob.document("hers.txt", b"x").await;
    let before = bob.get(&format!("/api/documents/{hers}")).await.json();
    // I8: nothing but the very id is one.
    let upper = mine.to_uppercase();
    let slashed = format!("{mine}/");
    let prefix = &mine[..8];
    let ids = json!({"ids": [mine, hers, NOT_THERE, upper, slashed, prefix, mine, "%", ""]});
    let mut missing = vec![
        hers.as_str(),
        NOT_THERE,
        upper.as_str(),
        slashed.as_str(),
        prefix,
        "%",
        "",
    ];
    missing.sort_unstable();
    for (path, count) in [("/api/trash", 1), ("/api/trash/restorations", 0)] {
        let answer = ana.post_json(path, &ids).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(
            answer.json(),
            json!({"done": [mine], "not_found": missing}),
            "{path}"
        );
        assert_eq!(app.owner("ana").await.trashed_count, count);
    }
    assert_eq!(app.owner("bob").await.trashed_count, 0);
    assert_eq!(bob.get(&format!("/api/documents/{hers}")).await.json(), before);
    assert_eq!(app.trail_of(&hers).await.len(), 1, "that it was added");
    assert_eq!(ana.get(&format!("/api/documents/{other}")).await.status, 200);

    let many: Vec<_> = (0..201).map(|n| format!("id {n}")).collect();
    for (body, code) in [
        (json!({"ids": many}), "too-many-documents"),
        (json!({"ids": []}), "nothing-chosen"),
        (json!({"ids": mine}), "invalid-json"),
        (json!({"ids": [mine], "permanently": true}), "invalid-json"),
    ] {
        let answer = ana.post_json("/api/trash", &body).await;
        assert_eq!((answer.status, answer.problem().as_str()), (400, code));
    }
    assert_eq!(app.owner("ana").await.trashed_count, 0);
}

#[actix_web::test]
async fn many_are_trashed_and_restored_by_the_lists_forms() {
    let app = TestApp::sqlite().await;
    let ana = app.user("ana").await;
    let mut ids = Vec::new();
    for n in 0..60 {
        ids.push(
            a_document(&format!("{n:02}.txt"))
                .create(&app, "ana")
                .await
                .to_string(),
        );
    }
    let list = ana.page("/documents").await;
    let next = list.attributes("a[rel=next]", "href").pop().unwrap();
    assert_eq!(list.attributes("input[name=id][form=bulk]", "value").len(), 50);
    let second = ana.page(&next).await;
    let back = second
        .attributes("#bulk input[name=back]", "value")
        .pop()
        .unwrap();
    assert_eq!(back, next);
    let none = ana.post_form("/trash", &[]).await;
    assert_eq!(none.status, 400);
    assert!(none.text().contains("No document was chosen."), "{}", none.text());

    let fields = [
        ("id", ids[0].as_str()),
        ("id", ids[1].as_str()),
        ("id", NOT_THERE),
        ("back", back.as_str()),
    ];
    let moved = ana.post_form("/trash", &fields).await;
    assert_eq!(moved.location(), back);
    let page = ana.page(&back).await;
    assert!(
        page.text()
            .contains("2 documents are in the trash. One was not found."),
        "{}",
        page.text()
    );
    assert_eq!(names(&page).len(), 8);
    assert_eq!(names(&ana.page("/trash").await), ["01.txt", "00.txt"]);
    undo(&ana, &page).await;
    assert_eq!(names(&ana.page("/trash").await), [""; 0]);
    assert_eq!(ana.page("/documents").await.texts(".count"), ["60 documents"]);

    ana.post_form("/trash", &[("id", &ids[2]), ("id", &ids[3])]).await;
    let restored = ana.post_form("/trash/restorations", &[("id", &ids[2])]).await;
    assert_eq!(restored.location(), "/trash");
    assert_eq!(names(&ana.page("/trash").await), ["03.txt"]);
    // A way back to somewhere else is not taken.
    let fields = [("id", ids[4].as_str()), ("back", "//evil.example/")];
    assert_eq!(ana.post_form("/trash", &fields).await.location(), "/documents");
}

#[actix_web::test]
async fn the_trash_is_walked_by_pages() {
    let app = TestApp::sqlite().await;
    let (ana, script) = (app.user("ana").await, app.token("ana").await);
    for n in 0..60 {
        let id = a_document(&format!("{n:02}.txt")).create(&app, "ana").await;
        script.delete(&format!("/api/documents/{id}")).await;
    }
    let first = ana.page("/trash").await;
    assert_eq!(
        first.texts(".count"),
        ["60 documents, each kept for 30 days and then deleted for good"]
    );
    let next = first.attributes("a[rel=next]", "href").pop().unwrap();
    let second = ana.page(&next).await;
    let all: Vec<_> = (0..60).rev().map(|n| format!("{n:02}.txt")).collect();
    assert_eq!([names(&first), names(&second)].concat(), all);
    let back = second.attributes("a[rel=prev]", "href").pop().unwrap();
    assert_eq!(names(&ana.page(&back).await), names(&first));
    let page = script.get("/api/trash?limit=1").await.json();
    assert_eq!(page["documents"][0]["name"], "59.txt");
    assert!(page["documents"][0]["trashed_at"].is_string());
    let cursor = page["next_cursor"].as_str().unwrap();
    let page = script
        .get(&format!("/api/trash?limit=1&cursor={cursor}"))
        .await
        .json();
    assert_eq!(page["documents"][0]["name"], "58.txt");
    assert_eq!(
        script
            .get(&format!("/api/documents?cursor={cursor}"))
            .await
            .status,
        400
    );
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn acts_on_the_same_documents_at_once_wait_for_each_other() {
    let app = TestApp::postgres().await;
    let ana = app.token("ana").await;
    let mut ids = Vec::new();
    for n in 0..20 {
        ids.push(
            a_document(&format!("{n}.txt"))
                .create(&app, "ana")
                .await
                .to_string(),
        );
    }
    let reversed: Vec<_> = ids.iter().rev().cloned().collect();
    for _ in 0..5 {
        let acts = (0..6).map(|n| {
            let (path, ids) = match n % 3 {
                0 => ("/api/trash", &ids),
                1 => ("/api/trash/restorations", &reversed),
                _ => ("/api/trash", &reversed),
            };
            let ana = ana.clone();
            async move { ana.post_json(path, &json!({"ids": ids})).await.status }
        });
        assert_eq!(join_all(acts).await, [200; 6]);
        let trashed = app
            .documents()
            .await
            .iter()
            .filter(|d| d.trashed_at.is_some())
            .count();
        assert_eq!(app.owner("ana").await.trashed_count, trashed as i64);
    }
}
