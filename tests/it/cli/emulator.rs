//! `satchel emulator`: a Filestack on its own.

use super::process::Place;
use crate::support::receiver::Receiver;
use crate::support::wire::{get, post};

#[test]
fn an_open_app_takes_and_gives_files_without_a_policy() {
    let place = Place::new();
    let emulator = place.start(&["emulator", "--app", "AmyOwnKeyz:MYSECRET:open"]);
    assert!(!emulator.stdout().contains("MYSECRET"), "{}", emulator.stdout());
    let stored = post("/api/store/S3?key=AmyOwnKeyz&filename=note.txt")
        .body("text/plain", "hello")
        .send(emulator.address);
    assert_eq!(stored.status, 200, "{}", stored.text());
    let url = stored.json()["url"].as_str().unwrap().to_owned();
    let handle = url.rsplit('/').next().unwrap().to_owned();
    let file = get(&format!("/{handle}")).send(emulator.address);
    assert_eq!((file.status, file.text().as_str()), (200, "hello"));
    emulator.terminate();
    assert_eq!(emulator.ended().0.code(), Some(0));
}

#[test]
fn a_secured_app_refuses_what_carries_no_policy() {
    let place = Place::new();
    let emulator = place.start(&["emulator", "--app", "AmyOwnKeyz:MYSECRET"]);
    let refused = post("/api/store/S3?key=AmyOwnKeyz&filename=note.txt")
        .body("text/plain", "hello")
        .send(emulator.address);
    assert_eq!(refused.status, 403, "{}", refused.text());
}

#[test]
fn without_an_app_one_is_made_up_printed_and_kept() {
    let place = Place::new();
    let credentials = || {
        let emulator = place.start(&["emulator"]);
        let said = emulator.stdout();
        let lines: Vec<_> = said
            .lines()
            .filter(|line| line.starts_with("API key:") || line.starts_with("App secret:"))
            .map(str::to_owned)
            .collect();
        assert_eq!(lines.len(), 2, "{said}");
        lines
    };
    assert_eq!(credentials(), credentials());
}

#[test]
fn another_server_uses_it_as_its_filestack() {
    let place = Place::new();
    let emulator = place.start(&["emulator", "--app", "AmyOwnKeyz:MYSECRET"]);
    let server_place = Place::new()
        .with("FILESTACK_API_KEY", "AmyOwnKeyz")
        .with("FILESTACK_APP_SECRET", "MYSECRET")
        .with("FILESTACK_BASE_URL", &format!("http://{}", emulator.address));
    let server = server_place.serve();
    server_place.create_user(super::process::EMAIL, "member");
    let token = server_place.create_token(super::process::EMAIL);
    let stored = post("/api/uploads")
        .bearer(&token)
        .upload(&[], "note.txt", b"hello")
        .send(server.address);
    assert_eq!(stored.status, 201, "{}", stored.text());
    assert_eq!(server.count_documents(&token), 1);
}

#[test]
fn x8_an_app_that_looks_like_filestacks_own_is_refused_and_a_printed_one_is_not() {
    let place = Place::new();
    let real = "A7bXq2LmNw9PRtkVcYd4sz:NGTHDUWQ2YEXK4OMZCVB6RSLPA";
    let refused = place.run(&["emulator", "--app", real]);
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert!(
        refused.stderr.contains("look like Filestack's own") && !refused.stderr.contains("NGTH"),
        "{}",
        refused.stderr
    );
    let emulator = place.start(&["emulator"]);
    let said = emulator.stdout();
    let of = |what: &str| {
        said.lines()
            .find_map(|line| line.strip_prefix(what))
            .unwrap()
            .trim()
            .to_owned()
    };
    let app = format!("{}:{}", of("API key:"), of("App secret:"));
    let elsewhere = Place::new();
    elsewhere.start(&["emulator", "--app", &app]);
}

