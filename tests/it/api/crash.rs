//! kill -9 in the middle of a request with an `Idempotency-Key`: sent again as its answers say, it is done once.

use std::time::{Duration, Instant};

use crate::cli::process::{EMAIL, Place};
use crate::support::wire::{Reply, post};

/// Longer than a dead request's key is held.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn killed_in_the_middle_a_request_that_is_sent_again_is_done_once() {
    std::thread::scope(|scope| {
        for point in [
            "upload.after-intent",
            "upload.after-complete",
            "upload.in-record",
            "upload.after-record",
        ] {
            scope.spawn(move || killed_at(point));
        }
    });
}

fn killed_at(point: &str) {
    let mut place = Place::new().with("SATCHEL_FAILPOINTS", &format!("{point}=kill"));
    let doomed = place.serve();
    place.set("SATCHEL_FAILPOINTS", "");
    place.create_user(EMAIL, "member");
    let token = place.create_token(EMAIL);
    let ask = || {
        post("/api/uploads")
            .bearer(&token)
            .header("Idempotency-Key", "the-one")
            .upload(&[("size", "5")], "a.txt", b"hello")
    };
    assert!(
        ask().try_send(doomed.address).is_err(),
        "{point}: it died in the middle"
    );
    drop(doomed);
    let server = place.serve();
    let begun = Instant::now();
    let settled: Reply = loop {
        let reply = ask().send(server.address);
        if reply.status != 409 {
            break reply;
        }
        assert!(begun.elapsed() < PATIENCE, "{point}: {}", reply.text());
        let wait = reply.header("retry-after").and_then(|text| text.parse().ok());
        std::thread::sleep(Duration::from_secs(wait.expect("it says when to ask again")));
    };
    assert_eq!(settled.status, 201, "{point}: {}", settled.text());
    assert_eq!(server.count_documents(&token), 1, "{point}");
    assert_eq!(ask().send(server.address).text(), settled.text(), "{point}");
    assert_eq!(server.count_documents(&token), 1, "{point}");
}
