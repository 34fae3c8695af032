//! Secrets that are made up are kept, and only then.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Barrier;

use super::super::kept::{Kept, KeptSecret};
use super::*;

const ALL: [KeptSecret; 4] = [
    KeptSecret::SecretKey,
    KeptSecret::EmulatorApiKey,
    KeptSecret::EmulatorAppSecret,
    KeptSecret::WebhookSecret,
];

#[test]
fn a_secret_is_made_once_with_mode_0600_and_read_back() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("not/there/yet");
    for secret in ALL {
        assert_eq!(Kept::new(&dir).find(secret).unwrap(), None);
        let value = Kept::new(&dir).get_or_make(secret).unwrap();
        assert_eq!(Kept::new(&dir).get_or_make(secret).unwrap(), value);
        assert_eq!(Kept::new(&dir).find(secret).unwrap(), Some(value));
        let mode = fs::metadata(dir.join(secret.file_name()))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{secret:?}");
    }
    assert_eq!(fs::metadata(&dir).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn eight_starters_at_once_end_with_one_value_and_no_litter() {
    for secret in ALL {
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("data");
        let start = Barrier::new(8);
        let values: BTreeSet<String> = std::thread::scope(|scope| {
            let starters: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        start.wait();
                        Kept::new(&dir).get_or_make(secret).unwrap()
                    })
                })
                .collect();
            starters
                .into_iter()
                .map(|starter| starter.join().unwrap())
                .collect()
        });
        assert_eq!(values.len(), 1, "{secret:?}: {values:?}");
        let mut files: Vec<_> = fs::read_dir(&dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort();
        assert_eq!(files, [".secrets.lock", secret.file_name()]);
    }
}

#[test]
fn what_a_killed_process_left_half_written_is_replaced() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join(".secret-key.new"), "0011").unwrap();
    let value = Kept::new(dir.path()).get_or_make(KeptSecret::SecretKey).unwrap();
    assert!(SecretKey::from_hex(&value).is_some());
    assert!(!dir.path().join(".secret-key.new").exists());
}

#[test]
fn a_damaged_secret_stops_the_start_and_is_not_overwritten_or_shown() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("secret-key");
    fs::write(&file, "hunter2").unwrap();
    let message = Kept::new(dir.path())
        .get_or_make(KeptSecret::SecretKey)
        .unwrap_err()
        .to_string();
    assert!(
        message.starts_with("SATCHEL_DATA_DIR holds the file") && message.contains("secret-key"),
        "{message}"
    );
    assert!(!message.contains("hunter2"), "{message}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "hunter2");
}

#[test]
fn a_data_directory_that_cannot_be_written_to_is_one_clear_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    for below in [file.clone(), file.join("data")] {
        let vars: Vars = [("SATCHEL_DATA_DIR", below.to_str().unwrap())]
            .into_iter()
            .collect();
        let message = Config::from_vars(&vars).unwrap_err().to_string();
        assert!(message.starts_with("SATCHEL_DATA_DIR is \""), "{message}");
        assert!(
            message.contains("nothing can be written") && message.contains("SATCHEL_DATA_DIR=/"),
            "{message}"
        );
        assert!(!message.contains("os error"), "{message}");
    }
}

#[test]
fn the_made_up_secrets_are_the_same_at_the_second_start_and_look_like_filestacks() {
    let (dir, first) = config(&[]);
    let vars: Vars = [("SATCHEL_DATA_DIR", dir.path().to_str().unwrap())]
        .into_iter()
        .collect();
    let second = Config::from_vars(&vars).unwrap();
    assert!(first.secret_key == second.secret_key);
    assert!(first.filestack.webhook_secret.is_some());
    assert!(first.filestack.webhook_secret == second.filestack.webhook_secret);
    let app = |config: &Config| match &config.filestack.mode {
        FilestackMode::Emulator {
            api_key, app_secret, ..
        } => (api_key.clone(), app_secret.clone()),
        FilestackMode::Service { .. } => panic!("not the emulator"),
    };
    assert!(app(&first) == app(&second));
    assert!(app(&first) == Settings::emulator_app(dir.path(), "--data-dir").unwrap());
    let (key, secret) = app(&first);
    assert!(
        key.len() == 22 && key.starts_with("Aemulator") && key.ends_with('z'),
        "{key}"
    );
    assert_eq!(secret.expose().len(), 26);
    assert!(
        secret
            .expose()
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    );
}

#[test]
fn w18_the_webhook_secret_is_made_up_in_emulator_mode_only_and_empty_means_none() {
    let (_dir, emulator) = config(&[]);
    assert!(emulator.filestack.webhook_secret.is_some());
    assert_eq!(emulator.filestack.webhook_warning, None);

    let set = ("FILESTACK_WEBHOOK_SECRET", "mine");
    for pairs in [&[set][..], &[KEY, SECRET, set]] {
        let (_dir, config) = config(pairs);
        assert_eq!(config.filestack.webhook_secret.unwrap().expose(), "mine");
        assert_eq!(config.filestack.webhook_warning, None);
    }

    let empty = ("FILESTACK_WEBHOOK_SECRET", "");
    let blank = ("FILESTACK_WEBHOOK_SECRET", " ");
    for (pairs, why) in [
        (&[empty][..], "set but empty"),
        (&[blank], "set but empty"),
        (&[KEY, SECRET, empty], "set but empty"),
        (&[KEY, SECRET], "is not set"),
    ] {
        let (_dir, config) = config(pairs);
        assert!(config.filestack.webhook_secret.is_none(), "{pairs:?}");
        let warning = config.filestack.webhook_warning.clone().unwrap();
        assert!(
            warning.starts_with("FILESTACK_WEBHOOK_SECRET ") && warning.contains(why),
            "{warning}"
        );
        assert!(
            warning.contains("503") && config.warnings().contains(&warning),
            "{warning}"
        );
    }
}

#[test]
fn with_everything_given_nothing_is_kept() {
    let vars: Vars = [
        KEY,
        SECRET,
        ("DATABASE_URL", "postgres://host/db"),
        ("SATCHEL_SECRET_KEY", HEX),
        ("SATCHEL_DATA_DIR", "/nonexistent/satchel"),
    ]
    .into_iter()
    .collect();
    Config::from_vars(&vars).unwrap();
    assert!(!std::path::Path::new("/nonexistent").exists());
}
