//! X11: the dependency tree, checked from `Cargo.lock` and `cargo metadata`, both without a network. Advisories are the one
//! part that needs one; the README has the command.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

/// Crates that must not come in, however deep, and why.
const BANNED: &[(&str, &str)] = &[
    ("native-tls", "TLS is rustls everywhere"),
    ("openssl", "TLS is rustls everywhere"),
    (
        "openssl-sys",
        "TLS is rustls everywhere, and the build needs nothing but a C compiler",
    ),
    (
        "aws-lc-rs",
        "the crypto provider is ring: a second one takes a minute of build",
    ),
    (
        "aws-lc-sys",
        "the crypto provider is ring: a second one takes a minute of build",
    ),
    ("actix-governor", "GPL-3.0"),
    ("actix-session", "brings a second generation of crypto crates"),
    ("rusqlite", "a second driver for SQLite"),
    ("sqlx", "a second driver for both databases"),
    ("chrono", "a second date crate beside time"),
    ("async-std", "a second async runtime"),
];

/// Crates of which there is exactly one version.
const SINGLE: &[&str] = &[
    "rustls",
    "ring",
    "libsqlite3-sys",
    "pq-sys",
    "diesel",
    "tokio",
    "hmac",
    "sha2",
    "digest",
];

/// The first version that may be used, where earlier ones have known faults.
const FLOORS: &[(&str, [u64; 3], &str)] = &[
    (
        "actix-multipart",
        [0, 8, 0],
        "a panic and an unbounded buffer before it",
    ),
    ("actix-files", [0, 6, 10], "panics on an empty Range before it"),
];

/// Crates that come in two incompatible versions, and why nothing can be done about it here.
const TWICE: &[(&str, &str)] = &[
    ("getrandom", "ring is on 0.2"),
    ("h2", "actix-http is on http 0.2, hyper on http 1"),
    ("http", "actix-http is on http 0.2, hyper on http 1"),
    ("lock_api", "with parking_lot"),
    ("miniz_oxide", "png is on 0.8, flate2 on 0.9"),
    (
        "parking_lot",
        "tokio and r2d2 are on 0.12, scheduled-thread-pool (of r2d2) on 0.13",
    ),
    ("parking_lot_core", "with parking_lot"),
    ("redox_syscall", "with parking_lot; not compiled on Linux"),
    ("syn", "macro crates are moving from 2 to 3; build time only"),
    ("windows-sys", "ring is on 0.52; not compiled on Linux"),
    ("winnow", "toml (of diesel_migrations) is on 0.7; build time only"),
];

/// Licences we may ship under. MPL-2.0 binds only changes to the crate's own files.
const LICENCES: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MPL-2.0",
    "PostgreSQL",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

#[test]
fn x11_no_banned_crate_is_in_the_tree() {
    let locked = locked();
    let found: Vec<_> = BANNED
        .iter()
        .filter(|(name, _)| locked.contains_key(*name))
        .collect();
    assert!(
        found.is_empty(),
        "{found:?}\nfind out who brings it in: cargo tree -i NAME"
    );
}

#[test]
fn x11_there_is_one_tls_one_sqlite_and_one_generation_of_crypto() {
    let locked = locked();
    for name in SINGLE {
        let versions = locked
            .get(*name)
            .unwrap_or_else(|| panic!("{name} is not in the tree any more"));
        assert_eq!(versions.len(), 1, "{name} comes in {versions:?}");
    }
}

#[test]
fn x11_no_crate_is_older_than_its_floor() {
    let locked = locked();
    for (name, floor, why) in FLOORS {
        for version in locked.get(*name).into_iter().flatten() {
            assert!(
                numbers(version) >= *floor,
                "{name} {version} is older than {floor:?}: {why}"
            );
        }
    }
}

#[test]
fn x11_no_crate_comes_twice_without_a_reason() {
    let twice: BTreeSet<String> = locked()
        .into_iter()
        .filter(|(_, versions)| versions.len() > 1)
        .map(|(name, _)| name)
        .collect();
    let known: BTreeSet<String> = TWICE.iter().map(|(name, _)| (*name).to_owned()).collect();
    let new: Vec<_> = twice.difference(&known).collect();
    assert!(
        new.is_empty(),
        "{new:?} come in several versions: see `cargo tree -d`, unify them or add the reason"
    );
    let stale: Vec<_> = known.difference(&twice).collect();
    assert!(
        stale.is_empty(),
        "{stale:?} come in one version now: take them off the list"
    );
}

#[test]
fn x11_every_crate_comes_from_the_registry_with_a_checksum() {
    for package in lock_packages()
        .iter()
        .filter(|package| package.name != env!("CARGO_PKG_NAME"))
    {
        let from_registry = package
            .source
            .as_ref()
            .is_some_and(|source| source.starts_with("registry+"));
        assert!(
            from_registry && package.has_checksum,
            "{} {}",
            package.name,
            package.version
        );
    }
}

#[test]
fn x11_every_licence_lets_us_ship() {
    let refused: Vec<String> = metadata_licences()
        .into_iter()
        .filter(|(_, licence)| !licence.as_deref().is_some_and(is_allowed))
        .map(|(name, licence)| format!("{name}: {}", licence.as_deref().unwrap_or("none stated")))
        .collect();
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}

