//! The API under `schemathesis`, which reads its description and asks whatever that allows, and what it does not.
//!
//! It fails on answers of the 500s, statuses and bodies that are not described, and methods that are taken and should not be.

use std::process::Command;

use crate::sdk::bench::installed;
use crate::support::app::TestApp;

/// Examples for each operation: about a minute and a half in all.
const EXAMPLES: &str = "40";
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance,ignored_auth";

#[actix_web::test]
#[ignore = "needs schemathesis, which is installed beside Filestack's SDKs"]
async fn the_api_is_what_its_description_says() {
    let app = TestApp::sqlite().await;
    let ana = app.token("ana").await;
    for n in 0..3 {
        ana.document(&format!("{n}.txt"), b"hello").await;
    }
    let authorization = ana
        .headers()
        .into_iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("authorization"))
        .map(|(_, value)| value)
        .expect("a token");
    let url = format!("{}/openapi.json", app.url);
    let directory = app.data_dir().to_owned();
    let outcome = tokio::task::spawn_blocking(move || {
        Command::new(installed().join("python/bin/schemathesis"))
            .args([
                "run",
                &url,
                "--checks",
                CHECKS,
                "--phases",
                "examples,coverage,fuzzing",
            ])
            .args([
                "--max-examples",
                EXAMPLES,
                "--seed",
                "1",
                "--no-color",
                "--request-timeout",
                "20",
            ])
            .args(["--suppress-health-check", "all"])
            .args(["--header", &format!("Authorization: {authorization}")])
            .current_dir(directory)
            .output()
            .expect("schemathesis starts")
    });
    let outcome = outcome.await.expect("it ends");
    let said = String::from_utf8_lossy(&outcome.stdout).into_owned();
    println!("{said}");
    assert!(
        outcome.status.success(),
        "{said}\n{}",
        String::from_utf8_lossy(&outcome.stderr)
    );
}
