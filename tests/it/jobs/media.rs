//! Steps of pictures and videos.

use std::time::Duration;

use satchel::db::models::findings;
use satchel::db::models::jobs::JobState;
use satchel::db::models::results;
use satchel::ids::DocumentId;

use crate::support::app::TestApp;
use crate::support::png;

async fn run_all(app: &TestApp) {
    for _ in 0..60 {
        app.run_jobs().await;
        if app.jobs().await.iter().all(|job| job.state.is_final()) {
            return;
        }
        app.advance(Duration::from_secs(10));
    }
    panic!("it does not end: {:?}", app.jobs().await);
}

#[actix_web::test]
async fn a_picture_is_tagged_rated_and_read() {
    let app = TestApp::sqlite().await;
    let ana = app.token("ana").await;
    let answer = ana.process("a.png", &png(40, 30)).await.json();
    let kinds: Vec<_> = answer["jobs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|job| job["kind"].clone())
        .collect();
    let expected = [
        "scan-file",
        "read-metadata",
        "verify-file",
        "prepare-thumbnail",
        "tag-image",
        "rate-image",
        "read-text",
    ];
    assert_eq!(kinds, expected);
    run_all(&app).await;
    for job in app.jobs().await {
        assert_eq!(job.state, JobState::Done, "{job:?}");
    }
    let id: DocumentId = answer["id"].as_str().unwrap().parse().unwrap();
    let found = app.services.db.run(move |c| findings::list(c, id)).await.unwrap();
    for kind in ["check", "metadata", "sfw", "tags", "text", "viruses"] {
        assert!(
            found.iter().any(|finding| finding.kind == kind),
            "{kind}: {found:?}"
        );
    }
}

/// The beginning of an MP4 file, which is all that is looked at.
fn mp4() -> Vec<u8> {
    let mut bytes = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom".to_vec();
    bytes.resize(4_096, 7);
    bytes
}

#[actix_web::test]
async fn a_video_is_converted_and_attached_once() {
    let app = TestApp::sqlite().await;
    let ana = app.token("ana").await;
    let answer = ana.process("a.mp4", &mp4()).await.json();
    let id: DocumentId = answer["id"].as_str().unwrap().parse().unwrap();
    run_all(&app).await;
    let made = app.services.db.run(move |c| results::list(c, id)).await.unwrap();
    assert_eq!(made.len(), 1, "{made:?}");
    assert_eq!((made[0].kind.as_str(), made[0].state.as_str()), ("video", "done"));
    let handle = made[0].handle.as_deref().expect("a file");
    let page = ana.page(&format!("/documents/{id}")).await;
    assert!(page.text().contains("Converted video"));
    let links = page.attributes("a[href*='/results/']", "href");
    assert_eq!(links.len(), 1, "{links:?}");
    let opened = ana.get(&links[0]).await;
    assert!(opened.location().contains(handle), "{}", opened.location());
    let video = app.fetch(opened.location()).await;
    assert_eq!(video.status, 200);
    assert_eq!(Some(video.body.len() as i64), made[0].size_bytes);
}
