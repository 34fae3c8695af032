//! Filestack's JavaScript SDK where most people run it: in a browser, on a page of another origin than the emulator's, so that
//! every call passes CORS. The page and the SDK's own file are served from here.

pub mod pages;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use satchel::emulator::{Fault, Route};
use serde_json::{Value, json};

use self::pages::Pages;
use super::bench::{Bench, NOW, SECURED, SECURED_SECRET, Sdk, installed, png, sign};
use super::parity::{self, Cell};
use crate::support::browser::Chromium;
use crate::support::content;

const MIB: usize = 1 << 20;
const PART: usize = 5 * MIB;
const PARTS: usize = 4;
/// Slow enough that a part is on its way for a while.
const SLOW: Fault = Fault::SlowBody {
    bytes_per_second: 2 * MIB as u64,
};

struct Rig {
    bench: Bench,
    browser: Chromium,
    _pages: Pages,
}

#[actix_web::test]
#[ignore = "needs Chromium and Filestack's JavaScript SDK"]
async fn javascript_4_in_chromium_uploads_from_another_origin() {
    let rig = Rig::start().await;
    let mut rows = Vec::new();
    let mut works = |call: &str| rows.push((call.to_owned(), Cell::Works));

    rig.uploads_with_progress().await;
    works("upload with progress");
    rig.uploads_intelligently().await;
    works("intelligent upload");
    rig.pauses_and_resumes().await;
    works("upload paused and resumed");
    rig.gets_over_a_cut_connection().await;
    works("upload whose connection is cut in the middle of a part");
    rig.gets_over_a_lost_network().await;
    works("upload while the network is lost for a moment");
    rig.cancels().await;
    rows.push((
        "upload cancelled".to_owned(),
        Cell::Said("aborted, no file".to_owned()),
    ));

    for (call, cell) in rig.does_the_rest().await {
        rows.push((call.to_owned(), cell));
    }
    parity::of_sdk("In Chromium (§10)", Sdk::JavaScript4, rows);
}

impl Rig {
    async fn start() -> Self {
        let sdk = installed().join("javascript/node_modules/filestack-js/build/browser/filestack.min.js");
        let sdk = std::fs::read(&sdk).unwrap_or_else(|error| panic!("{}: {error}", sdk.display()));
        let pages = Pages::start(vec![
            ("/", "text/html", include_str!("page.html").into()),
            ("/filestack.min.js", "text/javascript", sdk),
        ]);
        let (bench, browser) = (Bench::start(), Chromium::start().await);
        browser.goto(&format!("{}/", pages.base)).await;
        assert_ne!(pages.base, bench.base, "the emulator is another origin");
        Self {
            bench,
            browser,
            _pages: pages,
        }
    }

    async fn uploads_with_progress(&self) {
        self.begin("upload", self.upload("progress.bin")).await;
        let state = self.done().await;
        self.arrived(&state);
        let file = &state["result"];
        assert_eq!(file["name"], "progress.bin", "{file}");
        assert_eq!(file["status"], "Stored", "{file}");
        // §10: 0 at once, never down.
        let progress: Vec<_> = state["progress"]
            .as_array()
            .expect("a list")
            .iter()
            .filter_map(Value::as_f64)
            .collect();
        assert_eq!(progress.first(), Some(&0.0), "{progress:?}");
        assert!(progress.is_sorted(), "{progress:?}");
    }

    async fn uploads_intelligently(&self) {
        let mut job = self.upload("intelligent.bin");
        job["options"] = json!({ "intelligent": true });
        let before = self.bench.controls.faults().count(Route::Commit);
        self.begin("upload", job).await;
        self.arrived(&self.done().await);
        assert!(self.bench.controls.faults().count(Route::Commit) > before);
    }

    /// §10: running parts go to their end, the others wait until it goes on.
    async fn pauses_and_resumes(&self) {
        self.bench.controls.faults().forget_calls();
        self.bench.controls.faults().next_times(Route::Put, PARTS, SLOW);
        self.begin("upload", self.upload("paused.bin")).await;
        self.until_parts(1).await;
        self.browser.run("token.pause()", &[]).await;
        self.browser
            .until("the running part has arrived", async || {
                self.bench
                    .controls
                    .faults()
                    .calls()
                    .iter()
                    .all(|call| call.is_answered())
            })
            .await;
        for _ in 0..20 {
            assert_eq!(self.state().await["done"], false, "it went on while paused");
        }
        let sent = self.bench.controls.faults().count(Route::Put);
        assert!(sent < PARTS, "{sent} parts were sent while paused");
        self.bench.controls.faults().clear();
        self.browser.run("token.resume()", &[]).await;
        self.arrived(&self.done().await);
    }

    async fn gets_over_a_cut_connection(&self) {
        let faults = self.bench.controls.faults();
        faults.forget_calls();
        faults.next_times(Route::Put, 2, Fault::CutRequest { after: 1_000_000 });
        self.begin("upload", self.upload("cut.bin")).await;
        self.arrived(&self.done().await);
        let sent = faults.count(Route::Put);
        assert_eq!(sent, PARTS + 2, "the parts that were cut were sent again");
    }

