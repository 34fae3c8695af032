//! The form dialect of older SDKs (§3.8), turned into the fields of the JSON dialect so that one reader serves both.

use actix_multipart::Multipart;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};
use futures_util::StreamExt;
use serde_json::{Map, Value};
use tokio::time::timeout;

use super::body::{Broken, SILENCE, invalid};
use crate::emulator::errors::{Host, Problem};

/// The dialect has some twenty fields; each costs a header besides its bytes.
const MAX_FIELDS: usize = 100;

/// Reads `multipart/form-data` of at most `most` bytes.
pub(super) async fn read(
    host: Host,
    req: &HttpRequest,
    payload: web::Payload,
    most: usize,
) -> Result<Map<String, Value>, Problem> {
    let mut form = Multipart::new(req.headers(), payload);
    let mut pairs = Vec::new();
    let mut size = 0;
    while let Some(field) = in_time(host, form.next()).await? {
        let mut field = field.map_err(|_| invalid(host))?;
        let name = field.name().unwrap_or_default().to_owned();
        let mut value = Vec::new();
        while let Some(bytes) = in_time(host, field.next()).await? {
            let bytes = bytes.map_err(|_| invalid(host))?;
            size += bytes.len();
            if size > most {
                return Err(too_large(host));
            }
            value.extend_from_slice(&bytes);
        }
        if pairs.len() == MAX_FIELDS {
            return Err(too_large(host));
        }
        let value = String::from_utf8(value).map_err(|_| invalid(host))?;
        pairs.push((name, value));
    }
    Ok(fields(pairs))
}

async fn in_time<T>(host: Host, next: impl Future<Output = T>) -> Result<T, Problem> {
    timeout(SILENCE, next)
        .await
        .map_err(|_| Broken::Silent.problem(host))
}

fn too_large(host: Host) -> Problem {
    Problem::new(host, StatusCode::PAYLOAD_TOO_LARGE, "The request is too large")
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
            "multipart" => {
                map.insert("fii".into(), (value == "true").into());
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
