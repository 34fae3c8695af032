//! Multipart forms, written by hand: the tests decide every byte on the wire.

/// A boundary as browsers make them.
const BOUNDARY: &str = "----satchel-test-boundary-7MA4YWxkTrZu0gW";

/// A form, part after part.
#[derive(Clone, Default)]
pub struct Form {
    body: Vec<u8>,
}

impl Form {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a text field.
    pub fn field(self, name: &str, value: &str) -> Self {
        self.part(&format!("form-data; name=\"{name}\""), None, value.as_bytes())
    }

    /// Adds a file in the field `file`; the name is quoted as browsers do.
    pub fn file(self, filename: &str, content_type: &str, bytes: &[u8]) -> Self {
        let quoted = filename
            .replace('"', "%22")
            .replace('\r', "%0D")
            .replace('\n', "%0A");
        let disposition = format!("form-data; name=\"file\"; filename=\"{quoted}\"");
        self.part(&disposition, Some(content_type), bytes)
    }

    /// Adds a part with headers of the test's own making.
    pub fn part(mut self, disposition: &str, content_type: Option<&str>, bytes: &[u8]) -> Self {
        let mut head = format!("--{BOUNDARY}\r\nContent-Disposition: {disposition}\r\n");
        if let Some(content_type) = content_type {
            head.push_str(&format!("Content-Type: {content_type}\r\n"));
        }
        self.body.extend_from_slice(head.as_bytes());
        self.body.extend_from_slice(b"\r\n");
        self.body.extend_from_slice(bytes);
        self.body.extend_from_slice(b"\r\n");
        self
    }

    /// What goes into `Content-Type`.
    pub fn content_type(&self) -> String {
        format!("multipart/form-data; boundary={BOUNDARY}")
    }

    /// The bytes, with the end of the form.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.body.clone();
        bytes.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
        bytes
    }
}
