//! A trash with more in it than one request empties, and what else happens to it meanwhile (R6).

use std::time::Duration;

use diesel::prelude::*;
use satchel::db::models::documents::{self, NewDocument, STORED};
use satchel::db::models::users;
use satchel::db::models::{file_removals, search};
use satchel::db::schema::documents as rows;
use satchel::ids::DocumentId;
use satchel::services::sweep;
use serde_json::json;

use crate::support::app::TestApp;
use crate::support::documents::a_document;

/// So many documents of one byte, in ana's trash since now.
async fn fill(app: &TestApp, count: usize) {
    let (owner, now) = (app.owner("ana").await, app.services.clock.now());
    let filled = app.services.db.write(move |c| {
        for number in 0..count {
            let id = DocumentId::new(now);
            let name = format!("{number}.txt");
            let document = NewDocument {
                id,
                owner_id: owner.id,
                handle: format!("made{}", &id.as_str().replace('-', "")[12..]),
                name_key: search::name_key(&name),
                name,
                content_type: "text/plain".to_owned(),
                declared_type: "text/plain".to_owned(),
                size_bytes: 1,
                sha256: "0".repeat(64),
                status: STORED,
                created_at: now,
                updated_at: now,
            };
            documents::insert(c, &document)?;
        }
        diesel::update(rows::table.filter(rows::owner_id.eq(owner.id)))
            .set(rows::trashed_at.eq(Some(now)))
            .execute(c)?;
        let count = count as i64;
        users::add_usage(c, owner.id, count, count)?;
        users::add_trashed(c, owner.id, count)
    });
    filled.await.expect("a full trash");
}

async fn emptied_in_goes(app: TestApp) {
    let ana = app.user("ana").await;
    fill(&app, 2_050).await;
    let question = ana.page("/trash/emptying").await;
    assert!(question.text().contains("2,050 documents"));
    assert_eq!(
        question.texts(".names li").pop().expect("a line"),
        "and 2040 more"
    );
    // Put there after the question was asked: it goes too, as everything in the trash does.
    let emptied = ana.post_form("/trash/emptying", &[]).await;
    assert_eq!(emptied.location(), "/trash");
    let page = ana.page("/trash").await;
    let said = page.texts(".notice");
    assert_eq!(
        said,
        ["2000 documents are deleted for good. 50 more are in the trash; empty it again to go on."]
    );
    assert_eq!(page.texts("tbody tr").len(), 50);
    let owner = app.owner("ana").await;
    assert_eq!(
        (owner.document_count, owner.stored_bytes, owner.trashed_count),
        (50, 50, 50)
    );
    assert_eq!(
        ana.delete("/api/trash").await.json(),
        json!({"purged": 50, "left": 0})
    );
    assert_eq!(
        ana.delete("/api/trash").await.json(),
        json!({"purged": 0, "left": 0})
    );
    let owner = app.owner("ana").await;
    assert_eq!(
        (owner.document_count, owner.stored_bytes, owner.trashed_count),
        (0, 0, 0)
    );
    assert_eq!(app.documents().await.len(), 0);
    let waiting = app.services.db.run(file_removals::count).await.expect("a count");
    assert_eq!(waiting, 2_050, "each file is entered to go at Filestack, once");
}

#[actix_web::test]
async fn a_trash_of_more_than_two_thousand_is_emptied_in_goes_and_says_so() {
    emptied_in_goes(TestApp::sqlite().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn a_trash_of_more_than_two_thousand_is_emptied_in_goes_and_says_so_on_postgresql() {
    emptied_in_goes(TestApp::postgres().await).await;
}

/// Two requests empty it, the sweep purges what is due, and somebody restores, all at once.
async fn at_once(app: TestApp) {
    let ana = app.token("ana").await;
    let month = Duration::from_secs(30 * 24 * 3_600);
    for round in 0..4 {
        let mut ids = Vec::new();
        for number in 0..30 {
            let id = a_document(&format!("{round}-{number}.txt"))
                .create(&app, "ana")
                .await;
            ids.push(id.to_string());
        }
        assert_eq!(
            ana.post_json("/api/trash", &json!({"ids": ids})).await.status,
            200
        );
        app.advance(month);
        let ana = app.token("ana").await;
        let all = json!({"ids": ids});
        let (first, second, swept, restored) = futures_util::join!(
            ana.delete("/api/trash"),
            ana.delete("/api/trash"),
            sweep::once(&app.services),
            ana.post_json("/api/trash/restorations", &all),
        );
        swept.expect("a round");
        for answer in [&first, &second, &restored] {
            assert_eq!(answer.status, 200, "{}", answer.text());
        }
        let back = restored.json()["done"].as_array().expect("a list").len();
        let gone = restored.json()["not_found"].as_array().expect("a list").len();
        assert_eq!(back + gone, 30);
        let there: Vec<_> = app.documents().await;
        assert_eq!(there.len(), back, "restored or purged, and never both");
        assert!(there.iter().all(|document| document.trashed_at.is_none()));
        let owner = app.owner("ana").await;
        assert_eq!(
            (owner.document_count, owner.stored_bytes, owner.trashed_count),
            (back as i64, back as i64, 0)
        );
        let found = ana
            .get(&format!("/api/documents?limit=100&q={round}-"))
            .await
            .json();
        assert_eq!(found["documents"].as_array().expect("a list").len(), back);
        ana.post_json("/api/trash", &json!({"ids": ids})).await;
        ana.delete("/api/trash").await;
    }
}

#[actix_web::test]
async fn r6_emptying_purging_by_time_and_restoring_at_once_agree() {
    at_once(TestApp::sqlite().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn r6_emptying_purging_by_time_and_restoring_at_once_agree_on_postgresql() {
    at_once(TestApp::postgres().await).await;
}
