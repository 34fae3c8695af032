//! S6, S15, P2, P9: what the application signs for Filestack, read from the wire between them.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::rt::net::{TcpListener, TcpStream};
use actix_web::web::Bytes;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE;
use satchel::app;
use satchel::config::{FilestackMode, Hosts};
use satchel::error::AppError;
use satchel::services::audit::Actor;
use satchel::services::processing::chain::Wish;
use satchel::services::uploads::{By, NewFile, Size, Source, receive};
use satchel::services::{Services, trash};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::PART;
use crate::support::app::TestApp;
use crate::support::content;

/// Stands between the application and the emulator and keeps what the application says.
struct Tap {
    url: url::Url,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Tap {
    async fn before(emulator: &str) -> Tap {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"))
            .parse()
            .expect("a URL");
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (to, kept) = (
            emulator.strip_prefix("http://").expect("an http URL").to_owned(),
            Arc::clone(&heard),
        );
        actix_web::rt::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&to).await.expect("the emulator");
                let kept = Arc::clone(&kept);
                actix_web::rt::spawn(async move {
                    let ((from_client, mut to_client), (mut from_server, to_server)) =
                        (client.into_split(), server.into_split());
                    // Whoever ends first ends both.
                    tokio::select! {
                        _ = pass(from_client, to_server, &kept) => {}
                        _ = tokio::io::copy(&mut from_server, &mut to_client) => {}
                    }
                });
            }
        });
        Tap { url, heard }
    }

    /// The requests since the last time: the first line of each, and the policy in it or in its JSON body.
    fn requests(&self) -> Vec<(String, Option<Value>)> {
        let heard = std::mem::take(&mut *self.heard.lock().expect("nobody panicked"));
        let text = String::from_utf8_lossy(&heard).into_owned();
        let starts: Vec<_> = text.match_indices(" HTTP/1.1\r\n").map(|(at, _)| at).collect();
        let begin = |at: usize| {
            text[..at]
                .rfind(['\n', '}', '\0', '\u{fffd}'])
                .map_or(0, |end| end + 1)
        };
        let ends = starts.iter().skip(1).map(|at| begin(*at)).chain([text.len()]);
        starts
            .iter()
            .zip(ends)
            .map(|(at, end)| {
                let request = &text[begin(*at)..end];
                let line: Vec<_> = text[begin(*at)..*at].split(['?', ' ']).take(2).collect();
                let at = |mark: &str| request.find(mark).map(|at| &request[at + mark.len()..]);
                let policy = at("policy=").or_else(|| at("\"policy\":\"")).map(|rest| {
                    let end = rest.find(['&', '"', ' ']).unwrap_or(rest.len());
                    let policy = rest[..end].replace("%3D", "=");
                    decoded(&policy)
                });
                (line.join(" "), policy)
            })
            .collect()
    }
}

/// What a policy says.
fn decoded(policy: &str) -> Value {
    let json = BASE64_URL_SAFE
        .decode(policy)
        .expect("a policy is URL-safe base64");
    serde_json::from_slice(&json).expect("a policy is JSON")
}

async fn pass(
    mut from: impl tokio::io::AsyncRead + Unpin,
    mut to: impl tokio::io::AsyncWrite + Unpin,
    kept: &Mutex<Vec<u8>>,
) -> io::Result<()> {
    let mut buffer = vec![0; 65_536];
    loop {
        let count = from.read(&mut buffer).await?;
        if count == 0 {
            return Ok(());
        }
        kept.lock()
            .expect("nobody panicked")
            .extend_from_slice(&buffer[..count]);
        to.write_all(&buffer[..count]).await?;
    }
}

/// The application's own services, reaching the same emulator through the tap.
fn tapped(app: &TestApp, tap: &Tap) -> Services {
    let mut config = app.config.clone();
    let FilestackMode::Emulator {
        api_key, app_secret, ..
    } = config.filestack.mode.clone()
    else {
        panic!("emulator mode");
    };
    config.filestack.mode = FilestackMode::Service {
        api_key,
        app_secret,
        hosts: Box::new(Hosts {
            api: tap.url.join("api").expect("a URL"),
            upload: tap.url.clone(),
            cdn: tap.url.clone(),
            process: tap.url.clone(),
        }),
    };
    let db = app.services.db.clone();
    app::services(&config, db, app.services.clock.clone(), None).expect("usable settings")
}

struct Chunks(Vec<Bytes>);

impl Source for Chunks {
    async fn chunk(&mut self) -> Result<Option<Bytes>, AppError> {
        Ok(self.0.pop())
    }
}

