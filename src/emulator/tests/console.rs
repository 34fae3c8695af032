//! The control surface over real sockets: what it shows and what it changes.

use actix_web::http::Method;
use reqwest::RequestBuilder;

use super::*;
use crate::emulator::{Fault, Route};

impl Bench {
    pub(super) fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        let method = reqwest::Method::from_bytes(method.as_str().as_bytes()).unwrap();
        self.http
            .request(method, format!("{}/__emulator/{path}", self.base))
    }

    pub(super) async fn shown(&self, path: &str) -> Value {
        let reply = self
            .ask(Method::GET, &format!("api/{path}"))
            .send()
            .await
            .unwrap();
        assert_eq!(reply.status(), 200);
        reply.json().await.unwrap()
    }

    pub(super) async fn told(&self, path: &str, body: Value) -> (u16, Value) {
        self.post(&format!("__emulator/api/{path}"), &body).await
    }

    pub(super) async fn page(&self) -> String {
        let reply = self.ask(Method::GET, "").send().await.unwrap();
        assert_eq!(reply.status(), 200);
        reply.text().await.unwrap()
    }

    pub(super) async fn form(&self, area: &str, fields: &[(&str, &str)]) -> Response {
        let post = self.ask(Method::POST, area).header("origin", &self.base);
        post.form(fields).send().await.unwrap()
    }
}

#[actix_web::test]
async fn every_call_is_shown_with_its_policy_the_verdict_and_why() {
    let bench = Bench::secured().await;
    let handle = bench.keep(b"x", "a.txt", "text/plain");
    let good = bench.query(json!({ "call": ["read"] }));
    assert_eq!(bench.get(&format!("{handle}?{good}")).await.status(), 200);
    let wrong = bench.query(json!({ "call": ["stat"], "handle": handle }));
    assert_eq!(bench.get(&format!("{handle}?{wrong}")).await.status(), 403);
    assert_eq!(bench.get(&handle).await.status(), 403);
    assert_eq!(bench.get("AAAAAAAAAAAAAAAAAAAA").await.status(), 404);
    let start = bench.with_policy(start_call(1), json!({ "expiry": NOW - 1 }));
    assert_eq!(bench.post("multipart/start", &start).await.0, 403);

    let shown = bench.shown("calls").await;
    let calls = shown["calls"].as_array().unwrap();
    let column = |name: &str| calls.iter().map(|call| call[name].clone()).collect::<Vec<_>>();
    assert_eq!(column("status"), [200, 403, 403, 404, 403]);
    assert_eq!(
        column("verdict"),
        ["allowed", "refused", "refused", "unasked", "refused"]
    );
    assert_eq!(
        column("route"),
        ["delivery", "delivery", "delivery", "delivery", "start"]
    );
    assert_eq!(calls[0]["policy"]["call"], json!(["read"]));
    assert_eq!(calls[0]["app"], "AKeyz");
    assert_eq!(calls[0]["time"], "2027-01-15T08:00:00.000Z");
    for (at, why) in [
        (0, "grants read"),
        (1, "grants [\"stat\"]; the call needs read"),
        (2, "security on, and no policy came"),
        (3, "File not found"),
        (
            4,
            "expired at 2027-01-15T07:59:59.000Z; here it is 2027-01-15T08:00:00.000Z",
        ),
    ] {
        assert!(calls[at]["why"].as_str().unwrap().contains(why), "{}", calls[at]);
    }
    assert_eq!(calls[4]["policy"]["expiry"], NOW - 1);
    let next = format!("calls?after={}&verdict=refused", calls[1]["id"]);
    assert_eq!(bench.shown(&next).await["calls"].as_array().unwrap().len(), 2);
    let newest = bench.shown("calls?limit=1&route=delivery").await;
    assert_eq!(newest["calls"][0]["id"], calls[3]["id"]);
    let page = bench.page().await;
    assert!(page.contains("security on, and no policy came") && page.contains("/multipart/start"));
}

