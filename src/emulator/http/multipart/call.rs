//! What a multipart call says, typed, whichever dialect it came in: JSON (§3.2–3.6) or a form (§3.8).

use actix_web::{HttpRequest, web};
use serde_json::Value;

use super::HOST;
use crate::emulator::errors::Problem;
use crate::emulator::http::body::{Fields, invalid};
use crate::emulator::http::credentials::of_fields;
use crate::emulator::http::flows;
use crate::emulator::policy::Credentials;
use crate::emulator::uploads::MAX_PARTS;

/// The fields of all four calls; which of them a call needs, the call says.
pub(super) struct Call {
    pub apikey: String,
    pub credentials: Credentials,
    pub filename: Option<String>,
    pub mimetype: Option<String>,
    pub size: Option<u64>,
    pub store: StoreOptions,
    /// `fii`, or `multipart` in a form.
    pub intelligent: bool,
    pub uri: Option<String>,
    pub region: Option<String>,
    pub upload_id: Option<String>,
    pub part: Option<u64>,
    pub offset: Option<u64>,
    pub md5: Option<String>,
    /// Part numbers and ETags; none for an empty file and with intelligent ingestion.
    pub parts: Vec<(u64, String)>,
    pub upload_tags: Option<Value>,
}

/// Where the file goes: the object `store`, or the fields `store_…` of a form.
pub(super) struct StoreOptions {
    pub location: Option<String>,
    pub path: Option<String>,
    pub container: Option<String>,
    pub region: Option<String>,
    /// Ids of workflows to run on it.
    pub workflows: Vec<String>,
}

impl Call {
    pub(super) async fn read(req: &HttpRequest, payload: web::Payload) -> Result<Self, Problem> {
        let fields = Fields::read(HOST, req, payload).await?;
        let store = fields.object("store")?;
        Ok(Self {
            apikey: fields.required("apikey")?.to_owned(),
            credentials: of_fields(&fields)?,
            filename: text(&fields, "filename")?,
            mimetype: text(&fields, "mimetype")?,
            size: fields.number("size")?,
            store: StoreOptions {
                location: text(&store, "location")?,
                path: text(&store, "path")?,
                container: text(&store, "container")?,
                region: text(&store, "region")?,
                workflows: flows::ids(store.get("workflows")).ok_or_else(|| invalid(HOST))?,
            },
            intelligent: fields.flag("fii"),
            uri: text(&fields, "uri")?,
            region: text(&fields, "region")?,
            upload_id: text(&fields, "upload_id")?,
            part: fields.number("part")?,
            offset: fields.number("offset")?,
            md5: fields.text("md5")?.map(str::to_owned),
            parts: parts(
                fields
                    .get("parts")
                    .filter(|parts| !fields.flag("fii") || !is_count(parts)),
            )?,
            upload_tags: fields.get("upload_tags").cloned(),
        })
    }

    /// The part's number, within the protocol's bounds.
    pub(super) fn part(&self) -> Result<u64, Problem> {
        self.part
            .filter(|part| (1..=MAX_PARTS).contains(part))
            .ok_or_else(|| invalid(HOST))
    }
}

fn text(fields: &Fields, name: &str) -> Result<Option<String>, Problem> {
    let text = fields.text(name)?;
    Ok(text.filter(|text| !text.is_empty()).map(str::to_owned))
}

/// PHP says how many parts there are when there are no ETags (its 2.0.1); that is no list of parts.
fn is_count(parts: &Value) -> bool {
    parts
        .as_str()
        .is_some_and(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
}

/// `parts` as a list of objects, or as the text `1:etag;2:etag`.
fn parts(value: Option<&Value>) -> Result<Vec<(u64, String)>, Problem> {
    let parts: Vec<Option<(u64, String)>> = match value {
        None => Vec::new(),
        Some(Value::Array(parts)) => parts.iter().map(of_object).collect(),
        Some(Value::String(text)) => match serde_json::from_str(text) {
            Ok(Value::Array(parts)) => parts.iter().map(of_object).collect(),
            _ => of_text(text),
        },
        Some(_) => return Err(invalid(HOST)),
    };
    if parts.len() as u64 > MAX_PARTS {
        return Err(Problem::bad(HOST, "an upload has at most 10000 parts"));
    }
    let numbered = |part: &(u64, String)| (1..=MAX_PARTS).contains(&part.0);
    let parts = parts.into_iter().map(|part| part.filter(numbered));
    parts.collect::<Option<_>>().ok_or_else(|| invalid(HOST))
}

fn of_object(part: &Value) -> Option<(u64, String)> {
    let number = part.get("part_number")?.as_u64()?;
    Some((number, part.get("etag")?.as_str()?.to_owned()))
}

fn of_text(text: &str) -> Vec<Option<(u64, String)>> {
    let pairs = text.split(';').filter(|pair| !pair.is_empty());
    let read = |pair: &str| {
        let (number, etag) = pair.split_once(':')?;
        Some((number.trim().parse().ok()?, etag.to_owned()))
    };
    pairs.map(read).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn parts_are_a_list_or_a_text() {
        let wanted = vec![(1, "\"x\"".to_owned()), (2, "y:z".to_owned())];
        let list = json!([{ "part_number": 1, "etag": "\"x\"" }, { "part_number": 2, "etag": "y:z" }]);
        for value in [list.clone(), list.to_string().into(), "1:\"x\";2:y:z;".into()] {
            assert_eq!(parts(Some(&value)).unwrap(), wanted, "{value}");
        }
        assert!(parts(None).unwrap().is_empty() && parts(Some(&"".into())).unwrap().is_empty());
        for value in ["0:x", "10001:x", "1", "x:1", "-1:x", ":", "1:x;;2"] {
            assert!(parts(Some(&value.into())).is_err(), "{value}");
        }
        let many: String = (1..=10_001).map(|part| format!("{part}:x;")).collect();
        assert!(parts(Some(&many.into())).is_err());
    }
}
