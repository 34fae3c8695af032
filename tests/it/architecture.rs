//! Checks the source against the rules that `src/lib.rs` states: who may import whom, and the few things (the time, the
//! environment) that only one module may ask for. Each breach is reported as `file:line`.

mod scan;

use scan::NamedPath;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Each top-level module with the modules it may name besides itself and `SHARED`. A module without a row is a breach.
const RULES: &[(&str, &[&str])] = &[
    ("main", &["cli"]),
    (
        "cli",
        &[
            "app",
            "jobs",
            "services",
            "queue",
            "db",
            "emulator",
            "filestack",
            "error",
        ],
    ),
    (
        "app",
        &[
            "web",
            "jobs",
            "services",
            "queue",
            "db",
            "filestack",
            "emulator",
            "error",
        ],
    ),
    ("web", &["services", "queue", "db", "filestack", "error"]),
    ("jobs", &["services", "queue", "db", "filestack", "error"]),
    ("services", &["queue", "db", "filestack", "error"]),
    ("queue", &["db"]),
    ("db", &[]),
    ("config", &[]),
    ("clock", &[]),
    ("ids", &[]),
    ("crypto", &[]),
    ("telemetry", &[]),
    ("failpoints", &[]),
    // What a caller can tell apart, made from the two layers' own errors.
    ("error", &["db", "filestack"]),
    ("filestack", &[]),
    ("emulator", &[]),
];

/// What everybody may use, except for the modules in `STANDALONE`.
const SHARED: &[&str] = &["config", "clock", "ids", "crypto", "telemetry", "failpoints"];

/// Written so that they could be published by themselves: they use nothing of ours.
const STANDALONE: &[&str] = &["filestack", "emulator"];

/// Asking for the time of day: everywhere else it is passed in, so that a test can set it.
const TIME: &[&[&str]] = &[
    &["SystemTime", "now"],
    &["UtcDateTime", "now"],
    &["OffsetDateTime", "now_utc"],
    &["OffsetDateTime", "now_local"],
    &["Utc", "now"],
    &["Uuid", "now_v7"],
    &["UNIX_EPOCH", "elapsed"],
];

/// Who may ask for the time of day, and why.
const MAY_ASK_THE_TIME: &[(&str, &str)] = &[
    ("src/clock.rs", "is the clock"),
    (
        "src/emulator/clock.rs",
        "is the emulator's own clock: it uses nothing of ours",
    ),
    (
        "src/telemetry",
        "stamps log lines, which must show the real time even where a test sets the clock",
    ),
];

/// Reading the environment: everywhere else a setting arrives as a typed value.
const ENVIRONMENT: &[&[&str]] = &[
    &["env", "var"],
    &["env", "vars"],
    &["env", "var_os"],
    &["env", "vars_os"],
    &["env", "set_var"],
    &["dotenvy"],
];

/// Who may read the environment, and why.
const MAY_READ_THE_ENVIRONMENT: &[(&str, &str)] = &[
    ("src/config", "is where settings come from"),
    (
        "src/web/views/checks.rs",
        "is a test: whoever runs it may say where to write the pages for looking at them",
    ),
];

/// Longer files have more than one job.
const MAX_LINES: usize = 700;

#[test]
fn modules_import_only_what_the_map_allows() {
    check(|file| import_breaches(&file.name, &file.module, &file.paths()));
}

#[test]
fn only_the_clocks_ask_for_the_time() {
    check(|file| {
        banned(
            file,
            TIME,
            MAY_ASK_THE_TIME,
            "takes the time from the system, not from a clock",
        )
    });
}

#[test]
fn only_config_reads_the_environment() {
    check(|file| {
        banned(
            file,
            ENVIRONMENT,
            MAY_READ_THE_ENVIRONMENT,
            "reads the environment",
        )
    });
}

#[test]
fn every_source_file_says_what_it_is_for() {
    check(|file| {
        let silent = !file.text.starts_with("//!");
        silent
            .then(|| format!("{}:1: does not start with //!", file.name))
            .into_iter()
            .collect()
    });
}

#[test]
fn no_file_is_too_long_to_have_one_job() {
    check(|file| {
        let lines = file.text.lines().count();
        let long = lines > MAX_LINES;
        long.then(|| format!("{}: {lines} lines, more than {MAX_LINES}", file.name))
            .into_iter()
            .collect()
    });
}

