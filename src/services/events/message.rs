//! Reading an event's body: what it is, what it is about, and by what it is known again.
//!
//! Loosely, because older forms nest a file's data one level deeper and leave things out; and strictly where a value leads to one of
//! our rows: a handle is the one path segment of a URL, a path is the folder of one upload, and no URL is ever fetched (W16).

use serde_json::Value;
use url::Url;

use crate::clock::UtcTime;
use crate::crypto;
use crate::filestack::Handle;
use crate::ids::{DocumentId, UserId};

/// The word that stands for the action of a finished video, whose body has none.
pub const VIDEO: &str = "video";
/// Longer actions are none.
const LONGEST_ACTION: usize = 64;
/// Longer keys are none of ours.
const LONGEST_KEY: usize = 1_024;
/// Nor longer ids.
const LONGEST_UUID: usize = 100;

/// What a body says, as far as it decides what is done with it.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Filestack's word for what happened.
    pub action: String,
    /// Filestack's number of the event.
    pub number: Option<i64>,
    /// The file it is about: the source, where there are two.
    pub handle: Option<Handle>,
    /// The folder of an upload of ours that it names.
    pub folder: Option<Folder>,
    /// Where the file is, as it says: the folder of a claim, perhaps.
    pub key: Option<String>,
    /// When it happened, as Filestack says; to the second.
    pub at: Option<UtcTime>,
    /// What it says.
    pub text: Value,
}

/// The place of one upload of ours: `user-uploads/{owner}/{upload}/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Folder {
    /// Whose.
    pub owner: UserId,
    /// Which: the id of the intent, and of the document to be.
    pub upload: DocumentId,
}

impl Folder {
    /// Reads the storage key of a file right in such a folder.
    pub fn of_key(key: &str) -> Option<Self> {
        let mut parts = key.trim_start_matches('/').split('/');
        let place = parts.next()?;
        let folder = Folder {
            owner: parts.next()?.parse().ok()?,
            upload: parts.next()?.parse().ok()?,
        };
        let name = parts.next()?;
        (place == "user-uploads" && !name.is_empty() && parts.next().is_none()).then_some(folder)
    }

    /// The folder as it is written.
    pub fn path(&self) -> String {
        format!("user-uploads/{}/{}/", self.owner, self.upload)
    }
}

impl Message {
    /// Reads a body that is JSON; `None` when it is no event that we know the form of.
    pub fn read(mut body: Value) -> Option<Self> {
        let fields = body.as_object_mut()?;
        let number = fields
            .get("id")
            .and_then(Value::as_i64)
            .filter(|number| *number >= 0);
        let action = match fields.remove("action") {
            Some(Value::String(action)) if is_word(&action) => action,
            Some(Value::String(_)) => return None,
            _ => return Self::video(body),
        };
        let at = fields.get("timestamp").and_then(Value::as_i64);
        let at = at.and_then(|seconds| seconds.checked_mul(1_000_000));
        let text = fields.remove("text").unwrap_or(Value::Null);
        let (handle, key) = match action.as_str() {
            "fs.workflow" => (source_of_workflow(&text), None),
            "fp.converse" => (file_of(&text), None),
            _ => (file_of(&text), key_of(&text)),
        };
        let key = key.filter(|key| key.len() <= LONGEST_KEY).map(str::to_owned);
        Some(Message {
            action,
            number,
            handle,
            folder: key.as_deref().and_then(Folder::of_key),
            key,
            at: at.map(UtcTime::from_micros),
            text,
        })
    }

    /// A finished video: the object of its conversion itself, with neither number nor action.
    fn video(body: Value) -> Option<Self> {
        let uuid = uuid_of(&body)?;
        let is_video = body.get("status").is_some_and(Value::is_string) && body.get("data").is_some();
        (is_video && !uuid.is_empty()).then(|| Message {
            action: VIDEO.to_owned(),
            number: None,
            handle: None,
            folder: None,
            key: None,
            at: None,
            text: body,
        })
    }

    /// What makes this the same event when it comes again.
    pub fn dedupe_key(&self, digest: &str) -> String {
        match (self.number, self.action.as_str(), uuid_of(&self.text)) {
            (Some(number), ..) => format!("id:{number}"),
            (None, VIDEO, Some(uuid)) => {
                let status = self.text["status"].as_str().unwrap_or_default();
                format!("video:{}", crypto::token_hash(&format!("{uuid}:{status}")))
            }
            _ => format!("body:{digest}"),
        }
    }

    /// Where the event waits until what it is about becomes known, besides its handle.
    pub fn parking_place(&self) -> Option<String> {
        match &self.folder {
            Some(folder) => Some(folder.path()),
            None if self.action == VIDEO => uuid_of(&self.text).map(|uuid| super::parking_place(VIDEO, uuid)),
            None => None,
        }
    }

    /// Whether anything is ever done about this action.
    pub fn is_known(&self) -> bool {
        matches!(
            self.action.as_str(),
            "fp.upload" | "fp.overwrite" | "fp.delete" | "fp.converse" | "fs.workflow" | VIDEO
        )
    }
}

/// The uuid of a video conversion.
pub fn uuid_of(text: &Value) -> Option<&str> {
    let uuid = text.get("uuid")?.as_str()?;
    let fits = (1..=LONGEST_UUID).contains(&uuid.len())
        && uuid
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    fits.then_some(uuid)
}

