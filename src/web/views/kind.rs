//! What sort of file a media type is, in words and as an icon.

use std::borrow::Cow;

/// What sort of file it is, as far as a person cares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kind {
    family: Family,
    label: Cow<'static, str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Image,
    Pdf,
    Text,
    Sheet,
    Slides,
    Archive,
    Audio,
    Video,
    Code,
    Other,
}

impl Kind {
    /// Reads a media type; parameters such as a charset are ignored.
    pub fn of(content_type: &str) -> Self {
        let essence = content_type
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        let (family, label) = named(&essence).unwrap_or_else(|| guessed(&essence));
        Kind { family, label }
    }

    /// The kind in words, such as "PDF document".
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Whether it is a picture.
    pub fn is_image(&self) -> bool {
        self.family == Family::Image
    }

    /// The icon, which is also the class that colours it.
    pub fn icon(&self) -> &'static str {
        match self.family {
            Family::Image => "kind-image",
            Family::Pdf => "kind-pdf",
            Family::Text => "kind-text",
            Family::Sheet => "kind-sheet",
            Family::Slides => "kind-slides",
            Family::Archive => "kind-archive",
            Family::Audio => "kind-audio",
            Family::Video => "kind-video",
            Family::Code => "kind-code",
            Family::Other => "kind-other",
        }
    }
}

/// Types whose own name says nothing to a person.
fn named(essence: &str) -> Option<(Family, Cow<'static, str>)> {
    const OOXML: &str = "application/vnd.openxmlformats-officedocument.";
    const ODF: &str = "application/vnd.oasis.opendocument.";
    let office = essence.strip_prefix(OOXML).or_else(|| essence.strip_prefix(ODF));
    let (family, label) = match office.unwrap_or(essence) {
        "application/pdf" => (Family::Pdf, "PDF document"),
        "wordprocessingml.document" | "application/msword" => (Family::Text, "Word document"),
        "spreadsheetml.sheet" | "application/vnd.ms-excel" => (Family::Sheet, "Excel workbook"),
        "presentationml.presentation" | "application/vnd.ms-powerpoint" => {
            (Family::Slides, "PowerPoint slides")
        }
        "text" => (Family::Text, "OpenDocument text"),
        "spreadsheet" => (Family::Sheet, "OpenDocument sheet"),
        "presentation" => (Family::Slides, "OpenDocument slides"),
        "application/rtf" | "text/rtf" => (Family::Text, "Rich text"),
        "text/plain" => (Family::Text, "Plain text"),
        "text/markdown" => (Family::Text, "Markdown text"),
        "text/csv" => (Family::Sheet, "CSV table"),
        "text/html" | "application/xhtml+xml" => (Family::Code, "HTML page"),
        "text/xml" | "application/xml" => (Family::Code, "XML file"),
        "text/css" => (Family::Code, "Style sheet"),
        "application/json" => (Family::Code, "JSON file"),
        "application/javascript" | "text/javascript" => (Family::Code, "JavaScript file"),
        "application/zip" => (Family::Archive, "ZIP archive"),
        "application/gzip" | "application/x-gzip" => (Family::Archive, "GZIP archive"),
        "application/x-tar" => (Family::Archive, "TAR archive"),
        "application/x-7z-compressed" => (Family::Archive, "7-Zip archive"),
        "application/vnd.rar" | "application/x-rar-compressed" => (Family::Archive, "RAR archive"),
        "application/x-bzip2" => (Family::Archive, "BZIP2 archive"),
        "application/x-xz" => (Family::Archive, "XZ archive"),
        "application/zstd" => (Family::Archive, "Zstandard archive"),
        "image/svg+xml" => (Family::Image, "SVG drawing"),
        "image/vnd.adobe.photoshop" => (Family::Image, "Photoshop image"),
        "audio/mpeg" => (Family::Audio, "MP3 audio"),
        "video/quicktime" => (Family::Video, "QuickTime video"),
        "video/x-matroska" => (Family::Video, "Matroska video"),
        "application/octet-stream" | "" => (Family::Other, "Unknown type"),
        _ => return None,
    };
    Some((family, Cow::Borrowed(label)))
}

/// Any other type: its own name, and the noun of its family.
fn guessed(essence: &str) -> (Family, Cow<'static, str>) {
    let (top, sub) = essence.split_once('/').unwrap_or(("", essence));
    let short = sub.trim_start_matches("x-").trim_end_matches("+xml");
    let short = if short.len() <= 8 {
        short.to_uppercase()
    } else {
        String::new()
    };
    let (family, noun) = match top {
        "image" => (Family::Image, "image"),
        "audio" => (Family::Audio, "audio"),
        "video" => (Family::Video, "video"),
        "text" => (Family::Text, "text"),
        _ => (Family::Other, "file"),
    };
    let label = format!("{short} {noun}").trim_start().to_owned();
    (family, Cow::Owned(capitalised(&label)))
}

fn capitalised(words: &str) -> String {
    let mut rest = words.chars();
    rest.next()
        .map(|first| first.to_uppercase().chain(rest).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types_are_said_in_words() {
        let cases = [
            ("image/png", "kind-image", "PNG image"),
            ("IMAGE/JPEG", "kind-image", "JPEG image"),
            ("application/pdf", "kind-pdf", "PDF document"),
            ("text/plain; charset=utf-8", "kind-text", "Plain text"),
            (
                "application/vnd.oasis.opendocument.spreadsheet",
                "kind-sheet",
                "OpenDocument sheet",
            ),
            ("audio/x-wav", "kind-audio", "WAV audio"),
            ("video/vnd.something-very-long", "kind-video", "Video"),
            ("application/octet-stream", "kind-other", "Unknown type"),
            ("application/vnd.some.thing", "kind-other", "File"),
            ("", "kind-other", "Unknown type"),
            ("nonsense", "kind-other", "NONSENSE file"),
            ("x/ß", "kind-other", "SS file"),
        ];
        for (content_type, icon, label) in cases {
            let kind = Kind::of(content_type);
            assert_eq!((kind.icon(), kind.label()), (icon, label), "{content_type}");
        }
    }
}
