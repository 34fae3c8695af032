//! Looking for viruses: quarantine, the verdict, and a scanner that is down.

use std::time::Duration;

use satchel::db::models::jobs::JobState;
use satchel::emulator::{Fault, Route};
use satchel::services::audit::Actor;
use serde_json::Value;

use crate::support::answer::Answer;
use crate::support::app::TestApp;
use crate::support::client::Client;

/// The harmless file that every scanner takes for a virus, in two halves so that no scanner takes this one for it.
pub(super) fn eicar() -> Vec<u8> {
    [
        r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-",
        "ANTIVIRUS-TEST-FILE!$H+H*",
    ]
    .concat()
    .into_bytes()
}

async fn download(client: &Client, id: &str) -> Answer {
    client.get(&format!("/api/uploads/{id}/download-url")).await
}

async fn status(client: &Client, id: &str) -> Value {
    client.get(&format!("/api/documents/{id}")).await.json()["status"].clone()
}

/// Runs what is due and lets time pass, until the scan has ended.
async fn run_scan(app: &TestApp) -> JobState {
    for _ in 0..50 {
        app.run_jobs_however().await;
        let jobs = app.jobs().await;
        let scan = jobs.iter().find(|job| job.kind == "scan-file").expect("a scan");
        if scan.state.is_final() {
            return scan.state;
        }
        app.advance(Duration::from_secs(3));
    }
    panic!("the scan does not end: {:?}", app.jobs().await);
}

#[actix_web::test]
async fn a_clean_file_is_let_out_of_quarantine() {
    let app = TestApp::sqlite().await;
    let ana = app.token("ana").await;
    let answer = ana.process("a.txt", b"harmless").await.json();
    assert_eq!(answer["jobs"][0]["kind"], "scan-file");
    let id = answer["id"].as_str().unwrap();
    assert_eq!(status(&ana, id).await, "quarantined");
    let refused = download(&ana, id).await;
    assert_eq!(
        (refused.status, refused.problem()),
        (409, "document-quarantined".to_owned())
    );
    assert_eq!(run_scan(&app).await, JobState::Done);
    assert_eq!(status(&ana, id).await, "stored");
    assert_eq!(download(&ana, id).await.status, 200);
}

#[actix_web::test]
async fn u14_an_infected_file_stays_in_quarantine_and_its_owner_is_told() {
    let app = TestApp::sqlite().await;
    let ana = app.user("ana").await;
    let id = ana.process("invoice.txt", &eicar()).await.field("id");
    assert_eq!(run_scan(&app).await, JobState::Done);
    assert_eq!(status(&ana, &id).await, "infected");
    for path in [
        format!("/api/uploads/{id}/download-url"),
        format!("/api/uploads/{id}/thumbnail"),
    ] {
        let refused = ana.get(&path).await;
        assert_eq!(
            (refused.status, refused.problem()),
            (409, "document-infected".to_owned()),
            "{path}"
        );
    }
    assert_eq!(ana.get(&format!("/documents/{id}/download")).await.status, 409);
    let page = ana.page(&format!("/documents/{id}")).await;
    assert!(page.text().contains("A virus was found"), "{}", page.text());
    let scans = app.jobs().await.into_iter().filter(|job| job.kind == "scan-file");
    let attempts: Vec<_> = scans.map(|job| job.attempts).collect();
    assert_eq!(
        attempts,
        [1],
        "it is an answer and not a failure: nothing is tried again"
    );
}

/// An archive of one entry, stored as it is.
fn zip(content: &[u8]) -> Vec<u8> {
    let size = (content.len() as u32).to_le_bytes();
    let common = [[0; 8].as_slice(), &size, &size, &[1, 0]].concat();
    let local = [b"PK\x03\x04\x14\0\0\0\0\0".as_slice(), &common, b"\0\0e", content].concat();
    let central = [
        b"PK\x01\x02\x14\0\x14\0\0\0\0\0".as_slice(),
        &common,
        &[0; 16],
        b"e",
    ]
    .concat();
    let lengths = [
        (central.len() as u32).to_le_bytes(),
        (local.len() as u32).to_le_bytes(),
    ]
    .concat();
    [
        local.as_slice(),
        &central,
        b"PK\x05\x06\0\0\0\0\x01\0\x01\0",
        &lengths,
        &[0, 0],
    ]
    .concat()
}

