//! What was made from a document, on its page.

use super::Kind;

/// How far something that is made from a document has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MadeStatus {
    /// It can be opened, as the document can.
    Ready,
    /// It was asked for.
    Pending,
    /// It could not be made.
    Failed,
    /// Its file was deleted at Filestack.
    Gone,
}

impl MadeStatus {
    /// Reads the state of a result's row, and whether it ever had a file.
    pub fn of_row(state: &str, has_file: bool) -> Self {
        match (state, has_file) {
            ("done", _) => MadeStatus::Ready,
            ("failed", true) => MadeStatus::Gone,
            ("failed", false) => MadeStatus::Failed,
            _ => MadeStatus::Pending,
        }
    }

    /// What has to be said of it, if it is not there.
    pub fn sentence(self) -> Option<&'static str> {
        match self {
            MadeStatus::Ready => None,
            MadeStatus::Pending => Some("It is not there yet."),
            MadeStatus::Failed => Some("It could not be made."),
            MadeStatus::Gone => Some("Its file was deleted at Filestack, so it cannot be opened any more."),
        }
    }
}

/// Something that was made from a document.
#[derive(Debug, Clone)]
pub struct MadeRow {
    /// The id in its URL.
    pub id: String,
    /// How it was made, as a word.
    pub kind: String,
    /// The name of its file; any text, and none while there is no file.
    pub name: String,
    /// Its media type.
    pub content_type: String,
    /// Bytes, when known.
    pub size: Option<i64>,
    /// How far it has come.
    pub status: MadeStatus,
}

impl MadeRow {
    /// How it was made, in words.
    pub fn label(&self) -> &str {
        match self.kind.as_str() {
            "conversion" => "Converted file",
            "video" => "Converted video",
            "workflow" => "From a workflow",
            other => other,
        }
    }

    /// What sort of file it is.
    pub fn sort(&self) -> Kind {
        Kind::of(&self.content_type)
    }
}
