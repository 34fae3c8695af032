//! `satchel doctor`: one line for each check, red where something is wrong, and an exit code.

use std::net::TcpListener;

use serde_json::Value;

use super::process::{Outcome, Place};

/// A place whose servers have addresses that are known beforehand.
fn place() -> Place {
    let free = || {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        listener.local_addr().expect("it is bound").to_string()
    };
    Place::bare()
        .with("SATCHEL_BIND", &free())
        .with("SATCHEL_EMULATOR_BIND", &free())
}

fn status(outcome: &Outcome, name: &str) -> String {
    let report: Value =
        serde_json::from_str(&outcome.stdout).unwrap_or_else(|error| panic!("{error}: {}", outcome.stdout));
    let checks = report["checks"].as_array().expect("checks");
    let check = checks.iter().find(|check| check["name"] == name);
    let check = check.unwrap_or_else(|| panic!("no check {name}: {report}"));
    assert!(
        check["status"] == "ok" || !check["next"].as_str().unwrap_or_default().is_empty(),
        "{name} does not say what to do: {report}"
    );
    check["status"].as_str().expect("a status").to_owned()
}

const ALL: [&str; 7] = [
    "disk",
    "webhook secret",
    "database",
    "filestack",
    "clock",
    "policy",
    "webhook address",
];

#[test]
fn beside_a_running_server_all_is_well() {
    let place = place();
    let _server = place.serve();
    let outcome = place.run(&["doctor", "--json"]);
    for name in ALL {
        assert_eq!(status(&outcome, name), "ok", "{name}: {}", outcome.stdout);
    }
    assert_eq!(
        status(&outcome, "settings"),
        "warning",
        "the emulator is not for production"
    );
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let words = place.run(&["doctor"]);
    assert_eq!(words.stdout.lines().count(), ALL.len() + 1, "{}", words.stdout);
}

#[test]
fn w18_the_doctor_is_red_without_a_webhook_secret() {
    let place = place().with("FILESTACK_WEBHOOK_SECRET", "");
    let _server = place.serve();
    let outcome = place.run(&["doctor", "--json"]);
    assert_eq!(status(&outcome, "webhook secret"), "failed");
    assert_eq!(status(&outcome, "policy"), "ok");
    assert_eq!(outcome.code, Some(1));
    let words = place.run(&["doctor"]);
    assert!(
        words.stdout.contains("FILESTACK_WEBHOOK_SECRET"),
        "{}",
        words.stdout
    );
}

#[test]
fn without_a_server_the_doctor_says_what_to_start() {
    let outcome = place().run(&["doctor", "--json"]);
    assert_eq!(status(&outcome, "filestack"), "failed");
    assert_eq!(status(&outcome, "webhook address"), "failed");
    assert_eq!(outcome.code, Some(1));
    assert!(
        outcome.stderr.contains("checks have failed"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn a_secret_that_filestack_does_not_know_is_found_by_the_round_trip() {
    let emulator_place = Place::new();
    let filestack = emulator_place.start(&["emulator", "--app", "AmyOwnKeyz:THERIGHTSECRETOFTHISAPP"]);
    let place = place()
        .with("FILESTACK_API_KEY", "AmyOwnKeyz")
        .with("FILESTACK_APP_SECRET", "ANOTHERSECRETOFTHISAPP")
        .with("FILESTACK_WEBHOOK_SECRET", "someWebhookSecret")
        .with("FILESTACK_BASE_URL", &format!("http://{}", filestack.address));
    let outcome = place.run(&["doctor", "--json"]);
    assert_eq!(status(&outcome, "filestack"), "ok", "{}", outcome.stdout);
    assert_eq!(status(&outcome, "policy"), "failed", "{}", outcome.stdout);
}
