//! Downloads and thumbnails: signed addresses, and what they give.

use crate::support::app::TestApp;
use crate::support::{content, png};

#[actix_web::test]
async fn a_thumbnail_is_a_picture_of_the_size_asked_for() {
    let app = TestApp::sqlite().await;
    let ana = app.user("ana").await;
    let id = ana.document("a.png", &png(400, 300)).await;
    let path = format!("/api/uploads/{id}/thumbnail");
    for (query, size) in [
        ("", (200, 200)),
        ("?width=40&height=20", (40, 20)),
        ("?width=1024&height=1", (1024, 1)),
    ] {
        let url = ana.get(&format!("{path}{query}")).await.field("url");
        let picture = app.fetch(&url).await;
        assert_eq!(picture.status, 200, "{query}: {}", picture.text());
        assert_eq!(picture.header("content-type"), Some("image/png"));
        let decoded = image::load_from_memory(&picture.body).unwrap();
        assert_eq!((decoded.width(), decoded.height()), size, "{query}");
    }
    for query in [
        "?width=0",
        "?width=1025",
        "?height=1025",
        "?width=-1",
        "?width=a",
        "?height=",
    ] {
        let answer = ana.get(&format!("{path}{query}")).await;
        assert_eq!(answer.status, 400, "{query}");
        answer.problem();
    }
    for (page, side) in [("/documents".to_owned(), 96), (format!("/documents/{id}"), 400)] {
        let sources = ana.page(&page).await.attributes("img[data-fallback]", "src");
        let picture = app.fetch(&sources[0]).await;
        let decoded = image::load_from_memory(&picture.body).unwrap();
        assert_eq!(decoded.width(), side, "{page}");
    }
}

#[actix_web::test]
async fn what_is_no_picture_has_no_thumbnail() {
    let app = TestApp::sqlite().await;
    let ana = app.user("ana").await;
    let id = ana.document("a.txt", b"words").await;
    let answer = ana.get(&format!("/api/uploads/{id}/thumbnail")).await;
    assert_eq!((answer.status, answer.problem().as_str()), (409, "no-thumbnail"));
    assert!(
        ana.page("/documents")
            .await
            .attributes("img[data-fallback]", "src")
            .is_empty()
    );
    let page = ana.page(&format!("/documents/{id}")).await;
    assert!(page.text().contains("There is no preview for this type of file."));
}

#[actix_web::test]
async fn d1_a_part_of_a_file_is_had_by_its_range() {
    let app = TestApp::sqlite().await;
    let ana = app.user("ana").await;
    let bytes = content(1_000);
    let id = ana.document("a.bin", &bytes).await;
    let download = ana.get(&format!("/documents/{id}/download")).await;
    let url = download.location();
    let hundred = format!("bytes={}", ["0-1"; 100].join(","));
    for (range, status, part) in [
        ("bytes=0-0", 206, &bytes[..1]),
        ("bytes=10-19", 206, &bytes[10..20]),
        ("bytes=990-", 206, &bytes[990..]),
        ("bytes=-10", 206, &bytes[990..]),
        ("bytes=-5000", 206, &bytes),
        ("bytes=10-99999999999999999999", 206, &bytes[10..]),
        ("bytes=1000-", 416, b""),
        ("bytes=-0", 416, b""),
        ("bytes=20-10", 200, &bytes),
        ("bytes=", 200, &bytes),
        ("bytes=a-b", 200, &bytes),
        (&hundred, 200, &bytes),
    ] {
        let answer = app.fetch_with(url, &[("Range", range)]).await;
        assert_eq!(answer.status, status, "{range}");
        assert!(answer.body == part, "{range}: {} bytes", answer.body.len());
    }
    let etag = app.fetch(url).await.header("etag").unwrap().to_owned();
    for (condition, status) in [(etag.as_str(), 206), ("\"another\"", 200)] {
        let answer = app
            .fetch_with(url, &[("Range", "bytes=0-0"), ("If-Range", condition)])
            .await;
        assert_eq!(answer.status, status, "{condition}");
    }
    let same = app.fetch_with(url, &[("If-None-Match", &etag)]).await;
    assert_eq!((same.status, same.body.len()), (304, 0));
}

