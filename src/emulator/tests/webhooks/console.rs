//! The control surface: webhooks as JSON and on the page.

use actix_web::http::Method;

use super::listener::Answer;
use super::*;

impl Bench {
    async fn asked(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let request = self.ask(method, &format!("api/{path}"));
        let request = match &body {
            Some(body) => request.json(body),
            None => request,
        };
        let reply = request.send().await.unwrap();
        let status = reply.status().as_u16();
        (status, reply.json().await.unwrap_or(Value::Null))
    }

    async fn submitted(&self, fields: &[(&str, &str)]) -> u16 {
        self.form("webhooks", fields).await.status().as_u16()
    }
}

#[actix_web::test]
async fn endpoints_are_registered_listed_without_secrets_and_removed() {
    let listener = Listener::new();
    let bench = Bench::telling_all(&[]);
    let new = json!({ "url": listener.url(), "secret": Listener::SECRET, "app": "AKeyz", "id": "mine" });
    let (status, shown) = bench.asked(Method::POST, "webhooks/endpoints", Some(new)).await;
    assert_eq!(status, 201, "{shown}");
    let wanted = json!({ "endpoints": [{ "id": "mine", "url": listener.url(), "app": "AKeyz" }] });
    assert_eq!(
        (&shown, &bench.shown("webhooks/endpoints").await),
        (&wanted, &wanted)
    );
    assert!(!bench.page().await.contains(Listener::SECRET));
    for (wrong, status) in [
        (json!({ "url": "ftp://x/", "secret": "s" }), 400),
        (json!({ "url": listener.url(), "secret": "" }), 400),
        (json!({ "url": listener.url(), "secret": "s", "id": "../x" }), 400),
        (
            json!({ "url": listener.url(), "secret": "s", "app": "Nobody" }),
            404,
        ),
        (json!({ "url": listener.url() }), 400),
        (json!([]), 400),
    ] {
        let (got, error) = bench
            .asked(Method::POST, "webhooks/endpoints", Some(wrong.clone()))
            .await;
        assert!(
            got == status && error["error"].is_string(),
            "{wrong}: {got} {error}"
        );
    }
    assert_eq!(
        bench
            .asked(Method::DELETE, "webhooks/endpoints/mine", None)
            .await
            .0,
        204
    );
    assert_eq!(
        bench
            .asked(Method::DELETE, "webhooks/endpoints/mine", None)
            .await
            .0,
        404
    );
    assert!(bench.controls.webhooks().endpoints().is_empty());
}

#[actix_web::test]
async fn webhooks_are_listed_with_every_attempt_filtered_and_sent_again() {
    let listener = Listener::new();
    listener.once(Answer::Status(500));
    let bench = Bench::telling(&listener);
    let handle = bench.stored("hello").await;
    bench.settled().await;
    bench.happen("second");
    bench.settled().await;
    let shown = bench.shown("webhooks?action=fp.upload").await;
    assert_eq!((&shown["kept"], &shown["waiting"]), (&json!(2), &json!(1)));
    let webhook = &shown["webhooks"][0];
    let received = listener.received();
    assert_eq!(webhook["body"], json!(received[0].body));
    assert_eq!(
        (&webhook["state"], &webhook["due"], &webhook["handle"]),
        (
            &json!("waiting"),
            &json!("2027-01-15T08:05:00.000Z"),
            &json!(handle)
        )
    );
    let attempt = &webhook["attempts"][0];
    assert_eq!(
        (&attempt["status"], &attempt["answer"]),
        (&json!(500), &json!("heard"))
    );
    assert_eq!(
        attempt["headers"]["FS-Signature"],
        json!(received[0].header("fs-signature"))
    );
    assert_eq!(attempt["time"], "2027-01-15T08:00:00.000Z");
    let count = async |query: &str| bench.shown(query).await["webhooks"].as_array().unwrap().len();
    let event = webhook["event"].as_u64().unwrap();
    for (query, wanted) in [
        ("webhooks", 2),
        ("webhooks?limit=1", 1),
        ("webhooks?state=waiting", 1),
        ("webhooks?state=undelivered", 0),
        (&format!("webhooks?handle={handle}"), 1),
        (&format!("webhooks?event={event}"), 1),
        (&format!("webhooks?before={event}"), 0),
        (&format!("webhooks?endpoint={}", listener.endpoint().id), 2),
    ] {
        assert_eq!(count(query).await, wanted, "{query}");
    }
    let id = webhook["id"].as_str().unwrap();
    let again = format!("webhooks/{id}/send-again");
    assert_eq!(bench.asked(Method::POST, &again, None).await.0, 202);
    bench.settled().await;
    let one = bench.shown(&format!("webhooks/{id}")).await;
    assert_eq!(
        (&one["state"], &one["attempts"][1]["reason"]),
        (&json!("delivered"), &json!("sent_again"))
    );
    for unknown in ["webhooks/1-x", "webhooks/..%2f..%2fx", "webhooks/x"] {
        assert_eq!(bench.asked(Method::GET, unknown, None).await.0, 404, "{unknown}");
        let again = format!("{unknown}/send-again");
        assert_eq!(bench.asked(Method::POST, &again, None).await.0, 404, "{unknown}");
    }
    assert_eq!(bench.asked(Method::GET, "webhooks?state=odd", None).await.0, 400);
}

