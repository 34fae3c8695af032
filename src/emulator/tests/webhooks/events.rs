//! What is told of what happens: the bodies of §7.2.

use super::*;

/// The one event that came, without its number, which is checked here.
#[track_caller]
fn text(got: &Received, action: &str) -> Value {
    let body = got.json();
    let fields = body.as_object().unwrap();
    assert_eq!(
        fields.keys().collect::<Vec<_>>(),
        ["action", "id", "text", "timestamp"],
        "{body}"
    );
    assert_eq!(
        (&body["action"], &body["timestamp"]),
        (&json!(action), &json!(NOW))
    );
    let number = body["id"].as_u64().unwrap();
    // Never small, and a whole number in JavaScript.
    assert!((1_000_000_000_000..1 << 53).contains(&number), "{number}");
    body["text"].clone()
}

#[actix_web::test]
async fn an_upload_is_told_of_after_complete() {
    let listener = Listener::new();
    let bench = Bench::telling(&listener);
    let mut start = start_call(10);
    start["store"] = json!({ "location": "s3", "path": "in/", "container": "bucket" });
    let mut call = bench.begin(start).await;
    let etag = bench.part(&call, 1, b"0123456789").await;
    call["parts"] = parts(&[(1, &etag)]);
    call["upload_tags"] = json!({ "who": "ana" });
    let (status, file) = bench.post("multipart/complete", &call).await;
    assert_eq!(status, 200, "{file}");
    bench.settled().await;
    let received = listener.received();
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].line, "POST /hooks?from=emulator HTTP/1.1");
    assert_eq!(
        text(&received[0], "fp.upload"),
        json!({
            "container": "bucket", "url": file["url"], "filename": "cat.png", "client": "Computer", "key": file["key"],
            "type": "image/png", "status": "Stored", "size": 10, "upload_tags": { "who": "ana" },
        })
    );
    assert_eq!(received[0].header("content-type"), "application/json");
    assert_eq!(received[0].header("fs-timestamp"), NOW.to_string());
    assert!(received[0].is_signed_with(Listener::SECRET));
}

#[actix_web::test]
async fn rest_store_overwrite_and_delete_are_told_of() {
    let listener = Listener::new();
    let bench = Bench::telling(&listener);
    let handle = bench.stored("hello").await;
    let url = format!("{}/{handle}", bench.base);
    let api = format!("{}/api/file/{handle}?{}", bench.base, bench.query(json!({})));
    let overwritten = bench.http.post(&api).body("hello, world").send().await.unwrap();
    assert_eq!(overwritten.status(), 200);
    let overwritten: Value = overwritten.json().await.unwrap();
    assert_eq!(bench.http.delete(&api).send().await.unwrap().status(), 200);
    // What changes nothing is not told of.
    assert_eq!(bench.http.delete(&api).send().await.unwrap().status(), 404);
    bench.settled().await;
    let received = listener.received();
    assert_eq!(received.len(), 3);
    let upload = text(&received[0], "fp.upload");
    assert_eq!(
        upload,
        json!({
            "container": "emulator", "url": url, "filename": "note.txt", "client": "Computer", "key": upload["key"],
            "type": "text/plain", "status": "Stored", "size": 5,
        })
    );
    assert!(upload["key"].as_str().unwrap().ends_with("_note.txt"));
    let mut told = overwritten;
    told["client"] = "Computer".into();
    assert_eq!(text(&received[1], "fp.overwrite"), told);
    assert_eq!(told["size"], 12);
    assert_eq!(text(&received[2], "fp.delete"), json!({ "url": url }));
}

