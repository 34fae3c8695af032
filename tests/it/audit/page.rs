//! `/admin/audit`: its filters, pages and exports; and a document's own slice on its page.

use std::time::Duration;

use satchel::services::audit::{self, Action, Actor, Entry};
use serde_json::json;

use crate::support::app::TestApp;

/// What spreadsheets, browsers and terminals would each take as something to do.
const HOSTILE: &str = "=HYPERLINK(\"x\") <img src=x onerror=alert(1)>\u{202e}";

/// Writes an entry by this actor.
async fn entry(app: &TestApp, actor: &str, action: Action, subject: &str) {
    let (now, actor) = (app.services.clock.now(), Actor::nobody(actor, "203.0.113.5"));
    let entry = Entry::new(action, subject).named(HOSTILE).because(HOSTILE);
    let entry = entry.changing(json!({"name": HOSTILE}), json!({"name": "new"}));
    let written = app
        .services
        .db
        .write(move |c| audit::record(c, &actor, entry, now));
    written.await.expect("an entry");
}

async fn filters_pages_and_files_agree(app: TestApp) {
    for number in 0..120 {
        let (who, action) = if number % 2 == 0 {
            ("eve@example.org", Action::JobRetried)
        } else {
            ("ana@example.org", Action::JobCancelled)
        };
        entry(&app, who, action, &format!("job-{number}")).await;
        app.advance(Duration::from_secs(60));
    }
    let admin = app.admin().await;
    let walk = async |first: &str| {
        let (mut seen, mut next, mut last) = (Vec::new(), Some(first.to_owned()), String::new());
        while let Some(path) = next {
            let page = admin.page(&path).await;
            assert_eq!(page.status, 200, "{path}");
            seen.extend(page.attributes("tbody tr", "id"));
            next = page.attributes("a[rel=next]", "href").pop();
            last = path;
        }
        (seen, last)
    };
    let (evil, last) = walk("/admin/audit?actor=eve@example.org&action=job.retry").await;
    assert_eq!(evil.len(), 60);
    let back = admin.page(&last).await.attributes("a[rel=prev]", "href").pop();
    let page = admin.page(&back.expect("a way back")).await;
    assert_eq!(page.attributes("tbody tr", "id"), evil[..50]);
    let (turned, _) = walk("/admin/audit?actor=Eve@Example.org&action=job.retry&sort=time").await;
    assert_eq!(turned, evil.iter().rev().cloned().collect::<Vec<_>>());
    let (one, _) = walk("/admin/audit?subject=job-7").await;
    assert_eq!(one.len(), 1);
    let (recent, _) = walk("/admin/audit?action=job.cancel&since=30m").await;
    assert_eq!(recent.len(), 15);

    let file = admin.get("/admin/audit?actor=eve@example.org&format=json").await;
    assert_eq!(file.header("content-type"), Some("application/json"));
    let ids: Vec<String> = file
        .json()
        .as_array()
        .expect("a list")
        .iter()
        .map(|entry| format!("entry-{}", entry["id"].as_str().expect("an id")))
        .collect();
    assert_eq!(ids, evil);
    let file = admin.get("/admin/audit?subject=job-7&format=csv").await;
    assert_eq!(
        file.header("content-disposition"),
        Some("attachment; filename=\"satchel-audit.csv\"")
    );
    let nothing = admin.get("/admin/audit?subject=nothing&format=json").await;
    assert_eq!(nothing.json(), json!([]));
}

#[actix_web::test]
async fn filters_pages_and_files_agree_on_sqlite() {
    filters_pages_and_files_agree(TestApp::sqlite().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn filters_pages_and_files_agree_on_postgres() {
    filters_pages_and_files_agree(TestApp::postgres().await).await;
}

#[actix_web::test]
async fn u3_u16_a_hostile_name_is_inert_on_the_page_and_in_files() {
    let app = TestApp::sqlite().await;
    entry(&app, HOSTILE, Action::JobRetried, "job-1").await;
    let admin = app.admin().await;
    let page = admin.page("/admin/audit?subject=job-1").await;
    assert!(page.attributes("main img", "src").is_empty());
    assert!(page.texts("tbody td").concat().contains("<img src=x"));
    assert!(!page.texts("tbody td").concat().contains('\u{202e}'));
    let csv = admin.get("/admin/audit?subject=job-1&format=csv").await.text();
    let line = csv.lines().nth(1).expect("a line");
    assert!(line.contains("\"'=HYPERLINK(\"\"x\"\")"), "{line}");
    assert!(!line.contains(",=") && !line.contains(",\"="), "{line}");
}

#[actix_web::test]
async fn x5_an_odd_filter_order_or_cursor_is_told_and_members_see_nothing() {
    let app = TestApp::sqlite().await;
    let admin = app.admin().await;
    for odd in [
        "action=x",
        "action=job.retry'--",
        "since=yesterday",
        "until=x",
        "sort=ip",
        "sort=--time",
        "after=1",
        "after=1.x",
        "before=x.01890a5d-ac96-774b-bcce-b302099a8057",
        "format=xml",
    ] {
        let answer = admin.get(&format!("/admin/audit?{odd}")).await;
        assert_eq!(answer.status, 400, "{odd}");
    }
    for harmless in ["actor=%27%20OR%201%3D1--", "subject=%25"] {
        let page = admin.page(&format!("/admin/audit?{harmless}")).await;
        assert_eq!((page.status, page.attributes("tbody tr", "id").len()), (200, 0));
        assert!(page.texts("h2").concat().contains("No such entries"));
    }
    let ana = app.user("ana").await;
    for path in ["/admin/audit", "/admin/audit?format=csv"] {
        assert_eq!(ana.get(path).await.status, 403);
    }
}

#[actix_web::test]
async fn i3_a_document_tells_its_history_to_its_owner_and_to_nobody_else() {
    let app = TestApp::sqlite().await;
    let ana = app.user("ana").await;
    let id = ana.document("old.txt", b"x").await;
    ana.post_form(&format!("/documents/{id}/name"), &[("name", "new.txt")])
        .await;
    let page = ana.page(&format!("/documents/{id}")).await;
    let told = page.texts(".history li").concat();
    assert!(told.contains("Document renamed"), "{told}");
    assert!(told.contains("old.txt → new.txt"), "{told}");
    let bea = app.user("bea").await;
    assert_eq!(bea.get(&format!("/documents/{id}")).await.status, 404);
}
