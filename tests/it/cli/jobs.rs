//! `satchel jobs` and `satchel worker`, as they are run.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::process::{EMAIL, Place, Server};
use crate::support::postgres;
use crate::support::wire::post;

/// Longer than any job takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

fn listed(place: &Place, more: &[&str]) -> Vec<Value> {
    let outcome = place.run(&[&["jobs", "list", "--json"], more].concat());
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let list: Value = serde_json::from_str(&outcome.stdout).expect("one JSON array");
    let list = list.as_array().expect("an array").iter();
    // What the emulator's webhooks make comes when it comes.
    list.filter(|job| {
        !["record-events", "apply-events", "reconcile"].contains(&job["kind"].as_str().unwrap_or_default())
    })
    .cloned()
    .collect()
}

/// Uploads a text with processing and gives the ids of its jobs.
fn process(server: &Server, token: &str) -> Vec<String> {
    let request = post("/api/uploads/with-processing").bearer(token);
    let reply = request.upload(&[], "a.txt", b"some text").send(server.address);
    assert_eq!(reply.status, 201, "{}", reply.text());
    let jobs = reply.json()["jobs"].as_array().expect("jobs").clone();
    jobs.iter()
        .map(|job| job["id"].as_str().expect("an id").to_owned())
        .collect()
}

#[track_caller]
fn wait_until_done(place: &Place, count: usize) {
    let begun = Instant::now();
    while listed(place, &["--state", "done"]).len() < count {
        assert!(begun.elapsed() < PATIENCE, "{:?}", listed(place, &[]));
    }
}

#[test]
fn the_servers_own_workers_do_the_jobs_and_the_list_tells() {
    let place = Place::new().with("FILESTACK_WEBHOOK_SECRET", "");
    let server = place.serve();
    place.create_user(EMAIL, "member");
    let token = place.create_token(EMAIL);
    let ids = process(&server, &token);
    wait_until_done(&place, ids.len());
    let list = listed(&place, &[]);
    for field in [
        "id",
        "kind",
        "state",
        "attempts",
        "max_attempts",
        "progress",
        "run_at",
        "created_at",
        "started_at",
        "finished_at",
        "reason",
        "document_id",
    ] {
        assert!(list[0].get(field).is_some(), "{field}: {}", list[0]);
    }
    let newest: Vec<_> = list
        .iter()
        .map(|job| job["id"].as_str().unwrap_or_default())
        .collect();
    assert_eq!(newest, ids.iter().rev().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(
        listed(&place, &["--kind", "verify-file", "--limit", "1"]).len(),
        1
    );
    assert!(listed(&place, &["--state", "dead"]).is_empty());

    let shown = place.run(&["jobs", "show", &ids[0]]);
    assert!(shown.stdout.contains("\"scan-file\""), "{}", shown.stdout);
    let again = place.run(&["jobs", "retry", &ids[0]]);
    assert_eq!(again.code, Some(1));
    assert!(again.stderr.contains("nothing to try again"), "{}", again.stderr);
    let none = place.run(&["jobs", "cancel", "01890a5d-ac96-774b-bcce-b302099a8057"]);
    assert_eq!(none.code, Some(1));
    assert!(none.stderr.contains("There is no job"), "{}", none.stderr);
    let odd = place.run(&["jobs", "show", "x"]);
    assert_eq!(odd.code, Some(2));
}

#[test]
fn jobs_wait_when_there_are_no_workers_and_survive_kill_9() {
    let place = Place::new()
        .with("FILESTACK_WEBHOOK_SECRET", "")
        .with("SATCHEL_JOB_THREADS", "0");
    let server = place.serve();
    place.create_user(EMAIL, "member");
    let token = place.create_token(EMAIL);
    let ids = process(&server, &token);
    server.kill();
    assert_eq!(listed(&place, &["--state", "waiting"]).len(), ids.len());
    let cancelled = place.run(&["jobs", "cancel", &ids[0]]);
    assert_eq!(cancelled.stdout, format!("Job {} is cancelled.\n", ids[0]));
    let retried = place.run(&["jobs", "retry", &ids[0]]);
    assert_eq!(retried.stdout, format!("Job {} waits and is due now.\n", ids[0]));
    let place = place.without("SATCHEL_JOB_THREADS");
    let _server = place.serve();
    wait_until_done(&place, ids.len());
}

#[test]
fn a_worker_on_sqlite_stops_with_a_sentence() {
    let outcome = Place::new().run(&["worker"]);
    assert_eq!(outcome.code, Some(2));
    assert!(
        outcome.stderr.contains("share their jobs through PostgreSQL"),
        "{}",
        outcome.stderr
    );
    assert_eq!(outcome.stderr.trim().lines().count(), 1);
    assert_eq!(outcome.stdout, "");
}

#[test]
#[ignore = "needs PostgreSQL"]
fn workers_beside_the_server_do_its_jobs_and_end_when_told() {
    let database = postgres::database();
    let place = Place::new()
        .with("DATABASE_URL", &database.url)
        .with("SATCHEL_SECRET_KEY", &"5a".repeat(32))
        .with("SATCHEL_JOB_THREADS", "0");
    let server = place.serve();
    place.create_user(EMAIL, "member");
    let token = place.create_token(EMAIL);
    let ids = process(&server, &token);
    // The emulator is the server's, at the port it found.
    let place = place.with("SATCHEL_EMULATOR_BIND", &server.emulator().to_string());
    let first = place.worker(&["worker", "--threads", "1"]);
    let second = place.worker(&["worker", "--threads", "2"]);
    wait_until_done(&place, ids.len());
    for worker in [first, second] {
        worker.terminate();
        let (status, took, said) = worker.ended();
        assert!(status.success(), "{said}");
        assert!(took < Duration::from_secs(10), "{took:?}");
    }
}
