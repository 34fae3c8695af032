//! Settings that cannot work: exit code 1 and one sentence that names the variable and shows an example.

use std::net::TcpListener;

use super::process::Place;

/// One sentence on standard error, which names the variable and has an example in it.
#[track_caller]
fn refused(place: &Place, variable: &str, example: &str) -> String {
    let outcome = place.run(&["serve"]);
    let said = outcome.stderr;
    assert_eq!(outcome.code, Some(1), "{said}");
    assert_eq!(outcome.stdout, "");
    assert_eq!(said.trim().lines().count(), 1, "{said}");
    assert!(
        said.starts_with("error: ") && said.trim_end().ends_with('.'),
        "{said}"
    );
    assert!(said.contains(variable), "{variable} is not named: {said}");
    assert!(said.contains(example), "there is no example {example}: {said}");
    said
}

#[test]
fn a_bad_value_stops_the_start_with_the_name_and_an_example() {
    for (name, value) in [
        ("SATCHEL_BIND", "8080"),
        ("SATCHEL_BIND", "localhost:http"),
        ("SATCHEL_EMULATOR_BIND", "127.0.0.1:99999"),
        ("SATCHEL_PUBLIC_URL", "files.example.org"),
        ("SATCHEL_PUBLIC_URL", "https://files.example.org/satchel"),
        ("SATCHEL_SECRET_KEY", "abc"),
        ("SATCHEL_MAX_UPLOAD_BYTES", "5 GB"),
        ("SATCHEL_MAX_UPLOAD_BYTES", "-1"),
        ("SATCHEL_UPLOAD_MEMORY_BYTES", "1"),
        ("SATCHEL_TRUSTED_PROXIES", "proxy.internal"),
        ("SATCHEL_DRAIN_SECONDS", "soon"),
        ("DATABASE_URL", "mysql://localhost/satchel"),
        ("DATABASE_URL", "data/satchel.db"),
    ] {
        let place = Place::new().with(name, value);
        refused(&place, name, &format!("{name}="));
        assert!(place.files().is_empty(), "{name}={value} left files behind");
    }
}

#[test]
fn half_of_filestacks_credentials_stops_the_start() {
    let key_alone = Place::new().with("FILESTACK_API_KEY", "AreallyMyOwnKeyz");
    refused(&key_alone, "FILESTACK_APP_SECRET", "FILESTACK_APP_SECRET=");
    let secret_alone = Place::new().with("FILESTACK_APP_SECRET", "REALLYMYOWNSECRET");
    let said = refused(&secret_alone, "FILESTACK_API_KEY", "FILESTACK_API_KEY=");
    assert!(!said.contains("REALLYMYOWNSECRET"), "{said}");
    let url_alone = Place::new().with("FILESTACK_BASE_URL", "http://127.0.0.1:9");
    refused(&url_alone, "FILESTACK_BASE_URL", "FILESTACK_API_KEY=");
}

#[test]
fn the_credentials_of_the_example_are_refused() {
    let example = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/.env.example")).unwrap();
    let value = |name: &str| {
        example
            .lines()
            .find_map(|line| line.trim_start_matches("# ").strip_prefix(&format!("{name}=")))
            .unwrap_or_else(|| panic!("{name} is not in .env.example"))
            .to_owned()
    };
    let place = Place::new()
        .with("FILESTACK_API_KEY", &value("FILESTACK_API_KEY"))
        .with("FILESTACK_APP_SECRET", &value("FILESTACK_APP_SECRET"));
    refused(&place, "FILESTACK_API_KEY", "FILESTACK_API_KEY=");
    let place = place.with("FILESTACK_API_KEY", "AreallyMyOwnKeyz");
    refused(&place, "FILESTACK_APP_SECRET", "FILESTACK_APP_SECRET=");
    let place = place
        .with("FILESTACK_APP_SECRET", "REALLYMYOWNSECRET")
        .with("SATCHEL_SECRET_KEY", &value("SATCHEL_SECRET_KEY"));
    refused(&place, "SATCHEL_SECRET_KEY", "SATCHEL_SECRET_KEY=");
}

#[test]
fn postgresql_without_a_secret_key_stops_the_start() {
    let place = Place::new().with("DATABASE_URL", "postgres://127.0.0.1:1/satchel");
    refused(&place, "SATCHEL_SECRET_KEY", "SATCHEL_SECRET_KEY=");
}

