//! `satchel webhooks` and `satchel reconcile`, as they are run.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::process::{EMAIL, Place, Server};
use crate::hooks::sender::sign;
use crate::support::wire::post;

const SECRET: &str = "webhook-secret-of-this-test";
const PATIENCE: Duration = Duration::from_secs(60);

fn now() -> String {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("after 1970");
    since.as_secs().to_string()
}

fn deliver(server: &Server, body: &str) {
    let time = now();
    let reply = post("/webhooks/filestack")
        .header("FS-Timestamp", time.as_str())
        .header("FS-Signature", sign(SECRET, &time, body.as_bytes()))
        .body("application/json", body)
        .send(server.address);
    assert_eq!(
        (reply.status, reply.text().as_str()),
        (200, r#"{"received":true}"#)
    );
}

fn listed(place: &Place, more: &[&str]) -> Vec<Value> {
    let outcome = place.run(&[&["webhooks", "list", "--json"], more].concat());
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let list: Value = serde_json::from_str(&outcome.stdout).expect("one JSON array");
    list.as_array().expect("an array").clone()
}

#[track_caller]
fn wait_until(place: &Place, filter: &[&str], count: usize) {
    let begun = Instant::now();
    while listed(place, filter).len() < count {
        assert!(begun.elapsed() < PATIENCE, "{:?}", listed(place, &[]));
    }
}

#[test]
fn what_was_delivered_is_listed_shown_and_replayed() {
    let place = Place::new().with("FILESTACK_WEBHOOK_SECRET", SECRET);
    assert_eq!(
        place.run(&["webhooks", "list"]).stdout,
        "There are no such events.\n"
    );
    let server = place.serve();
    deliver(
        &server,
        r#"{"id":7,"action":"fp.new-thing","text":{"x":"\u001b[31m"}}"#,
    );
    deliver(
        &server,
        r#"{"action":"fp.delete","text":{"url":"https://cdn.filestackcontent.com/NobodysFile"}}"#,
    );
    wait_until(&place, &["--state", "parked"], 1);
    let list = listed(&place, &[]);
    let numbers: Vec<_> = list.iter().map(|event| event["event_id"].clone()).collect();
    assert_eq!(numbers, [Value::Null, Value::from(7)], "the newest first");
    assert_eq!(listed(&place, &["--limit", "1"]).len(), 1);
    assert_eq!(
        listed(&place, &["--action", "fp.delete", "--since", "1h"]).len(),
        1
    );
    assert!(listed(&place, &["--until", "1h"]).is_empty());

    let id = list[1]["id"].as_str().expect("an id");
    let shown = place.run(&["webhooks", "show", id]).stdout;
    assert!(
        shown.contains("fs-signature") && shown.contains("fp.new-thing"),
        "{shown}"
    );
    assert!(!shown.contains('\u{1b}'), "{shown}");

    let parked = list[0]["id"].as_str().expect("an id");
    let dry = place
        .run(&["webhooks", "replay", "--id", parked, "--dry-run"])
        .stdout;
    assert!(
        dry.contains("nothing would change") && dry.contains("Nothing was changed."),
        "{dry}"
    );
    let replayed = place.run(&["webhooks", "replay", "--since", "1h", "--until", "2030-01-01"]);
    assert!(
        replayed.stdout.contains("2 events were replayed."),
        "{} {}",
        replayed.stdout,
        replayed.stderr
    );

    let sample = place.run(&["webhooks", "trigger", "fp.upload"]);
    assert_eq!(sample.code, Some(0), "{}", sample.stderr);
    assert_eq!(listed(&place, &[])[0]["sample"], true);

    for (line, code) in [
        (&["webhooks", "replay"][..], 2),
        (&["webhooks", "show", "x"], 2),
        (&["webhooks", "list", "--state", "x"], 2),
        (&["webhooks", "list", "--since", "x"], 2),
        (&["webhooks", "trigger", "x"], 2),
        (&["webhooks", "show", "01890a5d-ac96-774b-bcce-b302099a8057"], 1),
    ] {
        let outcome = place.run(line);
        assert_eq!(outcome.code, Some(code), "{line:?}: {}", outcome.stderr);
        assert!(
            outcome.stderr.starts_with("error: "),
            "{line:?}: {}",
            outcome.stderr
        );
    }
}

/// The program itself, as talkative as it can be.
#[test]
fn w1_no_log_answer_or_kept_sample_has_a_signature_that_would_be_right() {
    let place = Place::new()
        .with("FILESTACK_WEBHOOK_SECRET", SECRET)
        .with("RUST_LOG", "trace");
    let server = place.serve();
    let (time, body) = (now(), r#"{"id":1,"action":"fp.delete","text":{}}"#);
    let right = sign(SECRET, &time, body.as_bytes());
    let wrong = sign("another secret", &time, body.as_bytes());
    let deliver = |signature: &str| {
        post("/webhooks/filestack")
            .header("FS-Timestamp", time.as_str())
            .header("FS-Signature", signature)
            .body("application/json", body)
            .send(server.address)
    };
    let refused = deliver(&wrong);
    assert_eq!(refused.status, 400);
    server.wait_for_log("webhook-refused");
    let told = format!("{:?}{}{}", refused.headers, refused.text(), server.log());
    assert!(!told.contains(&right) && !told.contains(&right[..16]) && !told.contains(SECRET));
    // Whatever was in the answer, it helps nobody.
    for (_, value) in &refused.headers {
        assert_eq!(deliver(value).status, 400, "{value}");
    }
    assert!(listed(&place, &[]).is_empty());
    for name in place.files() {
        let kept = std::fs::read(&name).unwrap_or_default();
        let is_in = |text: &str| kept.windows(text.len()).any(|window| window == text.as_bytes());
        assert!(!is_in(&right), "{}", name.display());
    }
    assert_eq!(deliver(&right).status, 200, "it would have been right");
}

#[test]
fn an_event_that_was_answered_survives_kill_9_and_is_applied_later() {
    let place = Place::new()
        .with("FILESTACK_WEBHOOK_SECRET", SECRET)
        .with("SATCHEL_JOB_THREADS", "0");
    let server = place.serve();
    deliver(
        &server,
        r#"{"id":1,"action":"fp.delete","text":{"url":"https://cdn.filestackcontent.com/NobodysFile"}}"#,
    );
    server.kill();
    assert_eq!(listed(&place, &["--state", "received"]).len(), 1);
    let place = place.without("SATCHEL_JOB_THREADS");
    let _server = place.serve();
    wait_until(&place, &["--state", "parked"], 1);
}

#[test]
fn reconcile_says_what_it_would_do_and_then_does_it() {
    let place = Place::new();
    let server = place.serve();
    place.create_user(EMAIL, "member");
    let token = place.create_token(EMAIL);
    let reply = post("/api/uploads")
        .bearer(&token)
        .upload(&[], "a.txt", b"x")
        .send(server.address);
    assert_eq!(reply.status, 201);
    let said = place.run(&["reconcile", "--dry-run"]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(
        said.stdout.contains("1 documents were asked about, 0 of them"),
        "{}",
        said.stdout
    );
    assert!(said.stdout.ends_with("Nothing was changed.\n"), "{}", said.stdout);
    assert!(!place.run(&["reconcile"]).stdout.contains("Nothing was changed"));
}