#[test]
fn every_fail_point_is_passed_in_one_line_and_has_a_name_in_the_list() {
    let files = source_files();
    let passed: Vec<&str> = files
        .iter()
        .flat_map(|file| file.text.split("failpoints::reach(\"").skip(1))
        .filter_map(|rest| rest.split_once('"').map(|(name, _)| name))
        .collect();
    let names: BTreeSet<&str> = passed.iter().copied().collect();
    assert_eq!(
        names.len(),
        passed.len(),
        "one is passed in two lines: {passed:?}"
    );
    assert_eq!(names, satchel::failpoints::POINTS.iter().copied().collect());
}

/// `cargo test -- --include-ignored` runs such examples too; `text` is the word for what is not code.
#[test]
fn no_documentation_example_is_marked_ignore() {
    check(|file| {
        let lines = file.text.lines().enumerate();
        let marked =
            lines.filter(|(_, line)| line.trim_start().starts_with("//") && line.contains("```ignore"));
        marked
            .map(|(at, _)| format!("{}:{}: example marked ignore", file.name, at + 1))
            .collect()
    });
}

#[test]
fn every_rule_names_modules_that_have_a_row() {
    let rows: BTreeSet<&str> = RULES.iter().map(|(name, _)| *name).collect();
    let named = RULES
        .iter()
        .flat_map(|(_, allowed)| *allowed)
        .chain(SHARED)
        .chain(STANDALONE);
    let strangers: Vec<_> = named.filter(|name| !rows.contains(*name)).collect();
    assert!(strangers.is_empty(), "no row for {strangers:?}");
}

/// A file of `src/`.
struct SourceFile {
    name: String,
    module: Vec<String>,
    text: String,
}

impl SourceFile {
    fn paths(&self) -> Vec<NamedPath> {
        scan::paths(&self.text, &self.module)
    }
}

fn check(breaches: impl Fn(&SourceFile) -> Vec<String>) {
    let files = source_files();
    assert!(files.len() > 1, "no source was found to check");
    let found: Vec<String> = files.iter().flat_map(breaches).collect();
    assert!(found.is_empty(), "{} found:\n{}", found.len(), found.join("\n"));
}

/// Breaches of `RULES` in one file.
fn import_breaches(name: &str, module: &[String], paths: &[NamedPath]) -> Vec<String> {
    let own = match module {
        [first, ..] => first.as_str(),
        [] if name.ends_with("main.rs") => "main",
        // lib.rs only declares the modules.
        [] => return Vec::new(),
    };
    let Some((_, allowed)) = RULES.iter().find(|(row, _)| *row == own) else {
        return vec![format!("{name}:1: {own} has no row in the import rules")];
    };
    let shared = if STANDALONE.contains(&own) {
        &[][..]
    } else {
        SHARED
    };
    let ours = paths
        .iter()
        .filter(|path| matches!(path.segments[0].as_str(), "crate" | "satchel"));
    ours.filter(|path| {
        let used = path.segments[1].as_str();
        used != own && !allowed.contains(&used) && !shared.contains(&used)
    })
    .map(|path| {
        format!(
            "{name}:{}: {own} may not use {}",
            path.line,
            path.segments.join("::")
        )
    })
    .collect()
}

fn banned(file: &SourceFile, what: &[&[&str]], allowed: &[(&str, &str)], complaint: &str) -> Vec<String> {
    if allowed.iter().any(|(place, _)| is_inside(&file.name, place)) {
        return Vec::new();
    }
    let paths = file.paths();
    let breaches = paths
        .iter()
        .filter(|path| what.iter().any(|wanted| path.holds(wanted)));
    breaches
        .map(|path| {
            format!(
                "{}:{}: {} {complaint}",
                file.name,
                path.line,
                path.segments.join("::")
            )
        })
        .collect()
}

/// Whether `name` is the file `place`, or in the module `place` however it is laid out.
fn is_inside(name: &str, place: &str) -> bool {
    name.strip_prefix(place)
        .is_some_and(|rest| rest.is_empty() || rest == ".rs" || rest.starts_with('/'))
}

