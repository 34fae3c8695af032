//! `ETag`, `If-None-Match` and `If-Match` on documents.

use reqwest::Method;
use serde_json::json;

use crate::support::answer::Answer;
use crate::support::app::TestApp;
use crate::support::client::Client;

async fn rename(client: &Client, id: &str, name: &str, tag: Option<&str>) -> Answer {
    let path = format!("/api/documents/{id}");
    let mut request = client
        .changing(Method::PATCH, &path)
        .await
        .json(&json!({"name": name}));
    if let Some(tag) = tag {
        request = request.header("If-Match", tag);
    }
    client.send(request).await
}

async fn delete(client: &Client, id: &str, tag: &str) -> Answer {
    let path = format!("/api/documents/{id}");
    let request = client
        .changing(Method::DELETE, &path)
        .await
        .header("If-Match", tag);
    client.send(request).await
}

async fn a_stale_tag_changes_nothing(app: TestApp) {
    let ana = app.token("ana").await;
    let id = ana.document("first.txt", b"x").await;
    let path = format!("/api/documents/{id}");
    let first = ana.get(&path).await;
    let tag = first.header("etag").expect("a tag").to_owned();
    assert!(
        tag.starts_with('"') && tag.ends_with('"') && tag.len() == 34,
        "{tag}"
    );

    for known in [
        tag.clone(),
        format!("W/{tag}"),
        format!("\"other\", {tag}"),
        "*".to_owned(),
    ] {
        let request = ana
            .request(Method::GET, &path)
            .header("If-None-Match", known.as_str());
        let same = ana.send(request).await;
        assert_eq!((same.status, same.body.len()), (304, 0), "{known}");
        assert_eq!(same.header("etag"), Some(tag.as_str()));
    }

    let renamed = rename(&ana, &id, "second.txt", Some(&tag)).await;
    assert_eq!(renamed.status, 200, "{}", renamed.text());
    let new_tag = renamed.header("etag").expect("a tag").to_owned();
    assert_ne!(new_tag, tag);
    assert_eq!(ana.get(&path).await.header("etag"), Some(new_tag.as_str()));
    let request = ana
        .request(Method::GET, &path)
        .header("If-None-Match", tag.as_str());
    assert_eq!(ana.send(request).await.status, 200);

    for stale in [
        tag.clone(),
        format!("W/{new_tag}"),
        "\"x\"".to_owned(),
        "nonsense".to_owned(),
    ] {
        let refused = rename(&ana, &id, "third.txt", Some(&stale)).await;
        assert_eq!(
            (refused.status, refused.problem().as_str()),
            (412, "changed-meanwhile"),
            "{stale}"
        );
        let kept = delete(&ana, &id, &stale).await;
        assert_eq!(
            (kept.status, kept.problem().as_str()),
            (412, "changed-meanwhile"),
            "{stale}"
        );
    }
    assert_eq!(ana.get(&path).await.field("name"), "second.txt");

    assert_eq!(rename(&ana, &id, "third.txt", None).await.status, 200);
    assert_eq!(rename(&ana, &id, "fourth.txt", Some("*")).await.status, 200);
    let tag = ana.get(&path).await.header("etag").expect("a tag").to_owned();
    assert_eq!(delete(&ana, &id, &tag).await.status, 204);
    // What is not there is not there, whatever is believed of it.
    assert_eq!(rename(&ana, &id, "fifth.txt", Some(&tag)).await.status, 404);
}

async fn of_many_edits_with_one_tag_one_is_made(app: TestApp) {
    let ana = app.token("ana").await;
    for round in 0..5 {
        let id = ana.document("first.txt", b"x").await;
        let tag = ana.get(&format!("/api/documents/{id}")).await;
        let tag = tag.header("etag").expect("a tag").to_owned();
        let edits = (0..8).map(|n| {
            let (ana, id, tag) = (ana.clone(), id.clone(), tag.clone());
            async move { rename(&ana, &id, &format!("{n}.txt"), Some(&tag)).await.status }
        });
        let mut statuses = futures_util::future::join_all(edits).await;
        statuses.sort_unstable();
        assert_eq!(
            statuses,
            [200, 412, 412, 412, 412, 412, 412, 412],
            "round {round}"
        );
    }
}

#[actix_web::test]
async fn a_stale_tag_changes_nothing_on_sqlite() {
    a_stale_tag_changes_nothing(TestApp::sqlite().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn a_stale_tag_changes_nothing_with_postgresql() {
    a_stale_tag_changes_nothing(TestApp::postgres().await).await;
}

#[actix_web::test]
async fn of_many_edits_with_one_tag_one_is_made_on_sqlite() {
    of_many_edits_with_one_tag_one_is_made(TestApp::sqlite().await).await;
}

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn of_many_edits_with_one_tag_one_is_made_with_postgresql() {
    of_many_edits_with_one_tag_one_is_made(TestApp::postgres().await).await;
}
