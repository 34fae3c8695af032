//! Help and usage errors, of the program as it is run.

use super::process::Place;

const COMMANDS: [&[&str]; 29] = [
    &[],
    &["serve"],
    &["worker"],
    &["jobs"],
    &["jobs", "list"],
    &["jobs", "show"],
    &["jobs", "retry"],
    &["jobs", "cancel"],
    &["migrate"],
    &["user"],
    &["user", "create"],
    &["user", "list"],
    &["user", "reset"],
    &["user", "disable"],
    &["user", "enable"],
    &["user", "quota"],
    &["token"],
    &["token", "create"],
    &["emulator"],
    &["demo"],
    &["doctor"],
    &["config"],
    &["config", "show"],
    &["webhooks"],
    &["webhooks", "list"],
    &["webhooks", "show"],
    &["webhooks", "replay"],
    &["webhooks", "trigger"],
    &["reconcile"],
];

#[test]
fn help_of_every_command_has_an_example_of_it_and_leaves_nothing_behind() {
    let place = Place::bare();
    for command in COMMANDS {
        let outcome = place.run(&[command, &["--help"]].concat());
        assert_eq!(outcome.code, Some(0), "{command:?}: {}", outcome.stderr);
        let (_, example) = outcome
            .stdout
            .split_once("Example:\n")
            .unwrap_or_else(|| panic!("{command:?} has no example: {}", outcome.stdout));
        let shown = ["satchel"]
            .iter()
            .chain(command)
            .copied()
            .collect::<Vec<_>>()
            .join(" ");
        assert!(example.contains(&shown), "no example of {shown}: {example}");
    }
    assert!(place.files().is_empty());
}

#[test]
fn the_list_of_commands_is_the_whole_one() {
    let outcome = Place::bare().run(&["--help"]);
    let (_, commands) = outcome.stdout.split_once("Commands:\n").unwrap();
    let named: Vec<_> = commands
        .lines()
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();
    let known: Vec<_> = COMMANDS
        .iter()
        .filter_map(|command| command.first().copied())
        .collect();
    for name in named {
        assert!(known.contains(&name), "{name} is not tested here");
    }
}

#[test]
fn a_wrong_command_line_is_exit_code_2() {
    let place = Place::bare();
    for line in [
        &["--no-such-flag"][..],
        &["no-such-command"],
        &["serve", "--port", "80"],
        &["migrate", "sideways"],
        &[
            "user",
            "create",
            "--email",
            "a@example.org",
            "--role",
            "king",
            "--password-stdin",
        ],
        &[
            "user",
            "create",
            "--email",
            "nobody",
            "--role",
            "admin",
            "--password-stdin",
        ],
        &["user", "create", "--email", "a@example.org", "--role", "admin"],
        &["token", "create", "--name", "x"],
        &["emulator", "--app", "no-secret"],
        &["emulator", "--bind", "9000"],
        &["demo"],
    ] {
        let outcome = place.run(line);
        assert_eq!(outcome.code, Some(2), "{line:?}: {}", outcome.stderr);
        assert!(
            outcome.stderr.starts_with("error: "),
            "{line:?}: {}",
            outcome.stderr
        );
        assert_eq!(outcome.stdout, "", "{line:?}");
    }
    assert!(place.files().is_empty());
}
