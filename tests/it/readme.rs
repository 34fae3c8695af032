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

#[test]
fn every_test_that_the_readme_names_for_a_promise_is_one() {
    let readme = read("README.md");
    let section = readme.split_once("\n## Promises\n").expect("the promises").1;
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows: Vec<&str> = section
        .lines()
        .filter(|line| line.starts_with("| "))
        .skip(1)
        .collect();
    assert!(rows.len() >= 6, "{rows:?}");
    let mut tests = Vec::new();
    collect_tests(&root().join("src"), &mut tests);
    collect_tests(&root().join("tests"), &mut tests);
    let mut named = 0;
    for row in rows {
        let column = row
            .trim_end_matches([' ', '|'])
            .rsplit(" | ")
            .next()
            .unwrap_or_default();
        let names: Vec<&str> = column.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty() || column == "the same", "no test beside: {row}");
        for name in names {
            assert!(tests.iter().any(|test| test == name), "there is no test `{name}`");
            named += 1;
        }
    }
    assert!(named >= 6, "{named}");
}

/// Names of functions that are tests: those below a line `#[test]` or `#[…::test]`.
fn collect_tests(directory: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(directory).expect("a directory").flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect_tests(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).expect("a source file");
            let mut is_test = false;
            for line in text.lines().map(str::trim) {
                if line == "#[test]" || line == "#[actix_web::test]" {
                    is_test = true;
                } else if let Some((_, rest)) = line.split_once("fn ").filter(|_| is_test) {
                    found.push(rest.split('(').next().unwrap_or_default().to_owned());
                    is_test = false;
                }
            }
        }
    }
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
