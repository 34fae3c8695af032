//! What production's upload page says of Filestack's client, compared with the npm package.

use std::path::PathBuf;

use satchel::crypto::integrity;
use satchel::filestack::Endpoints;
use satchel::web::{CLIENT_INTEGRITY, CLIENT_VERSION, PICKER_URL, PickerSettings};
use serde_json::Value;

use super::bench::installed;
use crate::support::app::TestApp;

/// The client for browsers, as the package has it.
pub fn client() -> PathBuf {
    package().join("build/browser/filestack.min.js")
}

fn package() -> PathBuf {
    installed().join("javascript/node_modules/filestack-js")
}

#[test]
#[ignore = "needs Filestack's SDKs"]
fn s14_x1_the_page_pins_exactly_the_file_of_the_npm_package() {
    let about = std::fs::read(package().join("package.json")).expect("the package");
    let about: Value = serde_json::from_slice(&about).expect("JSON");
    assert_eq!(about["version"], CLIENT_VERSION);
    let script = std::fs::read(client()).expect("the client");
    assert_eq!(integrity(&script), CLIENT_INTEGRITY);
    let settings = PickerSettings::new(&Endpoints::filestack(), None);
    assert_eq!(settings.integrity.as_deref(), Some(CLIENT_INTEGRITY));
    assert!(settings.script_url.contains(&format!("/{CLIENT_VERSION}/")));
    // The script that it loads by itself is the one of the version that the page's policy and the README speak of.
    let (base, version) = PICKER_URL
        .trim_end_matches("/picker.js")
        .rsplit_once('/')
        .expect("an address");
    let text = String::from_utf8_lossy(&script);
    let loads = format!("\"{base}/\".concat(\"{version}\"");
    assert!(text.contains(&loads), "the client does not load {PICKER_URL}");
}

#[actix_web::test]
#[ignore = "needs Filestack's SDKs"]
async fn outside_production_the_page_gets_the_official_client_when_it_is_configured() {
    let path = client();
    let app = TestApp::new()
        .var("SATCHEL_CLIENT_SCRIPT", path.to_str().expect("a plain path"))
        .start()
        .await;
    let ana = app.user("ana").await;
    let config = ana.get("/api/uploads/picker-config").await.json();
    assert_eq!(config["script"]["integrity"], CLIENT_INTEGRITY);
    let served = app
        .fetch(config["script"]["url"].as_str().expect("an address"))
        .await;
    assert_eq!(integrity(&served.body), CLIENT_INTEGRITY);
}
