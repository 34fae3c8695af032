//! What the README says of the repository, compared with the repository.

use std::path::Path;

#[test]
fn the_readme_explains_every_setting_of_the_example_file() {
    let readme = read("README.md");
    let example = read(".env.example");
    let names: Vec<&str> = example.lines().filter_map(setting).collect();
    assert!(names.len() > 10, "only {names:?} were found in .env.example");
    let missing: Vec<_> = names
        .into_iter()
        .filter(|name| !readme.contains(&format!("`{name}`")))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn the_checks_run_the_test_command_of_the_readme() {
    let command = "cargo test -- --include-ignored";
    assert!(read("README.md").contains(&format!("```sh\n{command}\n```")));
    assert!(
        read(".ci/run")
            .lines()
            .any(|line| line.ends_with(&format!(" {command}")))
    );
}

#[test]
fn every_file_that_the_readme_links_to_is_there() {
    let readme = read("README.md");
    let targets = readme
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next());
    let local = targets.filter(|target| !target.contains("://") && !target.starts_with('#'));
    let missing: Vec<_> = local.filter(|target| !root().join(target).exists()).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// `# NAME=value`, commented out or not.
fn setting(line: &str) -> Option<&str> {
    let (name, _) = line.trim_start_matches(['#', ' ']).split_once('=')?;
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    is_name.then_some(name)
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}
