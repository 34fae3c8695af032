//! What must hold after the last restart, when everything has settled.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::ledger::{Fate, Ledger};
use super::scene::{Emulator, Installation};
use crate::cli::process::{EMAIL, PASSWORD};
use crate::support::wire::{Browser, Reply, get, post};

/// Promises 1 and 2: what was promised is there, what is there is whole, and nothing else is anywhere.
pub fn documents(installation: &Installation, server: SocketAddr, emulator: &Emulator, ledger: &Ledger) {
    let documents = list(server, &installation.token, "/api/documents");
    let trash = list(server, &installation.token, "/api/trash");
    let sent = ledger.files();
    for document in &documents {
        let name = document["name"].as_str().expect("a name");
        let sent = sent.get(name).unwrap_or_else(|| panic!("{name} was never sent"));
        match &sent.fate {
            // It had been recorded, or was adopted, when the answer was lost.
            Fate::Unanswered => {}
            Fate::Promised(id) | Fate::DeletionUnanswered(id) => assert_eq!(document["id"], *id, "{name}"),
            fate @ (Fate::Refused | Fate::Deleted) => panic!("{name} is there and should not be: {fate:?}"),
        }
        let id = document["id"].as_str().expect("an id");
        let bytes = download(server, &installation.token, id).unwrap_or_else(|refusal| {
            let trail = format!("SELECT action || ' by ' || actor || ' ' || reason AS t FROM audit_entries WHERE document_id = '{id}'");
            let events = format!("SELECT action || ' ' || state || ' ' || COALESCE(reason, '') AS t FROM events WHERE document_id = '{id}'");
            panic!("{name} ({:?}): {refusal} {:#?} {:#?}", sent.fate, installation.texts(&trail), installation.texts(&events))
        });
        assert_eq!(hex(&bytes), sent.sha256, "{name}");
    }
    let is_there = |name: &str| documents.iter().any(|document| document["name"] == name);
    for (name, sent) in &sent {
        if matches!(sent.fate, Fate::Promised(_)) {
            assert!(is_there(name), "{name} was answered with 201 and is gone");
        }
    }
    for document in &trash {
        let name = document["name"].as_str().expect("a name");
        let fate = &sent
            .get(name)
            .unwrap_or_else(|| panic!("{name} was never sent"))
            .fate;
        let id = document["id"].as_str().expect("an id").to_owned();
        assert_eq!(*fate, Fate::DeletionUnanswered(id), "{name} is in the trash");
    }
    let trashed = installation.number("SELECT trashed_count AS n FROM users");
    assert_eq!(trashed as usize, trash.len(), "documents in the trash, counted");
    let names: BTreeSet<&str> = [&documents, &trash]
        .into_iter()
        .flatten()
        .filter_map(|document| document["name"].as_str())
        .collect();
    assert_eq!(
        names.len(),
        documents.len() + trash.len(),
        "a document is there twice"
    );
    let count = (documents.len() + trash.len()) as u64;
    assert_eq!(emulator.files(), count, "files at Filestack, and documents");
    let counted = installation.number("SELECT document_count AS n FROM users");
    assert_eq!(counted as u64, count, "documents counted");
    let bytes = installation.number(
        "SELECT CAST(stored_bytes - (SELECT COALESCE(sum(size_bytes), 0) FROM documents) AS BIGINT) AS n FROM users",
    );
    assert_eq!(bytes, 0, "bytes counted");
    // Room that uploads held is held by those alone that may still be under way.
    let held = installation.number(
        "SELECT CAST(SUM(reserved_documents) - (SELECT count(*) FROM uploads WHERE state = 'started' AND reserved_bytes IS NOT NULL) \
         AS BIGINT) AS n FROM users",
    );
    assert_eq!(held, 0, "room held for nothing");
}

/// Promise 3: an event whose delivery was answered is there once and had its effect once, however often it came.
pub fn events(installation: &Installation, ledger: &Ledger) {
    for (number, told) in ledger.events() {
        let count = |what: &str| {
            installation.number(&format!(
                "SELECT {what} AS n FROM events WHERE filestack_id = {number}"
            ))
        };
        let rows = count("count(*)");
        assert!(rows <= 1, "event {number} is there {rows} times");
        let effects = installation.number(&format!(
            "SELECT count(*) AS n FROM document_results WHERE key = '{}'",
            told.made
        ));
        assert!(effects <= rows, "event {number} had its effect {effects} times");
        if told.answered == 0 {
            continue;
        }
        assert_eq!(rows, 1, "event {number} was answered and is gone");
        let deliveries = count("CAST(max(deliveries) AS BIGINT)");
        assert!(
            deliveries >= told.answered,
            "event {number}: {deliveries} of {}",
            told.answered
        );
        let is_there = installation.number(&format!(
            "SELECT count(*) AS n FROM documents WHERE id = '{}'",
            told.document
        ));
        assert_eq!(effects, is_there, "effects of event {number}");
    }
    let failed = installation.texts(
        "SELECT state || ' ' || action || ': ' || COALESCE(reason, '') AS t FROM events \
         WHERE state IN ('failed', 'conflict', 'unreadable')",
    );
    assert!(
        failed.is_empty(),
        "events that could not be dealt with: {failed:?}"
    );
}

