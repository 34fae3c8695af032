//! A request as a curl command: something to paste into a terminal, with the credentials it came with.

use actix_web::http::Method;
use actix_web::http::header::{CONTENT_TYPE, HeaderMap};

/// Of a body as much is kept; a longer or binary one is a file to be named.
pub(in crate::emulator) const MAX_BODY: usize = 16 * 1024;

/// Headers that decide what a call does. Cookies are not among them: a browser sends those of every program on this
/// computer, since cookies ignore ports, and they are nothing to write down.
const TOLD: [&str; 12] = [
    "accept",
    "authorization",
    "content-md5",
    "content-type",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "origin",
    "range",
    "filestack-upload-region",
];

/// What came as body.
pub(in crate::emulator) enum Body<'a> {
    None,
    Kept(&'a [u8]),
    /// Too long to be kept.
    Long,
}

/// A command that still wants its body.
pub(in crate::emulator) struct Command {
    words: String,
    has_type: bool,
}

impl Command {
    /// `url` is where the call went.
    pub(in crate::emulator) fn new(method: &Method, url: &str, headers: &HeaderMap) -> Self {
        let mut words = String::from("curl -g --path-as-is");
        match *method {
            Method::GET => {}
            Method::HEAD => words.push_str(" --head"),
            _ => add(&mut words, "-X", method.as_str()),
        }
        words.push(' ');
        words.push_str(&quoted(url));
        for (name, value) in headers {
            let is_told = TOLD.contains(&name.as_str()) || name.as_str().starts_with("x-amz-");
            if is_told {
                let value = String::from_utf8_lossy(value.as_bytes());
                add(&mut words, "-H", &format!("{name}: {value}"));
            }
        }
        Self {
            words,
            has_type: headers.contains_key(CONTENT_TYPE),
        }
    }

    pub(in crate::emulator) fn with(mut self, body: Body<'_>) -> String {
        if matches!(body, Body::None) {
            return self.words;
        }
        if !self.has_type {
            // curl would name a type of its own.
            add(&mut self.words, "-H", "Content-Type:");
        }
        let text = match body {
            Body::Kept(bytes) => std::str::from_utf8(bytes).ok(),
            _ => None,
        };
        match text.filter(|text| !text.contains('\0')) {
            Some(text) => add(&mut self.words, "--data-raw", text),
            None => self.words.push_str(" --data-binary @FILE"),
        }
        self.words
    }
}

fn add(words: &mut String, option: &str, value: &str) {
    words.push(' ');
    words.push_str(option);
    words.push(' ');
    words.push_str(&quoted(value));
}

/// One word of a shell, whatever is in it. Control characters are written out, so that the command survives a copy.
fn quoted(text: &str) -> String {
    if !text.chars().any(char::is_control) {
        return format!("'{}'", text.replace('\'', r"'\''"));
    }
    let mut word = String::from("$'");
    for letter in text.chars() {
        match letter {
            '\n' => word.push_str("\\n"),
            '\r' => word.push_str("\\r"),
            '\t' => word.push_str("\\t"),
            '\'' | '\\' => word.extend(['\\', letter]),
            letter if letter.is_control() => {
                let mut buffer = [0; 4];
                for byte in letter.encode_utf8(&mut buffer).bytes() {
                    word.push_str(&format!("\\x{byte:02x}"));
                }
            }
            letter => word.push(letter),
        }
    }
    word.push('\'');
    word
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderName;

    use super::*;

    #[test]
    fn a_command_has_the_credentials_and_no_cookies() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("authorization", "Basic YXBwOlM="),
            ("cookie", "session=1"),
            ("x-amz-date", "1"),
        ] {
            headers.insert(HeaderName::from_static(name), value.parse().unwrap());
        }
        let command = Command::new(&Method::GET, "http://h/a?policy=p&signature=s", &headers);
        let text = command.with(Body::None);
        assert!(text.starts_with("curl -g --path-as-is 'http://h/a?policy=p&signature=s'"));
        assert!(text.contains("-H 'authorization: Basic YXBwOlM='") && text.contains("x-amz-date"));
        assert!(!text.contains("session"));
    }

    #[test]
    fn nothing_leaves_its_quotes() {
        assert_eq!(quoted("it's $(x) `y`"), r"'it'\''s $(x) `y`'");
        assert_eq!(quoted("a\r\n'b\\\u{7}\u{85}"), r"$'a\r\n\'b\\\x07\xc2\x85'");
    }

    #[test]
    fn bodies_are_written_out_while_they_are_short_text() {
        let headers = HeaderMap::new();
        let text = |body| Command::new(&Method::POST, "http://h/", &headers).with(body);
        assert!(
            text(Body::Kept(b"@x")).ends_with("-X 'POST' 'http://h/' -H 'Content-Type:' --data-raw '@x'")
        );
        assert!(text(Body::Kept(b"\xff")).ends_with("--data-binary @FILE"));
        assert!(text(Body::Kept(b"a\0")).ends_with("--data-binary @FILE"));
        assert!(text(Body::Long).ends_with("--data-binary @FILE"));
    }
}
