//! Each setting: what it takes and what it refuses.

use std::net::IpAddr;
use std::time::Duration;

use super::*;

/// Values that each variable refuses, and the words that say why.
const REFUSED: &[(&str, &str, &str)] = &[
    (
        "SATCHEL_BIND",
        "x",
        "SATCHEL_BIND is \"x\", which is not an address and port",
    ),
    ("SATCHEL_BIND", "8080", "not an address and port"),
    ("SATCHEL_BIND", ":8080", "not an address and port"),
    ("SATCHEL_BIND", "127.0.0.1", "not an address and port"),
    ("SATCHEL_BIND", "127.0.0.1:99999", "not an address and port"),
    ("SATCHEL_BIND", "a\nb\u{1b}[2J", "is \"a\\nb\\u{1b}[2J\""),
    (
        "SATCHEL_EMULATOR_BIND",
        "localhost:8081",
        "not an address and port",
    ),
    ("SATCHEL_PUBLIC_URL", "satchel.example.org", "is not a URL"),
    (
        "SATCHEL_PUBLIC_URL",
        "ftp://satchel.example.org",
        "http:// or https://",
    ),
    (
        "SATCHEL_PUBLIC_URL",
        "https://satchel.example.org/app",
        "has a path",
    ),
    ("SATCHEL_PUBLIC_URL", "https://satchel.example.org/?a=b", "? or #"),
    ("SATCHEL_PUBLIC_URL", "https://satchel.example.org/#a", "? or #"),
    (
        "SATCHEL_PUBLIC_URL",
        "https://me:pw@satchel.example.org",
        "user name or password",
    ),
    (
        "SATCHEL_TRUSTED_PROXIES",
        "10.0.0.1,proxy",
        "names \"proxy\", which is not a single IP address",
    ),
    ("SATCHEL_TRUSTED_PROXIES", "10.0.0.0/8", "not a single IP address"),
    ("SATCHEL_DRAIN_SECONDS", "-1", "from 0 to 86400"),
    ("SATCHEL_DRAIN_SECONDS", "5s", "whole number of seconds"),
    ("SATCHEL_DRAIN_SECONDS", "86401", "from 0 to 86400"),
    ("SATCHEL_MAX_UPLOAD_BYTES", "0", "from 1 to"),
    ("SATCHEL_MAX_UPLOAD_BYTES", "5GiB", "whole number of bytes"),
    (
        "SATCHEL_MAX_UPLOAD_BYTES",
        "9223372036854775808",
        "whole number of bytes",
    ),
    ("SATCHEL_UPLOAD_MEMORY_BYTES", "16777215", "from 16777216 to"),
    ("SATCHEL_UPLOAD_MEMORY_BYTES", "1.5", "whole number of bytes"),
    ("SATCHEL_TRASH_DAYS", "0", "whole number of days from 1 to 3650"),
    (
        "SATCHEL_TRASH_DAYS",
        "4000",
        "whole number of days from 1 to 3650",
    ),
    (
        "SATCHEL_SECRET_KEY",
        "abc",
        "has 3 characters where 64 hex digits are needed",
    ),
    (
        "SATCHEL_SECRET_KEY",
        "zz112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
        "not hex digits",
    ),
    (
        "DATABASE_URL",
        "mysql://localhost/x",
        "sqlite://, postgres:// and postgresql://",
    ),
    (
        "DATABASE_URL",
        "satchel.db",
        "sqlite://, postgres:// and postgresql://",
    ),
    ("DATABASE_URL", "sqlite:", "no // after sqlite:"),
    ("DATABASE_URL", "sqlite:satchel.db", "no // after sqlite:"),
    ("DATABASE_URL", "sqlite://", "names no file"),
    ("DATABASE_URL", "sqlite:///var/lib/", "names no file"),
    ("DATABASE_URL", "sqlite://:memory:", "in memory"),
    ("DATABASE_URL", "sqlite://x.db?mode=ro", "parameters"),
    ("DATABASE_URL", "postgres://", "names neither host nor database"),
    ("DATABASE_URL", "postgres:app", "no // after postgres:"),
    ("DATABASE_URL", "postgres://u:p@ss@host/db", "%40"),
    ("DATABASE_URL", "postgres://u:p/ss@host/db", "%2F"),
    ("DATABASE_URL", "postgres://u:p?ss@host/db", "%3F"),
];