#[actix_web::test]
async fn what_is_stored_from_a_url_is_an_upload_and_what_was_converted_is_told_with_its_tasks() {
    let listener = Listener::new();
    let bench = Bench::telling(&listener);
    let picture = bench.keep(&png(), "cat.png", "image/png");
    let source = format!("{}/{picture}", bench.base);
    let process = json!({ "apikey": "AKeyz", "sources": [source], "tasks": [{ "name": "store", "params": { "filename": "copy.png" } }] });
    let (status, copy) = bench.post("process", &process).await;
    assert_eq!(status, 200, "{copy}");
    let reply = bench
        .get(&format!(
            "AKeyz/resize=width:2/store=filename:small.png/{picture}"
        ))
        .await;
    assert_eq!(reply.status(), 200);
    let small: Value = reply.json().await.unwrap();
    let process = json!({
        "apikey": "AKeyz", "sources": [picture],
        "tasks": [{ "name": "resize", "params": { "width": 3 } }, { "name": "store" }],
    });
    let (status, other) = bench.post("process", &process).await;
    assert_eq!(status, 200, "{other}");
    // A conversion that is only looked at is not told of.
    assert_eq!(
        bench.get(&format!("resize=width:2/{picture}")).await.status(),
        200
    );
    bench.settled().await;
    let received = listener.received();
    assert_eq!(received.len(), 3, "{received:?}");
    let upload = text(&received[0], "fp.upload");
    assert_eq!(
        (&upload["filename"], &upload["url"]),
        (&json!("copy.png"), &copy["url"])
    );
    let link = |file: &Value| {
        json!({
            "url": format!("{}/api/file/{}", bench.base, file["handle"].as_str().unwrap()),
            "handle": file["handle"], "filename": file["filename"], "mimetype": file["type"], "path": file["key"],
            "provider": "internal_v2", "size": file["size"],
        })
    };
    assert_eq!(
        text(&received[1], "fp.converse"),
        json!({ "url": format!("/resize=width:2/store=filename:small.png/{picture}"), "link": link(&small) })
    );
    assert_eq!(
        text(&received[2], "fp.converse"),
        json!({ "url": format!("/resize=width:3/store/{picture}"), "link": link(&other) })
    );
}

#[actix_web::test]
async fn actions_whose_payload_is_not_public_are_told_of_by_hand_to_everybody() {
    let (one, two) = (Listener::new(), Listener::new());
    let bench = Bench::telling_all(&[one.endpoint(), two.endpoint()]);
    let actions = ["fp.video_converse", "fp.scan", "fp.export", "fp.dialog"];
    for action in actions {
        let event = json!({ "action": action, "handle": "A".repeat(20), "text": { "of": action } });
        let (status, shown) = bench.told("webhooks", event).await;
        assert_eq!(status, 201, "{shown}");
    }
    bench.settled().await;
    for listener in [&one, &two] {
        let received = listener.received();
        assert_eq!(received.len(), actions.len());
        for (got, action) in received.iter().zip(actions) {
            // The envelope is theirs like everybody's, and so are signature and retries.
            assert_eq!(text(got, action), json!({ "of": action }));
            assert!(got.is_signed_with(Listener::SECRET));
        }
    }
}

#[actix_web::test]
async fn a_body_without_envelope_is_sent_as_it_is() {
    let listener = Listener::new();
    let bench = Bench::telling(&listener);
    let body = json!({ "status": "completed", "uuid": "0123" });
    let event = Event::whole("video", None, body.clone());
    bench.controls.webhooks().emit("AKeyz", &event).unwrap();
    bench.settled().await;
    assert_eq!(listener.received()[0].json(), body);
    assert_eq!(bench.webhooks()[0].action, "video");
}

#[actix_web::test]
async fn every_endpoint_hears_of_its_application_with_its_own_secret_and_the_same_number() {
    let (one, two) = (Listener::new(), Listener::new());
    let own = Endpoint::new(&two.url(), "another-secret").unwrap();
    let bench = Bench::telling_all(&[one.endpoint(), own.of_app("BKeyz")]);
    bench.happen("A");
    let event = Event::new("fp.test", None, json!({ "name": "B" }));
    bench.controls.webhooks().emit("BKeyz", &event).unwrap();
    bench.settled().await;
    assert_eq!(
        (names(&one.received()), names(&two.received())),
        (vec!["A".into(), "B".into()], vec!["B".into()])
    );
    let (first, second) = (&one.received()[1], &two.received()[0]);
    assert_eq!(first.body, second.body);
    assert!(first.is_signed_with(Listener::SECRET) && !first.is_signed_with("another-secret"));
    assert!(second.is_signed_with("another-secret") && !second.is_signed_with(Listener::SECRET));
}

#[actix_web::test]
async fn numbers_of_events_go_up_and_never_come_twice_not_even_after_restarts_and_resets() {
    let listener = Listener::new();
    let mut bench = Bench::telling(&listener);
    for round in 0..3 {
        for at in 0..5 {
            bench.happen(&format!("{round} {at}"));
        }
        bench.settled().await;
        bench.controls.reset().unwrap();
        bench = bench.telling_again(&[listener.endpoint()]).await;
    }
    let received = listener.received();
    let numbers: Vec<u64> = received
        .iter()
        .map(|got| got.json()["id"].as_u64().unwrap())
        .collect();
    assert_eq!(numbers.len(), 15);
    assert!(numbers.is_sorted_by(|one, other| one < other), "{numbers:?}");
}
