//! Webhooks as the SDKs check them: signed as §7.1 says, over exactly the bytes that were sent.

use serde_json::{Value, json};

use super::bench::{Bench, NOW, Sdk, sign};
use super::parity::{self, Cell};

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
