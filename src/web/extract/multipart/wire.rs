//! A form's bytes on their way to the parser: hides the parts' own `Content-Length` from it.
//!
//! The parser takes such a length for the truth: one that is too small cuts the file short without a word. Under another name it is
//! only what the client said, and compared with what came.

use actix_web::error::PayloadError;
use bytes::{Buf as _, Bytes, BytesMut};
use memchr::memmem::Finder;

/// What a part's `Content-Length` is called when the parser sees it: as long as that, so that every offset stays.
pub(super) const TOLD_LENGTH: &str = "declared-bytes";
const CONTENT_LENGTH: &[u8] = b"content-length";
/// The most that the headers of one part may have: names of files can be long.
const MAX_HEADERS: usize = 16 * 1_024;
/// Where the first boundary may stand: what precedes it is not on the wire.
const LINE_BREAK: &[u8] = b"\r\n";

/// Where in the form the bytes are that came last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Preamble,
    Headers,
    Content,
    /// After the last boundary, or after something that the parser will refuse.
    End,
}

/// Watches the bytes of one form.
pub(super) struct Wire {
    /// CRLF, two dashes, the boundary.
    delimiter: Vec<u8>,
    /// The same without the CR.
    finder: Finder<'static>,
    state: State,
    /// Seen and not handed on yet: the beginning of what may become a delimiter, or a part's unfinished headers.
    held: BytesMut,
    /// Of `held`, what was not on the wire.
    made_up: usize,
}

impl Wire {
    pub(super) fn new(boundary: &[u8]) -> Self {
        let delimiter = [b"\r\n--", boundary].concat();
        Wire {
            finder: Finder::new(&delimiter[1..]).into_owned(),
            delimiter,
            state: State::Preamble,
            held: LINE_BREAK.into(),
            made_up: LINE_BREAK.len(),
        }
    }

    /// What the parser is to see of these bytes, and of those held back before.
    ///
    /// # Errors
    ///
    /// [`PayloadError::Overflow`] when the headers of a part have no end.
    pub(super) fn pass(&mut self, chunk: Bytes) -> Result<Bytes, PayloadError> {
        let mut rest = if self.held.is_empty() {
            chunk
        } else {
            let mut joined = std::mem::take(&mut self.held);
            joined.extend_from_slice(&chunk);
            joined.freeze()
        };
        let mut out = Out::default();
        loop {
            match self.state {
                State::End => {
                    self.hand_on(&mut out, rest);
                    return Ok(out.bytes());
                }
                State::Headers => match memchr::memmem::find(&rest, b"\r\n\r\n") {
                    Some(at) => {
                        let headers = without_length(&rest.split_to(at + 4));
                        self.hand_on(&mut out, headers);
                        self.state = State::Content;
                    }
                    None if rest.len() > MAX_HEADERS => return Err(PayloadError::Overflow),
                    None => {
                        self.held = rest.into();
                        return Ok(out.bytes());
                    }
                },
                State::Preamble | State::Content => match self.delimiter_in(&rest) {
                    Found::Delimiter { end, then } => {
                        let before = rest.split_to(end);
                        self.hand_on(&mut out, before);
                        self.state = then;
                    }
                    Found::Nothing { keep } => {
                        let before = rest.split_to(rest.len() - keep);
                        self.hand_on(&mut out, before);
                        self.held = rest.into();
                        return Ok(out.bytes());
                    }
                },
            }
        }
    }

    fn hand_on(&mut self, out: &mut Out, mut bytes: Bytes) {
        let made_up = self.made_up.min(bytes.len());
        self.made_up -= made_up;
        bytes.advance(made_up);
        out.push(bytes);
    }

    /// The first delimiter that the parser will take for one, with what follows it.
    fn delimiter_in(&self, text: &[u8]) -> Found {
        // Before the form any line may be the boundary, in it only one after CRLF.
        let line_only = self.state == State::Preamble;
        let mut from = 0;
        while let Some(at) = self.finder.find(&text[from..]).map(|at| at + from) {
            let end = at + self.finder.needle().len();
            if line_only || (at > 0 && text[at - 1] == b'\r') {
                match text.get(end..end + 2) {
                    None => {
                        return Found::Nothing {
                            keep: text.len() - at.saturating_sub(1),
                        };
                    }
                    Some(b"\r\n") => {
                        return Found::Delimiter {
                            end: end + 2,
                            then: State::Headers,
                        };
                    }
                    Some(follows) if follows == b"--" || !line_only => {
                        return Found::Delimiter {
                            end,
                            then: State::End,
                        };
                    }
                    Some(_) => {}
                }
            }
            from = at + 1;
        }
        let begins = |part: &[u8]| {
            (1..part.len())
                .rev()
                .find(|&length| text.ends_with(&part[..length]))
        };
        let keep = begins(&self.delimiter);
        let keep = keep.max(line_only.then(|| begins(&self.delimiter[1..])).flatten());
        Found::Nothing {
            keep: keep.unwrap_or(0),
        }
    }
}