#[actix_web::test]
async fn s6_p2_every_call_carries_a_policy_for_that_call_alone() {
    let app = TestApp::sqlite().await;
    app.token("ana").await;
    let ana = app.owner("ana").await;
    let tap = Tap::before(&app.emulator_url).await;
    let services = tapped(&app, &tap);
    let now = services.clock.now().seconds();
    let max_size = app.config.limits.max_upload_bytes;

    for (size, told) in [(1, Size::Declared(1)), (PART + 1, Size::AtMost(u64::MAX))] {
        let file = NewFile {
            name: "../../a.bin".to_owned(),
            declared_type: String::new(),
            size: told,
            wish: Wish::Nothing,
        };
        let by = By {
            actor: Actor::command(),
            via: "a test",
        };
        // Zeros, so that no byte of the file looks like a request.
        let mut source = Chunks(vec![Bytes::from(vec![0; size])]);
        let received = receive(&services, &ana, by, file, &mut source).await.unwrap();
        let document = received.document;
        let path = format!("^/?user-uploads/{}/{}/[^/]*$", ana.id, document.id);
        let upload =
            json!({"call": ["pick", "store"], "expiry": now + 600, "path": path, "maxSize": max_size});
        let requests = tap.requests();
        assert!(!requests.is_empty());
        for (line, policy) in requests {
            if line.starts_with("PUT /storage/") {
                assert_eq!(policy, None, "storage has its own signature");
            } else {
                assert_eq!(policy, Some(upload.clone()), "{line}");
            }
        }

        let actor = Actor::command();
        trash::put(&services, &actor, ana.id, vec![document.id])
            .await
            .unwrap();
        assert_eq!(tap.requests(), [], "the trash is ours");
        trash::purge(&services, &actor, ana.id, document.id)
            .await
            .unwrap();
        let remove = json!({"call": ["remove"], "expiry": now + 60, "handle": document.handle});
        let requests = tap.requests();
        let line = format!("DELETE /api/file/{}", document.handle);
        assert_eq!(requests, [(line, Some(remove))]);
    }
}

/// Policy and signature of a signed address: `…/security=p:POLICY,s:SIGNATURE/…`.
fn signed_with(address: &str) -> (String, String) {
    let step = address
        .split('/')
        .find_map(|step| step.strip_prefix("security=p:"));
    let (policy, signature) = step
        .and_then(|pair| pair.split_once(",s:"))
        .unwrap_or_else(|| panic!("{address}"));
    (policy.replace("%3D", "="), signature.to_owned())
}

fn policy(address: &str) -> Value {
    decoded(&signed_with(address).0)
}

#[actix_web::test]
async fn p2_addresses_given_out_are_for_one_file_and_one_thing() {
    let app = TestApp::sqlite().await;
    let ana = app.user("ana").await;
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
    let answer = ana.upload("a.png", png).await;
    let (id, handle) = (answer.field("id"), answer.field("handle"));
    let now = app.services.clock.now().seconds();
    let read = json!({"call": ["read"], "expiry": now + 300, "handle": handle});
    let convert = json!({"call": ["read", "convert"], "expiry": now + 300, "handle": handle});
    let json_url = ana.get(&format!("/api/uploads/{id}/download-url")).await;
    assert_eq!(policy(&json_url.field("url")), read);
    assert_eq!(
        json_url.field("expires_at"),
        app.services.clock.now().plus(Duration::from_secs(300)).rfc3339()
    );
    let redirect = ana.get(&format!("/documents/{id}/download")).await;
    assert_eq!(policy(redirect.location()), read);
    let thumbnail = ana.get(&format!("/api/uploads/{id}/thumbnail")).await;
    assert_eq!(policy(&thumbnail.field("url")), convert);
    for page in ["/documents".to_owned(), format!("/documents/{id}")] {
        for address in ana.page(&page).await.attributes("img[data-fallback]", "src") {
            let policy = policy(&address);
            assert_eq!(
                (&policy["call"], &policy["handle"]),
                (&convert["call"], &convert["handle"]),
                "{page}"
            );
            let lasts = policy["expiry"].as_i64().unwrap() - now;
            assert!((900..=1_800).contains(&lasts), "{page}: {lasts} s");
        }
    }
}

