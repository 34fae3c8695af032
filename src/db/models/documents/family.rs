//! Families of media types: what people sort files into.

/// A family of media types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Pictures and drawings.
    Image,
    /// Films.
    Video,
    /// Sound.
    Audio,
    /// PDF documents.
    Pdf,
    /// Text, plain or formatted.
    Text,
    /// Spreadsheets and tables.
    Sheet,
    /// Slides.
    Slides,
    /// Files that have files in them.
    Archive,
    /// What machines read.
    Code,
    /// Anything else.
    Other,
}

impl Family {
    /// All of them, in the order of a filter.
    pub const ALL: [Family; 10] = [
        Family::Image,
        Family::Video,
        Family::Audio,
        Family::Pdf,
        Family::Text,
        Family::Sheet,
        Family::Slides,
        Family::Archive,
        Family::Code,
        Family::Other,
    ];

    /// The family of a media type; parameters such as a charset are ignored.
    pub fn of(content_type: &str) -> Self {
        let essence = content_type.split(';').next().unwrap_or_default();
        Self::of_essence(&essence.trim().to_ascii_lowercase())
    }

    /// The family of a media type in lower case and without parameters.
    pub fn of_essence(essence: &str) -> Self {
        const OOXML: &str = "application/vnd.openxmlformats-officedocument.";
        const ODF: &str = "application/vnd.oasis.opendocument.";
        let office = essence.strip_prefix(OOXML).or_else(|| essence.strip_prefix(ODF));
        match office.unwrap_or(essence) {
            "application/pdf" => Family::Pdf,
            "wordprocessingml.document" | "application/msword" | "text" | "application/rtf" => Family::Text,
            "spreadsheetml.sheet" | "application/vnd.ms-excel" | "spreadsheet" | "text/csv" => Family::Sheet,
            "presentationml.presentation" | "application/vnd.ms-powerpoint" | "presentation" => {
                Family::Slides
            }
            "text/html"
            | "application/xhtml+xml"
            | "text/xml"
            | "application/xml"
            | "text/css"
            | "application/json"
            | "application/javascript"
            | "text/javascript" => Family::Code,
            "application/zip"
            | "application/gzip"
            | "application/x-gzip"
            | "application/x-tar"
            | "application/x-7z-compressed"
            | "application/vnd.rar"
            | "application/x-rar-compressed"
            | "application/x-bzip2"
            | "application/x-xz"
            | "application/zstd" => Family::Archive,
            other => match other.split_once('/').map(|(top, _)| top) {
                Some("image") => Family::Image,
                Some("audio") => Family::Audio,
                Some("video") => Family::Video,
                Some("text") => Family::Text,
                _ => Family::Other,
            },
        }
    }

    /// The word in rows, in the search index and in addresses: letters alone.
    pub fn as_str(self) -> &'static str {
        self.words().0
    }

    /// What people read.
    pub fn label(self) -> &'static str {
        self.words().1
    }

    /// The family of this word.
    pub fn parse(word: &str) -> Option<Self> {
        Family::ALL.into_iter().find(|family| family.as_str() == word)
    }

    fn words(self) -> (&'static str, &'static str) {
        match self {
            Family::Image => ("picture", "Picture"),
            Family::Video => ("film", "Film"),
            Family::Audio => ("sound", "Sound"),
            Family::Pdf => ("pdf", "PDF"),
            Family::Text => ("text", "Text"),
            Family::Sheet => ("table", "Table"),
            Family::Slides => ("slides", "Slides"),
            Family::Archive => ("archive", "Archive"),
            Family::Code => ("code", "Code"),
            Family::Other => ("other", "Other"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_has_a_family_and_every_family_a_word_of_letters() {
        for (content_type, family) in [
            ("IMAGE/JPEG; q=1", Family::Image),
            ("video/mp4", Family::Video),
            ("text/csv", Family::Sheet),
            ("text/x-log", Family::Text),
            ("application/vnd.oasis.opendocument.text", Family::Text),
            (
                "application/vnd.openxmlformats-officedocument.presentationml.presentation",
                Family::Slides,
            ),
            ("application/octet-stream", Family::Other),
            ("", Family::Other),
            ("nonsense", Family::Other),
        ] {
            assert_eq!(Family::of(content_type), family, "{content_type}");
        }
        for family in Family::ALL {
            assert_eq!(Family::parse(family.as_str()), Some(family));
            assert!(family.as_str().bytes().all(|b| b.is_ascii_lowercase()));
        }
        assert_eq!(Family::parse("'; DROP"), None);
    }
}
