//! `fp.converse`: Filestack has made a file of a document's and stored it.

use serde_json::Value;

use super::action::{Case, Outcome, applied, document_of, ignored};
use crate::db::DbConn;
use crate::filestack::Handle;
use crate::services::results::{self, Attached, MadeFile};

pub(super) fn act(c: &mut DbConn, case: &Case<'_>) -> Outcome {
    let document = match document_of(c, case.handle())? {
        Err(settlement) => return Ok(settlement),
        Ok(document) => document,
    };
    let link = &case.message.text["link"];
    let Some(file) = made(link) else {
        return ignored(Some(document.id), "It does not name the file that was made.");
    };
    let key = file.handle.as_str().to_owned();
    match results::attach(c, document.id, results::CONVERSION, &key, &file, case.now)? {
        Attached::Now => applied(document.id, "The file that was made belongs to the document."),
        Attached::Before => applied(
            document.id,
            "The file that was made belonged to the document already.",
        ),
        Attached::Foreign => ignored(
            Some(document.id),
            "The file that was made is another document's, and stays it.",
        ),
    }
}

/// The file that a link describes.
fn made(link: &Value) -> Option<MadeFile> {
    let text = |name: &str| link.get(name).and_then(Value::as_str);
    let handle = match text("handle") {
        Some(handle) => Handle::new(handle).ok()?,
        None => super::message::handle_of_url(text("url")?)?,
    };
    Some(MadeFile {
        handle,
        name: text("filename").unwrap_or_default().to_owned(),
        content_type: text("mimetype").unwrap_or_default().to_owned(),
        size_bytes: link.get("size").and_then(Value::as_i64).filter(|size| *size >= 0),
        details: Value::Object(serde_json::Map::new()),
    })
}
