//! `/metrics`, `/healthz` and `/readyz`.

use std::process::Command;

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, PgConnection, SqliteConnection};
use reqwest::Method;
use satchel::config::DatabaseConfig;
use serde_json::json;

use crate::cli::process::{EMAIL, Place};
use crate::sdk::bench::installed;
use crate::support::app::TestApp;
use crate::support::wire::{get, post};

const TOKEN: &str = "a-token-for-the-scraper";

#[actix_web::test]
async fn metrics_are_for_administrators_and_for_the_scraper() {
    let app = TestApp::new().var("SATCHEL_METRICS_TOKEN", TOKEN).start().await;
    let ask = async |token: &str| {
        let client = app.anon();
        let request = client.request(Method::GET, "/metrics");
        client
            .send(request.header("Authorization", format!("Bearer {token}")))
            .await
            .status
    };
    assert_eq!(ask(TOKEN).await, 200);
    for wrong in ["a-token-for-the-scrape", "a-token-for-the-scraper2", "", "x"] {
        assert_eq!(ask(wrong).await, 401, "{wrong}");
    }
    assert_eq!(app.anon().get("/metrics").await.status, 401);
    assert_eq!(app.user("ana").await.get("/metrics").await.status, 403);
    assert_eq!(app.admin().await.get("/metrics").await.status, 200);
    // The scraper's token opens nothing else.
    let client = app.anon();
    let request = client.request(Method::GET, "/api/documents");
    let refused = client
        .send(request.header("Authorization", format!("Bearer {TOKEN}")))
        .await;
    assert_eq!(refused.status, 401);
}