struct Locked {
    name: String,
    version: String,
    source: Option<String>,
    has_checksum: bool,
}

fn lock_packages() -> Vec<Locked> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock");
    parse_lock(&std::fs::read_to_string(path).expect("Cargo.lock is in the repository"))
}

/// Cargo writes the file with one `key = "value"` a line, so no TOML parser is needed.
fn parse_lock(text: &str) -> Vec<Locked> {
    let field = |block: &str, key: &str| {
        let line = block
            .lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix(" = \"")?.strip_suffix('"'));
        line.map(str::to_owned)
    };
    text.split("[[package]]")
        .skip(1)
        .map(|block| Locked {
            name: field(block, "name").expect("a locked package has a name"),
            version: field(block, "version").expect("a locked package has a version"),
            source: field(block, "source"),
            has_checksum: field(block, "checksum").is_some(),
        })
        .collect()
}

/// Versions by crate.
fn locked() -> BTreeMap<String, Vec<String>> {
    let mut versions: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for package in lock_packages() {
        versions.entry(package.name).or_default().push(package.version);
    }
    assert!(versions.len() > 50, "Cargo.lock was not understood");
    versions
}

fn numbers(version: &str) -> [u64; 3] {
    let plain = version.split(['-', '+']).next().unwrap_or_default();
    let mut parts = plain.split('.').map(|part| part.parse().unwrap_or(0));
    std::array::from_fn(|_| parts.next().unwrap_or(0))
}

/// Name and licence of everything that is compiled here. Other platforms' crates need not be on this machine.
fn metadata_licences() -> Vec<(String, Option<String>)> {
    let metadata = output(
        Command::new(env!("CARGO"))
            .args([
                "metadata",
                "--offline",
                "--locked",
                "--format-version=1",
                "--filter-platform",
                &host(),
            ])
            .current_dir(env!("CARGO_MANIFEST_DIR")),
    );
    let metadata: serde_json::Value = serde_json::from_str(&metadata).expect("cargo metadata writes JSON");
    let packages = metadata["packages"].as_array().expect("there are packages");
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    packages
        .iter()
        .map(|package| {
            (
                text(&package["name"]).expect("a package has a name"),
                text(&package["license"]),
            )
        })
        .collect()
}

fn host() -> String {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let about = output(Command::new(rustc).arg("-vV"));
    about
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .expect("rustc names its host")
        .to_owned()
}

fn output(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?}:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("cargo and rustc write UTF-8")
}

/// Whether an SPDX expression leaves us a choice that is allowed. `/` is the old way of writing OR.
fn is_allowed(expression: &str) -> bool {
    let spaced = expression
        .replace('(', " ( ")
        .replace(')', " ) ")
        .replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    let allowed = any_of(&mut rest);
    allowed && rest.is_empty()
}

fn any_of(rest: &mut &[&str]) -> bool {
    let mut allowed = all_of(rest);
    while let ["OR", tail @ ..] = *rest {
        *rest = tail;
        allowed |= all_of(rest);
    }
    allowed
}

fn all_of(rest: &mut &[&str]) -> bool {
    let mut allowed = one(rest);
    while let ["AND", tail @ ..] = *rest {
        *rest = tail;
        allowed &= one(rest);
    }
    allowed
}

fn one(rest: &mut &[&str]) -> bool {
    match *rest {
        ["(", tail @ ..] => {
            *rest = tail;
            let allowed = any_of(rest);
            let closed = rest.first() == Some(&")");
            *rest = rest.get(1..).unwrap_or_default();
            allowed && closed
        }
        // An exception only ever adds permissions.
        [name, "WITH", _, tail @ ..] | [name, tail @ ..] => {
            *rest = tail;
            LICENCES.contains(name)
        }
        [] => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_licence_is_allowed_when_one_choice_is() {
        for good in [
            "MIT",
            "MIT/Apache-2.0",
            "GPL-3.0 OR MIT",
            "(MIT OR AGPL-3.0) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception OR GPL-2.0",
        ] {
            assert!(is_allowed(good), "{good}");
        }
        for bad in [
            "",
            "GPL-3.0",
            "LGPL-2.1-or-later",
            "MIT AND AGPL-3.0",
            "(MIT OR Apache-2.0) AND GPL-3.0",
            "GPL-2.0 WITH Classpath-exception-2.0",
            "MIT (",
        ] {
            assert!(!is_allowed(bad), "{bad}");
        }
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(numbers("0.10.1") > numbers("0.8.0"));
        assert_eq!(numbers("1.1.5+spec-1.1.0"), [1, 1, 5]);
    }

    #[test]
    fn a_lock_file_is_read() {
        let text = "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \"registry+x\"\nchecksum = \"00\"\ndependencies = [\n \"b\",\n]\n\n[[package]]\nname = \"b\"\nversion = \"2.0.0\"\n";
        let packages = parse_lock(text);
        assert_eq!((packages[0].name.as_str(), packages[0].has_checksum), ("a", true));
        assert_eq!(
            (packages[1].version.as_str(), packages[1].source.is_none()),
            ("2.0.0", true)
        );
    }
}
