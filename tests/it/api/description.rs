//! `/openapi.json` and `/docs`: complete, stable, and for everybody.

use std::path::Path;

use serde_json::Value;

use crate::security::table;
use crate::support::app::TestApp;

/// Renews the kept description when this is set.
const RENEW: &str = "SATCHEL_TEST_RENEW_OPENAPI";

#[test]
fn every_route_of_the_api_is_described_and_nothing_else_is() {
    let described = satchel::web::openapi::description();
    let routes: Vec<_> = table::routes()
        .into_iter()
        .filter(|(_, path)| path.starts_with("/api/") && !path.ends_with('/'))
        .collect();
    assert!(routes.len() >= 13, "{routes:?}");
    for (method, path) in &routes {
        let operation = &described["paths"][path][method.to_lowercase()];
        assert!(
            operation.is_object(),
            "{method} {path} is not described: give its handler #[utoipa::path] and a line in src/web/openapi/mod.rs"
        );
    }
    for (path, item) in described["paths"].as_object().expect("paths") {
        for method in item.as_object().expect("operations").keys() {
            assert!(
                routes.contains(&(method.to_uppercase(), path.clone())),
                "{method} {path} is described and not served"
            );
        }
    }
}

#[actix_web::test]
async fn the_description_that_is_served_is_the_one_that_is_kept() {
    let kept_at = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/openapi.json");
    let app = TestApp::sqlite().await;
    let served = app.anon().get("/openapi.json").await;
    assert_eq!(served.status, 200);
    assert_eq!(served.header("content-type"), Some("application/json"));
    if std::env::var_os(RENEW).is_some() {
        std::fs::write(&kept_at, &served.body).expect("docs can be written");
    }
    let kept = std::fs::read_to_string(&kept_at).unwrap_or_default();
    if kept == served.text() {
        return;
    }
    let before = serde_json::from_str(&kept).unwrap_or_default();
    let mut lost = Vec::new();
    missing(&before, &served.json(), "", &mut lost);
    let verdict = if lost.is_empty() {
        "Something was added, which programs will not notice.".to_owned()
    } else {
        format!("THIS MAY BREAK PROGRAMS. Gone or different: {}.", lost.join(", "))
    };
    panic!(
        "docs/openapi.json is not what is served. {verdict} If it is meant, renew the file and look at the difference:\n  {RENEW}=1 cargo test \
         --test it the_description_that_is_served\n  git diff docs/openapi.json"
    );
}

/// Places of `before` that `after` has not, or has otherwise; words for people may change.
fn missing(before: &Value, after: &Value, place: &str, lost: &mut Vec<String>) {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            for (key, value) in before {
                if matches!(key.as_str(), "description" | "summary") && value.is_string() {
                    continue;
                }
                let place = format!("{place}/{}", key.replace('/', "~1"));
                match after.get(key) {
                    None => lost.push(place),
                    Some(now) => missing(value, now, &place, lost),
                }
            }
        }
        (Value::Array(before), Value::Array(after)) => {
            for value in before.iter().filter(|value| !after.contains(value)) {
                lost.push(format!("{place}: {value}"));
            }
        }
        _ if before == after => {}
        _ => lost.push(format!("{place}: {before} is now {after}")),
    }
}

#[test]
fn what_breaks_programs_is_told_from_what_does_not() {
    let before = serde_json::json!({"paths": {"/a": {"get": {"summary": "A", "required": ["x", "y"]}}}});
    let added = serde_json::json!({"paths": {"/a": {"get": {"summary": "B", "required": ["x", "y", "z"]}}, "/b": {}}});
    let broken = serde_json::json!({"paths": {"/a": {"get": {"summary": "A", "required": ["x"]}}}});
    let lost = |after: &Value| {
        let mut lost = Vec::new();
        missing(&before, after, "", &mut lost);
        lost
    };
    assert!(lost(&added).is_empty());
    assert_eq!(lost(&broken), ["/paths/~1a/get/required: \"y\""]);
}

#[actix_web::test]
async fn what_the_page_begins_a_body_with_is_of_the_right_form() {
    let app = TestApp::sqlite().await;
    let page = app.anon().page("/docs").await;
    let described = satchel::web::openapi::description();
    let mut lists = 0;
    for (path, item) in described["paths"].as_object().expect("paths") {
        for operation in item.as_object().expect("operations").values() {
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"]["$ref"];
            let Some(schema) = schema.as_str().and_then(|name| described.pointer(&name[1..])) else {
                continue;
            };
            let id = operation["operationId"].as_str().expect("a name");
            let example = page.texts(&format!("#{id}-body")).concat();
            let example: Value = serde_json::from_str(&example).expect(&example);
            for (name, field) in schema["properties"].as_object().expect("fields") {
                let (is_list, value) = (field["type"] == "array", &example[name]);
                assert_eq!(
                    (value.is_array(), value.is_string()),
                    (is_list, !is_list),
                    "{path} {name}"
                );
                lists += usize::from(is_list);
            }
        }
    }
    assert!(lists >= 7, "{lists} lists");
}

#[actix_web::test]
async fn the_page_shows_every_operation_and_every_error() {
    let app = TestApp::sqlite().await;
    let page = app.anon().page("/docs").await;
    let titles = page.texts(".api-operation h2");
    let described = satchel::web::openapi::description();
    for (path, item) in described["paths"].as_object().expect("paths") {
        for operation in item.as_object().expect("operations").values() {
            let summary = operation["summary"].as_str().expect("a summary");
            assert!(titles.iter().any(|title| title == summary), "{path}: {summary}");
        }
    }
    let codes = page.texts("section:last-of-type tbody th code");
    for (_, code, _) in satchel::web::openapi::codes() {
        assert!(codes.iter().any(|shown| shown == code), "{code}");
    }
    assert!(
        !page.texts("main").concat().contains('`'),
        "what is code is shown as code"
    );
    let policy = page
        .header("content-security-policy")
        .expect("a policy")
        .to_owned();
    assert!(
        policy.contains("script-src 'self'") && !policy.contains("unsafe"),
        "{policy}"
    );
    let scripts = page.attributes("script", "src");
    assert!(
        scripts.iter().all(|script| script.starts_with("/assets/")),
        "{scripts:?}"
    );
    let signed_in = app.user("ana").await.page("/docs").await;
    assert_eq!(signed_in.attributes("meta[name=csrf-token]", "content").len(), 1);
}