/// What a search for a delimiter gives.
enum Found {
    /// One that ends here, and what comes after it.
    Delimiter { end: usize, then: State },
    /// None; so many bytes at the end may be the beginning of one.
    Nothing { keep: usize },
}

/// Pieces that are handed on together; a single one, the usual case, is not copied.
#[derive(Default)]
struct Out {
    first: Bytes,
    more: BytesMut,
}

impl Out {
    fn push(&mut self, piece: Bytes) {
        if self.first.is_empty() {
            self.first = piece;
        } else {
            self.more.extend_from_slice(&piece);
        }
    }

    fn bytes(self) -> Bytes {
        if self.more.is_empty() {
            return self.first;
        }
        let mut all = BytesMut::with_capacity(self.first.len() + self.more.len());
        all.extend_from_slice(&self.first);
        all.extend_from_slice(&self.more);
        all.freeze()
    }
}

/// A part's headers with `Content-Length` renamed.
fn without_length(headers: &[u8]) -> Bytes {
    let mut headers = BytesMut::from(headers);
    let mut line = 0;
    loop {
        let name = headers[line..].get_mut(..CONTENT_LENGTH.len());
        if let Some(name) = name.filter(|name| name.eq_ignore_ascii_case(CONTENT_LENGTH)) {
            name.copy_from_slice(TOLD_LENGTH.as_bytes());
        }
        match memchr::memchr(b'\n', &headers[line..]) {
            Some(end) => line += end + 1,
            None => return headers.freeze(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = b"--xyz\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--xyz\r\n\
        Content-Disposition: form-data; name=\"file\"; filename=\"f\"\r\ncontent-LENGTH: 4\r\n\r\n\
        Content-Length: 9\r\n\r\n--xy\r\n--\n--xyz\r\nDATA\r\n--xyz--\r\nepilogue --xyz";

    /// What comes out of the wire when the body comes in chunks of this size.
    fn passed(body: &[u8], size: usize) -> Vec<u8> {
        let mut wire = Wire::new(b"xyz");
        let mut out = Vec::new();
        for chunk in body.chunks(size) {
            let bytes = wire.pass(Bytes::copy_from_slice(chunk));
            out.extend_from_slice(&bytes.expect("short headers"));
        }
        out
    }

    #[test]
    fn the_form_stays_as_it_is_but_for_the_length_in_a_parts_headers_however_it_is_cut() {
        let text = String::from_utf8(BODY.to_vec()).expect("text");
        let expected = text.replace("content-LENGTH: 4", "declared-bytes: 4");
        for size in 1..=BODY.len() {
            let out = passed(BODY, size);
            assert_eq!(String::from_utf8_lossy(&out), expected, "in chunks of {size}");
        }
    }

    #[test]
    fn before_the_form_any_line_may_be_the_boundary() {
        let body = b"text --xyz\r\nmore\n--xyzzy\r\n--xyz\r\nContent-Length: 1\r\n\r\nA";
        for size in 1..=body.len() {
            assert!(
                passed(body, size).ends_with(b"declared-bytes: 1\r\n\r\nA"),
                "in chunks of {size}"
            );
        }
    }

    #[test]
    fn what_may_be_a_delimiter_is_handed_on_as_soon_as_it_is_none() {
        let mut wire = Wire::new(b"xyz");
        let mut pass = |text: &'static [u8]| wire.pass(Bytes::from_static(text)).expect("short headers");
        pass(b"--xyz\r\n\r\n\r\n");
        assert_eq!(pass(b"data\r\n--x"), "data");
        assert_eq!(pass(b"y!"), "\r\n--xy!");
        assert_eq!(pass(b"\r"), "");
        assert_eq!(pass(b"\r"), "\r");
    }

    #[test]
    fn headers_without_end_are_refused() {
        let mut wire = Wire::new(b"xyz");
        wire.pass(Bytes::from_static(b"--xyz\r\n")).expect("a boundary");
        let endless = (0..100).try_for_each(|_| wire.pass(Bytes::from_static(&[b'x'; 1_024])).map(drop));
        assert!(matches!(endless, Err(PayloadError::Overflow)));
    }
}
