//! Filestack does not answer at all: what needs it says so, everything else goes on (promise 11).

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use satchel::db::models::users::Role;
use satchel::emulator::{Fault, Route};
use serde_json::json;

use crate::accounts::people::{account, address, api_token, at_once, browser, signed_in, upload};
use crate::support::app::{PASSWORD, TestApp};
use crate::support::wire::{Browser, Reply, get, post, request};

/// Uploads that hang meanwhile: more than the server has threads of any kind.
const HANGING: usize = 16;
/// Pages asked for, to see how long the slowest take.
const PAGES: usize = 100;
/// Far more than a page takes on a busy machine, and far less than Filestack is waited for.
const AT_ONCE: Duration = Duration::from_secs(2);
/// After a minute browsers and proxies would give up on us.
const TOLD_WITHIN: Duration = Duration::from_secs(60);

#[actix_web::test]
async fn p11_while_filestack_is_a_black_hole_everything_else_works_and_uploads_say_why() {
    black_hole(&TestApp::sqlite().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn p11_while_filestack_is_a_black_hole_everything_else_works_and_uploads_say_why_with_postgresql() {
    black_hole(&TestApp::postgres().await).await;
}

async fn black_hole(app: &TestApp) {
    let ana = account(app, "ana@example.org", Role::Member).await;
    let mut ana_at_her_desk = signed_in(app, &ana).await;
    let token = api_token(app, &ana).await;
    let id = upload(app, &token, "kept.txt", b"kept");
    upload(app, &token, "report.txt", b"report");
    let quiet = slowest(&mut ana_at_her_desk, "/documents");

    for route in Route::ALL {
        app.emulator
            .faults()
            .next_times(route, 10_000, Fault::Delay(Duration::from_secs(3_600)));
    }
    let server = address(app);
    let begun = Instant::now();
    let (refused, ()) = std::thread::scope(|scope| {
        let uploads = scope.spawn(|| {
            at_once(HANGING, |number| {
                post("/api/uploads")
                    .bearer(&token)
                    .upload(&[], &format!("{number}.txt"), b"never")
                    .send(server)
            })
        });
        meanwhile(app, &mut ana_at_her_desk, server, &token, &id, quiet);
        (uploads.join().expect("answers"), ())
    });
    let took = begun.elapsed();
    assert!(took < TOLD_WITHIN, "{took:?}");
    for reply in refused {
        says_why(&reply);
    }

    app.emulator.faults().clear();
    assert_eq!(app.stored_files(), 2, "nothing of the refused ones");
    let reply = post("/api/uploads")
        .bearer(&token)
        .upload(&[], "later.txt", b"later")
        .send(server);
    assert_eq!(reply.status, 201, "{}", reply.text());
}

/// Everything that does not need Filestack, while uploads hang.
fn meanwhile(app: &TestApp, desk: &mut Browser, server: SocketAddr, token: &str, id: &str, quiet: Duration) {
    let busy = slowest(desk, "/documents");
    eprintln!("the slowest page of {PAGES}: {quiet:?} before, {busy:?} while {HANGING} uploads hang");
    assert!(busy < AT_ONCE, "{busy:?}");
    let quick = |what: &str, work: &mut dyn FnMut() -> Reply| {
        let begun = Instant::now();
        let reply = work();
        assert!(reply.status < 400, "{what}: {} {}", reply.status, reply.text());
        assert!(begun.elapsed() < AT_ONCE, "{what} took {:?}", begun.elapsed());
        reply
    };
    let found = quick("search", &mut || desk.get("/documents?q=repo"));
    assert!(found.text().contains("report.txt") && !found.text().contains("kept.txt"));
    quick("a document's page", &mut || desk.get(&format!("/documents/{id}")));
    quick("sign-in", &mut || {
        browser(app).sign_in("ana@example.org", PASSWORD)
    });
    let target = format!("/api/documents/{id}");
    quick("the list as JSON", &mut || {
        get("/api/documents").bearer(token).send(server)
    });
    quick("a new name", &mut || {
        request("PATCH", &target)
            .json(&json!({"name": "kept as.txt"}))
            .bearer(token)
            .send(server)
    });
    quick("an address to download from", &mut || {
        get(&format!("/api/uploads/{id}/download-url"))
            .bearer(token)
            .send(server)
    });
    quick("health", &mut || get("/readyz").send(server));
}

/// How long the slowest of many takes.
fn slowest(browser: &mut Browser, target: &str) -> Duration {
    let times = (0..PAGES).map(|_| {
        let begun = Instant::now();
        assert_eq!(browser.get(target).status, 200);
        begun.elapsed()
    });
    times.max().unwrap_or_default()
}

fn says_why(reply: &Reply) {
    assert_eq!(reply.status, 503, "{}", reply.text());
    assert!(reply.header("retry-after").is_some(), "{}", reply.text());
    let problem = reply.json();
    assert_eq!(problem["code"], "filestack-unavailable", "{problem}");
    let detail = problem["detail"].as_str().unwrap_or_default();
    assert!(detail.contains("Filestack cannot be reached"), "{detail}");
}