#[actix_web::test]
async fn a_shown_command_makes_the_same_call_with_the_credentials_it_came_with() {
    let bench = Bench::secured().await;
    let start = bench.with_policy(start_call(1), json!({ "call": ["pick"] }));
    assert_eq!(bench.post("multipart/start", &start).await.0, 200);
    let handle = bench.keep(b"it's", "a.txt", "text/plain");
    let query = bench.query(json!({ "call": ["read"] }));
    let cookie = bench.http.get(format!("{}/{handle}?{query}", bench.base));
    cookie.header("cookie", "sid=SECRETCOOKIE").send().await.unwrap();
    let shown = bench.shown("calls").await;
    assert!(!shown.to_string().contains("SECRETCOOKIE"));
    for (at, reply) in [(0, "\"upload_id\""), (1, "it's")] {
        let command = shown["calls"][at]["curl"].as_str().unwrap().to_owned();
        let run = move || std::process::Command::new("bash").args(["-c", &command]).output();
        let Ok(output) = spawn_blocking(run).await.unwrap() else {
            return; // No shell here: nothing to copy it into.
        };
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            text.contains(reply) || output.status.code() == Some(127),
            "{text} {output:?}"
        );
    }
}

#[actix_web::test]
async fn a_call_that_never_got_its_reply_is_shown_too() {
    let bench = Bench::open().await;
    let handle = bench.keep(b"x", "a.txt", "text/plain");
    let (controls, wait) = (bench.controls.clone(), Duration::from_secs(600));
    controls.faults().next(Route::Delivery, Fault::Delay(wait));
    let call = bench.http.get(format!("{}/{handle}", bench.base)).send();
    let call = actix_web::rt::spawn(call);
    until(|| controls.faults().waiting().is_empty()).await;
    bench.stop().await;
    assert!(call.await.unwrap().is_err());
    until(|| !controls.calls().is_empty()).await;
    let call = &controls.calls().all()[0];
    assert!(!call.is_answered() && call.why.contains("went away"), "{call:?}");
    assert_eq!(call.fault.as_deref(), Some("waits 600000 ms"));
    assert_eq!(controls.faults().count(Route::Delivery), 0);
}

