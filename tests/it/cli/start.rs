//! `satchel` with nothing configured: what it prints, and that what it prints works.

use super::process::{EMAIL, PASSWORD, Place};
use crate::support::wire::get;

#[test]
fn it_starts_with_nothing_configured_and_says_what_to_do_next() {
    let place = Place::new();
    let server = place.start(&[]);
    let said = server.stdout();
    assert!(
        said.contains(&format!("Satchel is ready at http://{}", server.address)),
        "{said}"
    );
    assert!(
        said.contains(&format!("Filestack is emulated at http://{}", server.emulator())),
        "{said}"
    );
    assert!(
        said.contains(&format!("http://{}/setup?token=", server.address)),
        "{said}"
    );
    assert!(said.contains("Not ready for production:"), "{said}");
    for next in [
        "FILESTACK_API_KEY",
        "FILESTACK_APP_SECRET",
        "DATABASE_URL=postgres://",
    ] {
        assert!(said.contains(next), "{next} is not mentioned: {said}");
    }
    assert_ne!(server.address.port(), 0);
    assert_ne!(server.emulator().port(), 0);
    assert!(place.path().join("data/satchel.db").is_file());
}

#[test]
fn health_answers_from_the_start() {
    let place = Place::new();
    let server = place.serve();
    let live = get("/healthz").send(server.address);
    assert_eq!((live.status, live.json()["status"].as_str()), (200, Some("ok")));
    let ready = get("/readyz").send(server.address);
    assert_eq!(
        (ready.status, ready.json()["checks"]["database"].as_str()),
        (200, Some("ok"))
    );
}

#[test]
fn the_printed_link_makes_the_first_administrator_once() {
    let place = Place::new();
    let server = place.serve();
    let link = server.setup_target();
    let token = link.trim_start_matches("/setup?token=").to_owned();
    let mut browser = server.browser();
    let fields = [
        ("token", token.as_str()),
        ("email", EMAIL),
        ("password", PASSWORD),
    ];
    let made = browser.submit(&link, "/setup", &fields);
    assert_eq!(
        (made.status, made.location()),
        (303, "/documents"),
        "{}",
        made.text()
    );
    assert_eq!(browser.get("/documents").status, 200);
    assert_eq!(get(&link).send(server.address).status, 404);
    assert_eq!(get("/setup").send(server.address).status, 404);

    server.kill();
    let again = place.serve();
    assert!(
        !again.stdout().contains("/setup"),
        "set-up is over: {}",
        again.stdout()
    );
    let mut browser = again.browser();
    assert_eq!(browser.sign_in(EMAIL, PASSWORD).location(), "/documents");
}

#[test]
fn a_restart_prints_another_link_and_both_work_until_one_is_used() {
    let place = Place::new();
    let first = place.serve();
    let old = first.setup_target();
    first.kill();
    let second = place.serve();
    let new = second.setup_target();
    assert_ne!(old, new);
    assert_eq!(get(&new).send(second.address).status, 200);
    assert_eq!(get(&old).send(second.address).status, 200);
}

#[test]
fn what_is_kept_in_the_data_directory_is_for_this_user_alone() {
    use std::os::unix::fs::PermissionsExt as _;

    let place = Place::new();
    let _server = place.serve();
    let data = place.path().join("data");
    let mode = |name: &str| {
        std::fs::metadata(data.join(name))
            .unwrap_or_else(|error| panic!("{name}: {error}"))
            .permissions()
            .mode()
            & 0o777
    };
    assert_eq!(mode(""), 0o700);
    for secret in ["secret-key", "webhook-secret", "emulator-app-secret"] {
        assert_eq!(mode(secret), 0o600, "{secret}");
    }
}

#[test]
fn x8_with_a_key_and_a_secret_no_emulator_starts() {
    let place = Place::new()
        .with("FILESTACK_API_KEY", "AreallyMyOwnKeyz")
        .with("FILESTACK_APP_SECRET", "REALLYMYOWNSECRET");
    let server = place.serve();
    let said = server.stdout();
    assert!(!said.contains("emulated"), "{said}");
    assert!(!place.path().join("data/emulator").exists());
    assert!(
        !get("/sign-in")
            .send(server.address)
            .text()
            .contains("Emulator mode")
    );
}

#[test]
fn x8_in_emulator_mode_every_page_says_so() {
    let place = Place::new();
    let server = place.serve();
    for page in ["/sign-in", "/no-such-page"] {
        assert!(
            get(page).send(server.address).text().contains("Emulator mode"),
            "{page}"
        );
    }
}

#[test]
fn w18_an_empty_webhook_secret_warns_and_closes_the_endpoint() {
    let empty = Place::new().with("FILESTACK_WEBHOOK_SECRET", "");
    let unset_in_production = Place::new()
        .with("FILESTACK_API_KEY", "AreallyMyOwnKeyz")
        .with("FILESTACK_APP_SECRET", "REALLYMYOWNSECRET");
    for place in [empty, unset_in_production] {
        let server = place.serve();
        let said = server.stdout();
        let warned = said.contains("FILESTACK_WEBHOOK_SECRET is") && said.contains("503");
        assert!(warned, "{said}");
        let answer = crate::support::wire::post("/webhooks/filestack")
            .body("application/json", "{}")
            .send(server.address);
        assert_eq!(answer.status, 503);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        assert!(answer.header("retry-after").is_some());
    }
}

#[test]
fn a_public_address_without_https_warns_that_sign_in_would_fail() {
    let place = Place::new().with("SATCHEL_PUBLIC_URL", "http://files.example.org");
    let server = place.serve();
    let said = server.stdout();
    let warned = said.contains("http://files.example.org")
        && said.contains("sign-in would fail")
        && said.contains("https");
    assert!(warned, "{said}");
    assert!(
        said.contains(&format!("listening on {}", server.address)),
        "{said}"
    );
    assert!(said.contains("http://files.example.org/setup?token="), "{said}");
}
