//! Uploads (§3, §10): every size arrives byte for byte, by both ways, with everything an SDK may say about a file.

use satchel::emulator::Route;
use serde_json::json;

use super::bench::{Bench, SIZES, Sdk};
use super::parity;
use super::report::Report;

const SECTION: &str = "Uploads (§3, §10)";

#[test]
#[ignore = "needs Filestack's Python SDK"]
fn python_uploads_every_size() {
    let bench = Bench::start();
    let report = bench.run(Sdk::Python, "upload");
    every_size_arrived(&bench, &report);
    assert_eq!(
        bench.stored(report.handle("from memory")),
        bench.content("20 MiB")
    );
    assert_eq!(bench.stored(report.handle("empty")), b"");
    assert_eq!(bench.stored(report.handle("open app")), b"open");
    for step in ["options", "options of an intelligent upload"] {
        options_were_kept(&bench, &report, step, "ångström 1.txt");
    }
    let reply = &report.result("options")["reply"];
    assert_eq!(reply["upload_tags"], json!({ "colour": "blue" }), "{reply}");
    parity::of_report(SECTION, Sdk::Python, &report);
}

#[test]
#[ignore = "needs Filestack's JavaScript SDK"]
fn javascript_4_uploads_every_size() {
    javascript_uploads_every_size(Sdk::JavaScript4);
}

#[test]
#[ignore = "needs Filestack's JavaScript SDK"]
fn javascript_3_uploads_every_size() {
    javascript_uploads_every_size(Sdk::JavaScript3);
}

#[track_caller]
fn javascript_uploads_every_size(sdk: Sdk) {
    let bench = Bench::start();
    let report = bench.run(sdk, "upload");
    every_size_arrived(&bench, &report);
    for step in ["from memory", "without MD5", "paused and resumed"] {
        assert_eq!(
            bench.stored(report.handle(step)),
            bench.content("20 MiB"),
            "{step}"
        );
    }
    // §12 no. 15: refused by the SDK, before any request.
    let empty = report.failure("empty");
    assert_eq!(
        (empty.kind.as_str(), empty.status),
        ("validation", None),
        "{empty:?}"
    );
    assert_eq!(bench.stored(report.handle("open app")), b"open");
    for step in ["options", "options of an intelligent upload"] {
        // §11.4: the SDK replaces the braces.
        options_were_kept(&bench, &report, step, "ångström -1-.txt");
        let file = report.result(step);
        assert_eq!(file["uploadTags"], json!({ "colour": "blue" }), "{file}");
        assert_eq!(file["alt"], "A note", "{file}");
    }
    // §10: with the file's name in the path, the path is the key.
    let keyed = report.result("without storage key");
    assert_eq!(keyed["key"], "as/said/plain.txt", "{keyed}");
    assert_eq!(report.result("progress"), &json!({ "first": 0, "grows": true }));
    let several = report.result("several");
    for (at, content) in ["one", "two"].into_iter().enumerate() {
        let file = &several[at];
        assert_eq!(file["status"], "Stored", "{file}");
        assert_eq!(
            bench.stored(file["handle"].as_str().expect("a handle")),
            content.as_bytes()
        );
    }
    let settings = report.result("settings");
    assert_eq!(
        settings["permissions"]["intelligent_ingestion"], true,
        "{settings}"
    );
    parity::of_report(SECTION, sdk, &report);
}

#[track_caller]
fn every_size_arrived(bench: &Bench, report: &Report) {
    for (name, size) in SIZES {
        for step in [(*name).to_owned(), format!("intelligent {name}")] {
            let handle = report.handle(&step);
            assert_eq!(bench.stored(handle).len(), *size, "{step}");
            assert!(bench.stored(handle) == bench.content(name), "{step}: other bytes");
            let url = report.result(&step)["url"].as_str().expect("a URL");
            assert!(url.ends_with(&format!("/{handle}")), "{step}: {url}");
            let meta = bench.meta(handle);
            assert_eq!(meta.filename, format!("{name}.bin"));
        }
    }
    // §3.6: intelligent ingestion was granted, so parts were committed; the 20 MiB alone are three of 8 MiB.
    let commits = bench.controls.faults().count(Route::Commit);
    assert!(commits >= SIZES.len() + 2, "{commits} commits");
}

#[track_caller]
fn options_were_kept(bench: &Bench, report: &Report, step: &str, filename: &str) {
    let meta = bench.meta(report.handle(step));
    assert_eq!(meta.filename, filename, "{step}");
    assert_eq!(meta.mimetype, "text/x-notes", "{step}");
    assert_eq!(meta.location, "gcs", "{step}");
    assert_eq!(meta.container.as_deref(), Some("bucket"), "{step}");
    assert!(
        meta.key.starts_with("notes/2026/") && meta.key.ends_with(&format!("_{filename}")),
        "{step}: {}",
        meta.key
    );
    assert_eq!(meta.upload_tags.get("colour"), Some(&json!("blue")), "{step}");
}