#[actix_web::test]
async fn d4_the_address_of_a_download_cannot_be_steered_by_a_query() {
    let app = TestApp::sqlite().await;
    let ana = app.user("ana").await;
    let id = ana
        .document("a.html", b"<!doctype html><script>alert(1)</script>")
        .await;
    let path = format!("/documents/{id}/download");
    let plain = ana.get(&path).await;
    for query in [
        "?dl=false",
        "?type=text/html&disposition=inline",
        "?url=http://evil.example/",
        "?cache=true",
    ] {
        let steered = ana.get(&format!("{path}{query}")).await;
        assert_eq!(steered.location(), plain.location(), "{query}");
    }
    let file = app.fetch(plain.location()).await;
    assert!(
        file.header("content-disposition")
            .unwrap()
            .starts_with("attachment")
    );
}

#[actix_web::test]
async fn d6_a_download_leads_to_the_cdn_alone_whatever_the_host_header_says() {
    let app = TestApp::sqlite().await;
    let ana = app.user("ana").await;
    let id = ana.document("a.txt", b"x").await;
    let cdn = format!("{}/", app.emulator_url);
    for (name, value) in [
        ("host", "evil.example"),
        ("x-forwarded-host", "evil.example"),
        ("forwarded", "host=evil.example"),
    ] {
        let request = ana.request(reqwest::Method::GET, &format!("/documents/{id}/download"));
        let answer = ana.send(request.header(name, value)).await;
        assert!(
            answer.location().starts_with(&cdn),
            "{name}: {}",
            answer.location()
        );
    }
    let url = ana
        .get(&format!("/api/uploads/{id}/download-url"))
        .await
        .field("url");
    assert!(url.starts_with(&cdn), "{url}");
}

#[actix_web::test]
async fn d2_d3_nothing_signed_or_personal_is_kept_by_a_cache() {
    let app = TestApp::sqlite().await;
    let ana = app.user("ana").await;
    let id = ana.document("a.txt", b"x").await;
    for path in [
        "/documents".to_owned(),
        format!("/documents/{id}"),
        format!("/documents/{id}/download"),
        format!("/api/documents/{id}"),
        format!("/api/uploads/{id}/download-url"),
    ] {
        let answer = ana.get(&path).await;
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"), "{path}");
    }
    let url = ana
        .get(&format!("/api/uploads/{id}/download-url"))
        .await
        .field("url");
    let file = app.fetch(&url).await;
    assert!(file.header("cache-control").unwrap().contains("private"));
    assert_eq!(file.header("set-cookie"), None);
}

/// A signed address cannot be taken back: it ends after its minutes, or with the file. The README says so.
#[actix_web::test]
async fn d7_an_address_signed_before_the_trash_ends_with_its_minutes_or_with_the_file() {
    let app = TestApp::sqlite().await;
    let ana = app.token("ana").await;
    let signed = async |name: &str| {
        let id = ana.document(name, b"hello").await;
        let answer = ana.get(&format!("/api/uploads/{id}/download-url")).await;
        (id, answer.field("url"))
    };
    let (trashed, url) = signed("a.txt").await;
    assert_eq!(ana.delete(&format!("/api/documents/{trashed}")).await.status, 204);
    assert_eq!(app.fetch(&url).await.status, 200);
    // Nobody gets another one.
    let another = ana.get(&format!("/api/uploads/{trashed}/download-url")).await;
    assert_eq!(another.status, 404, "{}", another.text());
    let (purged, gone) = signed("b.txt").await;
    assert_eq!(ana.purge(&purged).await.status, 204);
    assert_eq!(app.fetch(&gone).await.status, 404);
    app.advance(std::time::Duration::from_secs(301));
    assert_eq!(app.fetch(&url).await.status, 403);
}
