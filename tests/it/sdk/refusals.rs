//! Policies (§2): what each call of a policy allows, what a bad policy is answered with, in the words of the host it went to
//! (§2.5), and what an SDK makes of that.

use super::bench::{Bench, SECURED, Sdk};
use super::parity::{self, Cell};
use super::report::{Failure, Report};

const CALLS: &[&str] = &[
    "pick",
    "read",
    "stat",
    "write",
    "writeUrl",
    "store",
    "convert",
    "remove",
    "exif",
    "runWorkflow",
];

/// What drivers do with one policy after another, and the calls that each allow it. EXIF needs `stat` as well.
const OPERATIONS: &[(&str, &[&str])] = &[
    ("upload", &["pick", "store"]),
    ("content", &["read"]),
    ("metadata", &["stat"]),
    ("exif", &[]),
    ("resize", &["convert"]),
    ("overwrite", &["write"]),
    ("delete", &["remove"]),
];

/// Which host's words a refusal has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Host {
    Upload,
    Cdn,
    FileApi,
}

#[test]
#[ignore = "needs Filestack's Python SDK"]
fn p4_python_is_refused_whatever_its_policy_does_not_allow() {
    refused_whatever_the_policy_does_not_allow(Sdk::Python);
}

#[test]
#[ignore = "needs Filestack's JavaScript SDK"]
fn p4_javascript_4_is_refused_whatever_its_policy_does_not_allow() {
    refused_whatever_the_policy_does_not_allow(Sdk::JavaScript4);
}

#[test]
#[ignore = "needs Filestack's JavaScript SDK"]
fn p4_javascript_3_is_refused_whatever_its_policy_does_not_allow() {
    refused_whatever_the_policy_does_not_allow(Sdk::JavaScript3);
}

#[track_caller]
fn refused_whatever_the_policy_does_not_allow(sdk: Sdk) {
    let report = Bench::start().run(sdk, "refusals");
    each_call_allows_its_own_operation(&report, sdk);
    bad_policies_are_refused_in_the_hosts_words(&report, sdk);
    limits_are_kept(&report, sdk);
    an_open_app_guards_only_what_changes_a_file(&report, sdk);
    parity::of_sdk("Refusals (§2)", sdk, rows(&report));
}

/// What the table says: which calls allow an operation and what comes of each bad policy, instead of a line for every pair.
fn rows(report: &Report) -> Vec<(String, Cell)> {
    let mut rows: Vec<(String, Cell)> = Vec::new();
    let mut add = |name: String, part: String| match rows.iter_mut().find(|(known, _)| *known == name) {
        Some((_, Cell::Said(parts))) if parts.split("; ").all(|known| known != part) => {
            *parts = format!("{parts}; {part}");
        }
        Some(_) => {}
        None => rows.push((name, Cell::Said(part))),
    };
    let mut others = Vec::new();
    for step in report.steps() {
        let cell = parity::cell(report, step);
        let is_operation = |name: &str| OPERATIONS.iter().any(|(known, _)| *known == name);
        if let Some((operation, call)) = step.split_once(" with ")
            && CALLS.contains(&call)
            && is_operation(operation)
        {
            let part = match cell {
                Cell::Works => format!("by `{call}`"),
                cell => format!("otherwise {cell}"),
            };
            add(format!("{operation} is allowed"), part);
        } else if let Some((operation, kind)) = step.split_once(", ")
            && is_operation(operation)
            && kind != "this handle"
        {
            add(format!("a policy: {kind}"), cell.to_string());
        } else {
            others.push((step.to_owned(), cell));
        }
    }
    for (_, cell) in &mut rows {
        if let Cell::Said(parts) = cell {
            let mut sorted: Vec<_> = parts.split("; ").collect();
            sorted.sort_unstable();
            *parts = sorted.join("; ");
        }
    }
    rows.extend(others);
    rows
}

/// §2.1.
#[track_caller]
fn each_call_allows_its_own_operation(report: &Report, sdk: Sdk) {
    for (operation, allowed) in operations(sdk) {
        for call in CALLS {
            let step = format!("{operation} with {call}");
            if allowed.contains(call) {
                report.result(&step);
            } else {
                refused(&report.failure(&step), host(sdk, operation), "call", &step);
            }
        }
    }
}

