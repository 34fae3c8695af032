//! What sort of file a media type is, in words and as an icon.

use std::borrow::Cow;

use crate::db::models::documents::Family;

/// What sort of file it is, as far as a person cares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kind {
    family: Family,
    label: Cow<'static, str>,
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
        Kind {
            family: Family::of_essence(&essence),
            label: named(&essence).map_or_else(|| Cow::Owned(guessed(&essence)), Cow::Borrowed),
        }
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
fn named(essence: &str) -> Option<&'static str> {
    const OOXML: &str = "application/vnd.openxmlformats-officedocument.";
    const ODF: &str = "application/vnd.oasis.opendocument.";
    let office = essence.strip_prefix(OOXML).or_else(|| essence.strip_prefix(ODF));
    let label = match office.unwrap_or(essence) {
        "application/pdf" => "PDF document",
        "wordprocessingml.document" | "application/msword" => "Word document",
        "spreadsheetml.sheet" | "application/vnd.ms-excel" => "Excel workbook",
        "presentationml.presentation" | "application/vnd.ms-powerpoint" => "PowerPoint slides",
        "text" => "OpenDocument text",
        "spreadsheet" => "OpenDocument sheet",
        "presentation" => "OpenDocument slides",
        "application/rtf" | "text/rtf" => "Rich text",
        "text/plain" => "Plain text",
        "text/markdown" => "Markdown text",
        "text/csv" => "CSV table",
        "text/html" | "application/xhtml+xml" => "HTML page",
        "text/xml" | "application/xml" => "XML file",
        "text/css" => "Style sheet",
        "application/json" => "JSON file",
        "application/javascript" | "text/javascript" => "JavaScript file",
        "application/zip" => "ZIP archive",
        "application/gzip" | "application/x-gzip" => "GZIP archive",
        "application/x-tar" => "TAR archive",
        "application/x-7z-compressed" => "7-Zip archive",
        "application/vnd.rar" | "application/x-rar-compressed" => "RAR archive",
        "application/x-bzip2" => "BZIP2 archive",
        "application/x-xz" => "XZ archive",
        "application/zstd" => "Zstandard archive",
        "image/svg+xml" => "SVG drawing",
        "image/vnd.adobe.photoshop" => "Photoshop image",
        "audio/mpeg" => "MP3 audio",
        "video/quicktime" => "QuickTime video",
        "video/x-matroska" => "Matroska video",
        "application/octet-stream" | "" => "Unknown type",
        _ => return None,
    };
    Some(label)
}

/// Any other type: its own name, and the noun of its family.
fn guessed(essence: &str) -> String {
    let (top, sub) = essence.split_once('/').unwrap_or(("", essence));
    let short = sub.trim_start_matches("x-").trim_end_matches("+xml");
    let short = if short.len() <= 8 {
        short.to_uppercase()
    } else {
        String::new()
    };
    let noun = match top {
        "image" | "audio" | "video" | "text" => top,
        _ => "file",
    };
    let label = format!("{short} {noun}").trim_start().to_owned();
    capitalised(&label)
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