#[actix_web::test]
async fn u14_a_virus_is_found_in_an_archive_and_across_the_parts_of_an_upload() {
    let app = TestApp::sqlite().await;
    let ana = app.token("ana").await;
    const PART: usize = 8 << 20;
    let mut split = vec![b'.'; PART - 30];
    split.extend(eicar());
    split.resize(PART + 1_000, b'.');
    for (name, bytes) in [("invoice.zip", zip(&eicar())), ("split.bin", split)] {
        let id = ana.process(name, &bytes).await.field("id");
        for _ in 0..50 {
            app.run_jobs_however().await;
            if status(&ana, &id).await != "quarantined" {
                break;
            }
            app.advance(Duration::from_secs(3));
        }
        assert_eq!(status(&ana, &id).await, "infected", "{name}");
        assert_eq!(download(&ana, &id).await.status, 409, "{name}");
    }
}

#[actix_web::test]
async fn u14_before_the_verdict_there_is_no_download_and_no_picture() {
    let app = TestApp::sqlite().await;
    let ana = app.user("ana").await;
    let id = ana
        .process("a.png", &crate::support::png(40, 30))
        .await
        .field("id");
    let pictures = async || {
        let list = ana.page("/documents").await.attributes("main img", "src").len();
        let page = ana.page(&format!("/documents/{id}")).await;
        list + page.attributes("main img", "src").len()
    };
    assert_eq!(pictures().await, 0, "pictures on our pages");
    for path in [
        format!("/api/uploads/{id}/download-url"),
        format!("/api/uploads/{id}/thumbnail"),
        format!("/documents/{id}/download"),
    ] {
        let refused = ana.get(&path).await;
        assert_eq!(refused.status, 409, "{path}");
    }
    assert_eq!(run_scan(&app).await, JobState::Done);
    assert!(pictures().await > 0);
    assert_eq!(ana.get(&format!("/api/uploads/{id}/thumbnail")).await.status, 200);
}

async fn with_a_broken_scanner(setting: &str) -> (TestApp, Client, String) {
    let app = TestApp::new().var("SATCHEL_SCAN_FAILURE", setting).start().await;
    let ana = app.token("ana").await;
    let id = ana.process("a.txt", b"harmless").await.field("id");
    // The file's other steps ask for metadata, so that this is the workflow alone.
    app.emulator
        .faults()
        .next_times(Route::Delivery, 100, Fault::Status(400));
    assert_eq!(run_scan(&app).await, JobState::Dead);
    (app, ana, id)
}

#[actix_web::test]
async fn u15_a_scanner_that_is_down_leaves_the_file_in_quarantine_and_an_administrator_sees_why() {
    let (app, ana, id) = with_a_broken_scanner("closed").await;
    assert_eq!(status(&ana, &id).await, "quarantined");
    let page = app.admin().await.page("/admin/jobs?state=dead").await;
    assert_eq!(page.texts("tbody th"), ["scan-file"]);

    // Once it is well again, the job can be tried again.
    app.emulator.faults().clear();
    let job = app
        .jobs()
        .await
        .into_iter()
        .find(|job| job.kind == "scan-file")
        .unwrap();
    satchel::services::jobs::retry(&app.services, &Actor::command(), job.id)
        .await
        .unwrap();
    assert_eq!(run_scan(&app).await, JobState::Done);
    assert_eq!(status(&ana, &id).await, "stored");
}

#[actix_web::test]
async fn u15_a_scanner_that_is_down_lets_the_file_out_when_the_setting_says_so() {
    let (_app, ana, id) = with_a_broken_scanner("open").await;
    assert_eq!(status(&ana, &id).await, "stored");
}

#[actix_web::test]
async fn a_workflow_in_the_settings_looks_at_every_upload() {
    let app = TestApp::sqlite().await;
    let workflow = app.emulator.workflows().all()[0].id.clone();
    drop(app);
    let app = TestApp::new()
        .var("SATCHEL_SCAN_WORKFLOW", &workflow)
        .start()
        .await;
    let ana = app.token("ana").await;
    let id = ana.document("a.txt", b"harmless").await;
    assert_eq!(status(&ana, &id).await, "quarantined");
    // It is the workflow of another emulator, with another key: this one does not know it.
    assert_eq!(run_scan(&app).await, JobState::Dead);
    assert_eq!(status(&ana, &id).await, "quarantined");
}
