//! What a log line holds, and what it never does.

use log::{Level, Record};
use serde_json::Value as Json;
use time::macros::datetime;

use super::format::Line;
use super::*;

const HOSTILE: &str = "a\nb\r\x1b[31mred\u{7f}\u{9b}2J\u{202e}gpj\u{2028}.\"\\\0";

fn line(message: std::fmt::Arguments<'_>, fields: &[(&str, &str)], id: Option<&str>) -> Line {
    let record = Record::builder()
        .level(Level::Warn)
        .target("satchel::web")
        .args(message)
        .key_values(&fields)
        .build();
    Line::of(
        &record,
        datetime!(2026-02-03 05:05:06.5 +1),
        id.map(str::to_owned),
    )
}

#[test]
fn a_json_line_has_time_level_target_message_request_id_and_fields_in_this_order() {
    let json = line(format_args!("stored"), &[("document", "0190")], Some("r-1")).to_json();
    assert_eq!(
        json,
        "{\"time\":\"2026-02-03T04:05:06.500000Z\",\"level\":\"warn\",\"target\":\"satchel::web\",\"message\":\"stored\",\
         \"request_id\":\"r-1\",\"document\":\"0190\"}"
    );
}

#[test]
fn a_field_cannot_replace_a_key_of_the_line() {
    let json = line(
        format_args!("stored"),
        &[("message", "forged"), ("level", "error")],
        None,
    )
    .to_json();
    let json: Json = serde_json::from_str(&json).unwrap();
    assert_eq!(json["message"], "stored");
    assert_eq!(json["level"], "warn");
    assert_eq!(json["field_message"], "forged");
    assert!(json.get("request_id").is_none());
}

#[test]
fn numbers_and_flags_stay_what_they_are() {
    let fields = [
        ("size_bytes", log::kv::Value::from(7)),
        ("done", log::kv::Value::from(true)),
    ];
    let record = Record::builder()
        .args(format_args!("m"))
        .key_values(&fields)
        .build();
    let json: Json = serde_json::from_str(&Line::of(&record, now(), None).to_json()).unwrap();
    assert_eq!(json["size_bytes"], 7);
    assert_eq!(json["done"], true);
}

#[test]
fn x4_control_characters_are_escaped_in_both_forms_and_survive_as_data_in_json() {
    let line = line(
        format_args!("uploaded {HOSTILE}"),
        &[("name", HOSTILE), (HOSTILE, "x")],
        Some(HOSTILE),
    );
    for form in [line.to_json(), line.to_text()] {
        let bad = form
            .chars()
            .find(|c| c.is_control() || ('\u{2028}'..='\u{202e}').contains(c));
        assert_eq!(bad, None, "{form}");
    }
    let json: Json = serde_json::from_str(&line.to_json()).unwrap();
    assert_eq!(json["name"], HOSTILE);
    assert_eq!(json["message"], format!("uploaded {HOSTILE}"));
}

#[test]
fn a_line_for_people_is_short() {
    let text = line(
        format_args!("stored"),
        &[("name", "two words"), ("size", "7")],
        None,
    )
    .to_text();
    assert_eq!(text, "04:05:06 WARN  stored name=\"two words\" size=7");
}

#[actix_web::test]
async fn the_request_id_is_known_within_its_request_only() {
    assert_eq!(request_id(), None);
    let seen = with_request_id("r-1", async {
        tokio::task::yield_now().await;
        let id = request_id();
        let there = actix_web::web::block(|| within_request(id, request_id))
            .await
            .unwrap();
        let without = actix_web::web::block(request_id).await.unwrap();
        (there, without)
    })
    .await;
    assert_eq!(seen, (Some("r-1".to_owned()), None));
    assert_eq!(request_id(), None);
}