#[test]
fn a_database_that_cannot_be_reached_stops_the_start_without_its_password() {
    let key = "7b0a5a8c6d7e4f1122334455667788990a1b2c3d4e5f60718293a4b5c6d7e8f9";
    let place = Place::new()
        .with(
            "DATABASE_URL",
            "postgres://app:canary-password@127.0.0.1:1/satchel",
        )
        .with("SATCHEL_SECRET_KEY", key);
    let said = refused(&place, "DATABASE_URL", "Check that PostgreSQL runs");
    assert!(!said.contains("canary-password"), "{said}");
}

#[test]
fn a_port_in_use_is_one_sentence() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for name in ["SATCHEL_BIND", "SATCHEL_EMULATOR_BIND"] {
        let said = refused(&Place::new().with(name, &address), name, &format!("{name}="));
        assert!(said.contains(&address), "{said}");
    }
}

#[test]
fn a_data_directory_that_cannot_be_used_is_one_sentence() {
    let place = Place::new();
    std::fs::write(place.path().join("data"), "a file").unwrap();
    refused(&place, "SATCHEL_DATA_DIR", "SATCHEL_DATA_DIR=");
}

#[test]
fn an_env_file_is_read_and_the_environment_wins() {
    let place = Place::new().without("SATCHEL_EMULATOR_BIND");
    let file = "SATCHEL_EMULATOR_BIND=127.0.0.1:0\nSATCHEL_BIND=not-an-address\nSATCHEL_DRAIN_SECONDS=0\n";
    std::fs::write(place.path().join(".env"), file).unwrap();
    let server = place.serve();
    assert_ne!(server.emulator().port(), 8081);
    server.terminate();
    assert_eq!(server.ended().0.code(), Some(0));
}

#[test]
fn a_name_that_is_almost_a_setting_is_pointed_out() {
    let place = Place::new().with("SATCHEL_MAX_UPLOAD_SIZE", "5");
    let server = place.serve();
    server.wait_for_log("SATCHEL_MAX_UPLOAD_SIZE");
}

#[test]
fn config_show_leaves_no_files_and_says_where_values_come_from() {
    let place = Place::bare()
        .with("SATCHEL_BIND", "127.0.0.1:0")
        .with("FILESTACK_API_KEY", "AreallyMyOwnKeyz")
        .with("FILESTACK_APP_SECRET", "REALLYMYOWNSECRET")
        .with(
            "DATABASE_URL",
            "postgres://app:canary-password@db.internal/satchel",
        )
        .with("SATCHEL_SECRET_KEY", &"ab".repeat(32));
    std::fs::write(place.path().join(".env"), "SATCHEL_DRAIN_SECONDS=9\n").unwrap();
    let shown = place.run(&["config", "show", "--json"]);
    assert_eq!(shown.code, Some(0), "{}", shown.stderr);
    let shown_json: serde_json::Value = serde_json::from_str(&shown.stdout).unwrap();
    let row = |name: &str| {
        let rows = shown_json["settings"].as_array().unwrap();
        let row = rows.iter().find(|row| row["name"] == name).unwrap();
        (
            row["value"].as_str().unwrap_or("-").to_owned(),
            row["source"].as_str().unwrap().to_owned(),
        )
    };
    let is = |value: &str, source: &str| (value.to_owned(), source.to_owned());
    assert_eq!(row("SATCHEL_BIND"), is("127.0.0.1:0", "environment"));
    assert_eq!(row("SATCHEL_DRAIN_SECONDS"), is("9", ".env"));
    assert_eq!(row("SATCHEL_MAX_UPLOAD_BYTES"), is("5368709120", "default"));
    assert_eq!(row("FILESTACK_APP_SECRET"), is("[hidden]", "environment"));
    let table = place.run(&["config", "show"]).stdout;
    for secret in ["REALLYMYOWNSECRET", "canary-password", "abababab"] {
        assert!(
            !table.contains(secret) && !shown.stdout.contains(secret),
            "{secret} is shown"
        );
    }
    assert_eq!(place.files(), [place.path().join(".env")]);
}

#[test]
fn config_show_refuses_what_a_start_would_refuse() {
    let outcome = Place::bare()
        .with("SATCHEL_BIND", "nowhere")
        .run(&["config", "show"]);
    assert_eq!(outcome.code, Some(1));
    assert!(outcome.stderr.contains("SATCHEL_BIND"), "{}", outcome.stderr);
}
