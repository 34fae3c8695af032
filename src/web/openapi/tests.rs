//! The description against the source it describes.

use std::collections::BTreeSet;
use std::path::Path;

use super::*;

/// Codes of pages, commands, webhooks and jobs, which the API never answers with.
const NOT_OF_THE_API: &[&str] = &[
    "email-taken",
    "file-differs",
    "file-removal-pending",
    "events-not-applicable",
    "invalid-email",
    "invalid-form",
    "invalid-sample",
    "invalid-scope",
    "invalid-sort",
    "invalid-token-name",
    "job-ended",
    "job-not-retryable",
    "last-administrator",
    "mail-refused",
    "mail-unavailable",
    "method-not-allowed",
    "no-address",
    "no-such-user",
    "scan-failed",
    "too-many-events",
    "too-many-readers",
    "user-disabled",
    "video-failed",
    "webhooks-busy",
    "webhooks-off",
];

#[test]
fn every_error_code_of_the_source_is_described_or_said_to_be_none_of_the_api() {
    let mut found = BTreeSet::new();
    for directory in ["src/services", "src/web", "src/error.rs"] {
        codes_of(&Path::new(env!("CARGO_MANIFEST_DIR")).join(directory), &mut found);
    }
    assert!(found.len() > 40, "the codes could not be read: {found:?}");
    let missing: Vec<_> = found
        .iter()
        .filter(|code| !errors::CODES.iter().any(|(_, known, _)| known == code))
        .filter(|code| !NOT_OF_THE_API.contains(&code.as_str()))
        .collect();
    assert!(
        missing.is_empty(),
        "{missing:?}: enter them in src/web/openapi/errors.rs (what they mean, and which operations answer with them), or here"
    );
}

/// Words after `code:`, and the first argument of `AppError::invalid(` and of `refused(`.
fn codes_of(place: &Path, found: &mut BTreeSet<String>) {
    if place.is_dir() {
        for entry in std::fs::read_dir(place).expect("the source").flatten() {
            codes_of(&entry.path(), found);
        }
        return;
    }
    if place.to_string_lossy().contains("openapi") {
        return;
    }
    let source = std::fs::read_to_string(place).unwrap_or_default();
    let is_code = |word: &&str| word.bytes().all(|byte| byte == b'-' || byte.is_ascii_lowercase());
    let mut marks = vec!["code: \"", "AppError::invalid(\"", "refused(\""];
    if place.ends_with("error.rs") {
        marks.push("=> \"");
    }
    let source: String = source
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .replace("( \"", "(\"");
    for mark in marks {
        let words = source
            .split(mark)
            .skip(1)
            .filter_map(|rest| rest.split('"').next());
        found.extend(words.filter(is_code).map(str::to_owned));
    }
}

#[test]
fn every_operation_has_a_name_of_its_own_and_a_summary() {
    let mut names = BTreeSet::new();
    for (path, item) in description()["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            let name = operation["operationId"].as_str().expect("a name");
            assert!(names.insert(name), "{name} twice");
            assert!(operation["summary"].is_string(), "{method} {path} has no summary");
            assert!(
                method == "get" || operation["responses"]["403"].is_object(),
                "{method} {path}"
            );
        }
    }
    assert!(names.len() >= 13);
    assert_eq!(description()["openapi"], "3.1.0");
}
