//! Entries are written with what they tell of, and stay as they are.

use diesel::RunQueryDsl as _;
use satchel::db::models::audit_entries::{self, AuditEntry};
use serde_json::json;

use crate::support::app::TestApp;

impl TestApp {
    /// What is written about a document, the newest first.
    pub async fn trail_of(&self, document: &str) -> Vec<AuditEntry> {
        let id = document.parse().expect("an id");
        let entries = self
            .services
            .db
            .run(move |c| audit_entries::list_of_document(c, id, None, 100));
        entries.await.expect("entries")
    }
}

#[actix_web::test]
async fn a_change_is_recorded_with_who_made_it_and_what_changed() {
    let app = TestApp::sqlite().await;
    let id = app.user("ana").await.document("old.txt", b"x").await;
    let program = app.token("ana").await;
    // The clock stands still, and entries of one moment have no order.
    app.advance(std::time::Duration::from_secs(1));
    let renamed = program
        .patch_json(&format!("/api/documents/{id}"), &json!({"name": "new.txt"}))
        .await;
    assert_eq!(renamed.status, 200);
    let entries = app.trail_of(&id).await;
    let entry = entries.first().expect("an entry");
    assert_eq!(
        (entry.actor.as_str(), entry.means.as_str(), entry.ip.as_str()),
        ("ana@example.org", "token", "127.0.0.1")
    );
    assert_eq!(
        (entry.action.as_str(), entry.subject_name.as_str()),
        ("document.rename", "new.txt")
    );
    assert_eq!(
        (entry.before.as_str(), entry.after.as_str()),
        (r#"{"name":"old.txt"}"#, r#"{"name":"new.txt"}"#)
    );
}

async fn nothing_changes_or_removes_an_entry(app: TestApp) {
    let ana = app.user("ana").await;
    let id = ana.document("old.txt", b"x").await;
    ana.post_form(&format!("/documents/{id}/name"), &[("name", "new.txt")])
        .await;
    let before = app.trail_of(&id).await;
    assert!(!before.is_empty());
    for statement in [
        "UPDATE audit_entries SET actor = 'eve'",
        "DELETE FROM audit_entries",
    ] {
        let refused = app
            .services
            .db
            .write(move |c| Ok(diesel::sql_query(statement).execute(c)?));
        let error = refused.await.expect_err(statement);
        assert!(error.to_string().contains("audit entries are never"), "{error}");
    }
    assert_eq!(app.trail_of(&id).await, before);
}

#[actix_web::test]
async fn entries_stay_on_sqlite() {
    nothing_changes_or_removes_an_entry(TestApp::sqlite().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn entries_stay_on_postgres() {
    nothing_changes_or_removes_an_entry(TestApp::postgres().await).await;
}
