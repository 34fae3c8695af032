//! Uploads from the browser straight to Filestack: the right to store, and the document that comes of it.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::answer::Answer;
use crate::support::app::TestApp;
use crate::support::client::Client;
use crate::support::content;
use crate::support::form::Form;

pub async fn config(user: &Client, query: &str) -> Value {
    let answer = user.get(&format!("/api/uploads/picker-config{query}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

/// Stores a file as a browser would, with the policy it was given.
pub(super) async fn store(config: &Value, folder: &str, name: &str, bytes: &[u8]) -> Answer {
    let text = |field: &str| config[field].as_str().expect("a text").to_owned();
    let filestack = Client::new(config["urls"]["uploadApiUrl"].as_str().expect("an address"));
    let request = filestack.request(Method::POST, "/api/store/S3").query(&[
        ("key", text("apikey")),
        ("policy", text("policy")),
        ("signature", text("signature")),
        ("path", folder.to_owned()),
        ("filename", name.to_owned()),
    ]);
    filestack.send(request.body(bytes.to_vec())).await
}

pub async fn stored(config: &Value, name: &str, bytes: &[u8]) -> String {
    let folder = config["path"].as_str().expect("a folder");
    let answer = store(config, folder, name, bytes).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let url = answer.field("url");
    url.rsplit('/').next().expect("a handle").to_owned()
}

pub async fn register(user: &Client, handle: &str) -> Answer {
    let request = user.changing(Method::POST, "/api/uploads/register").await;
    user.send(request.json(&json!({"handle": handle}))).await
}

fn policy(config: &Value) -> Value {
    let bytes = BASE64_URL_SAFE
        .decode(config["policy"].as_str().expect("a policy"))
        .expect("base64");
    serde_json::from_slice(&bytes).expect("JSON")
}

async fn journey(app: &TestApp) {
    let ana = app.user("ana").await;
    let config = config(&ana, "").await;
    let bytes = content(100_000);
    let handle = stored(&config, "a report.txt", &bytes).await;
    let answer = register(&ana, &handle).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let id = answer.field("id");
    let document = ana.get(&format!("/api/documents/{id}")).await.json();
    assert_eq!(document["name"], "a report.txt");
    assert_eq!(
        (&document["size"], &document["handle"]),
        (&json!(100_000), &json!(handle))
    );
    let url = ana
        .get(&format!("/api/uploads/{id}/download-url"))
        .await
        .field("url");
    assert_eq!(app.fetch(&url).await.body, bytes);
    // Again: the same document, and no second one.
    let again = register(&ana, &handle).await;
    assert_eq!((again.status, again.field("id")), (200, id));
    assert_eq!(app.documents().await.len(), 1);
}

#[actix_web::test]
async fn a_file_that_the_browser_stored_becomes_a_document_once() {
    journey(&TestApp::sqlite().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn a_file_that_the_browser_stored_becomes_a_document_once_on_postgres() {
    journey(&TestApp::postgres().await).await;
}

#[actix_web::test]
async fn p1_the_right_to_store_is_for_our_own_pages_and_for_tokens() {
    let app = TestApp::sqlite().await;
    let path = "/api/uploads/picker-config";
    let ana = app.user("ana").await;
    let ask = async |client: &Client, site: Option<&str>, origin: Option<&str>| {
        let mut request = client.request(Method::GET, path);
        if let Some(site) = site {
            request = request.header("Sec-Fetch-Site", site);
        }
        if let Some(origin) = origin {
            request = request.header("Origin", origin);
        }
        client.send(request).await
    };
    let answer = ask(&ana, Some("same-origin"), None).await;
    assert_eq!(
        (answer.status, answer.header("cache-control")),
        (200, Some("no-store"))
    );
    for (site, origin) in [
        (Some("cross-site"), None),
        (Some("same-site"), None),
        (None, Some("https://evil.example")),
        (None, Some("null")),
    ] {
        assert_eq!(ask(&ana, site, origin).await.status, 401, "{site:?} {origin:?}");
    }
    assert_eq!(ask(&app.anon(), None, None).await.status, 401);
    let program = app.token("bob").await;
    assert_eq!(ask(&program, None, None).await.status, 200);
}

#[actix_web::test]
async fn p2_s4_the_browsers_policy_stores_in_one_folder_for_minutes_and_does_nothing_else() {
    let app = TestApp::sqlite().await;
    let ana = app.user("ana").await;
    let owner = app.owner("ana").await;
    let config = config(&ana, "").await;
    let folder = config["path"].as_str().expect("a folder");
    assert!(
        folder.starts_with(&format!("user-uploads/{}/", owner.id)) && folder.ends_with('/'),
        "{folder}"
    );
    let policy = policy(&config);
    let fields: Vec<_> = policy
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(fields, ["call", "expiry", "maxSize", "path"]);
    assert_eq!(policy["call"], json!(["pick", "store"]));
    assert_eq!(policy["maxSize"], config["max_size"]);
    let path = policy["path"].as_str().expect("a pattern");
    assert!(path.starts_with('^') && path.ends_with('$'), "{path}");
    for elsewhere in [
        "user-uploads/",
        "/",
        "user-uploads/x/",
        &format!("{folder}../"),
        &format!("{folder}deeper/"),
    ] {
        let reply = store(&config, elsewhere, "a.txt", b"x").await;
        assert_eq!(reply.status, 403, "{elsewhere}");
    }
    assert_eq!(app.stored_files(), 0);
}

#[actix_web::test]
async fn i1_s5_only_the_owner_registers_a_file_and_only_in_a_folder_that_was_given() {
    let app = TestApp::sqlite().await;
    let (ana, eve) = (app.user("ana").await, app.user("eve").await);
    let config = config(&ana, "").await;
    let handle = stored(&config, "a.txt", b"ana's").await;
    // Somebody else's claim, and a file that a document of somebody else has.
    assert_eq!(register(&eve, &handle).await.status, 404);
    let document = ana.upload("b.txt", b"through the server").await.field("handle");
    assert_eq!(register(&eve, &document).await.status, 404);
    // Not there, and no handle.
    let unknown = register(&ana, "AAAAAAAAAAAAAAAAAAAA").await;
    assert_eq!(unknown.status, 404);
    for nonsense in ["", "../../x", "a b", "a/b", &"a".repeat(5_000)] {
        let answer = register(&ana, nonsense).await;
        assert_eq!(answer.status, 422, "{nonsense}");
        answer.problem();
    }
    assert_eq!(app.documents().await.len(), 1);
    // The right one is good for one file.
    assert_eq!(register(&ana, &handle).await.status, 201);
    let second = stored(&config, "second.txt", b"more").await;
    let answer = register(&ana, &second).await;
    assert_eq!((answer.status, answer.problem().as_str()), (409, "claim-spent"));
    assert_eq!(app.documents().await.len(), 2);
}

#[actix_web::test]
async fn r2_a_file_registered_fifty_times_at_once_is_one_document() {
    race(&TestApp::sqlite().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn r2_a_file_registered_fifty_times_at_once_is_one_document_on_postgres() {
    race(&TestApp::postgres().await).await;
}

async fn race(app: &TestApp) {
    let ana = app.token("ana").await;
    let config = config(&ana, "").await;
    let handle = stored(&config, "a.txt", b"once").await;
    let answers = futures_util::future::join_all((0..50).map(|_| register(&ana, &handle))).await;
    let ids: std::collections::BTreeSet<_> = answers.iter().map(|answer| answer.field("id")).collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    assert_eq!(app.documents().await.len(), 1);
    // Two files of one claim at once: one of them.
    let config = self::config(&ana, "").await;
    let (one, two) = (stored(&config, "1", b"1").await, stored(&config, "2", b"2").await);
    let (one, two) = futures_util::future::join(register(&ana, &one), register(&ana, &two)).await;
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
}

#[actix_web::test]
async fn a_claim_may_be_asked_for_several_files_and_its_policy_renewed() {
    let app = TestApp::sqlite().await;
    let ana = app.user("ana").await;
    let config = config(&ana, "?files=2").await;
    let folder = config["path"].as_str().expect("a folder").to_owned();
    let first = stored(&config, "1.txt", b"1").await;
    assert_eq!(register(&ana, &first).await.status, 201);
    app.advance(Duration::from_secs(600));
    let renewed = self::config(&ana, &format!("?path={folder}")).await;
    assert_eq!(renewed["path"], folder);
    assert!(renewed["expires_at"].as_str() > config["expires_at"].as_str());
    let second = stored(&renewed, "2.txt", b"2").await;
    assert_eq!(register(&ana, &second).await.status, 201);
    let again = ana
        .get(&format!("/api/uploads/picker-config?path={folder}"))
        .await;
    assert_eq!((again.status, again.problem().as_str()), (409, "claim-spent"));
    for query in ["?files=0", "?files=101", "?files=x"] {
        let answer = ana.get(&format!("/api/uploads/picker-config{query}")).await;
        assert_eq!(answer.status, 400, "{query}");
    }
    let eve = app.user("eve").await;
    let answer = eve
        .get(&format!("/api/uploads/picker-config?path={folder}"))
        .await;
    assert_eq!(answer.status, 404);
}

#[actix_web::test]
async fn a_claim_that_is_over_registers_nothing() {
    let app = TestApp::sqlite().await;
    let ana = app.user("ana").await;
    let config = config(&ana, "").await;
    let handle = stored(&config, "a.txt", b"late").await;
    app.advance(Duration::from_secs(25 * 3_600));
    let ana = app.user("ana").await;
    let answer = register(&ana, &handle).await;
    assert_eq!((answer.status, answer.problem().as_str()), (409, "claim-spent"));
    assert!(app.documents().await.is_empty());
}

#[actix_web::test]
async fn u6_a_file_over_the_limit_is_refused_on_this_way_too() {
    let app = TestApp::new()
        .var("SATCHEL_MAX_UPLOAD_BYTES", "1000")
        .start()
        .await;
    let ana = app.user("ana").await;
    let config = config(&ana, "").await;
    let folder = config["path"].as_str().expect("a folder");
    let reply = store(&config, folder, "a.bin", &content(1_001)).await;
    assert_eq!(reply.status, 403, "{}", reply.text());
    assert_eq!(app.stored_files(), 0);
}

#[actix_web::test]
async fn u20_i5_the_same_bytes_again_are_told_to_their_owner_alone() {
    twins(&TestApp::sqlite().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn u20_i5_the_same_bytes_again_are_told_to_their_owner_alone_on_postgres() {
    twins(&TestApp::postgres().await).await;
}

async fn twins(app: &TestApp) {
    let (ana, eve) = (app.user("ana").await, app.user("eve").await);
    let first = ana.document("first.txt", b"the same").await;
    let handle = stored(&config(&ana, "").await, "second.txt", b"the same").await;
    let answer = register(&ana, &handle).await;
    assert_eq!(
        answer.json()["duplicates"],
        json!([{"id": first, "name": "first.txt"}])
    );
    let handle = stored(&config(&eve, "").await, "eves.txt", b"the same").await;
    assert_eq!(register(&eve, &handle).await.json()["duplicates"], json!([]));
    // Whoever tries bytes on every other way in is answered the same whether somebody has them or not, and pays for them in full.
    let shape = |answer: &Answer| {
        let fields = answer.json();
        let names: Vec<_> = fields.as_object().expect("an object").keys().cloned().collect();
        (answer.status, names)
    };
    for path in ["/api/uploads", "/api/uploads/v2", "/api/uploads/with-processing"] {
        let form = |bytes: &[u8]| Form::new().size(8).file("probe.txt", "text/plain", bytes);
        let known = eve.upload_form(path, &form(b"the same")).await;
        let unknown = eve.upload_form(path, &form(b"nobody's")).await;
        assert_eq!(shape(&known), shape(&unknown), "{path}");
        assert_eq!(known.status, 201);
    }
    let kept = app.owner("eve").await;
    assert_eq!((kept.document_count, kept.stored_bytes), (7, 7 * 8));
    let page = eve.page("/documents?q=first").await;
    assert!(page.texts("tbody tr").is_empty());
    // Her own are named, but not those in her trash.
    ana.delete(&format!("/api/documents/{first}")).await;
    let handle = stored(&config(&ana, "").await, "third.txt", b"the same").await;
    let told = register(&ana, &handle).await.json()["duplicates"].clone();
    let names: Vec<_> = told
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| one["name"].clone())
        .collect();
    assert_eq!(names, ["second.txt"]);
}

#[actix_web::test]
async fn x12_only_the_upload_page_may_load_scripts_from_elsewhere() {
    let app = TestApp::sqlite().await;
    let ana = app.user("ana").await;
    let script = config(&ana, "").await["script"].clone();
    let origin = script["url"]
        .as_str()
        .expect("an address")
        .split("/filestack-js")
        .next()
        .expect("an origin")
        .to_owned();
    let scripts = async |path: &str| {
        let answer = ana.get(path).await;
        let policy = answer
            .header("content-security-policy")
            .expect("a policy")
            .to_owned();
        let directive = policy
            .split(';')
            .map(str::trim)
            .find(|part| part.starts_with("script-src"));
        directive.expect("scripts are named").to_owned()
    };
    assert_eq!(
        scripts("/uploads/new").await,
        format!("script-src 'self' {origin}")
    );
    for path in ["/documents", "/sign-in", "/nowhere", "/api/documents"] {
        assert_eq!(scripts(path).await, "script-src 'self'", "{path}");
    }
    let served = app.fetch(script["url"].as_str().expect("an address")).await;
    let integrity = satchel::crypto::integrity(&served.body);
    assert_eq!(script["integrity"], integrity);
}

#[actix_web::test]
async fn asking_often_for_the_right_to_store_is_not_refused_and_leaves_no_rows() {
    let app = TestApp::sqlite().await;
    let ana = app.user("ana").await;
    let mut folders = std::collections::BTreeSet::new();
    for _ in 0..200 {
        folders.insert(config(&ana, "").await["path"].to_string());
    }
    assert_eq!(folders.len(), 200, "each is a right of its own");
    assert!(app.intents().await.is_empty());
}

#[actix_web::test]
async fn s5_a_file_that_is_gone_registers_nothing_also_when_it_was_a_document() {
    let app = TestApp::sqlite().await;
    let ana = app.user("ana").await;
    // Gone before anybody heard of it.
    let handle = stored(&config(&ana, "").await, "a.txt", b"gone").await;
    assert!(app.emulator.store().delete(&handle).expect("a store"));
    assert_eq!(register(&ana, &handle).await.status, 404);
    // Registered, and its document deleted: it does not come back.
    let handle = stored(&config(&ana, "").await, "b.txt", b"deleted").await;
    let id = register(&ana, &handle).await.field("id");
    assert_eq!(ana.delete(&format!("/api/documents/{id}")).await.status, 204);
    let again = register(&ana, &handle).await;
    assert_eq!((again.status, again.problem().as_str()), (409, "claim-spent"));
    let listed = ana.get("/api/documents").await.json();
    assert_eq!(listed["documents"], json!([]));
}