#[test]
fn a_bad_value_is_refused_with_its_name_what_is_wrong_and_an_example() {
    for (name, value, words) in REFUSED {
        let message = refusal(&[(name, value), ("SATCHEL_DATA_DIR", "/nonexistent")]);
        assert!(
            message.starts_with(&format!("{name} ")),
            "{name}={value}: {message}"
        );
        assert!(message.contains(words), "{name}={value}: {message}");
        assert!(
            message.contains(&format!("{name}=")),
            "{name}={value} has no example: {message}"
        );
        assert!(
            message.ends_with('.') && !message.contains(char::is_control),
            "{message}"
        );
    }
}

#[test]
fn the_sentence_for_a_bad_address_is_the_documented_one() {
    assert_eq!(
        refusal(&[("SATCHEL_BIND", "x")]),
        "SATCHEL_BIND is \"x\", which is not an address and port; use for example SATCHEL_BIND=127.0.0.1:8080."
    );
}

#[test]
fn a_password_in_a_refused_database_url_is_not_repeated() {
    for url in [
        "mysql://u:hunter2@h/d",
        "postgres://u:hunter2@h@d",
        "postgres:u:hunter2@h",
        "sqlite:hunter2",
    ] {
        assert!(!refusal(&[("DATABASE_URL", url)]).contains("hunter2"), "{url}");
    }
}

#[test]
fn empty_and_blank_mean_unset_for_every_variable_but_the_webhook_secret() {
    let (_dir, defaults) = config(&[]);
    for name in vars::NAMES {
        if name == "FILESTACK_WEBHOOK_SECRET" || name == "SATCHEL_DATA_DIR" {
            continue;
        }
        for blank in ["", "  "] {
            let (_dir, config) = config(&[(name, blank)]);
            assert_eq!(config.http, defaults.http, "{name}");
            assert_eq!(config.limits, defaults.limits, "{name}");
            assert_eq!(config.warnings(), defaults.warnings(), "{name}");
            assert!(
                matches!(config.filestack.mode, FilestackMode::Emulator { .. }),
                "{name}"
            );
        }
    }
    assert_eq!(
        settings(&[("SATCHEL_DATA_DIR", "")]).unwrap().data_dir(),
        std::path::Path::new("./data")
    );
}

#[test]
fn nothing_set_means_sqlite_emulator_and_loopback() {
    let settings = settings(&[]).unwrap();
    assert_eq!(settings.data_dir, PathBuf::from("./data"));
    assert_eq!(
        settings.database,
        DatabaseConfig::Sqlite {
            path: PathBuf::from("./data/satchel.db")
        }
    );
    assert_eq!(settings.http.bind.to_string(), "127.0.0.1:8080");
    assert_eq!(settings.emulator_bind().to_string(), "127.0.0.1:8081");
    assert_eq!(settings.http.public_url, None);
    assert_eq!(settings.http.trusted_proxies, Vec::<IpAddr>::new());
    assert_eq!(settings.http.drain, Duration::from_secs(5));
    assert_eq!(settings.limits.max_upload_bytes, 5 * 1024 * 1024 * 1024);
    assert_eq!(settings.limits.upload_memory_bytes, 256 * 1024 * 1024);
}

