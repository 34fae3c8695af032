//! Where values come from, and which source wins.

use super::*;

const SECRET_WORD: &str = "hunter2";

fn dot_env(text: &str) -> Result<Vars, ConfigError> {
    let mut vars = Vars::default();
    vars.add_dot_env(text.as_bytes()).map(|()| vars)
}

#[test]
fn the_environment_wins_over_dot_env_even_when_it_is_empty() {
    let mut vars: Vars = [("SATCHEL_BIND", "127.0.0.1:1"), ("SATCHEL_DRAIN_SECONDS", "")]
        .into_iter()
        .collect();
    vars.add_dot_env(
        b"SATCHEL_BIND=127.0.0.1:2\nSATCHEL_DRAIN_SECONDS=9\nSATCHEL_EMULATOR_BIND=127.0.0.1:3\n",
    )
    .unwrap();
    assert_eq!(vars.get("SATCHEL_BIND"), Some("127.0.0.1:1"));
    assert_eq!(vars.source("SATCHEL_BIND"), Source::Environment);
    assert_eq!(vars.get("SATCHEL_DRAIN_SECONDS"), None);
    assert_eq!(vars.source("SATCHEL_DRAIN_SECONDS"), Source::Default);
    assert_eq!(vars.source("SATCHEL_EMULATOR_BIND"), Source::DotEnv);
    assert_eq!(vars.source("DATABASE_URL"), Source::Default);
}

#[test]
fn dot_env_may_have_comments_quotes_exports_a_bom_and_variables_of_others() {
    let vars = dot_env(
        "\u{feff}# comment\n\nexport SATCHEL_BIND='127.0.0.1:1'\nFILESTACK_APP_SECRET='a$b #c'\nPATH=/x\nRUST_LOG=debug\n",
    )
    .unwrap();
    assert_eq!(vars.get("SATCHEL_BIND"), Some("127.0.0.1:1"));
    assert_eq!(vars.get("FILESTACK_APP_SECRET"), Some("a$b #c"));
    assert_eq!(vars.get("PATH"), None);
    assert_eq!(vars.log_filter(), Some("debug"));
}

#[test]
fn a_line_of_dot_env_that_makes_no_sense_is_named_but_not_shown() {
    let message = dot_env(&format!(
        "# one\nSATCHEL_BIND=127.0.0.1:1\nFILESTACK_APP_SECRET {SECRET_WORD}\n"
    ))
    .unwrap_err();
    assert_eq!(message.variable(), ".env");
    let message = message.to_string();
    assert!(
        message.contains("line 3") && message.contains("NAME=value"),
        "{message}"
    );
    assert!(!message.contains(SECRET_WORD), "{message}");

    let message = dot_env(&format!("SATCHEL_BIND=x\nFILESTACK_APP_SECRET='{SECRET_WORD}\n"))
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("line 2") && !message.contains(SECRET_WORD),
        "{message}"
    );
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let message = Vars::default()
        .add_dot_env(b"SATCHEL_BIND=\xff\xfe\n")
        .unwrap_err()
        .to_string();
    assert!(message.starts_with(".env cannot be read as text"), "{message}");
}

#[test]
fn a_slip_in_a_name_is_pointed_out() {
    let vars: Vars = [
        ("SATCHEL_BNID", "x"),
        ("SATCHEL_TEST_POSTGRES_URL", "x"),
        ("SATCHEL_BIND", "127.0.0.1:1"),
    ]
    .into_iter()
    .collect();
    let unknown = vars.unknown();
    assert_eq!(unknown.len(), 1);
    assert!(
        unknown[0].starts_with("SATCHEL_BNID (environment) is not a setting"),
        "{unknown:?}"
    );
}

#[test]
fn p7_debug_of_raw_values_shows_names_only() {
    let vars: Vars = [("FILESTACK_APP_SECRET", SECRET_WORD)].into_iter().collect();
    assert_eq!(format!("{vars:?}"), "{\"FILESTACK_APP_SECRET\"}");
}
