//! An administrator and somebody else's document: nothing without a reason, and the owner reads it.

use std::time::Duration;

use diesel::RunQueryDsl as _;

use crate::support::app::TestApp;

async fn a_reason_opens_it_and_its_owner_reads_it(app: TestApp) {
    let ana = app.user("ana").await;
    let id = ana.document("plan.txt", b"the plan").await;
    let admin = app.admin().await;
    let list = admin.page("/admin/documents?owner=Ana@example.org").await;
    assert_eq!(list.texts("tbody th"), ["plan.txt"]);
    let none = admin.page("/admin/documents?owner=bea@example.org").await;
    assert!(none.texts("h2").concat().contains("No such documents"));

    let path = format!("/admin/documents/{id}");
    let closed = admin.page(&path).await;
    assert_eq!(closed.status, 200);
    let handle = app.documents().await[0].handle.clone();
    assert!(!closed.text().contains(&handle), "nothing of the content before");
    let download = admin.get(&format!("{path}/download")).await;
    assert_eq!(download.location(), path);
    let invisible = "\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}\u{202e}";
    for empty in ["", "   ", "why", "\0\0\0\0\0\0", invisible, "-----"] {
        let refused = admin.post_form(&path, &[("reason", empty)]).await;
        assert_eq!(refused.status, 422, "{empty:?}");
    }
    assert_eq!(app.trail_of(&id).await.len(), 1, "only that it was added");

    let reason = "Ana asked for help with it <b>today</b>";
    let typed = format!("\0{}\n", reason.replace(' ', "\0 "));
    let opened = admin.post_form(&path, &[("reason", &typed)]).await;
    assert_eq!((opened.status, opened.location()), (303, path.as_str()));
    let page = admin.page(&path).await;
    assert!(page.text().contains(&handle));
    // A wrong reason changes nothing about that, and is told as on the closed page.
    let long = "long ".repeat(200);
    let refused = admin.post_form(&path, &[("reason", &long)]).await;
    assert_eq!(refused.status, 422);
    assert_eq!(
        refused.texts("#reason-error"),
        ["Say it shorter: a reason has at most 500 characters."]
    );
    assert_eq!(refused.attributes("#reason", "value"), [long.as_str()]);
    assert_eq!(
        refused.attributes("#reason", "aria-describedby"),
        ["reason-error"]
    );
    assert!(refused.text().contains(&handle), "it is open still");
    let download = admin.get(&format!("{path}/download")).await;
    let file = app.fetch(download.location()).await;
    assert_eq!(file.text(), "the plan");

    let told = ana
        .page(&format!("/documents/{id}"))
        .await
        .texts(".history li")
        .concat();
    assert!(told.contains("Opened by an administrator"), "{told}");
    assert!(
        told.contains("admin@example.org") && told.contains(reason),
        "{told}"
    );

    // Nobody opens what is in the trash: its owner could not see that.
    app.token("ana")
        .await
        .delete(&format!("/api/documents/{id}"))
        .await;
    let download = admin.get(&format!("{path}/download")).await;
    assert_eq!(download.location(), path);
    let refused = admin.post_form(&path, &[("reason", reason)]).await;
    assert_eq!(refused.status, 422);
    assert!(
        refused.text().contains("It is in the trash"),
        "{}",
        refused.text()
    );
    let list = admin.page("/admin/documents").await;
    assert!(list.texts("tbody tr").concat().contains("in the trash"));
    ana.post_form("/trash/restorations", &[("id", &id)]).await;

    // However much comes after it, the opening is told.
    app.advance(Duration::from_secs(1));
    for number in 0..101 {
        let name = format!("plan {number}.txt");
        let renamed = ana
            .post_form(&format!("/documents/{id}/name"), &[("name", &name)])
            .await;
        assert_eq!(renamed.status, 303);
    }
    let told = ana.page(&format!("/documents/{id}")).await;
    let told = told.texts(".history li");
    assert_eq!(told.len(), 101);
    assert!(told.concat().contains(reason), "{told:?}");

    // Another document is another reason, and so is a later time.
    let other = ana.document("other.txt", b"x").await;
    let download = admin.get(&format!("/admin/documents/{other}/download")).await;
    assert_eq!(download.location(), format!("/admin/documents/{other}"));
    app.advance(Duration::from_secs(15 * 60 + 1));
    let download = admin.get(&format!("{path}/download")).await;
    assert_eq!(download.location(), path);
}

#[actix_web::test]
async fn a_reason_opens_it_on_sqlite() {
    a_reason_opens_it_and_its_owner_reads_it(TestApp::sqlite().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn a_reason_opens_it_on_postgres() {
    a_reason_opens_it_and_its_owner_reads_it(TestApp::postgres().await).await;
}

#[actix_web::test]
async fn i3_an_administrators_document_is_no_members() {
    let app = TestApp::sqlite().await;
    let id = app.user("ana").await.document("a.txt", b"x").await;
    let bea = app.user("bea").await;
    for path in [
        "/admin/documents".to_owned(),
        format!("/admin/documents/{id}"),
        format!("/admin/documents/{id}/download"),
    ] {
        assert_eq!(bea.get(&path).await.status, 403, "{path}");
    }
    let admin = app.admin().await;
    let own = admin.document("mine.txt", b"x").await;
    assert_eq!(
        admin.get(&format!("/admin/documents/{own}")).await.location(),
        format!("/documents/{own}")
    );
}

/// SQLite removes the row in the way of a new one without asking the triggers.
#[actix_web::test]
async fn what_the_trail_says_is_not_replaced() {
    let app = TestApp::sqlite().await;
    app.user("ana").await.document("a.txt", b"x").await;
    for verb in ["INSERT OR REPLACE", "INSERT OR IGNORE", "REPLACE"] {
        let replaced = app.services.db.write(move |c| {
            let sql = format!("{verb} INTO audit_entries SELECT * FROM audit_entries");
            Ok(diesel::sql_query(sql).execute(c)?)
        });
        let refused = replaced.await.expect_err("it is refused").to_string();
        assert!(refused.contains("never changed"), "{refused}");
    }
}
