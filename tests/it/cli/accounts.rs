//! `satchel user` and `satchel token` from the command line: what they say, what they change, and what nonsense gets.

use serde_json::{Value, json};

use super::process::{EMAIL, PASSWORD, Place};
use crate::support::wire::{get, post, request};

#[test]
fn accounts_are_listed_disabled_enabled_bounded_and_reset() {
    let place = Place::new();
    let server = place.serve();
    assert_eq!(
        place.run(&["user", "list"]).stdout,
        "There are no such accounts.\n"
    );
    place.create_user("admin@example.org", "admin");
    place.create_user(EMAIL, "member");
    let token = place.create_token(EMAIL);
    let list = || -> Value {
        let outcome = place.run(&["user", "list", "--part", "ana", "--json"]);
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        serde_json::from_str(&outcome.stdout).expect("one JSON array")
    };
    let accounts = list();
    assert_eq!(accounts.as_array().map(Vec::len), Some(1));
    assert_eq!(
        (&accounts[0]["email"], &accounts[0]["state"]),
        (&json!(EMAIL), &json!("active"))
    );
    let short = place.run(&["user", "list", "--limit", "1"]);
    assert!(short.stdout.contains("There are more"), "{}", short.stdout);

    let documents = || get("/api/documents").bearer(&token).send(server.address).status;
    assert_eq!(documents(), 200);
    let mut browser = server.browser();
    assert_eq!(browser.sign_in(EMAIL, PASSWORD).status, 303);
    assert_eq!(place.run(&["user", "disable", "--email", EMAIL]).code, Some(0));
    assert_eq!(list()[0]["state"], "disabled");
    assert_eq!((documents(), browser.get("/documents").status), (401, 303));
    assert_eq!(place.run(&["user", "enable", "--email", EMAIL]).code, Some(0));
    assert_eq!((documents(), list()[0]["state"].as_str()), (200, Some("active")));

    let quota = place.run(&["user", "quota", "--email", EMAIL, "--bytes", "4"]);
    assert_eq!(
        quota.stdout,
        format!("{EMAIL} may keep 4 bytes and any number of documents.\n")
    );
    let upload = |bytes: &[u8]| {
        post("/api/uploads")
            .bearer(&token)
            .upload(&[], "a.txt", bytes)
            .send(server.address)
    };
    assert_eq!(upload(b"hello").json()["code"], "over-quota");
    assert_eq!(place.run(&["user", "quota", "--email", EMAIL]).code, Some(0));
    assert_eq!(upload(b"hello").status, 201);
    assert_eq!(
        place.run(&["user", "quota", "--total", "--documents", "1"]).code,
        Some(0)
    );
    assert_eq!(upload(b"more").json()["code"], "over-quota");

    let reset = place.run(&["user", "reset", "--email", EMAIL]);
    let link = reset.stdout.lines().last().expect("a link").to_owned();
    let target = &link[link.find("/password").expect("the page")..];
    let page = server.browser().get(target);
    assert_eq!(page.status, 200, "{target}: {}", page.text());
    // The last administrator stays.
    let last = place.run(&["user", "disable", "--email", "admin@example.org"]);
    assert_ne!(last.code, Some(0), "{}", last.stdout);
    assert!(last.stderr.contains("administrator"), "{}", last.stderr);
}

#[test]
fn a_token_made_with_scopes_may_do_what_they_name() {
    let place = Place::new();
    let server = place.serve();
    place.create_user(EMAIL, "member");
    let made = place.run(&[
        "token",
        "create",
        "--email",
        EMAIL,
        "--name",
        "reader",
        "--scope",
        "documents:read",
    ]);
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    let token = made.stdout.trim();
    assert_eq!(
        get("/api/documents").bearer(token).send(server.address).status,
        200
    );
    let refused = post("/api/uploads")
        .bearer(token)
        .upload(&[], "a.txt", b"x")
        .send(server.address);
    assert_eq!(refused.status, 403);
    assert!(refused.text().contains("uploads:write"), "{}", refused.text());
    let refused = request("DELETE", "/api/trash").bearer(token).send(server.address);
    assert_eq!(refused.status, 403);
    assert_eq!(server.count_documents(token), 0);
}

#[test]
fn nonsense_is_told_in_one_sentence_and_changes_nothing() {
    let place = Place::new();
    place.create_user(EMAIL, "admin");
    let before = place.run(&["user", "list", "--json"]).stdout;
    for arguments in [
        &["user", "list", "--limit", "0"][..],
        &["user", "list", "--limit", "many"],
        &["user", "reset", "--email", "nobody@example.org"],
        &["user", "reset", "--email", "no address"],
        &["user", "reset"],
        &["user", "disable", "--email", "nobody@example.org"],
        &["user", "enable", "--email", ""],
        &["user", "quota"],
        &["user", "quota", "--email", EMAIL, "--total"],
        &["user", "quota", "--email", EMAIL, "--bytes", "-1"],
        &[
            "user",
            "quota",
            "--email",
            EMAIL,
            "--bytes",
            "99999999999999999999",
        ],
        &["user", "quota", "--email", "nobody@example.org", "--bytes", "1"],
        &[
            "token",
            "create",
            "--email",
            EMAIL,
            "--name",
            "x",
            "--scope",
            "everything",
        ],
        &["token", "create", "--email", EMAIL, "--name", "x", "--scope", ""],
        &["token", "create", "--email", EMAIL, "--name", ""],
        &["token", "create", "--email", EMAIL, "--name", "a\nb"],
        &[
            "token",
            "create",
            "--email",
            EMAIL,
            "--name",
            "x",
            "--expires-days",
            "0",
        ],
        &["token", "create", "--email", "nobody@example.org", "--name", "x"],
    ] {
        let outcome = place.run(arguments);
        assert!(
            matches!(outcome.code, Some(1 | 2)),
            "{arguments:?}: {:?} {}",
            outcome.code,
            outcome.stdout
        );
        assert_eq!(outcome.stdout, "", "{arguments:?}");
        assert!(
            outcome.stderr.len() > 20 && !outcome.stderr.contains("panicked"),
            "{arguments:?}: {}",
            outcome.stderr
        );
    }
    assert_eq!(place.run(&["user", "list", "--json"]).stdout, before);
}