fn source_files() -> Vec<SourceFile> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    collect(&root.join("src"), &mut paths);
    paths.sort();
    paths
        .into_iter()
        .map(|path| {
            let text = std::fs::read_to_string(&path).expect("a source file can be read");
            let relative = path
                .strip_prefix(root)
                .expect("the file was found below the root");
            SourceFile {
                name: relative.display().to_string(),
                module: module_of(relative),
                text,
            }
        })
        .collect()
}

fn collect(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).expect("src can be listed") {
        let path = entry.expect("src can be listed").path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// `src/web/api/mod.rs` and `src/web/api.rs` are both `[web, api]`; the two roots are `[]`.
fn module_of(relative: &Path) -> Vec<String> {
    let without_extension = relative.with_extension("");
    let names = without_extension.components().skip(1);
    let mut module: Vec<String> = names
        .map(|name| name.as_os_str().to_string_lossy().into_owned())
        .collect();
    let is_root = module.len() == 1 && matches!(module[0].as_str(), "main" | "lib");
    if is_root || module.last().is_some_and(|last| last == "mod") {
        module.pop();
    }
    module
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaches(name: &str, text: &str) -> Vec<String> {
        let module = module_of(Path::new(name));
        import_breaches(name, &module, &scan::paths(text, &module))
    }

    fn file(name: &str, text: &str) -> SourceFile {
        SourceFile {
            name: name.to_owned(),
            module: module_of(Path::new(name)),
            text: text.to_owned(),
        }
    }

    #[test]
    fn a_breach_deep_in_a_group_is_reported_with_its_line() {
        let text = "//! Jobs.\nuse crate::{\n    db::Db,\n    web::{self, pages},\n};\n";
        assert_eq!(
            breaches("src/services/uploads.rs", text),
            [
                "src/services/uploads.rs:4: services may not use crate::web",
                "src/services/uploads.rs:4: services may not use crate::web::pages"
            ]
        );
    }

    #[test]
    fn a_breach_through_super_or_in_a_type_is_reported() {
        assert_eq!(
            breaches("src/db/mod.rs", "fn f(_: super::filestack::Handle) {}"),
            ["src/db/mod.rs:1: db may not use crate::filestack::Handle"]
        );
    }

    #[test]
    fn what_everybody_may_use_is_not_for_the_standalone_modules() {
        assert_eq!(
            breaches("src/db/pool.rs", "use crate::clock::Clock;"),
            Vec::<String>::new()
        );
        assert_eq!(
            breaches("src/filestack/policy.rs", "use crate::clock::Clock;"),
            ["src/filestack/policy.rs:1: filestack may not use crate::clock::Clock"]
        );
        assert_eq!(
            breaches("src/emulator/sign.rs", "use crate::filestack::policy;").len(),
            1
        );
    }

    #[test]
    fn the_whole_crate_at_once_may_not_be_imported() {
        assert_eq!(breaches("src/db/pool.rs", "use crate::*;").len(), 1);
        assert_eq!(breaches("src/main.rs", "use satchel::db;").len(), 1);
    }

    #[test]
    fn a_module_without_a_row_is_a_breach() {
        assert_eq!(
            breaches("src/utils.rs", "fn f() {}"),
            ["src/utils.rs:1: utils has no row in the import rules"]
        );
    }

    #[test]
    fn time_and_environment_are_found_however_they_are_imported() {
        let time = |name, text| banned(&file(name, text), TIME, MAY_ASK_THE_TIME, "asks");
        assert_eq!(
            time("src/web/x.rs", "let t = std::time::SystemTime::now();").len(),
            1
        );
        assert_eq!(time("src/clock.rs", "SystemTime::now()"), Vec::<String>::new());
        assert_eq!(time("src/clock_of_mine.rs", "SystemTime::now()").len(), 1);
        let environment =
            |name, text| banned(&file(name, text), ENVIRONMENT, MAY_READ_THE_ENVIRONMENT, "reads");
        assert_eq!(
            environment("src/cli/serve.rs", "use std::env::{self, var};").len(),
            1
        );
        assert_eq!(
            environment("src/config/http.rs", "std::env::var(name)"),
            Vec::<String>::new()
        );
    }
}
