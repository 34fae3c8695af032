//! What there is to tell: the bodies of §7.2.

use serde_json::{Map, Value, json};

use crate::emulator::store::Meta;

/// Where a file came from, as the service calls a computer's upload; nothing else uploads here.
const CLIENT: &str = "Computer";

/// Something that happened.
#[derive(Clone, Debug)]
pub struct Event {
    pub(super) action: String,
    pub(super) handle: Option<String>,
    pub(super) content: Content,
}

#[derive(Clone, Debug)]
pub(super) enum Content {
    /// The `text` of an envelope with `id`, `action` and `timestamp`.
    Text(Value),
    /// The whole body.
    Whole(Value),
}

impl Event {
    /// An event in the usual envelope.
    pub fn new(action: &str, handle: Option<&str>, text: Value) -> Self {
        Self {
            action: action.to_owned(),
            handle: handle.map(str::to_owned),
            content: Content::Text(text),
        }
    }

    /// A body without envelope, as that of a finished video; `kind` is what lists call it.
    pub fn whole(kind: &str, handle: Option<&str>, body: Value) -> Self {
        Self {
            content: Content::Whole(body),
            ..Self::new(kind, handle, Value::Null)
        }
    }

    /// A file was stored. `url` is where it is delivered.
    pub(in crate::emulator) fn upload(handle: &str, url: &str, meta: &Meta, size: u64) -> Self {
        let mut text = json!({
            "container": meta.container.as_deref().unwrap_or("emulator"),
            "url": url,
            "filename": meta.filename,
            "client": CLIENT,
            "key": meta.key,
            "type": meta.mimetype,
            "status": "Stored",
            "size": size,
        });
        if !meta.upload_tags.is_empty() {
            text["upload_tags"] = Value::Object(Map::clone(&meta.upload_tags));
        }
        Self::new("fp.upload", Some(handle), text)
    }

    /// A file has new content.
    pub(in crate::emulator) fn overwrite(handle: &str, url: &str, meta: &Meta, size: u64) -> Self {
        let text = json!({
            "mimetype": meta.mimetype,
            "url": url,
            "isWriteable": true,
            "filename": meta.filename,
            "client": CLIENT,
            "size": size,
        });
        Self::new("fp.overwrite", Some(handle), text)
    }

    /// A file is gone.
    pub(in crate::emulator) fn delete(handle: &str, url: &str) -> Self {
        Self::new("fp.delete", Some(handle), json!({ "url": url }))
    }

    /// The result of tasks was stored as a new file. `made_by` is `/TASKS/SOURCE`, `api_url` the File API's URL of the file.
    pub(in crate::emulator) fn converse(
        made_by: &str,
        handle: &str,
        api_url: &str,
        meta: &Meta,
        size: u64,
    ) -> Self {
        let text = json!({
            "url": made_by,
            "link": {
                "url": api_url,
                "handle": handle,
                "filename": meta.filename,
                "mimetype": meta.mimetype,
                "path": meta.key,
                "provider": "internal_v2",
                "size": size,
            },
        });
        Self::new("fp.converse", Some(handle), text)
    }

    /// The body as it is sent, byte for byte.
    pub(super) fn body(&self, id: u64, seconds: u64) -> String {
        match &self.content {
            Content::Text(text) => {
                json!({ "id": id, "action": self.action, "timestamp": seconds, "text": text }).to_string()
            }
            Content::Whole(body) => body.to_string(),
        }
    }
}
