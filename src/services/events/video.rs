//! A finished video: its body is the conversion itself, and its uuid says which document's.

use serde_json::Value;

use super::action::{Case, Outcome, applied, ignored, parked};
use super::message::{handle_of_url, uuid_of};
use crate::db::DbConn;
use crate::db::models::{documents, results as rows};
use crate::services::results::{self, Attached, MadeFile};

pub(super) fn act(c: &mut DbConn, case: &Case<'_>) -> Outcome {
    let text = &case.message.text;
    let Some(uuid) = uuid_of(text) else {
        return ignored(None, "It does not say which conversion it is about.");
    };
    let Some(asked) = rows::find(c, results::VIDEO, uuid)? else {
        return parked("Nobody here has asked for this conversion yet.");
    };
    let document = asked.document_id;
    match text["status"].as_str() {
        Some("completed") => {}
        Some("failed") => {
            results::give_up(c, results::VIDEO, uuid, text, case.now)?;
            return applied(document, "The video could not be converted.");
        }
        _ => return ignored(Some(document), "The conversion has not ended yet."),
    }
    let name = documents::find(c, document)?
        .map(|document| document.name)
        .unwrap_or_default();
    let Some(file) = made(text, &name) else {
        return ignored(Some(document), "It does not name the video that was made.");
    };
    match results::attach(c, document, results::VIDEO, uuid, &file, case.now)? {
        Attached::Now => applied(document, "The video belongs to the document."),
        Attached::Before => applied(document, "The video belonged to the document already."),
        Attached::Foreign => ignored(Some(document), "The video is another document's, and stays it."),
    }
}

/// The video that a finished conversion describes; named after the document.
fn made(text: &Value, name: &str) -> Option<MadeFile> {
    let made = &text["metadata"]["result"];
    let extension = made["extname"].as_str().unwrap_or_default();
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    Some(MadeFile {
        handle: handle_of_url(text["data"]["url"].as_str()?)?,
        name: format!("{stem}{extension}"),
        content_type: made["mime_type"].as_str().unwrap_or_default().to_owned(),
        size_bytes: made["file_size"].as_i64().filter(|size| *size >= 0),
        details: made.clone(),
    })
}