/// Promise 3 for what the emulator told by itself: each of its events is there once and has come to its end. Gives how many there are.
pub fn webhooks(installation: &Installation, emulator: &Emulator) -> usize {
    let delivered: BTreeSet<i64> = emulator.delivered().into_iter().collect();
    let numbers: Vec<String> = delivered.iter().map(i64::to_string).collect();
    let count = |what: &str| {
        installation.number(&format!(
            "SELECT {what} AS n FROM events WHERE filestack_id IN ({})",
            numbers.join(", ")
        ))
    };
    assert_eq!(
        count("count(DISTINCT filestack_id)"),
        numbers.len() as i64,
        "events delivered, and there"
    );
    assert_eq!(count("count(*)"), numbers.len() as i64, "an event is there twice");
    assert_eq!(
        count("sum(CASE WHEN state = 'received' THEN 1 ELSE 0 END)"),
        0,
        "events that were not dealt with"
    );
    numbers.len()
}

/// Promise 6 the other way round: no step of a document is there twice.
pub fn steps_once(installation: &Installation) {
    let doubled = installation.texts(
        "SELECT document_id || ' ' || kind AS t FROM jobs WHERE document_id IS NOT NULL AND kind <> 'send-mail' \
         GROUP BY document_id, kind HAVING count(*) > 1",
    );
    assert!(doubled.is_empty(), "{doubled:?}");
}

/// Promise 6: a job that was named is there, and everything that was to be done is done, or says why it is not.
pub fn jobs(installation: &Installation, ledger: &Ledger) {
    for id in ledger.jobs() {
        let rows = installation.number(&format!("SELECT count(*) AS n FROM jobs WHERE id = '{id}'"));
        assert_eq!(rows, 1, "job {id} was promised and is gone");
    }
    let count = |filter: &str| installation.number(&format!("SELECT count(*) AS n FROM jobs WHERE {filter}"));
    let left = count("state NOT IN ('done', 'dead', 'cancelled') AND kind <> 'reconcile'");
    assert_eq!(
        left, 0,
        "jobs that have not ended, beside the next reconciliation"
    );
    assert_eq!(
        count("state IN ('dead', 'cancelled') AND reason IS NULL"),
        0,
        "jobs that ended without a reason"
    );
}

/// Promise 11: what does not need Filestack goes on, and uploads say why they cannot.
pub fn without_filestack(installation: &Installation, server: SocketAddr) {
    let count = installation.number("SELECT count(*) AS n FROM documents");
    let shown: usize = ["/api/documents", "/api/trash"]
        .map(|path| list(server, &installation.token, path).len())
        .iter()
        .sum();
    assert_eq!(shown as i64, count);
    let mut browser = Browser::new(server);
    assert_eq!(browser.sign_in(EMAIL, PASSWORD).status, 303);
    for page in [
        "/documents",
        "/documents?q=bin",
        "/trash",
        "/uploads/new",
        "/readyz",
    ] {
        let reply = browser.get(page);
        assert_eq!(reply.status, 200, "{page}: {}", reply.text());
    }
    let refused = post("/api/uploads")
        .bearer(&installation.token)
        .upload(&[], "never.bin", b"never")
        .send(server);
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert_eq!(
        refused.json()["code"],
        "filestack-unavailable",
        "{}",
        refused.text()
    );
    assert!(refused.header("retry-after").is_some());
    assert_eq!(installation.number("SELECT count(*) AS n FROM documents"), count);
}

fn list(server: SocketAddr, token: &str, path: &str) -> Vec<Value> {
    let mut documents = Vec::new();
    let mut cursor = String::new();
    loop {
        let reply = get(&format!("{path}?limit=200{cursor}"))
            .bearer(token)
            .send(server);
        assert_eq!(reply.status, 200, "{}", reply.text());
        let page = reply.json();
        documents.extend(page["documents"].as_array().expect("documents").iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return documents,
        }
    }
}

/// Through the download URL, as anybody would; or what was said instead of a URL.
fn download(server: SocketAddr, token: &str, id: &str) -> Result<Vec<u8>, String> {
    let reply = get(&format!("/api/uploads/{id}/download-url"))
        .bearer(token)
        .send(server);
    if reply.status != 200 {
        return Err(reply.text());
    }
    let url = reply.json()["url"].as_str().expect("a URL").to_owned();
    let rest = url.strip_prefix("http://").expect("an http URL");
    let (host, path) = rest.split_once('/').expect("a path");
    let Reply { status, body, .. } = get(&format!("/{path}")).send(host.parse().expect("an address"));
    assert_eq!(status, 200, "{url}");
    Ok(body)
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
