//! `config show`: every value with its source, and no secret.

use super::*;

fn shown(vars: &Vars) -> Shown {
    Settings::from_vars(vars).unwrap().shown(vars).unwrap()
}

#[track_caller]
fn row<'a>(shown: &'a Shown, name: &str) -> (Option<&'a str>, &'a str) {
    let row = shown.settings.iter().find(|row| row.name == name).unwrap();
    (row.value.as_deref(), &row.source)
}

#[test]
fn every_setting_is_listed_once_and_showing_changes_nothing_on_disk() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("data");
    let vars: Vars = [("SATCHEL_DATA_DIR", dir.to_str().unwrap())]
        .into_iter()
        .collect();
    let shown = shown(&vars);
    let names: Vec<_> = shown.settings.iter().map(|row| row.name).collect();
    assert_eq!(names, vars::NAMES);
    for name in [
        "FILESTACK_API_KEY",
        "FILESTACK_APP_SECRET",
        "FILESTACK_WEBHOOK_SECRET",
        "SATCHEL_SECRET_KEY",
    ] {
        assert_eq!(
            row(&shown, name),
            (Some("[made up at the first start]"), "default")
        );
    }
    assert!(!dir.exists());
    assert!(!shown.warnings.is_empty());
}

#[test]
fn each_value_says_where_it_came_from() {
    let mut vars: Vars = [KEY, SECRET, ("FILESTACK_BASE_URL", "http://127.0.0.1:9")]
        .into_iter()
        .collect();
    vars.add_dot_env(
        b"SATCHEL_BIND=127.0.0.1:1\nFILESTACK_CDN_URL=http://127.0.0.1:8/\nFILESTACK_WEBHOOK_SECRET=\n",
    )
    .unwrap();
    let shown = shown(&vars);
    assert_eq!(row(&shown, "FILESTACK_API_KEY"), (Some(KEY.1), "environment"));
    assert_eq!(
        row(&shown, "FILESTACK_APP_SECRET"),
        (Some("[hidden]"), "environment")
    );
    assert_eq!(
        row(&shown, "FILESTACK_WEBHOOK_SECRET"),
        (None, ".env, set but empty")
    );
    assert_eq!(
        row(&shown, "FILESTACK_BASE_URL"),
        (Some("http://127.0.0.1:9"), "environment")
    );
    assert_eq!(
        row(&shown, "FILESTACK_API_URL"),
        (Some("http://127.0.0.1:9/api"), "FILESTACK_BASE_URL")
    );
    assert_eq!(
        row(&shown, "FILESTACK_CDN_URL"),
        (Some("http://127.0.0.1:8/"), ".env")
    );
    assert_eq!(row(&shown, "SATCHEL_BIND"), (Some("127.0.0.1:1"), ".env"));
    assert_eq!(row(&shown, "SATCHEL_EMULATOR_BIND"), (None, "default"));
    assert_eq!(row(&shown, "SATCHEL_DRAIN_SECONDS"), (Some("5"), "default"));
    assert_eq!(row(&shown, "SATCHEL_TRUSTED_PROXIES"), (None, "default"));
}

#[test]
fn p7_kept_secrets_come_from_the_data_directory_and_stay_hidden() {
    let (dir, config) = config(&[]);
    let vars: Vars = [("SATCHEL_DATA_DIR", dir.path().to_str().unwrap())]
        .into_iter()
        .collect();
    let shown = shown(&vars);
    for name in [
        "FILESTACK_APP_SECRET",
        "FILESTACK_WEBHOOK_SECRET",
        "SATCHEL_SECRET_KEY",
    ] {
        assert_eq!(row(&shown, name), (Some("[hidden]"), "data directory"));
    }
    let FilestackMode::Emulator {
        api_key, app_secret, ..
    } = &config.filestack.mode
    else {
        panic!("not the emulator")
    };
    assert_eq!(
        row(&shown, "FILESTACK_API_KEY"),
        (Some(api_key.as_str()), "data directory")
    );

    let hex: String = config
        .secret_key
        .expose()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let webhook = config.filestack.webhook_secret.clone().unwrap();
    let out = format!("{shown:?} {config:?} {config:#?}");
    for secret in [app_secret.expose(), webhook.expose(), hex.as_str()] {
        assert!(!out.contains(secret), "{out}");
    }
}

#[test]
fn p7_no_given_secret_is_shown_or_printed_by_debug() {
    const CANARY: &str = "CANARYcanary7";
    let vars: Vars = [
        KEY,
        ("FILESTACK_APP_SECRET", CANARY),
        ("FILESTACK_WEBHOOK_SECRET", CANARY),
        ("FILESTACK_WEBHOOK_SECRET_PREVIOUS", CANARY),
        ("SATCHEL_SECRET_KEY", HEX),
        ("DATABASE_URL", "postgres://app:CANARYcanary7@h/db?sslmode=prefer&password=CANARYcanary7&x&sslpassword=CANARYcanary7"),
    ]
    .into_iter()
    .collect();
    let settings = Settings::from_vars(&vars).unwrap();
    let shown = settings.shown(&vars).unwrap();
    let config = Config::from_vars(&vars).unwrap();
    let json = serde_json::to_string(&shown).unwrap();
    let out = format!(
        "{json} {shown:?} {settings:?} {config:?} {vars:?} {:?}",
        config.warnings()
    );
    assert!(!out.contains(CANARY), "{out}");
    assert!(!out.to_lowercase().contains(&HEX.to_lowercase()), "{out}");
    assert!(!out.contains("255, 238, 221"), "the key's bytes: {out}");
    assert_eq!(
        row(&shown, "DATABASE_URL").0,
        Some("postgres://app:[hidden]@h/db?sslmode=prefer&password=[hidden]&[hidden]&sslpassword=[hidden]")
    );
}