async fn until(is_so: impl Fn() -> bool) {
    for _ in 0..5000 {
        if is_so() {
            return;
        }
        actix_web::rt::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(is_so());
}

#[actix_web::test]
async fn failures_wait_as_json_says_and_are_used_up() {
    let bench = Bench::open().await;
    let add = json!({ "route": "start", "times": 2, "fault": { "status": 503 } });
    let (status, shown) = bench.told("faults", add).await;
    assert_eq!((status, &shown["waiting"][0]["times"]), (201, &json!(2)));
    assert_eq!(bench.post("multipart/start", &start_call(1)).await.0, 503);
    assert_eq!(bench.shown("faults").await["waiting"][0]["times"], 1);
    assert_eq!(bench.post("multipart/start", &start_call(1)).await.0, 503);
    assert_eq!(bench.post("multipart/start", &start_call(1)).await.0, 200);
    for fault in [
        json!({ "reply": { "status": 429, "headers": [["Filestack-Reset", "1"]], "body": "x" } }),
        json!({ "cut_request": { "after": 5 } }),
        json!("cut_before_reply"),
        json!({ "cut_reply": { "after": 5 } }),
        json!({ "delay_ms": 5 }),
        json!({ "slow_body": { "bytes_per_second": 5 } }),
        json!("wrong_etag"),
        json!("no_etag"),
        json!("refuse_ingestion"),
    ] {
        let (status, shown) = bench
            .told("faults", json!({ "route": "put", "fault": fault }))
            .await;
        assert_eq!(status, 201, "{shown}");
        let waiting = shown["waiting"].as_array().unwrap();
        assert_eq!(waiting.last().unwrap()["fault"], fault);
    }
    let cleared = bench
        .ask(Method::DELETE, "api/faults?route=put")
        .send()
        .await
        .unwrap();
    assert_eq!(cleared.status(), 204);
    assert_eq!(bench.shown("faults").await["waiting"], json!([]));
}

#[actix_web::test]
async fn a_failure_that_cannot_be_is_refused_with_a_sentence() {
    let bench = Bench::open().await;
    for bad in [
        json!({}),
        json!({ "route": "nowhere", "fault": "no_etag" }),
        json!({ "route": "put", "fault": "explode" }),
        json!({ "route": "put", "fault": { "status": 100 } }),
        json!({ "route": "put", "fault": { "status": 70000 } }),
        json!({ "route": "put", "fault": { "reply": { "status": 200, "headers": [["a b", "c"]] } } }),
        json!({ "route": "put", "fault": { "reply": { "status": 200, "headers": [["a", "c\r\nd: e"]] } } }),
        json!({ "route": "put", "fault": { "delay_ms": u64::MAX } }),
        json!({ "route": "put", "fault": { "slow_body": { "bytes_per_second": 0 } } }),
        json!({ "route": "put", "fault": "no_etag", "times": 0 }),
        json!({ "route": "put", "fault": "no_etag", "more": 1 }),
    ] {
        let (status, reply) = bench.told("faults", bad.clone()).await;
        assert_eq!(status, 400, "{bad} {reply}");
        assert!(reply["error"].is_string(), "{reply}");
    }
    let (status, _) = bench.told("faults", json!({ "pad": "x".repeat(100_000) })).await;
    assert_eq!(status, 413);
    for _ in 0..200 {
        let add = json!({ "route": "put", "fault": "no_etag" });
        assert_eq!(bench.told("faults", add).await.0, 201);
    }
    let add = json!({ "route": "put", "fault": "no_etag" });
    assert_eq!(bench.told("faults", add).await.0, 400);
    assert_eq!(bench.controls.faults().waiting().len(), 200);
}

#[actix_web::test]
async fn bodies_can_be_slow_both_ways_and_ingestion_be_denied() {
    let bench = Bench::open().await;
    let faults = bench.controls.faults();
    let handle = bench.keep(&noise(1_000), "a.bin", "application/octet-stream");
    let slow = Fault::SlowBody {
        bytes_per_second: 100_000,
    };
    faults.next(Route::Delivery, slow.clone());
    let began = std::time::Instant::now();
    assert_eq!(bench.get(&handle).await.bytes().await.unwrap(), noise(1_000));
    assert!(
        began.elapsed() >= Duration::from_millis(10),
        "{:?}",
        began.elapsed()
    );
    let bytes = noise(1_000);
    let call = bench.begin(start_call(bytes.len())).await;
    faults.next(Route::Put, slow);
    let etag = bench.part(&call, 1, &bytes).await;
    assert_eq!(etag.len(), 34);

    let mut start = start_call(1);
    start["fii"] = true.into();
    faults.next(Route::Start, Fault::RefuseIngestion);
    let (status, denied) = bench.post("multipart/start", &start).await;
    assert_eq!((status, denied.get("upload_type")), (200, None));
    let (_, granted) = bench.post("multipart/start", &start).await;
    assert_eq!(granted["upload_type"], "intelligent_ingestion");
}

#[actix_web::test]
async fn p5_the_clock_is_moved_stopped_and_let_go() {
    let bench = Bench::secured().await;
    let handle = bench.keep(b"x", "a.txt", "text/plain");
    let query = bench.query(json!({ "expiry": NOW + 60 }));
    let path = format!("{handle}?{query}");
    assert_eq!(bench.get(&path).await.status(), 200);
    let (_, clock) = bench
        .told("clock", json!({ "action": "shift", "seconds": 60 }))
        .await;
    assert_eq!(clock["now_ms"], (NOW + 60) * 1000);
    assert_eq!(bench.get(&path).await.status(), 403);
    bench
        .told("clock", json!({ "action": "shift", "seconds": -0.001 }))
        .await;
    assert_eq!(bench.get(&path).await.status(), 200);
    let freeze = json!({ "action": "freeze", "at": "2030-01-31T12:00:00+01:00" });
    let (_, clock) = bench.told("clock", freeze).await;
    assert_eq!(
        (&clock["now"], &clock["frozen"]),
        (&json!("2030-01-31T11:00:00.000Z"), &json!(true))
    );
    let (_, clock) = bench.told("clock", json!({ "action": "freeze", "at": 0 })).await;
    assert_eq!(clock["now"], "1970-01-01T00:00:00.000Z");
    let (_, clock) = bench.told("clock", json!({ "action": "resume" })).await;
    assert_eq!(clock["frozen"], false);
    for bad in [
        json!({ "action": "stop" }),
        json!({ "action": "shift" }),
        json!({ "action": "shift", "seconds": "1" }),
        json!({ "action": "freeze", "at": "tomorrow" }),
        json!({ "action": "freeze", "at": -1 }),
        json!({ "action": "freeze", "at": "1960-01-01T00:00:00Z" }),
        json!({ "action": "resume", "at": 1 }),
    ] {
        assert_eq!(bench.told("clock", bad.clone()).await.0, 400, "{bad}");
    }
    let far = json!({ "action": "shift", "seconds": 1e300 });
    assert_eq!(
        bench.told("clock", far).await.1["now"],
        "9999-12-31T23:59:59.999Z"
    );
    assert_eq!(bench.get(&path).await.status(), 403);
}

#[actix_web::test]
async fn security_is_switched_while_it_runs() {
    let bench = Bench::secured().await;
    let (status, start) = bench.post("multipart/start", &start_call(1)).await;
    assert_eq!(status, 403, "{start}");
    let (_, apps) = bench
        .told("apps", json!({ "key": "AKeyz", "secured": false }))
        .await;
    assert_eq!(apps["apps"][0], json!({ "key": "AKeyz", "secured": false }));
    assert_eq!(bench.post("multipart/start", &start_call(1)).await.0, 200);
    assert_eq!(
        bench.told("apps", json!({ "key": "C", "secured": true })).await.0,
        404
    );
    assert!(!bench.shown("apps").await.to_string().contains("SECRET"));
    assert!(!bench.page().await.contains("SECRET"));
}

#[actix_web::test]
async fn a_snapshot_brings_files_and_settings_back() {
    let bench = Bench::secured().await;
    let kept = bench.keep(b"first", "a.txt", "text/plain");
    bench
        .controls
        .faults()
        .next_times(Route::Put, 3, Fault::Status(500));
    bench.controls.secure("AKeyz", false);
    let save = json!({ "action": "save", "name": "one" });
    assert_eq!(
        bench.told("snapshot", save.clone()).await,
        (200, json!({ "files": 1 }))
    );

    let url = format!(
        "{}/api/file/{kept}?{}",
        bench.base,
        bench.query(json!({ "call": ["write"] }))
    );
    let overwritten = bench.http.post(url).body("second").send().await.unwrap();
    assert_eq!(overwritten.status(), 200);
    let later = bench.keep(b"later", "b.txt", "text/plain");
    bench.controls.clock().advance(Duration::from_secs(5));
    assert_eq!(
        bench
            .ask(Method::POST, "api/reset")
            .send()
            .await
            .unwrap()
            .status(),
        204
    );
    assert!(bench.controls.store().is_empty().unwrap() && bench.controls.calls().is_empty());
    assert!(bench.controls.apps()[0].1 && bench.controls.faults().waiting().is_empty());
    assert!(bench.controls.clock().setting().frozen_ms.is_none());

    assert_eq!(bench.shown("snapshot").await["snapshots"], json!(["one"]));
    let load = json!({ "action": "load", "name": "one" });
    for _ in 0..2 {
        assert_eq!(
            bench.told("snapshot", load.clone()).await,
            (200, json!({ "files": 1 }))
        );
    }
    let store = bench.controls.store();
    assert_eq!(store.read(&kept).unwrap().unwrap(), b"first");
    assert!(!store.exists(&later));
    assert_eq!(
        bench.shown("clock").await["now_ms"],
        NOW * 1000,
        "frozen as it was"
    );
    assert_eq!(bench.controls.faults().waiting()[0].times, 3);
    assert!(!bench.controls.apps()[0].1);
    assert_eq!(bench.told("snapshot", save).await.0, 200, "kept in its place");
    let delete = json!({ "action": "delete", "name": "one" });
    assert_eq!(bench.told("snapshot", delete).await.0, 200);
    assert_eq!(bench.told("snapshot", load).await.0, 404);
    bench.assert_nothing_half_done().await;
}

#[actix_web::test]
async fn u19_a_snapshot_neither_leaves_its_directory_nor_follows_links() {
    let bench = Bench::open().await;
    for name in ["", "..", "a/b", "a\\b", ".x", "ü", "a b", &"x".repeat(65)] {
        for action in ["save", "load", "delete"] {
            let (status, _) = bench
                .told("snapshot", json!({ "action": action, "name": name }))
                .await;
            assert_eq!(status, 400, "{action} {name:?}");
        }
    }
    let handle = bench.keep(b"mine", "a.txt", "text/plain");
    assert_eq!(bench.controls.save("good").unwrap(), 1);
    let snapshots = bench.dir.path().join("snapshots");
    std::os::unix::fs::symlink("good", snapshots.join("link")).unwrap();
    let (status, _) = bench
        .told("snapshot", json!({ "action": "load", "name": "link" }))
        .await;
    assert_eq!(status, 404);
    let content = snapshots.join("good/files").join(&handle).join("content");
    std::fs::remove_file(&content).unwrap();
    std::os::unix::fs::symlink("/etc/hostname", content).unwrap();
    let (status, error) = bench
        .told("snapshot", json!({ "action": "load", "name": "good" }))
        .await;
    assert_eq!(status, 500, "{error}");
    assert_eq!(bench.controls.store().read(&handle).unwrap().unwrap(), b"mine");
}

#[actix_web::test]
async fn files_are_listed_newest_first() {
    let bench = Bench::open().await;
    for name in ["a.txt", "<b>.txt", "c.txt"] {
        let stored = bench
            .http
            .post(format!("{}/api/store/S3?key=AKeyz&filename={name}", bench.base))
            .body("x")
            .send()
            .await
            .unwrap();
        assert_eq!(stored.status(), 200);
        bench.controls.clock().advance(Duration::from_secs(1));
    }
    let shown = bench.shown("files?limit=2").await;
    assert_eq!(shown["total"], 3);
    let names: Vec<_> = shown["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| &file["filename"])
        .collect();
    assert_eq!(names, ["c.txt", "<b>.txt"]);
    assert_eq!(shown["files"][0]["app"], "AKeyz");
    let page = bench.page().await;
    assert!(page.contains("&#60;b&#62;.txt") && !page.contains("<b>.txt"));
}

#[actix_web::test]
async fn the_page_is_plain_forms_that_do_the_same() {
    let bench = Bench::secured().await;
    let page = bench.page().await;
    assert!(!page.contains("<script") && !page.contains(" style=") && page.matches("<h1").count() == 1);
    for (area, fields) in [
        (
            "faults",
            &[
                ("route", "put"),
                ("kind", "cut_request"),
                ("number", "9"),
                ("times", "2"),
            ][..],
        ),
        (
            "clock",
            &[("action", "shift"), ("amount", "-1"), ("unit", "hours")],
        ),
        ("apps", &[("key", "AKeyz"), ("secured", "false")]),
        ("snapshots", &[("action", "save"), ("name", "one")]),
    ] {
        let reply = bench.form(area, fields).await;
        assert_eq!(reply.status(), 200, "{area}");
        assert_eq!(reply.url().path(), "/__emulator/");
    }
    let waiting = bench.controls.faults().waiting();
    assert_eq!(
        (waiting[0].times, &waiting[0].fault),
        (2, &Fault::CutRequest { after: 9 })
    );
    assert_eq!(bench.controls.clock().setting().ahead_ms, -3_600_000);
    assert!(!bench.controls.apps()[0].1);
    assert_eq!(bench.controls.snapshots().unwrap(), ["one"]);
    let wrong = bench
        .form("faults", &[("route", "put"), ("kind", "status"), ("number", "x")])
        .await;
    assert_eq!(wrong.status(), 422);
    assert!(wrong.text().await.unwrap().contains("needs a whole number"));
    assert_eq!(bench.form("nothing", &[]).await.status(), 404);
    bench.form("faults", &[("action", "clear")]).await;
    bench.form("reset", &[]).await;
    assert!(bench.controls.faults().waiting().is_empty() && bench.controls.apps()[0].1);
}