/// The handle in a file's address: its one path segment, or what follows `api/file/`. The host is no matter, since nothing is fetched
/// from it; an address with a query, a user or anything else in its path names no file.
pub fn handle_of_url(url: &str) -> Option<Handle> {
    let url = Url::parse(url).ok()?;
    let plain = matches!(url.scheme(), "http" | "https")
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    let segments: Vec<&str> = url.path_segments()?.collect();
    match segments[..] {
        [handle] | ["api", "file", handle] if plain => Handle::new(handle).ok(),
        _ => None,
    }
}

/// The source of a conversion's address, which may be only a path: `/TASKS/HANDLE`.
fn source_of_conversion(url: &str) -> Option<Handle> {
    let path = match Url::parse(url) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => url.path().to_owned(),
        Ok(_) => return None,
        Err(_) => url.to_owned(),
    };
    let (tasks, handle) = path.trim_start_matches('/').rsplit_once('/')?;
    (!tasks.is_empty()).then(|| Handle::new(handle).ok()).flatten()
}

fn file_of(text: &Value) -> Option<Handle> {
    if text.get("link").is_some() {
        return source_of_conversion(text.get("url")?.as_str()?);
    }
    let field = |name: &str| {
        text.get(name)
            .or_else(|| text.get("data")?.get(name))
            .and_then(Value::as_str)
    };
    match field("handle") {
        Some(handle) => Handle::new(handle).ok(),
        None => handle_of_url(field("url")?),
    }
}

fn key_of(text: &Value) -> Option<&str> {
    text.get("key")
        .or_else(|| text.get("data")?.get("key"))
        .or_else(|| text.get("path"))
        .and_then(Value::as_str)
}

fn source_of_workflow(text: &Value) -> Option<Handle> {
    let source = text.get("sources")?.as_array()?.first()?.as_str()?;
    Handle::new(source).ok().or_else(|| handle_of_url(source))
}

/// An action is shown, filtered and kept: a word and nothing else.
fn is_word(action: &str) -> bool {
    (1..=LONGEST_ACTION).contains(&action.len())
        && action
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b".-_:".contains(&b))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn w16_only_a_plain_file_address_names_a_handle() {
        let of = |url| handle_of_url(url).map(String::from);
        assert_eq!(
            of("https://cdn.filestackcontent.com/AbC_1").as_deref(),
            Some("AbC_1")
        );
        assert_eq!(
            of("https://www.filestackapi.com/api/file/AbC").as_deref(),
            Some("AbC")
        );
        for bad in [
            "http://169.254.169.254/latest/meta-data",
            "https://cdn.filestackcontent.com/resize=width:1/AbC",
            "https://cdn.filestackcontent.com/AbC?x=/admin",
            "https://cdn.filestackcontent.com/..%2fAbC",
            "https://user:pw@cdn.filestackcontent.com/AbC",
            "file:///AbC",
            "//AbC",
            "AbC",
            "",
        ] {
            assert_eq!(of(bad), None, "{bad}");
        }
    }

    #[test]
    fn w15_a_folder_is_exactly_one_upload_of_one_owner() {
        let owner = "0195a3c2-0000-7000-8000-000000000001";
        let upload = "0195a3c2-0000-7000-8000-000000000002";
        let good = format!("user-uploads/{owner}/{upload}/x_report.pdf");
        let folder = Folder::of_key(&good).expect("a folder");
        assert_eq!(folder.path(), format!("user-uploads/{owner}/{upload}/"));
        assert!(Folder::of_key(&format!("/{good}")).is_some());
        for bad in [
            format!("user-uploads/{owner}/{upload}"),
            format!("user-uploads/{owner}/{upload}/"),
            format!("user-uploads/{owner}/{upload}/a/b"),
            format!("user-uploads/{owner}/../{upload}/a"),
            format!("other/{owner}/{upload}/a"),
            format!("user-uploads/x/{upload}/a"),
        ] {
            assert_eq!(Folder::of_key(&bad), None, "{bad}");
        }
    }

    #[test]
    fn older_and_odd_forms_are_read() {
        let nested = json!({"id": 1, "action": "fp.upload",
            "text": {"url": "http://cdn.filestackapi.dev/xK88", "data": {"filename": "a"}}});
        let message = Message::read(nested).expect("an event");
        assert_eq!(message.handle, Some(Handle::new("xK88").expect("a handle")));
        assert_eq!(message.dedupe_key("d"), "id:1");

        let converse = json!({"id": 2, "action": "fp.converse", "text": {"url": "/resize=w:1/Source1",
            "link": {"handle": "Result1"}}});
        let message = Message::read(converse).expect("an event");
        assert_eq!(message.handle.expect("a source").as_str(), "Source1");

        let video = json!({"status": "completed", "uuid": "ab12", "data": {"url": "https://cdn/x"}});
        let message = Message::read(video).expect("a video");
        assert_eq!(message.action, VIDEO);
        assert!(message.dedupe_key("d").starts_with("video:"));

        let numberless = json!({"action": "fp.delete", "text": {}});
        let message = Message::read(numberless).expect("an event");
        assert_eq!(message.dedupe_key("d"), "body:d");
    }

    #[test]
    fn what_has_no_form_is_none() {
        for odd in [
            json!([]),
            json!("x"),
            json!({}),
            json!({"action": 5}),
            json!({"action": "a b"}),
            json!({"action": "\u{0}"}),
            json!({"uuid": "x"}),
        ] {
            let said = odd.to_string();
            assert_eq!(Message::read(odd), None, "{said}");
        }
        let big = json!({"id": 1e30, "action": "fp.x"});
        assert_eq!(Message::read(big).expect("an event").number, None);
    }
}
