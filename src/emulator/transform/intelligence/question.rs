//! What can be asked about a file or a text, apart from how it is answered: paths name it (§6.8).

/// What is asked about a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// Words for what is to be seen, by one of two models.
    Tags {
        /// 1 or 2.
        version: u32,
    },
    /// Whether it may be shown at work.
    Sfw,
    /// A sentence that says what is to be seen.
    Caption,
    /// The text in it.
    Ocr,
    /// Whether it is known to be somebody's.
    Copyright,
    /// Where the document in it lies.
    Document,
    /// The mood of the faces in it.
    ImageSentiment,
}

impl Question {
    /// The task that asks it.
    pub fn task(self) -> &'static str {
        match self {
            Self::Tags { .. } => "tags",
            Self::Sfw => "sfw",
            Self::Caption => "caption",
            Self::Ocr => "ocr",
            Self::Copyright => "copyright",
            Self::Document => "doc_detection",
            Self::ImageSentiment => "image_sentiment",
        }
    }
}

/// A text whose mood is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentiment {
    /// The text.
    pub text: String,
    /// Its language, or `auto`.
    pub language: &'static str,
}
