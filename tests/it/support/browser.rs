//! A real browser: Chromium without a window, driven over WebDriver. What the scripts of our pages do is tested with it.
//!
//! The protocol is JSON over HTTP and we use a dozen of its commands, so this is the client, without a crate (the one there is for
//! it brings a second generation of ICU). The browser resolves no name and reaches this computer only: a page that needs
//! anything from elsewhere fails its test. Tests that use it are `#[ignore = "needs Chromium"]`.
//!
//! ```ignore
//! let browser = Chromium::start().await;
//! browser.look(PHONE, Theme::Dark).await;
//! browser.sign_in(&app, "ana").await;
//! browser.goto(&format!("{}/documents", app.url)).await;
//! browser.screenshot("documents-phone-dark").await;
//! browser.assert_quiet().await;
//! ```

use std::fmt::Display;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::app::{PASSWORD, TestApp, email};
use super::client::Doer;

/// Width and height of a phone's page, CSS pixels.
pub const PHONE: (u32, u32) = (375, 812);
/// Of a laptop's.
pub const DESKTOP: (u32, u32) = (1280, 800);

/// What the system says about colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    Light,
    Dark,
}

/// A browser with one window. Gone, with everything it wrote, when its value is dropped.
pub struct Chromium {
    http: Doer,
    driver: Child,
    port: u16,
    session: String,
    downloads: TempDir,
}

/// How long something may take to be so: a file of 100 MB that is sent twice, while all other tests run on two cores.
const PATIENCE: Duration = Duration::from_secs(60);
/// Where WebDriver puts an element's reference into JSON.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

