//! What the command line takes and refuses, without running anything.

use std::io::Cursor;
use std::path::Path;

use clap::CommandFactory;
use clap::error::ErrorKind;

use super::*;

fn parse(line: &[&str]) -> Result<Command, clap::Error> {
    let cli = Cli::try_parse_from(["satchel"].iter().chain(line))?;
    Ok(cli
        .command
        .unwrap_or_else(|| Command::Serve(serve::Args::default())))
}

#[track_caller]
fn refused(line: &[&str]) -> String {
    let error = parse(line).expect_err("accepted");
    assert_eq!(error.exit_code(), 2, "{line:?}");
    error.to_string()
}

#[test]
fn the_definition_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn help_of_every_command_shows_an_example_that_parses() {
    fn check(command: &mut clap::Command, path: &str) {
        let help = command.render_long_help().to_string();
        let examples: Vec<_> = help
            .lines()
            .skip_while(|line| *line != "Example:")
            .skip(1)
            .map(|line| line.trim())
            .take_while(|line| !line.is_empty())
            .collect();
        assert!(!examples.is_empty(), "{path} has no example:\n{help}");
        for example in examples {
            let words = example
                .split("satchel")
                .nth(1)
                .or(example.strip_prefix("satchel"))
                .unwrap_or_default();
            let words = words
                .split("  ")
                .next()
                .unwrap_or_default()
                .split(['<', ')'])
                .next()
                .unwrap_or_default();
            let words: Vec<_> = words.split_whitespace().collect();
            assert!(parse(&words).is_ok(), "{example}");
        }
        for sub in command
            .get_subcommands_mut()
            .filter(|sub| sub.get_name() != "help")
        {
            let path = format!("{path} {}", sub.get_name());
            check(sub, &path);
        }
    }
    let mut command = Cli::command();
    command.build();
    check(&mut command, "satchel");
}

#[test]
fn help_and_version_are_no_errors() {
    assert_eq!(
        parse(&["--version"]).unwrap_err().kind(),
        ErrorKind::DisplayVersion
    );
    for line in [
        &["--help"][..],
        &["serve", "--help"],
        &["user", "create", "--help"],
    ] {
        let error = parse(line).unwrap_err();
        assert_eq!(
            (error.kind(), error.exit_code()),
            (ErrorKind::DisplayHelp, 0),
            "{line:?}"
        );
    }
}

#[test]
fn no_command_means_serve_and_migrate_means_up() {
    assert!(matches!(parse(&[]), Ok(Command::Serve(_))));
    assert!(matches!(parse(&["serve"]), Ok(Command::Serve(_))));
    let direction = |line: &[&str]| match parse(line) {
        Ok(Command::Migrate(args)) => args.action,
        other => panic!("{other:?}"),
    };
    assert_eq!(direction(&["migrate"]), migrate::Direction::Up);
    assert_eq!(direction(&["migrate", "up"]), migrate::Direction::Up);
    assert_eq!(direction(&["migrate", "status"]), migrate::Direction::Status);
}

#[test]
fn wrong_command_lines_are_usage_errors() {
    for line in [
        &["sreve"][..],
        &["serve", "--port", "80"],
        &["migrate", "down"],
        &["user"],
        &["user", "create", "--email", "ana@example.org", "--role", "admin"],
        &[
            "user",
            "create",
            "--email",
            "ana@example.org",
            "--role",
            "owner",
            "--password-stdin",
        ],
        &[
            "user",
            "create",
            "--email",
            "ana",
            "--role",
            "admin",
            "--password-stdin",
        ],
        &[
            "user",
            "create",
            "--email",
            "a b@example.org",
            "--role",
            "admin",
            "--password-stdin",
        ],
        &["token", "create", "--email", "ana@example.org"],
        &["token", "create", "--email", "ana@example.org", "--name", " "],
        &[
            "token",
            "create",
            "--email",
            "ana@example.org",
            "--name",
            "n",
            "--expires-days",
            "0",
        ],
        &["demo", "--documents", "10"],
        &["demo", "--documents", "10", "--users", "0"],
        &["demo", "--documents", "many", "--users", "1"],
        &["emulator", "--bind", "8081"],
        &["config"],
    ] {
        refused(line);
    }
}

#[test]
fn user_and_token_arguments_arrive() {
    let Ok(Command::User(user::Args {
        action: user::Action::Create(args),
    })) = parse(&[
        "user",
        "create",
        "--email",
        "ana@example.org",
        "--role",
        "member",
        "--password-stdin",
    ])
    else {
        panic!("not user create");
    };
    assert_eq!(
        (args.email.as_str(), args.role),
        ("ana@example.org", user::Role::Member)
    );
    let Ok(Command::Token(token::Args {
        action: token::Action::Create(args),
    })) = parse(&[
        "token",
        "create",
        "--email",
        "ana@example.org",
        "--name",
        "backup",
    ])
    else {
        panic!("not token create");
    };
    assert_eq!((args.name.as_str(), args.expires_days), ("backup", 90));
}

