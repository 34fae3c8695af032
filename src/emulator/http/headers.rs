//! Headers that say what a file is and what a browser may do with it (§4).

use actix_web::HttpResponseBuilder;
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue};

/// Types a browser shows without running anything of theirs.
const PASSIVE: [&str; 12] = [
    "image/png",
    "image/jpeg",
    "image/gif",
    "image/webp",
    "image/avif",
    "image/bmp",
    "image/tiff",
    "image/x-icon",
    "text/plain",
    "text/csv",
    "application/octet-stream",
    "application/zip",
];

/// Sets type, disposition and protections.
///
/// The service sends everything `inline` from a domain of its own. The emulator's port is the **same site** as the
/// application on another port of that host, so what could run script there is sent as an attachment and sandboxed: every
/// type that is not known to be passive (HTML, SVG, XML, PDF, scripts, unknown ones).
pub(super) fn describe(reply: &mut HttpResponseBuilder, filename: &str, mimetype: &str, attach: bool) {
    let essence = mimetype
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let stream = ["audio/", "video/"].iter().any(|kind| essence.starts_with(kind));
    let passive = stream || PASSIVE.contains(&essence.as_str());
    let kind = HeaderValue::from_str(mimetype).ok().filter(|_| is_type(&essence));
    reply.insert_header((
        CONTENT_TYPE,
        kind.unwrap_or(HeaderValue::from_static("application/octet-stream")),
    ));
    reply.insert_header((CONTENT_DISPOSITION, disposition(filename, attach || !passive)));
    reply.insert_header(("X-File-Name", encoded(filename)));
    reply.insert_header(("X-Content-Type-Options", "nosniff"));
    // Pages of other origins embed what is delivered; that is what a CDN is for.
    reply.insert_header(("Cross-Origin-Resource-Policy", "cross-origin"));
    if !passive {
        reply.insert_header(("Content-Security-Policy", "sandbox; default-src 'none'"));
    }
}

/// Whether it reads `type/subtype`.
fn is_type(essence: &str) -> bool {
    let token = |text: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte);
        !text.is_empty() && text.bytes().all(plain)
    };
    essence
        .split_once('/')
        .is_some_and(|(kind, rest)| token(kind) && token(rest))
}

/// RFC 6266: a plain name that every client reads, and the exact one of RFC 8187 where they differ.
fn disposition(filename: &str, attach: bool) -> String {
    let kind = if attach { "attachment" } else { "inline" };
    let plain = |letter: char| match letter {
        ' '..='~' if !"\"\\%/".contains(letter) => letter,
        _ => '_',
    };
    let fallback: String = filename.chars().map(plain).collect();
    if fallback == filename {
        return format!("{kind}; filename=\"{fallback}\"");
    }
    format!(
        "{kind}; filename=\"{fallback}\"; filename*=UTF-8''{}",
        encoded(filename)
    )
}

/// RFC 8187 `attr-char`, everything else percent-encoded.
fn encoded(filename: &str) -> String {
    let mut text = String::new();
    for byte in filename.bytes() {
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn u2_a_name_cannot_leave_its_parameter() {
        assert_eq!(disposition("cat.png", false), "inline; filename=\"cat.png\"");
        assert_eq!(
            disposition("a\"; x=\"\r\nSet-Cookie: b", true),
            "attachment; filename=\"a_; x=___Set-Cookie: b\"; \
             filename*=UTF-8''a%22%3B%20x%3D%22%0D%0ASet-Cookie%3A%20b"
        );
        assert_eq!(
            disposition("ü.pdf", false),
            "inline; filename=\"_.pdf\"; filename*=UTF-8''%C3%BC.pdf"
        );
        assert!(HeaderValue::from_str(&disposition("\0\u{202e}名", true)).is_ok());
    }

    #[test]
    fn only_types_are_sent_as_types() {
        assert!(is_type("image/svg+xml") && is_type("application/vnd.ms-excel"));
        for text in ["", "png", "image/", "/png", "a/b/c", "a b/c", "image/png\r"] {
            assert!(!is_type(text), "{text:?}");
        }
    }
}