impl Chromium {
    /// Starts one with a fresh profile. A page's `alert`, `confirm` and "leave this page?" fail the command they interrupt.
    pub async fn start() -> Self {
        let (driver, port) = start_driver();
        let downloads = tempfile::tempdir().expect("a temporary directory");
        let http = Doer::new();
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "unhandledPromptBehavior": "accept",
            "goog:loggingPrefs": {"browser": "ALL"},
            "goog:chromeOptions": {
                "args": [
                    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
                    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run",
                    // A camera that shows a clock, which nobody needs to allow.
                    "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
                    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost",
                ],
                "prefs": {
                    "download.default_directory": downloads.path(),
                    "download.prompt_for_download": false,
                    "safebrowsing.enabled": false,
                },
            },
        }}});
        let started = http
            .json("POST", &format!("http://127.0.0.1:{port}/session"), &wanted)
            .await;
        let session = started["value"]["sessionId"].as_str();
        let session = session
            .unwrap_or_else(|| panic!("no session: {started}"))
            .to_owned();
        let browser = Chromium {
            http,
            driver,
            port,
            session,
            downloads,
        };
        browser.look(DESKTOP, Theme::Light).await;
        browser
    }

    /// Sets the size of the page and the colours that the system prefers.
    pub async fn look(&self, (width, height): (u32, u32), theme: Theme) {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", size).await;
        let value = if theme == Theme::Dark { "dark" } else { "light" };
        let media = json!({"features": [
            {"name": "prefers-color-scheme", "value": value},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]});
        self.devtools("Emulation.setEmulatedMedia", media).await;
    }

    /// Switches the pages' scripts off or on, from the next page on.
    pub async fn scripts(&self, on: bool) {
        self.devtools("Emulation.setScriptExecutionDisabled", json!({"value": !on}))
            .await;
    }

    /// Lets so many bytes a second leave the browser; `None` all there are.
    pub async fn upload_speed(&self, bytes_per_second: Option<u32>) {
        self.devtools("Network.enable", json!({})).await;
        let upload = bytes_per_second.map_or(-1.0, f64::from);
        let network =
            json!({"offline": false, "latency": 0, "downloadThroughput": -1, "uploadThroughput": upload});
        self.devtools("Network.emulateNetworkConditions", network).await;
    }

    /// Opens an address and waits until the page has loaded.
    pub async fn goto(&self, url: &str) {
        self.command("POST", "/url", json!({"url": url})).await;
    }

    /// The address of the page.
    pub async fn url(&self) -> String {
        text(self.command("GET", "/url", Value::Null).await)
    }

    /// The page's path, without the application's address.
    pub async fn path(&self) -> String {
        let url = url::Url::parse(&self.url().await).expect("the page has a URL");
        url[url::Position::BeforePath..].to_owned()
    }

    /// Signs in through the page; the account is made if there is none.
    pub async fn sign_in(&self, app: &TestApp, name: &str) {
        app.account(name).await;
        self.goto(&format!("{}/sign-in", app.url)).await;
        self.fill("#email", &email(name)).await;
        self.fill("#password", PASSWORD).await;
        self.click("main button[type=submit]").await;
        self.until("signed in", async || self.path().await == "/documents")
            .await;
    }

    /// How many elements match.
    pub async fn count(&self, css: &str) -> usize {
        let found = self.command("POST", "/elements", selector(css)).await;
        found.as_array().map_or(0, Vec::len)
    }

    /// Waits for an element that can be seen.
    pub async fn see(&self, css: &str) {
        self.until(&format!("{css} can be seen"), async || {
            self.count(css).await > 0 && self.is_shown(css).await
        })
        .await;
    }

    /// Waits for an element that can be seen and has this among its text.
    pub async fn see_text(&self, css: &str, part: &str) {
        self.until(&format!("{css} says {part}"), async || {
            self.count(css).await > 0 && self.text(css).await.contains(part)
        })
        .await;
    }

    /// Whether the first element that matches can be seen.
    pub async fn is_shown(&self, css: &str) -> bool {
        let shown = self.element_command("GET", css, "/displayed", Value::Null).await;
        shown == Value::Bool(true)
    }

    /// The text of the first element that matches, as a person sees it.
    pub async fn text(&self, css: &str) -> String {
        text(self.element_command("GET", css, "/text", Value::Null).await)
    }

    /// Clicks the first element that matches, where a person would: it must not be covered.
    pub async fn click(&self, css: &str) {
        self.element_command("POST", css, "/click", json!({})).await;
    }

    /// Replaces what a field holds.
    pub async fn fill(&self, css: &str, value: &str) {
        self.element_command("POST", css, "/clear", json!({})).await;
        self.keys(css, value).await;
    }

    /// Types into an element; chooses files in a file input, one path a line.
    pub async fn keys(&self, css: &str, keys: &str) {
        self.element_command("POST", css, "/value", json!({"text": keys}))
            .await;
    }

    /// Types wherever the focus is.
    pub async fn type_keys(&self, keys: &str) {
        let strokes: Vec<_> = keys
            .chars()
            .flat_map(|key| ["keyDown", "keyUp"].map(|kind| json!({"type": kind, "value": key})))
            .collect();
        let actions = json!({"actions": [{"type": "key", "id": "keyboard", "actions": strokes}]});
        self.command("POST", "/actions", actions).await;
    }

    /// The tab that is looked at.
    pub async fn tab(&self) -> String {
        text(self.command("GET", "/window", Value::Null).await)
    }

    /// Opens another tab and looks at it.
    pub async fn new_tab(&self) -> String {
        let made = self.command("POST", "/window/new", json!({"type": "tab"})).await;
        let tab = text(made["handle"].clone());
        self.switch_to(&tab).await;
        tab
    }

    /// Looks at this tab.
    pub async fn switch_to(&self, tab: &str) {
        self.command("POST", "/window", json!({"handle": tab})).await;
    }

    /// Chooses these files in a file input.
    pub async fn choose(&self, css: &str, files: &[&Path]) {
        let paths: Vec<_> = files
            .iter()
            .map(|path| path.to_str().expect("a path of plain characters"))
            .collect();
        self.keys(css, &paths.join("\n")).await;
    }

    /// Runs a script's body in the page and gives what it returns.
    pub async fn run(&self, script: &str, arguments: &[Value]) -> Value {
        self.command(
            "POST",
            "/execute/sync",
            json!({"script": script, "args": arguments}),
        )
        .await
    }

    /// Drops a file with this content onto an element.
    pub async fn drop_file(&self, css: &str, name: &str, content: &str) {
        let script = "const transfer = new DataTransfer();
            transfer.items.add(new File([arguments[2]], arguments[1]));
            const target = document.querySelector(arguments[0]);
            for (const type of ['dragenter', 'dragover', 'drop'])
                target.dispatchEvent(new DragEvent(type, {dataTransfer: transfer, bubbles: true, cancelable: true}));";
        self.run(script, &[json!(css), json!(name), json!(content)]).await;
    }

    /// Keeps a picture of the whole page as `target/screenshots/NAME.png` and gives its bytes.
    pub async fn screenshot(&self, name: &str) -> Vec<u8> {
        let whole = json!({"format": "png", "captureBeyondViewport": true});
        let picture = self.devtools("Page.captureScreenshot", whole).await;
        let encoded = picture["data"].as_str().expect("a picture");
        let bytes = STANDARD.decode(encoded).expect("a picture in Base64");
        let directory = screenshots();
        std::fs::create_dir_all(&directory).expect("a directory for pictures");
        std::fs::write(directory.join(format!("{name}.png")), &bytes).expect("a place for a picture");
        bytes
    }

    /// By how many pixels the page is wider than the window: on a phone nobody scrolls sideways.
    pub async fn overflow(&self) -> i64 {
        let wider = "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
        self.run(wider, &[]).await.as_i64().expect("a number")
    }

    /// What stands beyond the window's right edge, for a test to name.
    pub async fn beyond_the_edge(&self) -> String {
        let script = "const edge = document.documentElement.clientWidth; \
             const beyond = (e) => e.getBoundingClientRect().right > edge + 0.5; \
             return [...document.querySelectorAll('body *')].filter(beyond).map((e) => e.outerHTML.slice(0, 60)).join(', ')";
        self.run(script, &[])
            .await
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// What the browser wrote to its console since the last time: errors of scripts, refused resources, breaches of the CSP.
    pub async fn complaints(&self) -> Vec<String> {
        let log = self.command("POST", "/se/log", json!({"type": "browser"})).await;
        let entries = log.as_array().expect("a list");
        entries
            .iter()
            .filter(|entry| entry["level"] == "SEVERE" || entry["level"] == "WARNING")
            .map(|entry| text(entry["message"].clone()))
            .collect()
    }

    /// The console must be empty.
    pub async fn assert_quiet(&self) {
        let complaints = self.complaints().await;
        assert!(complaints.is_empty(), "the browser's console: {complaints:#?}");
    }

    /// Where downloads go. A file has its name once it is whole.
    pub fn downloads(&self) -> &Path {
        self.downloads.path()
    }

    /// Waits until something is so; a failure keeps a picture of the page.
    pub async fn until<F: Future<Output = bool>>(&self, what: &str, mut is_so: impl FnMut() -> F) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while !is_so().await {
            if tokio::time::Instant::now() > deadline {
                let name = format!("failed-{}", self.session);
                self.screenshot(&name).await;
                let (path, complaints) = (self.path().await, self.complaints().await);
                panic!(
                    "after {PATIENCE:?} still not: {what}\nat {path}, see target/screenshots/{name}.png\n{complaints:#?}"
                );
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Runs a command of the browser's own protocol.
    pub async fn devtools(&self, command: &str, parameters: Value) -> Value {
        let body = json!({"cmd": command, "params": parameters});
        self.command("POST", "/goog/cdp/execute", body).await
    }

    async fn element_command(&self, method: &str, css: &str, path: &str, body: Value) -> Value {
        // An element may go between being found and being used, when the page changes: then it is looked for again.
        let mut answer = Value::Null;
        for _ in 0..3 {
            let found = self.command("POST", "/element", selector(css)).await;
            let id = found[ELEMENT].as_str().expect("a reference").to_owned();
            answer = self
                .try_command(method, &format!("/element/{id}{path}"), body.clone())
                .await;
            if answer["value"]["error"] != "stale element reference" {
                break;
            }
        }
        value(&format!("{path} of {css}"), answer)
    }

    async fn command(&self, method: &str, path: &str, body: Value) -> Value {
        let answer = self.try_command(method, path, body.clone()).await;
        value(&format!("{path} {body}"), answer)
    }

    async fn try_command(&self, method: &str, path: &str, body: Value) -> Value {
        let url = format!("http://127.0.0.1:{}/session/{}{path}", self.port, self.session);
        self.http.json(method, &url, &body).await
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // The driver ends the browser with the session; killed without that, it would leave it behind.
        let _ = end_session(self.port, &self.session);
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// Where [`Chromium::screenshot`] keeps its pictures.
pub fn screenshots() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/screenshots")
}

fn end_session(port: u16, session: &str) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    write!(
        stream,
        "DELETE /session/{session} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    )?;
    stream.read_exact(&mut [0])
}

/// The driver takes a port that is free with one version of IP and may find it taken with the other: then it ends at once.
fn start_driver() -> (Child, u16) {
    for _ in 0..5 {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("chromedriver runs (Debian: apt-get install chromium chromium-driver)");
        if let Some(port) = port_of(&mut driver) {
            return (driver, port);
        }
        driver.wait().expect("chromedriver ends");
    }
    panic!("chromedriver ended five times before it listened");
}

/// The driver says on which port it listens once it does.
fn port_of(driver: &mut Child) -> Option<u16> {
    let said = driver.stdout.take().expect("standard output is a pipe");
    for line in BufReader::new(said).lines() {
        let line = line.expect("chromedriver writes text");
        if let Some((_, port)) = line.split_once("started successfully on port ") {
            let port = port.trim_end_matches('.').parse();
            return Some(port.expect("chromedriver names its port"));
        }
    }
    None
}

fn selector(css: &str) -> Value {
    json!({"using": "css selector", "value": css})
}

fn value(what: &impl Display, mut answer: Value) -> Value {
    let value = answer["value"].take();
    assert!(
        value["error"].is_null(),
        "{what}: {}: {}",
        value["error"],
        value["message"]
    );
    value
}

fn text(value: Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("no text: {value}"))
        .to_owned()
}