    async fn gets_over_a_lost_network(&self) {
        self.bench.controls.faults().forget_calls();
        self.bench.controls.faults().next_times(Route::Put, PARTS, SLOW);
        let mut job = self.upload("lost.bin");
        job["options"]["retryMaxTime"] = 200.into();
        job["options"]["retryFactor"] = 2.into();
        job["options"]["retry"] = 20.into();
        self.begin("upload", job).await;
        self.until_parts(2).await;
        let lost = json!({"offline": true, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1});
        self.browser
            .devtools("Network.emulateNetworkConditions", lost)
            .await;
        self.browser
            .until("the network is lost", async || {
                self.browser.run("return navigator.onLine", &[]).await == false
            })
            .await;
        self.bench.controls.faults().clear();
        self.browser.upload_speed(None).await;
        self.arrived(&self.done().await);
    }

    async fn cancels(&self) {
        let files = self.files();
        self.bench.controls.faults().forget_calls();
        self.bench.controls.faults().next_times(Route::Put, PARTS, SLOW);
        self.begin("upload", self.upload("cancelled.bin")).await;
        self.until_parts(2).await;
        self.browser.run("token.cancel()", &[]).await;
        let state = self.done().await;
        self.bench.controls.faults().clear();
        assert_eq!(
            (&state["failed"], &state["reason"]),
            (&json!("Failed"), &json!("aborted")),
            "{state}"
        );
        assert_eq!(self.files(), files, "a cancelled upload left a file");
        assert_eq!(self.bench.controls.faults().count(Route::Complete), 0);
    }

    async fn does_the_rest(&self) -> Vec<(&'static str, Cell)> {
        let store = self.bench.controls.store();
        let put =
            |bytes: &[u8], name, mimetype| store.put(bytes, name, mimetype, None).expect("a file can be put");
        let picture = put(&png(), "picture.png", "image/png");
        let text = put(b"from a url", "source.txt", "text/plain");
        let job = |handle: &str| {
            let mut job = self.job();
            job["handle"] = handle.into();
            job
        };
        let mut rows = Vec::new();

        let metadata = self.result("metadata", job(&picture)).await;
        assert_eq!(metadata["filename"], "picture.png", "{metadata}");
        rows.push(("metadata", Cell::Works));
        assert_eq!(self.result("download", job(&picture)).await, json!(png().len()));
        rows.push(("download", Cell::Works));
        assert_eq!(self.result("transform", job(&picture)).await, json!(7));
        rows.push(("transformation", Cell::Works));
        let mut from = job(&text);
        let security = &from["security"];
        let signed = |name: &str| security[name].as_str().expect("a text").to_owned();
        from["url"] = format!(
            "{}/security=p:{},s:{}/{text}",
            self.bench.base,
            signed("policy"),
            signed("signature")
        )
        .into();
        let stored = self.result("storeURL", from).await;
        assert_eq!(stored["filename"], "stored.txt", "{stored}");
        rows.push(("store from a URL", Cell::Works));

        self.begin("refused", job(&picture)).await;
        let state = self.done().await;
        assert_eq!(state["failed"], 403, "{state}");
        rows.push(("metadata without a policy", Cell::Refused(403)));
        // The browser notes every answer of 400 and above; nothing else may be in its console.
        let complaints = self.browser.complaints().await;
        let expected =
            |line: &String| line.contains("403") || line.contains("ERR_") || line.contains("Failed to load");
        assert!(complaints.iter().all(expected), "{complaints:#?}");

        self.result("remove", job(&text)).await;
        assert!(!store.exists(&text));
        rows.push(("delete", Cell::Works));
        rows
    }

    fn job(&self) -> Value {
        let policy = URL_SAFE.encode(format!(r#"{{"expiry":{}}}"#, NOW + 3600));
        let signature = sign(SECURED_SECRET, &policy);
        json!({ "base": self.bench.base, "key": SECURED, "security": { "policy": policy, "signature": signature } })
    }

    /// Parts one after another, and no waiting worth mentioning before one is sent again.
    fn upload(&self, name: &str) -> Value {
        let mut job = self.job();
        job["file"] = json!({ "name": name, "size": PART * PARTS });
        job["options"] =
            json!({ "partSize": PART, "concurrency": 1, "retry": 5, "retryFactor": 1, "retryMaxTime": 1 });
        job
    }

    async fn begin(&self, call: &str, job: Value) {
        let script = "begin(arguments[0], arguments[1])";
        self.browser.run(script, &[call.into(), job]).await;
    }

    async fn result(&self, call: &str, job: Value) -> Value {
        self.begin(call, job).await;
        let mut state = self.done().await;
        assert!(state["failed"].is_null(), "{call}: {state}");
        state["result"].take()
    }

    async fn state(&self) -> Value {
        self.browser.run("return state", &[]).await
    }

    async fn done(&self) -> Value {
        self.browser
            .until("the call has ended", async || self.state().await["done"] == true)
            .await;
        self.state().await
    }

    async fn until_parts(&self, count: usize) {
        self.browser
            .until("a part is on its way", async || {
                self.bench.controls.faults().count(Route::Put) >= count
            })
            .await;
    }

    #[track_caller]
    fn arrived(&self, state: &Value) {
        assert!(state["failed"].is_null(), "{state}");
        let handle = state["result"]["handle"].as_str().expect("a handle");
        assert!(
            self.bench.stored(handle) == content(PART * PARTS),
            "other bytes arrived"
        );
    }

    fn files(&self) -> usize {
        self.bench
            .controls
            .store()
            .len()
            .expect("the files can be counted")
    }
}