#[test]
fn good_values_are_taken() {
    let settings = settings(&[
        ("SATCHEL_BIND", " [::1]:0 "),
        ("SATCHEL_EMULATOR_BIND", "127.0.0.2:9000"),
        ("SATCHEL_PUBLIC_URL", "https://satchel.example.org:8443/"),
        ("SATCHEL_TRUSTED_PROXIES", "10.0.0.5, ::1,"),
        ("SATCHEL_DRAIN_SECONDS", "0"),
        ("SATCHEL_MAX_UPLOAD_BYTES", "1"),
        ("SATCHEL_UPLOAD_MEMORY_BYTES", "16777216"),
        ("SATCHEL_SECRET_KEY", HEX),
    ])
    .unwrap();
    assert_eq!(settings.http.bind.to_string(), "[::1]:0");
    assert_eq!(settings.emulator_bind().to_string(), "127.0.0.2:9000");
    assert_eq!(
        settings.http.public_url.unwrap().as_str(),
        "https://satchel.example.org:8443/"
    );
    assert_eq!(
        settings.http.trusted_proxies,
        ["10.0.0.5".parse::<IpAddr>().unwrap(), "::1".parse().unwrap()]
    );
    assert_eq!(settings.http.drain, Duration::ZERO);
    assert_eq!(settings.limits.max_upload_bytes, 1);
    assert_eq!(settings.limits.upload_memory_bytes, 16 * 1024 * 1024);
    assert_eq!(
        settings.secret_key.unwrap().expose()[..4],
        [0xff, 0xee, 0xdd, 0xcc]
    );
}

#[test]
fn database_urls_name_a_file_or_a_server() {
    for (url, file) in [
        ("sqlite://satchel.db", "satchel.db"),
        ("sqlite:///var/lib/satchel.db", "/var/lib/satchel.db"),
    ] {
        let database = settings(&[("DATABASE_URL", url)]).unwrap().database;
        assert_eq!(
            database,
            DatabaseConfig::Sqlite {
                path: PathBuf::from(file)
            }
        );
    }
    for url in [
        "postgres://u:p%40ss@host:5432/db",
        "postgresql://host/db",
        "postgres://app@/db?host=/run/pg",
    ] {
        let database = settings(&[("DATABASE_URL", url), ("SATCHEL_SECRET_KEY", HEX)])
            .unwrap()
            .database;
        assert_eq!(database, DatabaseConfig::Postgres { url: url.to_owned() });
    }
}

#[test]
fn postgres_needs_a_secret_key() {
    let message = refusal(&[("DATABASE_URL", "postgres://host/db")]);
    assert!(
        message.starts_with("SATCHEL_SECRET_KEY is not set") && message.contains("SATCHEL_SECRET_KEY="),
        "{message}"
    );
}

#[test]
fn env_example_names_every_setting_with_a_value_that_parses_and_sets_none() {
    let text = include_str!("../../../.env.example");
    assert!(
        text.lines().all(|line| line.is_empty() || line.starts_with('#')),
        "copying it must change nothing"
    );
    let shown: Vec<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# ")?.split_once('='))
        .filter(|(name, _)| vars::NAMES.contains(name))
        .collect();
    let names: Vec<_> = shown.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, vars::NAMES, "in the order of `config show`");
    for (name, example) in [
        ("FILESTACK_API_KEY", examples::API_KEY),
        ("FILESTACK_APP_SECRET", examples::APP_SECRET),
        ("FILESTACK_WEBHOOK_SECRET", examples::WEBHOOK_SECRET),
        (
            "FILESTACK_WEBHOOK_SECRET_PREVIOUS",
            examples::WEBHOOK_SECRET_PREVIOUS,
        ),
        ("SATCHEL_SECRET_KEY", examples::SECRET_KEY),
    ] {
        assert!(
            shown.contains(&(name, example)),
            "{name} is refused under another value than the file's"
        );
    }
    let secret = |(name, _): &(&str, &str)| ["FILESTACK_API_KEY", "FILESTACK_APP_SECRET"].contains(name);
    let safe: Vec<_> = shown
        .iter()
        .copied()
        .filter(|pair| {
            !secret(pair) && !pair.0.starts_with("FILESTACK_WEBHOOK") && pair.0 != "SATCHEL_SECRET_KEY"
        })
        .chain([KEY, SECRET])
        .collect();
    settings(&safe).unwrap();
}