#[actix_web::test]
async fn an_event_that_did_not_happen_can_be_told_of() {
    let listener = Listener::new();
    let bench = Bench::telling(&listener);
    let event =
        json!({ "action": "fp.scan", "handle": "AAAAAAAAAAAAAAAAAAAA", "text": { "infected": true } });
    let (status, shown) = bench.asked(Method::POST, "webhooks", Some(event)).await;
    assert_eq!(status, 201, "{shown}");
    let whole = json!({ "action": "video", "app": "BKeyz", "body": { "status": "failed" } });
    assert_eq!(bench.asked(Method::POST, "webhooks", Some(whole)).await.0, 201);
    bench.settled().await;
    let received = listener.received();
    assert_eq!(received[0].json()["text"], json!({ "infected": true }));
    assert_eq!(
        (&received[0].json()["id"], &received[1].json()),
        (&shown["event"], &json!({ "status": "failed" }))
    );
    for wrong in [
        json!({ "action": "fp.scan" }),
        json!({ "action": "", "text": {} }),
        json!({ "action": "x", "text": {}, "body": {} }),
    ] {
        assert_eq!(bench.asked(Method::POST, "webhooks", Some(wrong)).await.0, 400);
    }
    let nobodys = json!({ "action": "x", "text": {}, "app": "Nobody" });
    assert_eq!(bench.asked(Method::POST, "webhooks", Some(nobodys)).await.0, 404);
}

#[actix_web::test]
async fn failures_of_webhooks_wait_beside_those_of_calls() {
    let listener = Listener::new();
    let bench = Bench::telling(&listener);
    let id = listener.endpoint().id;
    for fault in [
        json!("doubled"),
        json!({ "late_ms": 1_000 }),
        json!({ "stale_seconds": 5 }),
    ] {
        let fault = json!({ "webhook": fault, "endpoint": id, "times": 2 });
        let (status, shown) = bench.asked(Method::POST, "faults", Some(fault)).await;
        assert_eq!(status, 201, "{shown}");
    }
    let call = json!({ "route": "start", "fault": { "status": 503 } });
    let (_, shown) = bench.asked(Method::POST, "faults", Some(call)).await;
    assert_eq!(
        (
            shown["waiting"].as_array().unwrap().len(),
            &shown["webhooks"][2]["webhook"]
        ),
        (1, &json!({ "stale_seconds": 5 }))
    );
    assert!(bench.page().await.contains("1000 ms late"));
    for (wrong, status) in [
        (json!({ "webhook": "odd" }), 400),
        (json!({ "webhook": "lost", "times": 0 }), 400),
        (json!({ "webhook": { "late_ms": u64::MAX } }), 400),
        (json!({ "webhook": "lost", "endpoint": "nobody" }), 404),
        (json!({ "webhook": "lost", "route": "start" }), 400),
    ] {
        assert_eq!(
            bench.asked(Method::POST, "faults", Some(wrong.clone())).await.0,
            status,
            "{wrong}"
        );
    }
    bench.happen("twice");
    bench.settled().await;
    assert_eq!(names(&listener.received()), ["twice", "twice"]);
    assert_eq!(
        bench.asked(Method::DELETE, "faults?webhooks=true", None).await.0,
        204
    );
    let shown = bench.shown("faults").await;
    assert_eq!(
        (shown["waiting"].as_array().unwrap().len(), &shown["webhooks"]),
        (1, &json!([]))
    );
}

#[actix_web::test]
async fn the_page_shows_webhooks_and_sends_them_again() {
    let listener = Listener::new();
    let bench = Bench::telling_all(&[]);
    assert!(bench.page().await.contains("no endpoint is registered"));
    let add = [
        ("action", "add"),
        ("url", &listener.url()),
        ("secret", Listener::SECRET),
        ("app", ""),
    ];
    assert_eq!(bench.submitted(&add).await, 200);
    bench.happen("<b>bold</b>");
    bench.settled().await;
    let page = bench.page().await;
    assert!(page.contains("fp.test") && page.contains("Send again") && !page.contains("<b>bold"));
    let id = bench.webhooks()[0].id();
    assert_eq!(
        bench.submitted(&[("action", "send_again"), ("id", &id)]).await,
        200
    );
    bench.settled().await;
    assert_eq!(listener.received().len(), 2);
    assert_eq!(
        bench
            .submitted(&[("action", "fail"), ("kind", "lost"), ("times", "1")])
            .await,
        200
    );
    bench.happen("lost");
    bench.settled().await;
    assert_eq!(listener.received().len(), 2);
    for (fields, status) in [
        (
            vec![("action", "fail"), ("kind", "late_ms"), ("number", "soon")],
            422,
        ),
        (vec![("action", "add"), ("url", "nowhere"), ("secret", "s")], 422),
        (vec![("action", "send_again"), ("id", "1-x")], 404),
        (vec![("action", "odd")], 422),
    ] {
        assert_eq!(bench.submitted(&fields).await, status, "{fields:?}");
    }
    let endpoint = listener.endpoint().id;
    assert_eq!(
        bench.submitted(&[("action", "remove"), ("id", &endpoint)]).await,
        200
    );
    // It cannot be sent again any more, and the page does not offer it.
    assert!(!bench.page().await.contains("Send again"));
}