#[test]
fn the_password_is_the_first_line_of_stdin() {
    let read = |bytes: &[u8]| user::read_password(Cursor::new(bytes.to_vec()));
    for (input, password) in [
        ("pass word\n", "pass word"),
        ("p", "p"),
        ("p\r\n", "p"),
        (" p \nmore", " p "),
    ] {
        assert_eq!(read(input.as_bytes()).unwrap().expose(), password);
    }
    for input in [&b""[..], b"\n", b"\r\n", b"\xff\n", &[b'x'; 100_000]] {
        let message = read(input).unwrap_err().to_string();
        assert!(message.contains("--password-stdin"), "{message}");
    }
}

#[test]
fn emulator_apps_are_key_secret_and_perhaps_open() {
    let app = crate::emulator::App::parse;
    let known = app("Akeyz:SECRET").unwrap();
    assert_eq!(
        (known.key.as_str(), known.secret.as_str(), known.secured),
        ("Akeyz", "SECRET", true)
    );
    assert!(!app("Akeyz:SECRET:open").unwrap().secured);
    for wrong in [
        "",
        "Akeyz",
        "Akeyz:",
        ":SECRET",
        "Akeyz::open",
        "Akeyz:SECRET:closed",
        "a:b:c:d",
    ] {
        assert!(app(wrong).is_err(), "{wrong}");
        refused(&["emulator", "--app", wrong]);
    }
}

#[test]
fn an_emulator_on_its_own_takes_the_command_line_before_the_settings() {
    let standalone = |line: &[&str], pairs: &[(&str, &str)]| {
        let Ok(Command::Emulator(args)) = parse(line) else {
            panic!("not emulator")
        };
        let settings = Settings::from_vars(&pairs.iter().copied().collect()).unwrap();
        emulator::Standalone::new(args, &settings)
    };
    let dir = tempfile::tempdir().unwrap();
    let in_dir = [
        ("SATCHEL_DATA_DIR", dir.path().to_str().unwrap()),
        ("SATCHEL_EMULATOR_BIND", "127.0.0.1:3"),
    ];

    let made_up = standalone(&["emulator"], &in_dir).unwrap();
    assert!(made_up.made_up);
    assert_eq!((made_up.bind.port(), made_up.data_dir.as_path()), (3, dir.path()));
    assert_eq!(standalone(&["emulator"], &in_dir).unwrap().apps, made_up.apps);

    let line = [
        "emulator",
        "--bind",
        "127.0.0.1:0",
        "--app",
        "A:S",
        "--app",
        "B:S:open",
        "--allow-fetch",
        "127.0.0.1:3000",
        "--allow-fetch",
        "[::1]:80",
        "--webhook",
        "http://127.0.0.1:3000/hooks=S1",
        "--webhook",
        "http://127.0.0.1:3001/hooks=S2",
        "--data-dir",
        "elsewhere",
    ];
    let named = standalone(&line, &in_dir).unwrap();
    assert!(!named.made_up && !Path::new("elsewhere").exists());
    assert_eq!(
        (named.bind.port(), named.data_dir.as_path(), named.apps.len()),
        (0, Path::new("elsewhere"), 2)
    );
    let places = [("127.0.0.1".to_owned(), 3000), ("[::1]".to_owned(), 80)];
    assert_eq!(named.allow_fetch, places);
    let secrets: Vec<&str> = named
        .webhooks
        .iter()
        .map(|webhook| webhook.secret.as_str())
        .collect();
    assert_eq!(secrets, ["S1", "S2"]);
    for wrong in [
        "",
        "localhost",
        "localhost:",
        ":80",
        "localhost:0",
        "localhost:65536",
        "a b:1",
    ] {
        refused(&["emulator", "--allow-fetch", wrong]);
    }

    let message = standalone(&["emulator", "--app", "A:S", "--app", "A:T"], &in_dir)
        .unwrap_err()
        .to_string();
    assert!(message.contains("twice"), "{message}");
}

#[test]
fn an_error_is_two_sentences_on_one_line_and_an_exit_code() {
    let error = CliError::failed("It broke:\n\u{1b}[31m  badly", "Try again");
    assert_eq!(error.to_string(), "It broke: \u{fffd}[31m badly. Try again.");
    assert_eq!(
        format!("{:?}", error.exit_code()),
        format!("{:?}", ExitCode::from(1))
    );
    assert_eq!(
        format!("{:?}", CliError::usage("a", "b").exit_code()),
        format!("{:?}", ExitCode::from(2))
    );
}

#[test]
fn the_table_has_a_row_a_setting_and_the_warnings_below() {
    let vars: Vars = [("SATCHEL_DATA_DIR", "/nonexistent/x\u{1b}y")]
        .into_iter()
        .collect();
    let table = config::table(&Settings::from_vars(&vars).unwrap().shown(&vars).unwrap());
    let bind = table
        .lines()
        .find(|line| line.starts_with("SATCHEL_BIND "))
        .unwrap();
    assert!(
        bind.contains(" 127.0.0.1:8080 ") && bind.ends_with(" default"),
        "{bind}"
    );
    assert!(
        table.contains("\nwarning: Files are kept by the embedded emulator"),
        "{table}"
    );
    assert!(!table.contains('\u{1b}'));
}
