//! S15, P9: everything that reaches Filestack is bound to one thing for a short time, and nothing leaves its owner's folder.

use std::collections::BTreeSet;
use std::time::UNIX_EPOCH;

use satchel::emulator::{Route, Verdict};
use serde_json::{Value, json};

use super::PART;
use super::picker::{config, register, store, stored};
use crate::support::app::TestApp;
use crate::support::client::Client;
use crate::support::content;
use crate::support::form::Form;

/// Everything that people and programs can have done with files.
async fn do_everything(app: &TestApp) {
    let (ana, program) = (app.user("ana").await, app.token("ana").await);
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
    let picture = program.upload("a.png", png).await.field("id");
    let long = program.document("long.bin", &content(PART + 1)).await;
    let unsized_body = Form::new().file("b.bin", "", &content(PART + 1));
    let chunks = futures_util::stream::iter([Ok::<_, std::io::Error>(unsized_body.bytes())]);
    let kind = unsized_body.content_type();
    let body = reqwest::Body::wrap_stream(chunks);
    let answer = program.upload_body("/api/uploads", &kind, body).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let answer = program.process("c.png", png).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    app.run_jobs_however().await;
    assert_eq!(
        ana.post_files(&[("d.txt", b"d"), ("e.txt", b"")]).await.status,
        200
    );
    let config = config(&ana, "").await;
    let handle = stored(&config, "f.txt", b"from the browser").await;
    assert_eq!(register(&ana, &handle).await.status, 201);
    for path in ["download-url", "thumbnail"] {
        let answer = program.get(&format!("/api/uploads/{picture}/{path}")).await;
        // What comes of the picture is not the point here: it is none.
        app.fetch(&answer.field("url")).await;
    }
    for page in ["/documents".to_owned(), format!("/documents/{picture}")] {
        for address in ana.page(&page).await.attributes("img[data-fallback]", "src") {
            app.fetch(&address).await;
        }
    }
    assert_eq!(program.purge(&long).await.status, 204);
}

#[actix_web::test]
async fn s15_every_call_carries_a_policy_with_few_calls_one_place_and_a_near_end() {
    let app = TestApp::sqlite().await;
    do_everything(&app).await;
    let mut seen = BTreeSet::new();
    for call in app.emulator.calls().all() {
        let what = format!("{} {}", call.method, call.path);
        seen.insert(call.route.name());
        // Storage is Amazon's, with a signature of its own for each part.
        if call.route == Route::Put {
            assert_eq!(call.policy, None, "{what}");
            continue;
        }
        assert_eq!(call.verdict, Verdict::Allowed, "{what}: {}", call.why);
        let policy: Value = serde_json::from_str(call.policy.as_deref().expect(&what)).expect(&what);
        let calls: Vec<_> = policy["call"].as_array().expect(&what).iter().collect();
        assert!((1..=2).contains(&calls.len()), "{what}: {policy}");
        let came = call.at.duration_since(UNIX_EPOCH).expect("a time").as_secs();
        let left = policy["expiry"].as_u64().expect(&what).saturating_sub(came);
        assert!((1..=3_600).contains(&left), "{what}: {left} s");
        if calls.contains(&&json!("store")) {
            let path = policy["path"].as_str().expect(&what);
            assert!(
                path.starts_with("^/?user-uploads/") && path.ends_with("/[^/]*$"),
                "{what}: {path}"
            );
            assert!(policy["maxSize"].is_u64(), "{what}: {policy}");
        } else {
            let handle = policy["handle"].as_str().expect(&what);
            assert!(
                handle.len() >= 20 && call.path.contains(handle),
                "{what}: {policy}"
            );
        }
    }
    for route in [
        "start", "part_url", "commit", "complete", "store", "delivery", "metadata", "delete",
    ] {
        assert!(seen.contains(route), "{route} was not called: {seen:?}");
    }
}

#[actix_web::test]
async fn p9_no_name_leaves_the_folder_of_its_owner_and_upload() {
    let app = TestApp::sqlite().await;
    let ana = app.token("ana").await;
    let owner = app.owner("ana").await.id;
    let names = [
        "../../evil.txt",
        "/etc/passwd",
        "..%2f..%2fevil.txt",
        "..\\..\\evil.txt",
        "user-uploads/somebody/evil.txt",
        "%2e%2e/%2e%2e/evil",
    ];
    for nothing in ["..", "."] {
        assert_eq!(ana.upload(nothing, b"x").await.status, 400, "{nothing}");
    }
    for name in names {
        for size in [1, PART + 1] {
            let answer = ana.upload(name, &content(size)).await;
            assert_eq!(answer.status, 201, "{name}: {}", answer.text());
            let meta = app
                .emulator
                .store()
                .get(&answer.field("handle"))
                .expect("files can be read");
            let key = meta.expect("the file is there").key;
            let folder = format!("user-uploads/{owner}/{}/", answer.field("id"));
            let file = key.trim_start_matches('/').strip_prefix(&folder);
            let file = file.unwrap_or_else(|| panic!("{name} went to {key}"));
            assert!(
                !file.is_empty() && !file.contains(['/', '\\']) && file != "..",
                "{name}: {key}"
            );
        }
    }
}

#[actix_web::test]
async fn p9_with_the_browsers_policy_no_path_but_the_given_one_is_taken() {
    let app = TestApp::sqlite().await;
    let (ana, bob) = (app.user("ana").await, app.user("bob").await);
    let (hers, his) = (config(&ana, "").await, config(&bob, "").await);
    let folder = hers["path"].as_str().expect("a folder");
    let his_folder = his["path"].as_str().expect("a folder");
    for elsewhere in [
        "",
        "/",
        his_folder,
        &format!("/{his_folder}"),
        &format!("{folder}../"),
        &format!("{folder}../../x/"),
        &format!("{folder}./"),
        &format!("{folder}%2e%2e/"),
        &format!("{folder}..%2f"),
        &format!("{folder}..\\"),
        &format!("x/{folder}"),
        &format!("{folder}\n{his_folder}"),
        &folder.to_uppercase(),
    ] {
        let reply = store(&hers, elsewhere, "a.txt", b"x").await;
        assert!(
            (400..=403).contains(&reply.status),
            "{elsewhere}: {}",
            reply.status
        );
    }
    for name in ["../a.txt", "b/a.txt", "..", "..%2fa.txt"] {
        let reply = store(&hers, folder, name, b"x").await;
        if reply.status == 200 {
            let handle = reply
                .field("url")
                .rsplit('/')
                .next()
                .expect("a handle")
                .to_owned();
            let meta = app.emulator.store().get(&handle).expect("files can be read");
            let key = meta.expect("the file is there").key;
            let inside = key
                .trim_start_matches('/')
                .strip_prefix(folder)
                .expect("inside the folder");
            assert!(!inside.contains('/'), "{name}: {key}");
        }
    }
    let nobody = Client::new(&app.emulator_url);
    let bare = nobody.request(reqwest::Method::POST, "/api/store/S3");
    let bare = bare
        .query(&[("key", hers["apikey"].as_str().expect("a key"))])
        .body("x");
    assert_eq!(nobody.send(bare).await.status, 403);
}
