//! One server to a database, any number of other commands beside it, and kill -9 in between.

use super::process::{EMAIL, Place};
use crate::accounts::people::at_once;
use crate::support::wire::{get, post};

#[test]
fn r10_a_second_server_on_the_same_database_refuses_and_names_postgresql() {
    let place = Place::new();
    let first = place.serve();
    let second = place.run(&["serve"]);
    assert_eq!(second.code, Some(1));
    let said = &second.stderr;
    assert!(
        said.contains("Another server is already using the database"),
        "{said}"
    );
    assert!(said.contains("postgres://"), "{said}");
    assert_eq!(said.trim().lines().count(), 1, "{said}");
    assert_eq!(second.stdout, "");
    assert_eq!(get("/healthz").send(first.address).status, 200);
}

#[test]
fn r10_the_lock_is_free_again_after_kill_9() {
    let place = Place::new();
    place.serve().kill();
    let again = place.serve();
    assert_eq!(get("/readyz").send(again.address).status, 200);
}

#[test]
fn r10_a_data_directory_is_one_servers_whatever_the_database_is_called() {
    let place = Place::new();
    let _first = place.serve();
    // The emulator's files are in it too.
    let second = place
        .with("DATABASE_URL", "sqlite://data/other.db")
        .run(&["serve"]);
    assert_eq!(second.code, Some(1));
    assert!(
        second.stderr.contains("already using the data directory"),
        "{}",
        second.stderr
    );
    assert!(second.stderr.contains("postgres://"), "{}", second.stderr);
}

#[test]
fn users_and_tokens_made_beside_a_running_server_count_at_once() {
    let place = Place::new();
    let server = place.serve();
    let link = server.setup_target();
    assert_eq!(get(&link).send(server.address).status, 200);

    place.create_user(EMAIL, "member");
    for closed in [link.as_str(), "/setup", "/setup?token=wrong"] {
        assert_eq!(get(closed).send(server.address).status, 404, "{closed}");
    }
    assert_eq!(get("/").send(server.address).location(), "/sign-in");

    let token = place.create_token(EMAIL);
    assert_eq!(server.count_documents(&token), 0);
    let mut browser = server.browser();
    assert_eq!(browser.sign_in(EMAIL, super::process::PASSWORD).status, 303);
    assert_eq!(browser.get("/documents").status, 200);
}

#[test]
fn commands_at_the_same_moment_wait_for_each_other() {
    let place = Place::new();
    // Nothing is there yet: the first of them makes the directory, the secrets and the tables.
    at_once(6, |number| {
        place.create_user(&format!("user{number}@example.org"), "member")
    });
    let server = place.serve();
    at_once(6, |number| {
        let token = place.create_token(&format!("user{number}@example.org"));
        assert_eq!(server.count_documents(&token), 0);
    });
}

#[test]
fn migrations_can_be_looked_at_before_they_are_applied() {
    let place = Place::new();
    let before = place.run(&["migrate", "status"]);
    assert_eq!(before.code, Some(0), "{}", before.stderr);
    assert!(
        before.stdout.contains("missing") && !before.stdout.contains("applied"),
        "{}",
        before.stdout
    );
    let up = place.run(&["migrate"]);
    assert!(up.stdout.starts_with("Applied "), "{}{}", up.stdout, up.stderr);
    let after = place.run(&["migrate", "status"]);
    assert!(!after.stdout.contains("missing"), "{}", after.stdout);
}

#[test]
fn settings_and_migrations_can_be_looked_at_beside_a_running_server() {
    let place = Place::new();
    let _server = place.serve();
    let shown = place.run(&["config", "show"]);
    assert_eq!(shown.code, Some(0), "{}", shown.stderr);
    assert!(shown.stdout.contains("data directory"), "{}", shown.stdout);
    let status = place.run(&["migrate", "status"]);
    assert_eq!(status.code, Some(0), "{}", status.stderr);
    assert!(
        status.stdout.contains("applied") && !status.stdout.contains("missing"),
        "{}",
        status.stdout
    );
    let up = place.run(&["migrate", "up"]);
    assert_eq!(
        (up.code, up.stdout.as_str()),
        (Some(0), "The database is up to date.\n")
    );
}

#[test]
fn a_user_who_exists_and_one_who_does_not_are_told_apart_from_success() {
    let place = Place::new();
    place.create_user(EMAIL, "admin");
    let arguments = [
        "user",
        "create",
        "--email",
        EMAIL,
        "--role",
        "admin",
        "--password-stdin",
    ];
    let again = place.run_with_input(&arguments, "another long password\n");
    assert_eq!(again.code, Some(1));
    assert!(
        again.stderr.contains("already has an account"),
        "{}",
        again.stderr
    );
    let nobody = place.run(&["token", "create", "--email", "nobody@example.org", "--name", "x"]);
    assert_eq!((nobody.code, nobody.stdout.as_str()), (Some(1), ""));
    assert!(nobody.stderr.contains("satchel user create"), "{}", nobody.stderr);
    let short = [
        "user",
        "create",
        "--email",
        "b@example.org",
        "--role",
        "member",
        "--password-stdin",
    ];
    let short = place.run_with_input(&short, "short\n");
    assert_eq!(short.code, Some(1));
    assert!(
        short.stderr.contains("at least 12 characters"),
        "{}",
        short.stderr
    );
}

#[test]
fn a_document_that_was_answered_with_201_survives_kill_9() {
    let place = Place::new();
    let server = place.serve();
    place.create_user(EMAIL, "member");
    let token = place.create_token(EMAIL);
    let bytes: Vec<u8> = (0..300_000_u32).map(|n| (n % 251) as u8).collect();
    let stored = post("/api/uploads")
        .bearer(&token)
        .upload(&[], "kept.bin", &bytes)
        .send(server.address);
    assert_eq!(stored.status, 201, "{}", stored.text());
    let id = stored.json()["id"].as_str().unwrap().to_owned();
    server.kill();

    let server = place.serve();
    let document = get(&format!("/api/documents/{id}"))
        .bearer(&token)
        .send(server.address);
    assert_eq!(document.json()["size"], 300_000);
    let signed = get(&format!("/api/uploads/{id}/download-url"))
        .bearer(&token)
        .send(server.address)
        .json();
    let url = url::Url::parse(signed["url"].as_str().unwrap()).unwrap();
    assert_eq!(url.port(), Some(server.emulator().port()));
    let target = &url[url::Position::BeforePath..];
    let file = get(target).send(server.emulator());
    assert_eq!(file.status, 200);
    assert!(file.body == bytes, "the bytes are the ones that were stored");
}

#[test]
#[ignore = "needs PostgreSQL"]
fn several_servers_share_one_postgresql_database() {
    let database = crate::support::postgres::database();
    let place = || {
        Place::new()
            .with("DATABASE_URL", &database.url)
            .with("SATCHEL_SECRET_KEY", &"5a".repeat(32))
    };
    let (here, there) = (place(), place());
    let (first, second) = (here.serve(), there.serve());
    here.create_user(EMAIL, "member");
    let token = there.create_token(EMAIL);
    for server in [&first, &second] {
        assert_eq!(server.count_documents(&token), 0);
    }
    let mut browser = first.browser();
    assert_eq!(browser.sign_in(EMAIL, super::process::PASSWORD).status, 303);
    browser.address = second.address;
    assert_eq!(browser.get("/documents").status, 200, "a session is everywhere's");
}