#[test]
fn a_place_or_an_address_that_cannot_be_used_is_blamed_on_what_named_it() {
    let place = Place::new();
    std::fs::write(place.path().join("file"), "").unwrap();
    let told = |line: &[&str]| {
        let failed = place.run(line);
        assert_eq!(failed.code, Some(1), "{line:?}: {}", failed.stderr);
        assert!(!failed.stderr.contains("SATCHEL_"), "{line:?}: {}", failed.stderr);
        failed.stderr
    };
    for line in [
        &["emulator", "--data-dir", "file"][..],
        &["emulator", "--data-dir", "file", "--app", "AmyOwnKeyz:MYSECRET"],
    ] {
        assert!(told(line).contains("--data-dir"));
    }
    let emulator = place.start(&["emulator"]);
    let taken = emulator.address.to_string();
    assert!(told(&["emulator", "--in-memory", "--bind", &taken]).contains("--bind=127.0.0.1:0"));
}

#[test]
fn in_memory_nothing_is_left_behind() {
    let place = Place::new();
    let temporary = tempfile::tempdir().unwrap();
    let left = || std::fs::read_dir(temporary.path()).unwrap().count();
    let place = place.with("TMPDIR", temporary.path().to_str().unwrap());
    let emulator = place.start(&["emulator", "--in-memory", "--app", "AmyOwnKeyz:MYSECRET:open"]);
    let stored = post("/api/store/S3?key=AmyOwnKeyz&filename=note.txt")
        .body("text/plain", "hello")
        .send(emulator.address);
    assert_eq!((stored.status, left()), (200, 1), "{}", stored.text());
    emulator.terminate();
    assert_eq!(emulator.ended().0.code(), Some(0));
    assert_eq!(left(), 0);
}

#[test]
fn webhooks_that_wait_are_sent_by_the_next_start_after_kill_9() {
    let receiver = Receiver::new();
    let place = Place::new();
    let webhook = format!("{}=Y5cWb1rdRDSTSqEjF5pv", receiver.url());
    let line = [
        "emulator",
        "--app",
        "AmyOwnKeyz:MYSECRET:open",
        "--webhook",
        &webhook,
    ];
    let emulator = place.start(&line);
    assert!(
        !emulator.stdout().contains("Y5cWb1rdRDSTSqEjF5pv"),
        "{}",
        emulator.stdout()
    );
    receiver.be_silent(true);
    let stored = post("/api/store/S3?key=AmyOwnKeyz&filename=note.txt")
        .body("text/plain", "hello")
        .send(emulator.address);
    assert_eq!(stored.status, 200, "{}", stored.text());
    receiver.wait_for(1);
    emulator.kill();
    receiver.be_silent(false);
    let emulator = place.start(&line);
    let hooks = receiver.wait_for(2);
    assert_eq!(hooks[0].body, hooks[1].body);
    assert_eq!(hooks[1].json()["text"]["url"], stored.json()["url"]);
    let attempts = || {
        let shown = get("/__emulator/api/webhooks?action=fp.upload")
            .send(emulator.address)
            .json();
        let attempts = shown["webhooks"][0]["attempts"]
            .as_array()
            .expect("attempts")
            .clone();
        attempts
            .iter()
            .map(|attempt| attempt["status"].clone())
            .collect::<Vec<_>>()
    };
    let began = std::time::Instant::now();
    while attempts() != [serde_json::Value::Null, 200.into()] {
        assert!(began.elapsed().as_secs() < 60, "{:?}", attempts());
    }
}

#[test]
fn a_webhook_that_is_no_address_with_a_secret_is_refused_with_an_example() {
    let place = Place::bare();
    for wrong in [
        "http://127.0.0.1:1/hooks",
        "127.0.0.1:1/hooks=secret",
        "http://127.0.0.1:1/hooks=",
    ] {
        let outcome = place.run(&["emulator", "--webhook", wrong]);
        assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
        assert!(
            outcome.stderr.contains("for example http://"),
            "{}",
            outcome.stderr
        );
    }
    let twice = [
        "emulator",
        "--webhook",
        "http://127.0.0.1:1/=a",
        "--webhook",
        "http://127.0.0.1:1/=b",
    ];
    let outcome = place.run(&twice);
    assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("named twice"), "{}", outcome.stderr);
}
