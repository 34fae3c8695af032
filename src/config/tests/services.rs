//! What may be said about Filestack, and what stops the start.

use super::*;

#[test]
fn bad_filestack_urls_are_refused_one_by_one() {
    for name in [
        "FILESTACK_BASE_URL",
        "FILESTACK_API_URL",
        "FILESTACK_UPLOAD_URL",
        "FILESTACK_CDN_URL",
        "FILESTACK_PROCESS_URL",
    ] {
        for value in [
            "x",
            "ftp://host",
            "http://u:hunter2@host",
            "http://host/?q",
            "http://host/#f",
        ] {
            let message = refusal(&[KEY, SECRET, (name, value)]);
            assert!(
                message.starts_with(&format!("{name} is ")) && message.contains(&format!("{name}=http")),
                "{message}"
            );
            assert!(!message.contains("hunter2"), "{message}");
        }
    }
}

#[test]
fn a_key_without_a_secret_a_secret_without_a_key_and_a_url_without_a_key_stop() {
    let message = refusal(&[KEY]);
    assert!(
        message.starts_with("FILESTACK_APP_SECRET is not set while FILESTACK_API_KEY is"),
        "{message}"
    );
    let message = refusal(&[SECRET, ("FILESTACK_API_KEY", "")]);
    assert!(
        message.starts_with("FILESTACK_API_KEY is not set while FILESTACK_APP_SECRET is"),
        "{message}"
    );
    for name in [
        "FILESTACK_BASE_URL",
        "FILESTACK_API_URL",
        "FILESTACK_UPLOAD_URL",
        "FILESTACK_CDN_URL",
        "FILESTACK_PROCESS_URL",
    ] {
        let message = refusal(&[(name, "http://127.0.0.1:9")]);
        assert!(
            message.starts_with(&format!("{name} is set while FILESTACK_API_KEY is not")),
            "{message}"
        );
        assert!(message.contains("FILESTACK_API_KEY="), "{message}");
    }
}

#[test]
fn x8_with_a_key_and_a_secret_there_is_no_emulator() {
    for (key, secret) in [(KEY.1, SECRET.1), ("k", "s"), ("any:thing at all", "ü")] {
        let (_dir, config) = config(&[("FILESTACK_API_KEY", key), ("FILESTACK_APP_SECRET", secret)]);
        let FilestackMode::Service {
            api_key,
            app_secret,
            hosts,
        } = config.filestack.mode
        else {
            panic!("the emulator would start");
        };
        assert_eq!((api_key.as_str(), app_secret.expose()), (key, secret));
        assert_eq!(hosts.api.as_str(), "https://www.filestackapi.com/api");
        assert_eq!(hosts.upload.as_str(), "https://upload.filestackapi.com/");
        assert_eq!(hosts.cdn.as_str(), "https://cdn.filestackcontent.com/");
        assert_eq!(hosts.process.as_str(), "https://process.filestackapi.com/");
    }
}

#[test]
fn a_base_url_moves_every_host_that_is_not_set_by_itself() {
    for base in ["http://127.0.0.1:9", "http://127.0.0.1:9/"] {
        let pairs = [
            KEY,
            SECRET,
            ("FILESTACK_BASE_URL", base),
            ("FILESTACK_CDN_URL", "https://cdn.example.org"),
        ];
        let hosts = settings(&pairs).unwrap().filestack.service.unwrap().hosts;
        assert_eq!(hosts.api.as_str(), "http://127.0.0.1:9/api");
        assert_eq!(hosts.upload.as_str(), "http://127.0.0.1:9/");
        assert_eq!(hosts.process.as_str(), "http://127.0.0.1:9/");
        assert_eq!(hosts.cdn.as_str(), "https://cdn.example.org/");
    }
}

#[test]
fn example_values_are_refused_outside_emulator_mode_only() {
    let examples = [
        ("FILESTACK_API_KEY", examples::API_KEY),
        ("FILESTACK_APP_SECRET", examples::APP_SECRET),
        ("FILESTACK_WEBHOOK_SECRET", examples::WEBHOOK_SECRET),
        (
            "FILESTACK_WEBHOOK_SECRET_PREVIOUS",
            examples::WEBHOOK_SECRET_PREVIOUS,
        ),
        ("SATCHEL_SECRET_KEY", examples::SECRET_KEY),
    ];
    for (name, value) in examples {
        let pairs: Vec<_> = [KEY, SECRET]
            .into_iter()
            .filter(|(other, _)| *other != name)
            .chain([(name, value)])
            .collect();
        let message = refusal(&pairs);
        assert!(
            message.starts_with(&format!("{name} is still the value of .env.example")),
            "{message}"
        );
        assert!(message.contains(&format!("{name}=")), "{message}");
    }
    assert!(settings(&examples[2..]).is_ok());
}
