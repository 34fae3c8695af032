//! `docs/emulator.md`: its examples, run as they stand but for the port, against the program as it is started there. Other pages have
//! modules of their own.

mod postgresql;

use std::path::Path;
use std::process::{Command, Output};

use crate::cli::process::{Place, Server};
use crate::sdk::bench::installed;
use crate::sdk::browser::pages::Pages;
use crate::support::browser::Chromium;
use crate::support::wire::post;

const PAGE: &str = "docs/emulator.md";
const PORT: &str = "127.0.0.1:9000";
const CONTENT: &str = "hello from a file";

#[test]
#[ignore = "needs curl and openssl"]
fn the_pages_examples_for_curl_work() {
    let rig = Rig::start();
    let examples = rig.examples("curl", "sh");
    assert_eq!(examples.len(), 2);
    for example in examples {
        assert_eq!(rig.run(Command::new("bash").args(["-ec", &example])), CONTENT);
    }
    for example in rig.examples("Seeing and steering it", "sh") {
        rig.run(Command::new("bash").args(["-ec", &example]));
    }
}

#[test]
#[ignore = "needs Filestack's Python SDK"]
fn the_pages_example_for_python_works() {
    let rig = Rig::start();
    let example = rig.examples("Python", "python").remove(0);
    let python = installed().join("python/bin/python");
    let printed = rig.run(Command::new(python).args(["-c", &example]));
    assert_eq!(printed.lines().last(), Some(CONTENT));
}

#[test]
#[ignore = "needs Filestack's JavaScript SDK"]
fn the_pages_example_for_node_works() {
    let rig = Rig::start();
    let example = rig.examples("JavaScript in Node", "js").remove(0);
    let modules = installed().join("javascript/node_modules");
    let printed = rig.run(
        Command::new("node")
            .env("NODE_PATH", modules)
            .args(["-e", &example]),
    );
    assert_eq!(printed.lines().last(), Some(CONTENT));
}

#[actix_web::test]
#[ignore = "needs Chromium and Filestack's JavaScript SDK"]
async fn the_pages_example_for_a_page_works() {
    let rig = Rig::start();
    let example = rig.examples("JavaScript in a page", "html").remove(0);
    let sdk = installed().join("javascript/node_modules/filestack-js/build/browser/filestack.min.js");
    let sdk = std::fs::read(sdk).expect("the SDK has a file for browsers");
    let page = format!("<!doctype html><title>not yet</title><link rel=\"icon\" href=\"data:,\">{example}");
    let pages = Pages::start(vec![
        ("/", "text/html", page.into_bytes()),
        ("/filestack.min.js", "text/javascript", sdk),
    ]);
    let browser = Chromium::start().await;
    browser.goto(&format!("{}/", pages.base)).await;
    browser
        .until("the file is stored", async || {
            let title = browser.run("return document.title", &[]).await;
            title
                .as_str()
                .is_some_and(|title| title.starts_with("stored as "))
        })
        .await;
}

#[test]
fn every_failure_that_the_page_names_can_be_asked_for() {
    let rig = Rig::start();
    let page = page(PAGE);
    let mut asked = 0;
    for (row, wrap) in [
        ("| `faults`:", "fault"),
        ("| the same, for the next webhooks", "webhook"),
    ] {
        let line = page
            .lines()
            .find(|line| line.starts_with(row))
            .expect("a row of the table");
        let (_, failures) = line.split_once("F is").expect("what F is");
        let written = failures.split('`').skip(1).step_by(2);
        for failure in written.filter(|one| one.starts_with(['{', '"'])) {
            let mut failure = failure.replace("[…]", "[]");
            for (stands_for, value) in [
                ("BYTES", "5"),
                (": N", ": 5"),
                (": S", ": 418"),
                (": T", ": \"x\""),
            ] {
                failure = failure.replace(stands_for, value);
            }
            let failure: serde_json::Value = serde_json::from_str(&failure).expect(&failure);
            let body = match wrap {
                "fault" => serde_json::json!({"route": "put", "fault": failure, "times": 2}),
                _ => serde_json::json!({"webhook": failure, "times": 2}),
            };
            let reply = post("/__emulator/api/faults")
                .json(&body)
                .send(rig.emulator.address);
            assert!(matches!(reply.status, 200 | 201), "{body}: {}", reply.text());
            asked += 1;
        }
    }
    assert_eq!(asked, 16);
}

#[test]
fn the_emulators_page_starts_it_as_the_tests_do() {
    let blocks = blocks(&page(PAGE), "Your program against the emulator", "sh");
    assert_eq!(
        blocks.first().map(|line| line.trim()),
        Some(format!("satchel {}", START.join(" ").replace("127.0.0.1:0", PORT)).as_str())
    );
}

/// As the page starts it, at a free port.
const START: [&str; 8] = [
    "emulator",
    "--in-memory",
    "--bind",
    "127.0.0.1:0",
    "--app",
    "AmyKeyz:MYSECRET",
    "--app",
    "AopenKeyz:OTHERSECRET:open",
];

struct Rig {
    place: Place,
    emulator: Server,
}

impl Rig {
    fn start() -> Self {
        let place = Place::new();
        let emulator = place.start(&START);
        std::fs::write(place.path().join("hello.txt"), CONTENT).expect("a file can be written");
        Self { place, emulator }
    }

    /// The examples in this language below a heading, for the port the emulator has.
    #[track_caller]
    fn examples(&self, heading: &str, language: &str) -> Vec<String> {
        let found = blocks(&page(PAGE), heading, language);
        assert!(!found.is_empty(), "no example in {language} below `{heading}`");
        let address = self.emulator.address.to_string();
        found
            .into_iter()
            .map(|block| block.replace(PORT, &address))
            .collect()
    }

    /// What a command prints that has to work.
    #[track_caller]
    fn run(&self, command: &mut Command) -> String {
        let Output {
            status,
            stdout,
            stderr,
        } = command
            .current_dir(self.place.path())
            .output()
            .expect("the command can be started");
        assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
        String::from_utf8(stdout)
            .expect("it prints UTF-8")
            .trim()
            .to_owned()
    }
}

fn page(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    std::fs::read_to_string(path).expect("the page is there")
}

fn blocks(page: &str, heading: &str, language: &str) -> Vec<String> {
    let mut below = String::new();
    let mut fence: Option<(bool, String)> = None;
    let mut found = Vec::new();
    for line in page.lines() {
        match (&mut fence, line.strip_prefix("```")) {
            (None, Some(named)) => {
                fence = Some((below == heading && named == language, String::new()));
            }
            (Some(_), Some(_)) => {
                if let Some((true, text)) = fence.take() {
                    found.push(text);
                }
                fence = None;
            }
            (Some((_, text)), None) => {
                text.push_str(line);
                text.push('\n');
            }
            (None, None) => {
                if line.starts_with('#') {
                    line.trim_start_matches(['#', ' ']).clone_into(&mut below);
                }
            }
        }
    }
    found
}