/// §2.5, and §2.2 for what is no base64.
#[track_caller]
fn bad_policies_are_refused_in_the_hosts_words(report: &Report, sdk: Sdk) {
    let mut kinds = vec!["expired", "foreign", "forged", "unpadded", "none"];
    if sdk == Sdk::Python {
        // The JavaScript SDK makes no such policy.
        kinds.extend(["without expiry", "misspelt"]);
    }
    for (operation, _) in operations(sdk) {
        for kind in &kinds {
            let step = format!("{operation}, {kind}");
            let failure = report.failure(&step);
            if *kind == "none" && ["overwrite", "delete"].contains(operation) {
                // §5: the SDKs do not even ask.
                assert_eq!(failure.status, None, "{step}: {failure:?}");
                assert!(failure.text.starts_with("Security "), "{step}: {failure:?}");
            } else {
                refused(&failure, host(sdk, operation), kind, &step);
            }
        }
    }
    for operation in ["content", "metadata", "resize", "delete"] {
        let step = format!("{operation}, other handle");
        refused(&report.failure(&step), host(sdk, operation), "handle", &step);
    }
    report.result("content, this handle");
    if sdk != Sdk::Python {
        let failure = report.failure("cloud folders, expired");
        assert_eq!(failure.status, Some(401), "{failure:?}");
        assert!(
            failure.text.contains(r#""error":"Invalid Policy""#),
            "{failure:?}"
        );
    }
}

/// §2.1: sizes, path and container; and keys that are not known (§2.5, §11.1).
#[track_caller]
fn limits_are_kept(report: &Report, sdk: Sdk) {
    for step in ["larger than maxSize", "smaller than minSize", "outside container"] {
        refused(&report.failure(step), Host::Upload, step, step);
    }
    refused(
        &report.failure("outside path"),
        Host::Upload,
        "path",
        "outside path",
    );
    for step in [
        "as large as maxSize",
        "inside path",
        "inside container",
        "a policy of odd letters",
    ] {
        report.handle(step);
    }
    if sdk == Sdk::Python {
        let failure = report.failure("no key");
        assert!(
            failure.status.is_some_and(|status| (400..500).contains(&status)),
            "{failure:?}"
        );
        // The service's own spelling.
        assert!(failure.text.contains("Parameters are inalid"), "{failure:?}");
    }
    assert_eq!(report.failure("nobody's key").status, Some(401));
    assert_eq!(report.failure("no such file").status, Some(404));
}

/// §2.4.
#[track_caller]
fn an_open_app_guards_only_what_changes_a_file(report: &Report, sdk: Sdk) {
    assert_eq!(report.result("open app, content"), "open");
    assert_eq!(report.result("open app, metadata")["size"], 4);
    assert_eq!(report.failure("open app, delete by the SDK").status, None);
    report.result("open app, delete with a policy");
    if sdk == Sdk::Python {
        assert_eq!(report.failure("open app, overwrite by the SDK").status, None);
        assert_eq!(report.result("open app, overwrite"), 403);
        assert_eq!(report.result("open app, delete"), 403);
        assert_eq!(report.result("open app, overwrite with a policy"), "new");
    } else {
        let step = "open app, delete";
        refused(&report.failure(step), Host::FileApi, "none", step);
    }
}

/// The JavaScript SDK cannot overwrite.
fn operations(sdk: Sdk) -> impl Iterator<Item = &'static (&'static str, &'static [&'static str])> {
    OPERATIONS
        .iter()
        .filter(move |(name, _)| sdk == Sdk::Python || *name != "overwrite")
}

/// §12 no. 4: the SDKs ask different hosts for metadata.
fn host(sdk: Sdk, operation: &str) -> Host {
    match operation {
        "upload" => Host::Upload,
        "metadata" | "exif" if sdk != Sdk::Python => Host::FileApi,
        "overwrite" | "delete" => Host::FileApi,
        _ => Host::Cdn,
    }
}

#[track_caller]
fn refused(failure: &Failure, host: Host, kind: &str, step: &str) {
    assert_eq!(failure.status, Some(403), "{step}: {failure:?}");
    let cdn_prefix = format!("{SECURED}: policy error: ");
    let words: &[&str] = match (host, kind) {
        (_, "unpadded") => &["policy was not properly url-safe base64 encoded"],
        (Host::Upload, "path") => &[
            r#""error":"invalid security policy path""#,
            r#""c":""#,
            r#""i":""#,
            r#""t":"#,
        ],
        (Host::Upload, _) => &[
            r#""error":"Invalid App policy""#,
            r#""c":""#,
            r#""i":""#,
            r#""t":"#,
        ],
        (Host::Cdn, "none") => &[
            &cdn_prefix,
            r#"proper credentials were not provided: (signature: ""; policy "")"#,
        ],
        (Host::Cdn, _) => &[&cdn_prefix],
        (Host::FileApi, "none") => &[
            "[uuid=",
            "] This action has been secured by the developer of this website. ",
            "Error: Proper credentials not provided. Signature: None Policy: None",
        ],
        (Host::FileApi, "expired") => &[
            "[uuid=",
            "] This action has been secured by the developer of this website. ",
            "Error: The signature has expired",
        ],
        (Host::FileApi, _) => &[
            "[uuid=",
            "] This action has been secured by the developer of this website. ",
            "Error: ",
        ],
    };
    for part in words {
        assert!(
            failure.text.contains(part),
            "{step}: {failure:?} without `{part}`"
        );
    }
}