#[actix_web::test]
async fn p4_a_policy_or_signature_that_was_touched_opens_nothing() {
    let app = TestApp::sqlite().await;
    let (ana, bob) = (app.token("ana").await, app.token("bob").await);
    let (hers, his) = (
        ana.document("a.txt", b"hers").await,
        bob.document("b.txt", b"his").await,
    );
    let hers = ana
        .get(&format!("/api/uploads/{hers}/download-url"))
        .await
        .field("url");
    let his = bob
        .get(&format!("/api/uploads/{his}/download-url"))
        .await
        .field("url");
    assert_eq!(app.fetch(&hers).await.text(), "hers");
    let (policy, signature) = signed_with(&hers);
    let (his_policy, his_signature) = signed_with(&his);
    let file = hers.rsplit('/').next().unwrap();
    let plain = format!("{}/{file}", app.emulator_url);
    let signed = |policy: &str, signature: &str| {
        format!("{}/security=p:{policy},s:{signature}/{file}", app.emulator_url)
    };
    let mut wider = decoded(&policy);
    wider["expiry"] = json!(4_000_000_000_i64);
    for (what, address) in [
        ("nothing", plain.clone()),
        ("no signature", format!("{plain}?policy={policy}")),
        (
            "a wider policy",
            signed(&BASE64_URL_SAFE.encode(wider.to_string()), &signature),
        ),
        ("his for hers", signed(&his_policy, &his_signature)),
        ("his policy with her signature", signed(&his_policy, &signature)),
        (
            "another alphabet's padding",
            signed(policy.trim_end_matches('='), &format!("{signature}0")),
        ),
        ("upper case", signed(&policy, &signature.to_uppercase())),
        ("cut", signed(&policy, &signature[..63])),
    ] {
        assert_eq!(app.fetch(&address).await.status, 403, "{what}");
    }
    assert_eq!(app.fetch(&hers).await.status, 200);
}

#[actix_web::test]
async fn p5_p6_an_address_ends_on_time_and_a_new_one_is_signed_anew() {
    let app = TestApp::sqlite().await;
    let ana = app.token("ana").await;
    let id = ana.document("a.txt", b"hers").await;
    let path = format!("/api/uploads/{id}/download-url");
    let first = ana.get(&path).await.field("url");
    app.advance(Duration::from_secs(299));
    assert_eq!(app.fetch(&first).await.status, 200);
    app.advance(Duration::from_secs(1));
    assert_eq!(app.fetch(&first).await.status, 403);
    app.advance(Duration::from_secs(2 * 3_600));
    let second = ana.get(&path).await.field("url");
    assert_ne!(policy(&first)["expiry"], policy(&second)["expiry"]);
    assert_eq!(app.fetch(&second).await.status, 200);
    // Uploads and deletions hours after the start sign anew, too.
    let later = ana.upload("b.bin", &content(PART + 1)).await;
    assert_eq!(later.status, 201, "{}", later.text());
    assert_eq!(ana.purge(&id).await.status, 204);
}

#[actix_web::test]
async fn s13_what_tests_talk_to_is_the_emulator_over_the_network() {
    let app = TestApp::sqlite().await;
    let ana = app.token("ana").await;
    let endpoints = app.services.filestack.endpoints();
    for host in [
        &endpoints.api,
        &endpoints.upload,
        &endpoints.cdn,
        &endpoints.process,
    ] {
        assert!(
            host.as_str().starts_with(&format!("{}/", app.emulator_url)),
            "{host}"
        );
    }
    // The real client, with no other behind a common face: nothing in its place could be given to the services.
    let _: &satchel::filestack::Filestack = &app.services.filestack;
    let tap = Tap::before(&app.emulator_url).await;
    let services = tapped(&app, &tap);
    let owner = app.owner("ana").await;
    let file = NewFile {
        name: "a.txt".to_owned(),
        declared_type: String::new(),
        size: Size::Declared(3),
        wish: Wish::Nothing,
    };
    let by = By {
        actor: Actor::command(),
        via: "a test",
    };
    let received = receive(
        &services,
        &owner,
        by,
        file,
        &mut Chunks(vec![Bytes::from_static(b"abc")]),
    )
    .await;
    let id = received.expect("an upload").document.id;
    let lines: Vec<_> = tap.requests().into_iter().map(|(line, _)| line).collect();
    for call in [
        "POST /multipart/start",
        "PUT /storage/",
        "POST /multipart/complete",
    ] {
        assert!(
            lines.iter().any(|line| line.starts_with(call)),
            "{call}: {lines:?}"
        );
    }
    let url = ana
        .get(&format!("/api/uploads/{id}/download-url"))
        .await
        .field("url");
    assert_eq!(app.fetch(&url).await.body, "abc");
}