#[actix_web::test]
async fn metrics_name_routes_by_pattern_whatever_strangers_send() {
    let app = TestApp::sqlite().await;
    let ana = app.token("ana").await;
    let id = ana.document("a.txt", b"hello").await;
    ana.get(&format!("/api/documents/{id}")).await;
    for n in 0..50 {
        app.anon().get(&format!("/no/such/page-{n}")).await;
    }
    let client = app.anon();
    for method in ["PROPFIND", "BREW", "X-1", "X-2"] {
        client
            .send(client.request(method.parse().expect("a method"), "/healthz"))
            .await;
    }
    let text = app.admin().await.get("/metrics").await.text();
    for line in [
        r#"satchel_http_requests_total{method="GET",route="/api/documents/{id}",status="200"} 1"#,
        r#"satchel_http_requests_total{method="GET",route="none",status="404"} 50"#,
        r#"satchel_http_requests_total{method="other",route="/healthz",status="405"} 4"#,
        r#"satchel_http_request_duration_seconds_count{method="GET",route="/api/documents/{id}"} 1"#,
        "satchel_uploads_in_flight 0",
        "satchel_uploads_total 1",
        "satchel_upload_bytes_total 5",
        r#"satchel_jobs{state="waiting"} 0"#,
        "satchel_filestack_breaker_open 0",
        "satchel_up 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    assert!(!text.contains("no/such") && !text.contains(&id), "{text}");
}

const PARSE: &str = "
import sys
from prometheus_client.parser import text_string_to_metric_families
families = {family.name: family for family in text_string_to_metric_families(sys.stdin.read())}
for name in ['satchel_http_requests', 'satchel_http_request_duration_seconds', 'satchel_uploads_in_flight', 'satchel_jobs', 'satchel_build_info']:
    family = families[name]
    assert family.documentation and family.samples, name
histogram = families['satchel_http_request_duration_seconds']
assert histogram.type == 'histogram'
for sample in histogram.samples:
    if sample.name.endswith('_count'):
        ends = [s for s in histogram.samples if s.name.endswith('_bucket') and {k: v for k, v in s.labels.items() if k != 'le'} == sample.labels]
        values = [s.value for s in sorted(ends, key=lambda s: float(s.labels['le']))]
        assert values == sorted(values) and values[-1] == sample.value, sample
print(len(families))
";

#[actix_web::test]
#[ignore = "needs Prometheus' own parser, which is installed beside Filestack's SDKs"]
async fn prometheus_own_parser_reads_the_metrics() {
    let app = TestApp::sqlite().await;
    app.token("ana").await.document("a.txt", b"hello").await;
    let text = app.admin().await.get("/metrics").await.text();
    let file = app.data_dir().join("metrics.txt");
    std::fs::write(&file, &text).expect("a file");
    let python = installed().join("python/bin/python");
    let outcome = Command::new(python)
        .args(["-c", PARSE])
        .stdin(std::fs::File::open(&file).expect("the file"))
        .output()
        .expect("Python starts");
    assert!(
        outcome.status.success(),
        "{}\n{text}",
        String::from_utf8_lossy(&outcome.stderr)
    );
}

/// Whether work should be sent here, before, while and after something is wrong with the database.
async fn readiness_while(app: &TestApp, mut execute: impl FnMut(&str), wrong: &[String], right: &[String]) {
    let ready = async || {
        let answer = app.anon().get("/readyz").await;
        (answer.status, answer.json()["checks"]["database"].clone())
    };
    assert_eq!(ready().await, (200, json!("ok")));
    wrong.iter().for_each(|statement| execute(statement));
    assert_eq!(ready().await, (503, json!("failing")));
    assert_eq!(
        app.anon().get("/healthz").await.status,
        200,
        "the process itself is well"
    );
    right.iter().for_each(|statement| execute(statement));
    assert_eq!(ready().await, (200, json!("ok")));
}

#[actix_web::test]
async fn without_a_database_that_answers_it_is_not_ready() {
    let app = TestApp::sqlite().await;
    let DatabaseConfig::Sqlite { path } = &app.config.database else {
        panic!("this is about SQLite");
    };
    let mut other = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    let execute = |statement: &str| other.batch_execute(statement).unwrap();
    let (wrong, right) = (
        ["ALTER TABLE installation RENAME TO lost".to_owned()],
        ["ALTER TABLE lost RENAME TO installation".to_owned()],
    );
    readiness_while(&app, execute, &wrong, &right).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn without_a_database_that_answers_it_is_not_ready_with_postgresql() {
    let app = TestApp::postgres().await;
    let DatabaseConfig::Postgres { url } = &app.config.database else {
        panic!("this is about PostgreSQL");
    };
    let (start, rest) = url.split_at(url.find("satchel_test_").unwrap());
    let end = rest.find('?').unwrap_or(rest.len());
    let (name, query) = rest.split_at(end);
    let mut other = PgConnection::establish(&format!("{start}postgres{query}")).unwrap();
    let execute = |statement: &str| other.batch_execute(statement).unwrap();
    let wrong = [
        format!("ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false"),
        format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"),
    ];
    let right = [format!("ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true")];
    readiness_while(&app, execute, &wrong, &right).await;
}

#[test]
fn x3_panics_of_requests_and_of_jobs_are_counted_and_nothing_else_ends() {
    let place = Place::new().with("SATCHEL_METRICS_TOKEN", TOKEN).with(
        "SATCHEL_FAILPOINTS",
        "upload.after-intent=panic,job.before-work=panic",
    );
    let server = place.serve();
    let panics = || {
        let metrics = get("/metrics").bearer(TOKEN).send(server.address).text();
        let line = metrics
            .lines()
            .find(|line| line.starts_with("satchel_panics_total "));
        line.unwrap_or_else(|| panic!("{metrics}")).to_owned()
    };
    assert_eq!(panics(), "satchel_panics_total 0");
    place.create_user(EMAIL, "member");
    let token = place.create_token(EMAIL);
    let upload = || {
        post("/api/uploads")
            .bearer(&token)
            .upload(&[], "a.txt", b"hello")
            .send(server.address)
    };
    let broken = upload();
    assert_eq!((broken.status, &broken.json()["code"]), (500, &json!("internal")));
    server.wait_for_log("panicked: as upload.after-intent was asked to");
    // The second is stored, and the first job about it breaks down.
    assert_eq!(upload().status, 201);
    server.wait_for_log("panicked: as job.before-work was asked to");
    assert_eq!(panics(), "satchel_panics_total 2");
    assert_eq!(upload().status, 201);
    assert_eq!(server.count_documents(&token), 2);
}

#[actix_web::test]
async fn health_says_what_was_looked_at() {
    let app = TestApp::sqlite().await;
    assert_eq!(app.anon().get("/healthz").await.json(), json!({"status": "ok"}));
    let ready = app.anon().get("/readyz").await;
    assert_eq!(
        ready.json(),
        json!({"status": "ok", "checks": {"database": "ok", "server": "ok", "filestack": "ok"}})
    );
}
