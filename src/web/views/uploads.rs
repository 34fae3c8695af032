//! The page that takes files, and the answer to its plain form.

use askama::Template;

use super::filters;
use super::kind::Kind;
use super::shell::Shell;

/// `GET /uploads/new`: takes files.
#[derive(Debug, Clone, Template)]
#[template(path = "uploads/new.html")]
pub struct UploadNewPage {
    /// What surrounds the page.
    pub shell: Shell,
    /// The largest file, in bytes.
    pub max_bytes: i64,
    /// The bytes that are left of what the reader may keep; none without a bound.
    pub left_bytes: Option<i64>,
    /// The documents that are left of it.
    pub left_documents: Option<u64>,
    /// Whether files may be imported from addresses.
    pub imports: bool,
    /// What was wrong with the form, such as no file chosen.
    pub error: Option<String>,
}

impl UploadNewPage {
    /// Whether nothing more may be kept.
    pub fn is_full(&self) -> bool {
        self.left_bytes == Some(0) || self.left_documents == Some(0)
    }

    /// What is left, in words; none without a bound.
    pub fn left(&self) -> Option<String> {
        let bytes = self.left_bytes.map(filters::dress_size);
        let documents = self.left_documents.map(|left| match left {
            1 => "1 document".to_owned(),
            left => format!("{left} documents"),
        });
        match (bytes, documents) {
            (Some(bytes), Some(documents)) => Some(format!("{bytes} in {documents}")),
            (one, other) => one.or(other),
        }
    }
}

/// The answer to `POST /uploads`: what became of each file.
#[derive(Debug, Clone, Template)]
#[template(path = "uploads/result.html")]
pub struct UploadResultPage {
    /// What surrounds the page.
    pub shell: Shell,
    /// The files in the order they came in.
    pub files: Vec<UploadedFile>,
}

impl UploadResultPage {
    /// How many files were stored.
    pub fn stored(&self) -> usize {
        self.files
            .iter()
            .filter(|file| matches!(file.outcome, UploadOutcome::Stored { .. }))
            .count()
    }

    /// The result in a few words.
    pub fn summary(&self) -> String {
        match (self.stored(), self.files.len()) {
            (1, 1) => "The file was uploaded".into(),
            (all, of) if all == of => format!("All {of} files were uploaded"),
            (0, 1) => "The file was not uploaded".into(),
            (0, _) => "No file was uploaded".into(),
            (some, of) => format!("{some} of {of} files were uploaded"),
        }
    }
}

/// One file of a plain form.
#[derive(Debug, Clone)]
pub struct UploadedFile {
    /// The name shown.
    pub name: String,
    /// What became of it.
    pub outcome: UploadOutcome,
}

/// What became of a file.
#[derive(Debug, Clone)]
pub enum UploadOutcome {
    /// It is a document now.
    Stored {
        /// The document's id.
        id: String,
        /// The sniffed media type.
        content_type: String,
        /// Bytes.
        size: i64,
        /// A document that had the same content before: id and name.
        twin: Option<(String, String)>,
    },
    /// It is not.
    Failed {
        /// A sentence that says why, and what to do.
        reason: String,
    },
}

#[cfg(test)]
impl UploadNewPage {
    pub(super) fn sample() -> Self {
        UploadNewPage {
            shell: Shell::sample("/uploads/new"),
            max_bytes: 5 * 1024 * 1024 * 1024,
            left_bytes: None,
            left_documents: None,
            imports: false,
            error: None,
        }
    }

    pub(super) fn sample_with_quota() -> Self {
        UploadNewPage {
            left_bytes: Some(12 * 1024 * 1024),
            left_documents: Some(1),
            ..UploadNewPage::sample()
        }
    }

    pub(super) fn sample_without_room() -> Self {
        UploadNewPage {
            left_bytes: Some(0),
            ..UploadNewPage::sample()
        }
    }

    pub(super) fn sample_with_error() -> Self {
        UploadNewPage {
            error: Some("No file was chosen. Choose at least one file.".into()),
            ..UploadNewPage::sample()
        }
    }
}

#[cfg(test)]
impl UploadResultPage {
    pub(super) fn sample() -> Self {
        let stored = |name: &str, content_type: &str, size| UploadedFile {
            name: name.into(),
            outcome: UploadOutcome::Stored {
                id: "0195-sample-1".into(),
                content_type: content_type.into(),
                size,
                twin: (size < 1_000).then(|| ("0195-sample-2".into(), "<b>notes</b> of May.txt".into())),
            },
        };
        let reason = "It is larger than 5 GiB, which is the limit for one file. Split it or compress it.";
        UploadResultPage {
            shell: Shell::sample("/uploads"),
            files: vec![
                stored("harbour at dawn.jpg", "image/jpeg", 4_817_224),
                stored("notes.txt", "text/plain", 312),
                UploadedFile {
                    name: "<b>archive</b>.tar".into(),
                    outcome: UploadOutcome::Failed {
                        reason: reason.into(),
                    },
                },
            ],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_counts_what_was_stored() {
        let mut page = UploadResultPage::sample();
        assert_eq!(page.summary(), "2 of 3 files were uploaded");
        page.files.pop();
        assert_eq!(page.summary(), "All 2 files were uploaded");
        page.files.pop();
        assert_eq!(page.summary(), "The file was uploaded");
    }
}
