//! The type of a file, from its first bytes: names and declarations only suggest (U5).

/// How many bytes a look needs.
pub const SNIFF_BYTES: usize = 4_096;

/// The media type of a file that begins like this.
///
/// Magic numbers decide. What has none is text when it reads as UTF-8, told apart by its name only where no browser would run
/// it for that; everything else is `application/octet-stream`.
pub fn content_type(head: &[u8], name: &str) -> String {
    if head.is_empty() {
        return "application/octet-stream".to_owned();
    }
    if let Some(active) = active_text(head) {
        return active.to_owned();
    }
    if let Some(kind) = infer::get(head) {
        // Office files are archives to infer's quick look; the name says which, and both are saved, never shown.
        if kind.mime_type() == "application/zip" {
            return office_type(name).unwrap_or("application/zip").to_owned();
        }
        return kind.mime_type().to_owned();
    }
    if is_text(head) {
        text_type(name)
    } else {
        "application/octet-stream".to_owned()
    }
}

/// Text that a browser would run: found by its first tag, so that a harmless name or declaration hides nothing.
fn active_text(head: &[u8]) -> Option<&'static str> {
    let text = String::from_utf8_lossy(head);
    let text = text
        .trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n'])
        .to_ascii_lowercase();
    let has = |tag: &str| text.contains(tag);
    if text.starts_with("<?xml") || text.starts_with("<!doctype svg") || text.starts_with("<svg") {
        return Some(if has("<svg") {
            "image/svg+xml"
        } else if has("<html") {
            "application/xhtml+xml"
        } else {
            "text/xml"
        });
    }
    let html = [
        "<!doctype html",
        "<html",
        "<head",
        "<body",
        "<script",
        "<iframe",
        "<!--",
        "<img",
        "<a href",
        "<meta",
        "<style",
    ];
    if html.iter().any(|tag| text.starts_with(tag)) || (is_text(head) && has("<script")) {
        return Some("text/html");
    }
    None
}

fn office_type(name: &str) -> Option<&'static str> {
    let extension = name.rsplit_once('.')?.1.to_ascii_lowercase();
    Some(match extension.as_str() {
        "docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "pptx" => "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "odt" => "application/vnd.oasis.opendocument.text",
        "ods" => "application/vnd.oasis.opendocument.spreadsheet",
        "odp" => "application/vnd.oasis.opendocument.presentation",
        "epub" => "application/epub+zip",
        _ => return None,
    })
}

/// UTF-8 without control characters other than white space; a character may be cut off at the end of the look.
fn is_text(head: &[u8]) -> bool {
    let valid = match std::str::from_utf8(head) {
        Ok(_) => head,
        Err(error) if head.len() - error.valid_up_to() < 4 && error.error_len().is_none() => {
            &head[..error.valid_up_to()]
        }
        Err(_) => return false,
    };
    !valid.is_empty()
        && !valid
            .iter()
            .any(|byte| *byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c | 0x1b))
}

fn text_type(name: &str) -> String {
    let extension = name
        .rsplit_once('.')
        .map(|(_, extension)| extension.to_ascii_lowercase());
    match extension.as_deref() {
        Some("csv") => "text/csv",
        Some("md" | "markdown") => "text/markdown",
        Some("json") => "application/json",
        Some("ics") => "text/calendar",
        _ => "text/plain",
    }
    .to_owned()
}

/// A declared media type as it is kept: two words of the allowed characters, or `application/octet-stream`.
pub fn declared_type(declared: &str) -> String {
    let essence = declared
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let word = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b))
    };
    match essence.split_once('/') {
        Some((kind, sub)) if essence.len() <= 255 && word(kind) && word(sub) => essence,
        _ => "application/octet-stream".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn u5_the_bytes_decide_whatever_the_name_says() {
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
        for (head, name, expected) in [
            (&png[..], "x.html", "image/png"),
            (b"<!DOCTYPE html><p>", "x.png", "text/html"),
            (b"  <script>alert(1)</script>", "x.png", "text/html"),
            (b"hello <script>alert(1)</script>", "x.txt", "text/html"),
            (
                b"<?xml version='1.0'?><svg onload='x'/>",
                "x.jpg",
                "image/svg+xml",
            ),
            (b"%PDF-1.7", "x.txt", "application/pdf"),
            (
                b"PK\x03\x04\x14\0\0\0",
                "x.docx",
                "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            ),
            (b"PK\x03\x04\x14\0\0\0", "x.png", "application/zip"),
            (b"plain words", "x.exe", "text/plain"),
            (b"a,b\n1,2\n", "x.csv", "text/csv"),
            ("Grüße".as_bytes(), "x", "text/plain"),
            (&"Grü".as_bytes()[..3], "x", "text/plain"),
            (b"\x00\x01\x02", "x.txt", "application/octet-stream"),
            (b"", "x.txt", "application/octet-stream"),
        ] {
            assert_eq!(content_type(head, name), expected, "{name} {head:?}");
        }
    }

    #[test]
    fn a_declared_type_is_a_type_or_nothing() {
        assert_eq!(declared_type("Text/Plain; charset=utf-8"), "text/plain");
        for bad in ["", "x", "a/b/c", "text/pl ain", "text/<script>", "/"] {
            assert_eq!(declared_type(bad), "application/octet-stream", "{bad}");
        }
    }
}
