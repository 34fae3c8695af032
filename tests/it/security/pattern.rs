//! S12: what the pattern leaves out. Nobody is anybody until they have signed in, what they may do is bounded, what they delete is gone at
//! Filestack too, and all of it is written down.

use std::collections::BTreeSet;

use reqwest::Method;
use satchel::db::models::audit_entries::AuditEntry;
use satchel::db::schema::audit_entries;

use diesel::prelude::*;

use crate::quotas::documents;
use crate::support::app::{PASSWORD, TestApp, email};
use crate::support::client::Client;

async fn trail(app: &TestApp) -> Vec<AuditEntry> {
    let read = app.services.db.run(|c| {
        let all = audit_entries::table.select(AuditEntry::as_select());
        Ok(all.order((audit_entries::at, audit_entries::id)).load(c)?)
    });
    read.await.expect("entries")
}

async fn whole(app: TestApp) {
    // Accounts: without one there is nothing.
    let stranger = app.anon();
    for path in [
        "/api/documents",
        "/api/uploads/picker-config",
        "/api/account",
        "/metrics",
    ] {
        assert_eq!(stranger.get(path).await.status, 401, "{path}");
    }
    assert_eq!(stranger.upload("a.txt", b"a").await.status, 401);
    assert_eq!(app.stored_files(), 0);

    // Sessions and roles: one that is made by signing in, and no more than a member's.
    let ana = app.user("ana").await;
    assert_eq!(ana.get("/admin").await.status, 403);

    // Forms: not without the token of this browser.
    let id = ana.document("a.txt", b"a").await;
    let without = ana.request(Method::DELETE, &format!("/api/documents/{id}"));
    assert_eq!(ana.send(without).await.status, 403);
    let without = ana.request(Method::POST, &format!("/documents/{id}/deletion"));
    assert_eq!(ana.send(without.form(&[("csrf_token", "x")])).await.status, 403);

    // API tokens: with scopes, and revoked.
    let fields = [("name", "reader"), ("days", "1"), ("scope", "documents:read")];
    let made = ana.post_form("/account/tokens", &fields).await;
    let reader = Client::with_token(&app.url, &made.texts(".secret").pop().expect("a token"));
    assert_eq!(reader.get(&format!("/api/documents/{id}")).await.status, 200);
    assert_eq!(reader.delete(&format!("/api/documents/{id}")).await.status, 403);
    let revocation = ana.page("/account").await;
    let revocation = revocation
        .attributes("form[action^='/account/tokens/']", "action")
        .remove(0);
    assert_eq!(ana.post_form(&revocation, &[]).await.status, 303);
    assert_eq!(reader.get("/api/documents").await.status, 401);

    // Quotas.
    app.quota("ana", documents(2)).await;
    let second = ana.document("b.txt", b"b").await;
    let third = ana.upload("c.txt", b"c").await;
    assert_eq!((third.status, third.problem().as_str()), (413, "over-quota"));
    assert_eq!(app.stored_files(), 2);

    // Bounds on guessing.
    let guesser = app.anon();
    let mut slowed = None;
    for _ in 0..7 {
        let answer = guesser.sign_in(&email("ana"), "not the password").await;
        if answer.status == 429 {
            slowed = answer.header("retry-after").map(str::to_owned);
        }
    }
    assert!(slowed.is_some(), "guessing is free");

    // The list, and what can be done with what is in it.
    let names = ana.page("/documents").await.texts("tbody .cell-name");
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), 2);
    ana.post_form(&format!("/documents/{id}/name"), &[("name", "renamed.txt")])
        .await;
    ana.post_form(&format!("/documents/{id}/deletion"), &[]).await;
    assert_eq!(ana.get(&format!("/api/documents/{id}")).await.status, 404);
    assert_eq!(app.stored_files(), 2, "it can be restored");
    ana.post_form(&format!("/documents/{id}/restoration"), &[]).await;
    assert_eq!(ana.get(&format!("/api/documents/{id}")).await.status, 200);

    // For good: at Filestack too.
    let handle = ana.get(&format!("/api/documents/{id}")).await.field("handle");
    assert_eq!(ana.purge(&id).await.status, 204);
    assert!(app.emulator.store().get(&handle).expect("files").is_none());
    assert_eq!(app.stored_files(), 1);
    assert_eq!(ana.get(&format!("/api/documents/{second}")).await.status, 200);

    // And it is written down, by whom and from where.
    assert_eq!(ana.post_form("/sign-out", &[]).await.status, 303);
    let trail = trail(&app).await;
    let done: BTreeSet<_> = trail.iter().map(|entry| entry.action.as_str()).collect();
    for act in [
        "user.create",
        "session.begin",
        "session.end",
        "token.create",
        "token.revoke",
        "document.add",
        "document.rename",
        "document.trash",
        "document.restore",
        "document.purge",
        "session.refuse",
    ] {
        assert!(done.contains(act), "{act} is not written down: {done:?}");
    }
    for entry in trail.iter().filter(|entry| entry.action.starts_with("document.")) {
        assert_eq!(
            (entry.actor.as_str(), entry.ip.as_str()),
            ("ana@example.org", "127.0.0.1")
        );
    }
    assert!(!format!("{trail:?}").contains(PASSWORD));
}

#[actix_web::test]
async fn s12_who_asks_is_known_bounded_and_written_down_and_what_is_deleted_is_gone_at_filestack() {
    whole(TestApp::sqlite().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn s12_who_asks_is_known_bounded_and_written_down_and_what_is_deleted_is_gone_at_filestack_on_postgres()
{
    whole(TestApp::postgres().await).await;
}
