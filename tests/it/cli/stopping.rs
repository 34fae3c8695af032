//! SIGTERM and Ctrl-C: no new work, time for what runs, then an end.

use std::io::Write as _;
use std::net::TcpStream;
use std::time::Duration;

use super::process::{EMAIL, Place, Server};
use crate::support::wire::{connect, get, multipart, post, read_reply};

/// More than the server reads ahead (8 MiB), so that an upload has begun at Filestack when half of it is sent.
const SIZE: usize = 24 * 1024 * 1024;

/// What stopping may take beyond the drain time: a busy machine, and a last word to Filestack.
const SLACK: Duration = Duration::from_secs(3);

struct HalfSent {
    stream: TcpStream,
    rest: Vec<u8>,
}

/// Sends the first two thirds of an upload, in which two parts have gone on to Filestack.
fn half_an_upload(server: &Server, token: &str) -> HalfSent {
    let (kind, body) = multipart(&[("size", &SIZE.to_string())], "big.bin", &vec![7; SIZE]);
    let request = post("/api/uploads")
        .bearer(token)
        .body(&kind, body)
        .bytes(server.address);
    let (first, rest) = request.split_at(SIZE * 2 / 3 + 1024);
    let mut stream = connect(server.address).expect("a server that listens");
    stream.write_all(first).expect("a server that reads");
    HalfSent {
        stream,
        rest: rest.to_vec(),
    }
}

fn place(drain_seconds: &str) -> Place {
    Place::new().with("SATCHEL_DRAIN_SECONDS", drain_seconds)
}

#[test]
fn sigterm_and_ctrl_c_end_it_with_exit_code_0() {
    for name in ["TERM", "INT"] {
        let place = place("1");
        let server = place.serve();
        server.signal(name);
        let (status, took, _) = server.ended();
        assert_eq!(status.code(), Some(0), "{name}");
        assert!(took < SLACK, "{name}: {took:?}");
    }
}

#[test]
fn a_running_upload_gets_the_drain_time() {
    let place = place("30");
    let server = place.serve();
    place.create_user(EMAIL, "member");
    let token = place.create_token(EMAIL);
    let mut upload = half_an_upload(&server, &token);
    server.terminate();
    server.wait_for_log("stopping");
    upload.stream.write_all(&upload.rest).unwrap();
    let answer = read_reply(&mut upload.stream, false).unwrap();
    assert_eq!(answer.status, 201, "{}", answer.text());
    drop(upload);
    let (status, took, _) = server.ended();
    assert_eq!(status.code(), Some(0));
    assert!(
        took < Duration::from_secs(20),
        "the work was done, and still it took {took:?}"
    );
    assert_eq!(place.serve().count_documents(&token), 1);
}

#[test]
fn an_upload_that_does_not_end_in_time_is_aborted_and_leaves_nothing() {
    let place = place("1");
    let server = place.serve();
    place.create_user(EMAIL, "member");
    let token = place.create_token(EMAIL);
    let mut upload = half_an_upload(&server, &token);
    server.terminate();
    let answer = read_reply(&mut upload.stream, false);
    if let Ok(answer) = answer {
        assert_eq!(answer.status, 503, "{}", answer.text());
        assert!(answer.header("retry-after").is_some());
    }
    let (status, took, _) = server.ended();
    assert_eq!(status.code(), Some(0));
    assert!(took < Duration::from_secs(1) + SLACK, "{took:?}");
    assert_eq!(completed_files(&place), 0);
    assert_eq!(place.serve().count_documents(&token), 0);
    assert_eq!(completed_files(&place), 0);
}

#[test]
fn kill_9_during_an_upload_leaves_no_document_and_no_completed_file() {
    let place = place("1");
    let server = place.serve();
    place.create_user(EMAIL, "member");
    let token = place.create_token(EMAIL);
    let upload = half_an_upload(&server, &token);
    server.kill();
    drop(upload);
    assert_eq!(completed_files(&place), 0);
    assert_eq!(place.serve().count_documents(&token), 0);
}

#[test]
fn an_idle_connection_does_not_hold_up_the_end() {
    let place = place("1");
    let server = place.serve();
    let mut idle = connect(server.address).unwrap();
    let request = get("/healthz")
        .header("Connection", "keep-alive")
        .bytes(server.address);
    idle.write_all(&request).unwrap();
    assert_eq!(read_reply(&mut idle, false).unwrap().status, 200);
    let silent = connect(server.address).unwrap();
    server.terminate();
    let (status, took, _) = server.ended();
    assert_eq!(status.code(), Some(0));
    assert!(took < Duration::from_secs(1) + SLACK, "{took:?}");
    drop((idle, silent));
}

#[test]
fn while_it_stops_new_requests_on_open_connections_are_turned_away() {
    let place = place("20");
    let server = place.serve();
    place.create_user(EMAIL, "member");
    let token = place.create_token(EMAIL);
    let upload = half_an_upload(&server, &token);
    let mut open = connect(server.address).unwrap();
    let first = get("/healthz")
        .header("Connection", "keep-alive")
        .bytes(server.address);
    open.write_all(&first).unwrap();
    assert_eq!(read_reply(&mut open, false).unwrap().status, 200);
    server.terminate();
    server.wait_for_log("stopping");
    // The connection may be closed already, which turns the request away as well.
    let sent = open.write_all(&get("/sign-in").bytes(server.address));
    if sent.is_ok()
        && let Ok(answer) = read_reply(&mut open, false)
    {
        assert_eq!(answer.status, 503);
        assert!(answer.header("retry-after").is_some());
    }
    drop(upload);
}

#[test]
fn while_running_requests_end_new_connections_are_told_that_it_is_not_ready() {
    let place = place("30").with("SATCHEL_METRICS_TOKEN", "a-token-for-the-scraper");
    let server = place.serve();
    place.create_user(EMAIL, "member");
    let token = place.create_token(EMAIL);
    let ready = get("/readyz").send(server.address);
    assert_eq!(
        (ready.status, &ready.json()["checks"]["server"]),
        (200, &"ok".into())
    );
    let mut upload = half_an_upload(&server, &token);
    server.terminate();
    server.wait_for_log("stopping");
    let ready = get("/readyz").send(server.address);
    assert_eq!((ready.status, &ready.json()["status"]), (503, &"failing".into()));
    assert_eq!(
        ready.json()["checks"],
        serde_json::json!({"database": "ok", "server": "stopping", "filestack": "ok"})
    );
    assert_eq!(get("/healthz").send(server.address).status, 200);
    let metrics = get("/metrics")
        .bearer("a-token-for-the-scraper")
        .send(server.address);
    assert!(
        metrics.text().contains("satchel_draining 1\n"),
        "{}",
        metrics.text()
    );
    let refused = get("/sign-in").send(server.address);
    assert_eq!(refused.status, 503);
    assert!(refused.header("retry-after").is_some());
    upload.stream.write_all(&upload.rest).unwrap();
    let answer = read_reply(&mut upload.stream, false).unwrap();
    assert_eq!(answer.status, 201, "{}", answer.text());
    drop(upload);
    let (status, took, _) = server.ended();
    assert_eq!(status.code(), Some(0));
    assert!(took < Duration::from_secs(20), "{took:?}");
}

/// Files that the emulator holds as completed.
fn completed_files(place: &Place) -> usize {
    let files = place.path().join("data/emulator/files");
    let named = |path: &std::path::PathBuf| path.starts_with(&files) && path.ends_with("meta.json");
    place.files().iter().filter(|path| named(path)).count()
}
