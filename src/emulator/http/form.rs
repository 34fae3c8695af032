//! The form dialect of older SDKs (§3.8), turned into the fields of the JSON dialect so that one reader serves both.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};
use serde_json::{Map, Value};

use super::body::{Broken, SILENCE, invalid};
use super::form_data::{FormData, Trouble};
use crate::emulator::errors::{Host, Problem};

/// Reads `multipart/form-data` of at most `most` bytes.
pub(super) async fn read(
    host: Host,
    req: &HttpRequest,
    payload: web::Payload,
    most: usize,
) -> Result<Map<String, Value>, Problem> {
    let form = FormData::new(req.headers(), payload, SILENCE);
    let pairs = form.pairs(most).await.map_err(|trouble| match trouble {
        Trouble::Silent => Broken::Silent.problem(host),
        Trouble::Unreadable => invalid(host),
        Trouble::TooLarge => Problem::new(host, StatusCode::PAYLOAD_TOO_LARGE, "The request is too large"),
    })?;
    Ok(fields(pairs))
}

/// Gives the pairs of a form the names and the nesting of the JSON dialect. Empty values are not there: these SDKs send
/// every field they know, PHP even a `files` without a file.
pub(super) fn fields(pairs: impl IntoIterator<Item = (String, String)>) -> Map<String, Value> {
    let mut map = Map::new();
    let mut store = Map::new();
    for (name, value) in pairs {
        if value.is_empty() {
            continue;
        }
        if let Some(option) = name.strip_prefix("store_") {
            store.insert(option.to_owned(), value.into());
            continue;
        }
        match name.as_str() {
            "files" => {}
            // `true` to Java, and `1` on the wire of PHP.
            "multipart" => {
                map.insert("fii".into(), matches!(value.as_str(), "true" | "1").into());
            }
            // Nested values can only be JSON text here; other text is refused where it is read.
            "store" | "upload_tags" | "settings" | "permissions" | "picker_config" => {
                let value = serde_json::from_str(&value).unwrap_or(Value::String(value));
                map.insert(name, value);
            }
            _ => {
                map.insert(name, value.into());
            }
        }
    }
    if !store.is_empty() {
        match map.get_mut("store") {
            Some(Value::Object(named)) => named.extend(store),
            _ => {
                map.insert("store".into(), store.into());
            }
        }
    }
    map
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_form_has_the_fields_of_the_json_dialect() {
        let pairs = [
            ("apikey", "AKeyz"),
            ("size", "12"),
            ("store_location", "s3"),
            ("store_path", "a/"),
            ("multipart", "true"),
            ("files", ""),
            ("mimetype", ""),
            ("upload_tags", "{\"a\":\"b\"}"),
            ("parts", "1:\"x\";2:y"),
        ];
        let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let wanted = json!({
            "apikey": "AKeyz", "size": "12", "store": { "location": "s3", "path": "a/" }, "fii": true,
            "upload_tags": { "a": "b" }, "parts": "1:\"x\";2:y",
        });
        assert_eq!(Value::Object(fields(pairs)), wanted);
    }
}
