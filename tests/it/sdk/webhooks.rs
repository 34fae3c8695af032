//! Webhooks as the SDKs check them: signed as §7.1 says, over exactly the bytes that were sent.

use satchel::emulator::Endpoint;
use serde_json::{Value, json};

use super::bench::{Bench, NOW, Sdk, sign};
use super::parity::{self, Cell};
use crate::hooks::sender;
use crate::support::app::TestApp;
use crate::support::eventually;
use crate::support::receiver::Receiver;
use crate::support::wire::post;

const SECRET: &str = "Y5cWb1rdRDSTSqEjF5pv";
const OTHER: &str = "Bv7sQm2LkYt0aXw9ZcRe";

#[test]
#[ignore = "needs Filestack's Python SDK"]
fn python_takes_what_is_signed_and_nothing_else() {
    takes_what_is_signed_and_nothing_else(Sdk::Python);
}

#[test]
#[ignore = "needs Filestack's JavaScript SDK"]
fn javascript_takes_what_is_signed_and_nothing_else() {
    takes_what_is_signed_and_nothing_else(Sdk::JavaScript4);
    takes_what_is_signed_and_nothing_else(Sdk::JavaScript3);
}

#[track_caller]
fn takes_what_is_signed_and_nothing_else(sdk: Sdk) {
    let body = json!({
        "id": 90_000_001, "action": "fp.upload", "timestamp": NOW - 3,
        "text": { "url": "https://cdn.filestackcontent.com/AbCdEfGhIjKlMnOpQrSt", "filename": "ångström 日本.pdf",
                  "client": "Computer", "key": "9xQ_report.pdf", "type": "application/pdf", "status": "Stored",
                  "size": 2048, "container": "demo-bucket" },
    })
    .to_string();
    let pretty = format!("{}\n", body.replace(',', ", "));
    let now = NOW.to_string();
    let signed = |body: &str, timestamp: &str| sign(SECRET, &format!("{timestamp}.{body}"));
    let good = signed(&body, &now);
    let hook = |secret: &str, body: &str, timestamp: &str, signature: &str| json!({ "secret": secret, "body": body, "timestamp": timestamp, "signature": signature });
    let mut hooks = json!({
        "as sent": hook(SECRET, &body, &now, &good),
        "another layout": hook(SECRET, &pretty, &now, &signed(&pretty, &now)),
        "empty": hook(SECRET, "", &now, &signed("", &now)),
        "another secret": hook(OTHER, &body, &now, &good),
        "another body": hook(SECRET, &body.replace("2048", "2049"), &now, &good),
        "another layout, signature of the first": hook(SECRET, &pretty, &now, &good),
        "another time": hook(SECRET, &body, &(NOW + 1).to_string(), &good),
        "signature of the body alone": hook(SECRET, &body, &now, &sign(SECRET, &body)),
        "no signature": hook(SECRET, &body, &now, ""),
    });
    // §7.5, from the SDK's own tests: what they take there they take here.
    let sample = r#"{"text": {"filename": "filename.jpg", "key": "kGaeljnga9wkysK6Z_filename.jpg"}}"#;
    hooks["their sample"] = hook(
        "webhook-secret",
        sample,
        "123456789999",
        "57cbb25386c3d6ff758a7a75cf52ba02cf2b0a1a2d6d5dfb9c886553ca6011cb",
    );
    let good = ["as sent", "another layout", "empty", "their sample"];

    let report = Bench::start().run_with(sdk, "webhooks", &json!({ "hooks": hooks }));
    let mut rows = Vec::new();
    for name in hooks.as_object().expect("an object").keys() {
        let taken = good.contains(&name.as_str());
        assert_eq!(report.result(name), &Value::from(taken), "{sdk:?}: {name}");
        let says = if taken { "taken" } else { "not taken" };
        rows.push((name.clone(), Cell::Said(says.to_owned())));
    }
    parity::of_sdk("Webhook signatures (§7)", sdk, rows);
}

#[test]
#[ignore = "needs Filestack's Python SDK"]
fn python_takes_what_the_emulator_really_sent_and_not_one_byte_else() {
    takes_what_was_really_sent(Sdk::Python);
}

#[test]
#[ignore = "needs Filestack's JavaScript SDK"]
fn javascript_takes_what_the_emulator_really_sent_and_not_one_byte_else() {
    takes_what_was_really_sent(Sdk::JavaScript4);
    takes_what_was_really_sent(Sdk::JavaScript3);
}

