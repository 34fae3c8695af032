//! Secrets that are known beforehand must be nowhere: not on a page, not in an answer, not in a log, not in an error (P7).

use super::process::{EMAIL, PASSWORD, Place};
use crate::accounts::people::at_once;
use crate::support::wire::{get, post, request};

const APP_SECRET: &str = "CANARYAPPSECRETOFTHISTEST";
const WEBHOOK_SECRET: &str = "canaryWebhookSecretOfThisTest";
const METRICS_TOKEN: &str = "canary-metrics-token-of-this-test";

#[test]
fn p7_no_secret_is_in_any_page_answer_log_or_error() {
    let secret_key = "c0ffee".repeat(10) + "c0ff";
    let filestack_place = Place::new();
    let app = format!("AmyOwnKeyz:{APP_SECRET}");
    let filestack = filestack_place.start(&["emulator", "--app", &app]);
    let place = Place::new()
        .with("FILESTACK_API_KEY", "AmyOwnKeyz")
        .with("FILESTACK_APP_SECRET", APP_SECRET)
        .with("FILESTACK_WEBHOOK_SECRET", WEBHOOK_SECRET)
        .with("FILESTACK_BASE_URL", &format!("http://{}", filestack.address))
        .with("SATCHEL_SECRET_KEY", &secret_key)
        .with("SATCHEL_METRICS_TOKEN", METRICS_TOKEN)
        .with("SATCHEL_DRAIN_SECONDS", "0")
        .with("RUST_LOG", "debug");
    let server = place.serve();
    let mut seen = String::new();
    let mut see = |reply: crate::support::wire::Reply| {
        for (name, value) in &reply.headers {
            seen.push_str(&format!("{name}: {value}\n"));
        }
        seen.push_str(&reply.text());
        reply
    };

    let link = server.setup_target();
    let setup_token = link.trim_start_matches("/setup?token=").to_owned();
    see(get(&link).send(server.address));
    place.create_user(EMAIL, "admin");
    let token = place.create_token(EMAIL);
    let mut browser = server.browser();
    see(browser.sign_in(EMAIL, "not the password at all"));
    see(browser.sign_in(EMAIL, PASSWORD));
    let stored = see(post("/api/uploads")
        .bearer(&token)
        .upload(&[], "note.txt", b"hello")
        .send(server.address));
    let id = stored.json()["id"].as_str().unwrap().to_owned();
    for page in [
        "/".to_owned(),
        "/sign-in".to_owned(),
        "/documents".to_owned(),
        format!("/documents/{id}"),
        format!("/documents/{id}/download"),
        "/trash".to_owned(),
        "/uploads/new".to_owned(),
        "/no-such-page".to_owned(),
        "/healthz".to_owned(),
        "/readyz".to_owned(),
        "/docs".to_owned(),
        "/openapi.json".to_owned(),
        "/metrics".to_owned(),
        "/documents?sort=wrong".to_owned(),
        "/account".to_owned(),
        "/admin".to_owned(),
        "/admin/users".to_owned(),
        "/admin/documents".to_owned(),
        "/admin/settings".to_owned(),
        "/admin/system".to_owned(),
        "/admin/jobs".to_owned(),
        "/admin/webhooks".to_owned(),
        "/admin/webhooks/refusals".to_owned(),
        "/admin/audit".to_owned(),
        "/admin/audit?format=csv".to_owned(),
        "/admin/audit?format=json".to_owned(),
    ] {
        see(browser.get(&page));
    }
    for call in [
        "/api/documents".to_owned(),
        format!("/api/documents/{id}"),
        format!("/api/uploads/{id}/download-url"),
        format!("/api/uploads/{id}/thumbnail"),
        "/api/documents?cursor=wrong".to_owned(),
        "/api/nothing".to_owned(),
    ] {
        see(get(&call).bearer(&token).send(server.address));
    }
    see(get("/metrics").bearer(METRICS_TOKEN).send(server.address));
    see(post("/webhooks/filestack")
        .body("application/json", "{}")
        .send(server.address));

    // Filestack goes away: the errors of the layer below are the ones that know most.
    let signed = get(&format!("/api/uploads/{id}/download-url"))
        .bearer(&token)
        .send(server.address);
    let signed = signed.json()["url"].as_str().unwrap().to_owned();
    filestack.kill();
    let upload = post("/api/uploads").upload(&[], "note.txt", b"hello");
    let trash = request("DELETE", &format!("/api/documents/{id}")).bearer(&token);
    assert_eq!(trash.send(server.address).status, 204);
    let delete = request("DELETE", &format!("/api/trash/{id}"));
    let failing = [upload.bearer(&token), delete.bearer(&token)];
    // Both take their time to give up, so they do it together.
    for reply in at_once(failing.len(), |number| failing[number].send(server.address)) {
        see(reply);
    }

    let shown = place.run(&["config", "show"]);
    let shown_json = place.run(&["config", "show", "--json"]);
    server.terminate();
    let (_, _, said) = server.ended();
    let said = said.replace(&link, "");
    for secret in [
        APP_SECRET,
        WEBHOOK_SECRET,
        METRICS_TOKEN,
        &secret_key,
        PASSWORD,
        &token,
    ] {
        assert!(!seen.contains(secret), "{secret} is in an answer");
        assert!(!said.contains(secret), "{secret} is in the log");
        for shown in [&shown, &shown_json] {
            assert!(
                !shown.stdout.contains(secret) && !shown.stderr.contains(secret),
                "{secret} is shown"
            );
        }
    }
    // Nobody's own secrets are in the log either.
    let signature = signed.split("signature=").nth(1).unwrap_or(&signed).to_owned();
    for secret in [
        PASSWORD,
        "not the password at all",
        &token,
        &setup_token,
        &signature,
    ] {
        assert!(!said.contains(secret), "{secret} is in the log:\n{said}");
    }
    for value in browser.cookies.values() {
        assert!(!said.contains(value), "a cookie is in the log");
    }
}

#[test]
fn a5_a_failed_sign_in_leaves_a_log_line_that_other_programs_can_act_on() {
    let place = Place::new().with("SATCHEL_DRAIN_SECONDS", "0");
    let server = place.serve();
    server
        .browser()
        .sign_in("no\u{1b}[31mbody@example.org", "not the password");
    server.wait_for_log("sign-in-failed");
    server.terminate();
    let (_, _, said) = server.ended();
    let mut found = 0;
    for line in said.lines().filter(|line| line.starts_with('{')) {
        let line: serde_json::Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        if line["event"] == "sign-in-failed" {
            assert_eq!(line["address"], "127.0.0.1");
            assert!(line["request_id"].is_string(), "{line}");
            found += 1;
        }
    }
    assert_eq!(found, 1, "{said}");
    // What was typed is not in it: people type passwords into the wrong field.
    assert!(!said.contains("body@example.org"), "{said}");
}