#[test]
fn what_is_not_ready_for_production_is_said() {
    let said = |pairs: &[(&str, &str)]| settings(pairs).unwrap().warnings().join("\n");
    let default = said(&[]);
    assert!(
        default.contains("embedded emulator") && default.contains("SQLite"),
        "{default}"
    );
    assert!(
        !default.contains("PUBLIC_URL") && !default.contains("WEBHOOK"),
        "{default}"
    );
    assert!(said(&[("SATCHEL_EMULATOR_BIND", "0.0.0.0:1")]).contains("SATCHEL_EMULATOR_BIND is 0.0.0.0:1"));
    assert!(said(&[("SATCHEL_BIND", "0.0.0.0:80")]).contains("SATCHEL_PUBLIC_URL is not set"));

    let idle = ("SATCHEL_JOB_THREADS", "0");
    assert!(said(&[idle]).contains("Nobody does the background work"));
    let shared = ("DATABASE_URL", "postgres://satchel@db.example.org/satchel");
    let key = ("SATCHEL_SECRET_KEY", "5a".repeat(32));
    assert!(
        !said(&[idle, shared, (key.0, &key.1)]).contains("background"),
        "others do it"
    );

    for url in ["http://satchel.example.org", "http://192.168.0.9:8080"] {
        let warning = said(&[("SATCHEL_PUBLIC_URL", url)]);
        assert!(
            warning.contains("sign-in would fail") && warning.contains("session cookie over https only"),
            "{warning}"
        );
    }
    for url in [
        "https://satchel.example.org",
        "http://localhost:8080",
        "http://127.0.0.1",
        "http://[::1]:8080",
    ] {
        assert!(!said(&[("SATCHEL_PUBLIC_URL", url)]).contains("sign-in"), "{url}");
    }
    let production = said(&[
        KEY,
        SECRET,
        ("FILESTACK_WEBHOOK_SECRET", "w"),
        ("SATCHEL_PUBLIC_URL", "https://a.example.org"),
    ]);
    assert_eq!(production, "");
    assert!(
        said(&[KEY, SECRET, ("FILESTACK_CDN_URL", "http://cdn.example.org")]).contains("without encryption")
    );
}

#[test]
fn x8_credentials_used_on_this_machine_are_said_not_to_reach_filestack() {
    for (name, url) in [
        ("FILESTACK_BASE_URL", "http://127.0.0.1:8081"),
        ("FILESTACK_UPLOAD_URL", "https://localhost:1"),
    ] {
        let said = settings(&[KEY, SECRET, (name, url)])
            .unwrap()
            .warnings()
            .join("\n");
        assert!(
            said.contains(&format!("{url}/")) && said.contains("keeps no files"),
            "{said}"
        );
    }
}

#[test]
fn one_address_for_both_servers_is_refused_with_another() {
    for (app, emulator) in [
        ("127.0.0.1:9000", "127.0.0.1:9000"),
        ("0.0.0.0:9000", "127.0.0.1:9000"),
        ("127.0.0.1:8081", ""),
        ("127.0.0.1:8081", "[::]:8081"),
    ] {
        let pairs = [("SATCHEL_BIND", app), ("SATCHEL_EMULATOR_BIND", emulator)];
        let vars: Vars = pairs.into_iter().collect();
        let settings = Settings::from_vars(&vars).unwrap();
        let message = settings.shown(&vars).unwrap_err().to_string();
        assert_eq!(settings.into_config().unwrap_err().to_string(), message);
        assert!(
            message.starts_with("SATCHEL_EMULATOR_BIND is ")
                && message.contains(&format!("SATCHEL_BIND={app} ")),
            "{message}"
        );
        let (_, example) = message
            .rsplit_once("use for example SATCHEL_EMULATOR_BIND=")
            .unwrap();
        let example = example.trim_end_matches('.');
        let mended: Vars = [("SATCHEL_BIND", app), ("SATCHEL_EMULATOR_BIND", example)]
            .into_iter()
            .collect();
        Settings::from_vars(&mended).unwrap().shown(&mended).unwrap();
    }
    for fine in [
        vec![
            ("SATCHEL_BIND", "127.0.0.1:0"),
            ("SATCHEL_EMULATOR_BIND", "127.0.0.1:0"),
        ],
        vec![("SATCHEL_BIND", "127.0.0.2:8081")],
        vec![KEY, SECRET, ("SATCHEL_BIND", "127.0.0.1:8081")],
    ] {
        let vars: Vars = fine.iter().copied().collect();
        Settings::from_vars(&vars).unwrap().shown(&vars).unwrap();
    }
}
