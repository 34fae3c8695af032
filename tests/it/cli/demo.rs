//! `satchel demo`: what it makes, for whom, and what becomes of it once a server runs.

use std::collections::BTreeSet;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::process::{Outcome, Place};
use crate::support::wire::{get, request};

/// So many for two users that the first one's last are beyond the fifty that have files.
const MANY: [&str; 5] = ["demo", "--documents", "130", "--users", "2"];

/// The token, which stands alone on stdout.
#[track_caller]
fn token(outcome: &Outcome) -> String {
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let token = outcome.stdout.strip_suffix('\n').expect("a line");
    assert!(
        token.starts_with("satchel_") && !token.contains(char::is_whitespace),
        "{token:?}"
    );
    token.to_owned()
}

/// The first user's documents, the newest first.
fn documents(server: &super::process::Server, token: &str) -> Vec<Value> {
    let reply = get("/api/documents?limit=200").bearer(token).send(server.address);
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()["documents"].as_array().expect("a list").clone()
}

#[test]
fn demo_data_is_the_same_every_time_and_spread_evenly() {
    let made: Vec<_> = (0..2)
        .map(|_| {
            let place = Place::new();
            let outcome = place.run(&MANY);
            let token = token(&outcome);
            let server = place.serve();
            let users = place.run(&["user", "list", "--json"]).stdout;
            let users: Vec<Value> = serde_json::from_str(&users).expect("one JSON array");
            let kept: Vec<_> = users.iter().map(|user| user["documents"].clone()).collect();
            assert_eq!(kept, [65, 65]);
            let documents = documents(&server, &token);
            assert!(
                documents
                    .iter()
                    .any(|document| document["tags"] != serde_json::json!([]))
                    && documents.iter().any(|document| document["note"] != "")
            );
            documents
        })
        .collect();
    assert_eq!(made[0], made[1]);
}

#[test]
fn the_first_users_newest_fifty_have_files_and_nobody_is_asked_about_the_others() {
    let place = Place::new();
    let token = token(&place.run(&MANY));
    let server = place.serve();
    // What the server does by itself once a day, at its start for the first time.
    let said = place.run(&["reconcile"]);
    assert!(
        said.stdout
            .contains(" documents were asked about, 0 of them have lost their file"),
        "{}",
        said.stdout
    );
    let documents = documents(&server, &token);
    assert!(documents.iter().all(|document| document["status"] == "stored"));
    let mut served = 0;
    for document in &documents {
        let id = document["id"].as_str().expect("an id");
        let download = get(&format!("/api/uploads/{id}/download-url"))
            .bearer(&token)
            .send(server.address);
        let url = download.json()["url"].as_str().expect("an address").to_owned();
        let path = url.split_once("//").and_then(|(_, rest)| rest.split_once('/'));
        let file = get(&format!("/{}", path.expect("a path").1)).send(server.emulator());
        if file.status == 404 {
            break;
        }
        assert_eq!(file.status, 200, "{}", file.text());
        assert_eq!(file.body.len(), document["size"], "{document}");
        let digest: String = Sha256::digest(&file.body)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(document["sha256"], digest);
        served += 1;
    }
    // Some of the fifty are in the trash.
    assert!((40..=50).contains(&served), "{served}");
    let types: BTreeSet<_> = documents
        .iter()
        .map(|document| document["type"].to_string())
        .collect();
    assert!(types.len() > 3, "{types:?}");
    let removed = request(
        "DELETE",
        &format!("/api/documents/{}", documents[0]["id"].as_str().expect("an id")),
    );
    assert_eq!(removed.bearer(&token).send(server.address).status, 204);
}

#[test]
fn demo_data_is_not_mixed_with_what_somebody_has() {
    let place = Place::new();
    place.create_user("ana@example.org", "admin");
    let refused = place.run(&MANY);
    assert_eq!((refused.code, refused.stdout.as_str()), (Some(1), ""));
    assert_eq!(
        refused.stderr,
        "error: The database already has users. Make demo data in an empty one, for example with SATCHEL_DATA_DIR=./demo-data.\n"
    );
    assert!(place.run(&["user", "list"]).stdout.lines().count() == 1);
}
