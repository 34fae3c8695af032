//! A document's page and its events while the steps run.

use std::time::Duration;

use reqwest::Method;

use crate::support::app::TestApp;
use crate::support::client::Client;

async fn read_events(client: &Client, id: &str) -> reqwest::Response {
    let request = client.request(Method::GET, &format!("/documents/{id}/events"));
    let answer = request.send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    assert_eq!(
        answer.headers()["content-type"],
        "text/event-stream; charset=utf-8"
    );
    answer
}

/// The next piece of the answer; `None` at its end.
async fn next(answer: &mut reqwest::Response) -> Option<String> {
    let chunk = tokio::time::timeout(Duration::from_secs(30), answer.chunk()).await;
    let chunk = chunk
        .expect("something comes in time")
        .expect("it does not break off");
    chunk.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

#[actix_web::test]
async fn each_step_is_told_as_it_happens_and_then_it_ends() {
    let app = TestApp::sqlite().await;
    let ana = app.user("ana").await;
    let id = ana.process("a.txt", b"a").await.field("id");
    let page = ana.page(&format!("/documents/{id}")).await;
    assert_eq!(
        page.attributes("[data-steps]", "data-steps"),
        [format!("/documents/{id}/events")]
    );
    let refresh = page.attributes("[data-steps-hint] a", "href");
    assert_eq!(
        refresh,
        [format!("/documents/{id}")],
        "without a script there is a link"
    );

    let mut events = read_events(&ana, &id).await;
    let first = next(&mut events).await.expect("an event");
    assert!(first.starts_with("event: steps\ndata: {"), "{first}");
    assert!(
        first.contains(r#""state":"waiting""#) && !first.contains("event: end"),
        "{first}"
    );
    let mut told = String::new();
    for _ in 0..20 {
        app.run_jobs().await;
        app.advance(Duration::from_secs(3));
        if app.jobs().await.iter().all(|job| job.state.is_final()) {
            break;
        }
    }
    while let Some(more) = next(&mut events).await {
        told += &more;
    }
    assert!(
        told.contains("Filestack has exactly the bytes that were uploaded."),
        "{told}"
    );
    assert!(
        told.ends_with("event: end\ndata: {\"status\":\"Ready\"}\n\n"),
        "{told}"
    );

    let page = ana.page(&format!("/documents/{id}")).await;
    assert_eq!(page.texts("[data-steps-hint]"), ["All steps have ended."]);
    assert_eq!(
        page.attributes(".steps li", "data-state"),
        ["done", "done", "done"]
    );
}

#[actix_web::test]
async fn i3_events_of_a_foreign_document_are_404_and_signing_out_ends_ones_own() {
    let app = TestApp::sqlite().await;
    let (ana, ben) = (app.user("ana").await, app.user("ben").await);
    let id = ana.process("a.txt", b"a").await.field("id");
    for path in [
        format!("/documents/{id}/events"),
        format!("/api/documents/{id}/jobs"),
    ] {
        assert_eq!(ben.get(&path).await.status, 404, "{path}");
        assert_ne!(app.anon().get(&path).await.status, 200, "{path}");
    }
    let mut events = read_events(&ana, &id).await;
    assert!(next(&mut events).await.is_some());
    assert_eq!(ana.post_form("/sign-out", &[]).await.status, 303);
    assert_eq!(next(&mut events).await, None);
}

#[actix_web::test]
async fn programs_ask_for_the_jobs_of_a_document() {
    let app = TestApp::sqlite().await;
    let ana = app.token("ana").await;
    let id = ana.process("a.txt", b"a").await.field("id");
    let jobs = ana.get(&format!("/api/documents/{id}/jobs")).await.json();
    let states: Vec<_> = jobs["jobs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|job| job["state"].clone())
        .collect();
    assert_eq!(states, ["waiting", "waiting", "waiting"]);
}
