//! `/admin/settings` and `/admin/system`.

use reqwest::Method;
use serde_json::json;

use crate::support::app::TestApp;

#[actix_web::test]
async fn settings_say_value_source_and_default_and_no_secret() {
    let app = TestApp::new()
        .var("FILESTACK_WEBHOOK_SECRET", "not-for-anybodys-eyes-0123456789")
        .start()
        .await;
    let page = app.admin().await.page("/admin/settings").await;
    assert_eq!(page.status, 200);
    let text = page.text();
    assert!(!text.contains("not-for-anybodys-eyes"));
    let rows = page.texts("tbody tr");
    let row = |name: &str| {
        rows.iter()
            .find(|row| row.contains(name))
            .unwrap_or_else(|| panic!("no row for {name}"))
            .clone()
    };
    assert!(row("FILESTACK_WEBHOOK_SECRET").contains("[hidden]"));
    assert!(row("SATCHEL_BIND").contains("environment") && row("SATCHEL_BIND").contains("127.0.0.1:8080"));
    assert!(row("SATCHEL_SCAN_FAILURE").contains("default"));
}

async fn the_system_is_described(app: TestApp, database: &str) {
    let admin = app.admin().await;
    let page = admin.page("/admin/system").await;
    assert_eq!(page.status, 200);
    let text = page.texts("main").concat();
    for told in [
        database,
        "0 missing",
        "Closed",
        "create_audit",
        "emulator",
        "Filestack's",
    ] {
        assert!(text.contains(told), "{told}: {text}");
    }
}

#[actix_web::test]
async fn the_system_is_described_on_sqlite() {
    the_system_is_described(TestApp::sqlite().await, "SQLite").await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn the_system_is_described_on_postgres() {
    the_system_is_described(TestApp::postgres().await, "PostgreSQL").await;
}

#[actix_web::test]
async fn a14_what_a_browser_blocked_is_collected_and_shown() {
    let app = TestApp::sqlite().await;
    let anybody = app.anon();
    let send = async |body: String| {
        let request = anybody.request(Method::POST, "/csp-reports");
        let request = request
            .header("content-type", "application/csp-report")
            .body(body);
        anybody.send(request).await.status
    };
    let report = json!({"csp-report": {
        "document-uri": format!("{}/documents?q=secret", app.url), "violated-directive": "script-src-elem",
        "blocked-uri": "<img src=x onerror=alert(1)>",
    }});
    assert_eq!(send(report.to_string()).await, 204);
    assert_eq!(send("nonsense".to_owned()).await, 204);
    assert_eq!(send("x".repeat(9_000)).await, 413);
    let admin = app.admin().await;
    let page = admin.page("/admin/system").await;
    let told = page.texts("main").concat();
    assert!(
        told.contains("script-src-elem") && told.contains("<img src=x"),
        "{told}"
    );
    assert!(!told.contains("secret") && page.attributes("main img", "src").is_empty());
    let policy = page
        .header("content-security-policy")
        .expect("a policy")
        .to_owned();
    assert!(policy.ends_with("report-uri /csp-reports"), "{policy}");
}
