//! Other sites that show parts of ours in their pages (D8), or talk to our windows (X2).

use satchel::db::models::users::Role;

use super::headers::is_protected;
use crate::accounts::people::{account, api_token, signed_in, upload};
use crate::support::app::TestApp;
use crate::support::wire::get;

/// What browsers say of who asks: site, mode and destination.
const EMBEDDED: [(&str, &str, &str); 7] = [
    ("cross-site", "no-cors", "image"),
    ("cross-site", "no-cors", "video"),
    ("cross-site", "cors", "empty"),
    ("cross-site", "navigate", "iframe"),
    ("cross-site", "navigate", "embed"),
    // Another port of this host, such as the emulator's: the browser sends our cookies along.
    ("same-site", "no-cors", "image"),
    ("same-site", "navigate", "object"),
];

#[actix_web::test]
async fn d8_other_sites_can_link_to_what_is_here_and_not_embed_it() {
    let app = TestApp::sqlite().await;
    let ana = account(&app, "ana@example.org", Role::Member).await;
    let token = api_token(&app, &ana).await;
    let id = upload(&app, &token, "mine.txt", b"mine");
    let mut browser = signed_in(&app, &ana).await;
    let pages = [
        "/documents".to_owned(),
        format!("/documents/{id}"),
        format!("/documents/{id}/download"),
    ];
    let calls = [
        "/api/documents".to_owned(),
        format!("/api/uploads/{id}/download-url"),
        "/api/uploads/picker-config".to_owned(),
    ];
    for (site, mode, dest) in EMBEDDED {
        let ask = |target: &str| {
            get(target)
                .header("Sec-Fetch-Site", site)
                .header("Sec-Fetch-Mode", mode)
                .header("Sec-Fetch-Dest", dest)
        };
        for (targets, status) in [(&pages, 403), (&calls, 401)] {
            for target in targets {
                let what = format!("{target} {site} {mode} {dest}");
                let reply = browser.send(ask(target));
                assert_eq!(reply.status, status, "{what}: {}", reply.text());
                is_protected(&reply, &what);
                assert!(!reply.text().contains("mine.txt"), "{what}");
            }
        }
        // A program sends its token on purpose, whatever browsers say.
        let reply = browser.send(ask("/api/documents").bearer(&token));
        assert_eq!(reply.status, 200, "{site} {mode} {dest}");
    }
    // A link from elsewhere, our own pages, and browsers that say nothing.
    for (site, mode, dest) in [
        ("cross-site", "navigate", "document"),
        ("same-origin", "no-cors", "image"),
        ("same-origin", "cors", "empty"),
        ("none", "navigate", "document"),
    ] {
        for target in pages.iter().chain(&calls) {
            let request = get(target)
                .header("Sec-Fetch-Site", site)
                .header("Sec-Fetch-Mode", mode)
                .header("Sec-Fetch-Dest", dest);
            // The right to store is for our own pages' scripts alone (P1).
            let refused = target.ends_with("picker-config") && site == "cross-site";
            let status = browser.send(request).status;
            let wanted = if refused {
                401
            } else if target.ends_with("download") {
                303
            } else {
                200
            };
            assert_eq!(status, wanted, "{target} {site} {mode} {dest}");
        }
    }
    assert_eq!(browser.get("/documents").status, 200);
}

#[test]
fn x2_no_script_of_ours_sends_or_takes_messages_between_windows() {
    let assets = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("assets");
    let mut scripts = 0;
    for directory in [assets.clone(), assets.join("emulator")] {
        for entry in std::fs::read_dir(directory).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.extension().is_none_or(|kind| kind != "js") {
                continue;
            }
            scripts += 1;
            let text = std::fs::read_to_string(&path).expect("a script");
            for means in [
                "postMessage",
                "onmessage",
                "\"message\"",
                "'message'",
                "BroadcastChannel",
                "MessageChannel",
                "window.opener",
                "window.parent",
                "document.domain",
            ] {
                assert!(!text.contains(means), "{} has {means}", path.display());
            }
        }
    }
    assert!(scripts >= 5, "{scripts} scripts");
}
