//! What is in a file (§6.8), film (§6.7) and workflows (§8), as far as the SDKs have them.

use serde_json::{Value, json};

use super::bench::{Bench, NOW, Sdk, WORKFLOW};
use super::parity;
use super::report::Report;

const SECTION: &str = "Intelligence, film, workflows (§6.7–§8)";

#[test]
#[ignore = "needs Filestack's Python SDK"]
fn python_asks_converts_and_runs_workflows() {
    let bench = Bench::start();
    let report = bench.run(Sdk::Python, "intelligence");
    parity::of_report(SECTION, Sdk::Python, &report);
    answers_are_right(&report);
    let ocr = report.result("ocr");
    assert!(
        ocr["document"]["text_areas"][0]["lines"][0]["words"][0]["text"].is_string(),
        "{ocr}"
    );
    assert_ne!(report.result("tags of a smaller one"), report.result("tags"));
    // It refuses to ask without security before anything is sent.
    assert_eq!(report.failure("tags without security").status, None);

    let begun = report.result("convert");
    assert_eq!(
        (&begun["status"], &begun["timestamp"]),
        (&json!("started"), &json!(NOW.to_string()))
    );
    assert!(report.failure("too early").text.contains("not complete"));
    let done = report.result("converted");
    assert_eq!(
        (&done["status"], &done["uuid"]),
        (&json!("completed"), &begun["uuid"])
    );
    let film = report.result("film").as_str().expect("a handle");
    let meta = report.result("metadata of the film");
    assert_eq!(
        (&meta["mimetype"], &meta["filename"]),
        (&json!("video/mp4"), &json!("a.mp4")),
        "{meta}"
    );
    assert_eq!(bench.stored(film).len(), meta["size"]);

    let begun = report.result("run a workflow");
    assert_eq!(begun["status"], "Started", "{begun}");
    assert_eq!(report.result("status")["status"], "Started");
    workflow_is_right(&report, report.result("finished"));
    for name in ["upload with a workflow", "intelligent upload with a workflow"] {
        workflow_is_right(&report, report.result(&format!("finished {name}")));
    }
}

#[test]
#[ignore = "needs Filestack's JavaScript SDK"]
fn javascript_4_asks_converts_and_runs_workflows() {
    javascript_asks_converts_and_runs_workflows(Sdk::JavaScript4);
}

#[test]
#[ignore = "needs Filestack's JavaScript SDK"]
fn javascript_3_asks_converts_and_runs_workflows() {
    javascript_asks_converts_and_runs_workflows(Sdk::JavaScript3);
}

#[track_caller]
fn javascript_asks_converts_and_runs_workflows(sdk: Sdk) {
    let bench = Bench::start();
    let report = bench.run(sdk, "intelligence");
    parity::of_report(SECTION, sdk, &report);
    answers_are_right(&report);
    assert_eq!(report.result("tags in base64"), report.result("tags"));
    assert_eq!(report.failure("tags without security").status, Some(403));

    let begun = report.result("convert");
    assert_eq!(begun["status"], "started", "{begun}");
    let done = report.result("converted");
    assert_eq!(
        (&done["status"], &done["uuid"]),
        (&json!("completed"), &begun["uuid"]),
        "{done}"
    );
    let url = done["data"]["url"].as_str().expect("a URL");
    let film = url.rsplit('/').next().expect("a handle");
    assert_eq!(bench.stored(film).len(), done["metadata"]["result"]["file_size"]);

    assert_eq!(report.result("run a workflow")["status"], "Started");
    workflow_is_right(&report, report.result("finished"));
    for name in ["upload with a workflow", "intelligent upload with a workflow"] {
        workflow_is_right(&report, report.result(&format!("finished {name}")));
    }
    let stored = report.result("finished store from a url with a workflow");
    assert_eq!(stored["status"], "Finished", "{stored}");
}

#[track_caller]
fn answers_are_right(report: &Report) {
    let tags = report.result("tags");
    assert!(
        tags["tags"]["auto"]
            .as_object()
            .is_some_and(|auto| !auto.is_empty()),
        "{tags}"
    );
    assert_eq!(report.result("sfw"), &json!({ "sfw": true }));
    let refused = report.failure("tags for a reader");
    assert!(
        refused.status == Some(403) || refused.kind == "JSONDecodeError",
        "{refused:?}"
    );
}

/// The bench's workflow looks for viruses and makes the picture five pixels wide.
#[track_caller]
fn workflow_is_right(report: &Report, status: &Value) {
    assert_eq!(
        (&status["status"], &status["workflow"]),
        (&json!("Finished"), &json!(WORKFLOW)),
        "{status}"
    );
    let results = status["results"].as_object().expect("results by name");
    let result = |action: &str| {
        let found = results.iter().find(|(name, _)| name.starts_with(action));
        found.unwrap_or_else(|| panic!("no {action}: {status}")).1
    };
    assert_eq!(
        result("virus_detection_")["data"],
        json!({ "infected": false, "infections_list": [] })
    );
    let made = result("resize_");
    assert_eq!(made["mimetype"], "image/png", "{made}");
    assert_eq!(report.result("what the workflow made"), &made["size"]);
}
