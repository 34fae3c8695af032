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
        self.part(format!("form-data; name=\"{name}\""), None, value.as_bytes())
    }

    /// Adds the field that tells a file's size before it comes.
    pub fn size(self, bytes: usize) -> Self {
        self.field("size", &bytes.to_string())
    }

    /// Adds a file in the field `file`; the name is quoted as browsers do.
    pub fn file(self, filename: &str, content_type: &str, bytes: &[u8]) -> Self {
        let quoted = filename
            .replace('"', "%22")
            .replace('\r', "%0D")
            .replace('\n', "%0A");
        let disposition = format!("form-data; name=\"file\"; filename=\"{quoted}\"");
        self.part(disposition, Some(content_type), bytes)
    }

    /// Adds a part with headers of the test's own making.
    pub fn part(self, disposition: impl AsRef<[u8]>, content_type: Option<&str>, bytes: &[u8]) -> Self {
        let mut form = self.open_part(disposition, content_type);
        form.body.extend_from_slice(bytes);
        form.body.extend_from_slice(b"\r\n");
        form
    }

    /// Adds a part's headers only, for a body that goes on from there.
    pub fn open_part(mut self, disposition: impl AsRef<[u8]>, content_type: Option<&str>) -> Self {
        self.body
            .extend_from_slice(format!("--{BOUNDARY}\r\nContent-Disposition: ").as_bytes());
        self.body.extend_from_slice(disposition.as_ref());
        if let Some(content_type) = content_type {
            self.body
                .extend_from_slice(format!("\r\nContent-Type: {content_type}").as_bytes());
        }
        self.body.extend_from_slice(b"\r\n\r\n");
        self
    }

    /// Adds a file whose part tells a length of its own, as some HTTP libraries have it.
    pub fn file_of_length(self, told: &str, bytes: &[u8]) -> Self {
        let headers = format!("form-data; name=\"file\"; filename=\"f.bin\"\r\nContent-Length: {told}");
        self.part(headers, None, bytes)
    }

    /// What goes into `Content-Type`.
    pub fn content_type(&self) -> String {
        format!("multipart/form-data; boundary={BOUNDARY}")
    }

    /// The bytes so far.
    pub fn begun(&self) -> &[u8] {
        &self.body
    }

    /// The bytes, with the end of the form.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.body.clone();
        bytes.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
        bytes
    }
}