/// Everything that came over the socket goes into the SDK as it came.
#[track_caller]
fn takes_what_was_really_sent(sdk: Sdk) {
    let (first, second) = (Receiver::new(), Receiver::new());
    let bench = Bench::start();
    for (receiver, secret) in [(&first, SECRET), (&second, OTHER)] {
        let endpoint = Endpoint::new(&receiver.url(), secret).expect("an endpoint");
        bench
            .controls
            .webhooks()
            .register(endpoint)
            .expect("it is registered");
    }
    let name = "%C3%A5ngstr%C3%B6m%20%E6%97%A5%E6%9C%AC.txt";
    let stored = post(&format!("/api/store/S3?key=AOpenz&filename={name}"))
        .body("text/plain", "hello")
        .send(bench.address());
    assert_eq!(stored.status, 200, "{}", stored.text());
    let mut hooks = json!({});
    for (receiver, secret, wrong) in [(&first, SECRET, OTHER), (&second, OTHER, SECRET)] {
        let came = receiver.wait_for(1).remove(0);
        assert_eq!(came.json()["text"]["filename"], "ångström 日本.txt");
        let body = String::from_utf8(came.body.clone()).expect("UTF-8");
        let (timestamp, signature) = (came.header("fs-timestamp"), came.header("fs-signature"));
        let hook = |secret: &str, body: &str, timestamp: &str| json!({ "secret": secret, "body": body, "timestamp": timestamp, "signature": signature });
        hooks[format!("{secret}: as it came")] = hook(secret, &body, timestamp);
        hooks[format!("{secret}: another secret")] = hook(wrong, &body, timestamp);
        hooks[format!("{secret}: another time")] = hook(secret, &body, &(NOW + 1).to_string());
        for at in [0, body.len() / 2, body.len() - 1] {
            let mut changed = came.body.clone();
            changed[at] = if changed[at] == b' ' { b'x' } else { b' ' };
            // Inside a letter of several bytes it would not be text any more.
            if let Ok(changed) = String::from_utf8(changed) {
                hooks[format!("{secret}: byte {at} changed")] = hook(secret, &changed, timestamp);
            }
        }
    }
    let report = bench.run_with(sdk, "webhooks", &json!({ "hooks": hooks }));
    for name in hooks.as_object().expect("an object").keys() {
        let taken = name.ends_with("as it came");
        assert_eq!(report.result(name), &Value::from(taken), "{sdk:?}: {name}");
    }
    let said = |text: &str| Cell::Said(text.to_owned());
    let rows = [
        ("as it came", said("taken")),
        (
            "with another secret, at another time, with a byte changed",
            said("not taken"),
        ),
    ];
    let rows = rows.map(|(name, cell)| (name.to_owned(), cell));
    parity::of_sdk("Webhooks as the emulator sends them (§7)", sdk, rows.into());
}

#[actix_web::test]
#[ignore = "needs Filestack's Python SDK"]
async fn the_service_takes_what_python_signs_and_python_takes_what_the_service_took() {
    let app = TestApp::new()
        .var("FILESTACK_WEBHOOK_SECRET", sender::SECRET)
        .with_webhooks()
        .start()
        .await;
    let bench = Bench::start();
    let time = app.seconds().to_string();
    let plain = r#"{"id": 1, "action": "fp.x", "text": {}}"#;
    let bodies = [
        ("plain", plain, sender::SECRET),
        (
            "letters",
            "{\"id\": 2, \"action\": \"fp.x\", \"text\": {\"filename\": \"ångström 日本.pdf\"}}\n",
            sender::SECRET,
        ),
        (
            "spaces",
            " { \"id\" : 3,\t\"action\":\"fp.x\" }\r\n",
            sender::SECRET,
        ),
        ("another secret", plain, OTHER),
    ];
    let mut to_sign = json!({});
    for (name, body, secret) in bodies {
        to_sign[name] = json!({"secret": secret, "body": body, "timestamp": time});
    }
    let signed = bench.run_with(Sdk::Python, "webhooks", &json!({"hooks": {}, "to_sign": to_sign}));
    for (name, body, secret) in bodies {
        let signature = signed.result(name).as_str().expect("a signature");
        let headers = [("FS-Timestamp", time.as_str()), ("FS-Signature", signature)];
        let answer = app.deliver_raw(&headers, body.as_bytes()).await;
        let status = if secret == sender::SECRET { 200 } else { 400 };
        assert_eq!(answer.status, status, "{name}");
    }

    // And what the emulator really sent to the service, as the service kept it.
    app.somebody_with_a_document("ana").await;
    let uploaded = async || {
        let mut events = app.events().await.into_iter();
        events.find(|event| event.action == "fp.upload")
    };
    eventually("the upload's event is there", async || uploaded().await.is_some()).await;
    let event = uploaded().await.expect("the event");
    let delivery = app.deliveries(&event).await.remove(0);
    let headers: Vec<(String, String)> = serde_json::from_str(&delivery.headers).expect("names and values");
    let header = |name: &str| {
        let found = headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).expect("the header")
    };
    let body = String::from_utf8(event.body.clone()).expect("text");
    let hook = |body: &str| json!({"secret": sender::SECRET, "body": body, "timestamp": header("fs-timestamp"), "signature": header("fs-signature")});
    let hooks = json!({"as kept": hook(&body), "changed": hook(&body.replace("fp.upload", "fp.delete"))});
    let checked = bench.run_with(Sdk::Python, "webhooks", &json!({"hooks": hooks}));
    assert_eq!(checked.result("as kept"), &json!(true));
    assert_eq!(checked.result("changed"), &json!(false));
}
