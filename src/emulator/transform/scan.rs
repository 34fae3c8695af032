//! Reading a path character by character: names, values, quotes and lists (§6.1).
//!
//! A `/` counts as structure only when it stands there unescaped and outside quotes and lists. Every other mark
//! (`=` `:` `,` `"` `[` `]`) counts whether escaped or not, since clients escape them at will and Filestack parses decoded text;
//! a value with one of them inside belongs in double quotes.

use super::error::GrammarError;

/// How deep lists may nest; the deepest documented one, a list of areas, needs two.
const MAX_DEPTH: usize = 4;

/// A value as it stands in a path, before anybody knows what it is for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    /// A number, a word or quoted text.
    Text {
        /// The value itself, decoded.
        text: String,
        /// The same text as it was sent; differs by its percent-escapes.
        sent: String,
    },
    /// A bracketed list.
    List(Vec<Value>),
}

impl Value {
    pub(super) fn plain(text: String) -> Self {
        Self::Text {
            sent: text.clone(),
            text,
        }
    }

    /// The value as an error message shows it, not longer than a line.
    pub(super) fn shown(&self) -> String {
        let full = match self {
            Self::Text { text, .. } => text.clone(),
            Self::List(values) => {
                let inner: Vec<String> = values.iter().take(8).map(Value::shown).collect();
                format!("[{}]", inner.join(","))
            }
        };
        full.chars().take(60).collect()
    }
}

/// What follows the `=` of a task.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Args {
    /// Nothing: the bare name.
    Bare,
    /// One value without a name, as in `cache=false`.
    Whole(Value),
    /// Named values in the order they stand.
    Pairs(Vec<(String, Value)>),
}

/// One task as it stands in a path.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RawTask {
    pub(super) name: String,
    pub(super) args: Args,
}

/// One character of the path, decoded, with what it took.
#[derive(Clone, Copy)]
struct Mark {
    byte: u8,
    length: usize,
}

impl Mark {
    /// Whether this character ends a segment.
    fn is_slash(self) -> bool {
        self.byte == b'/' && self.length == 1
    }
}

/// A place in a path.
pub(super) struct Scanner<'a> {
    raw: &'a str,
    at: usize,
    escapes: bool,
}

impl<'a> Scanner<'a> {
    /// A scanner of text that is still percent-encoded.
    pub(super) fn of_path(raw: &'a str) -> Self {
        Self {
            raw,
            at: 0,
            escapes: true,
        }
    }

    /// A scanner of text in which `%` means nothing.
    pub(super) fn of_text(raw: &'a str) -> Self {
        Self {
            raw,
            at: 0,
            escapes: false,
        }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at >= self.raw.len()
    }

    /// What has not been read, as it was sent.
    pub(super) fn rest(&self) -> &'a str {
        self.raw.get(self.at..).unwrap_or_default()
    }

    /// What has not been read, decoded.
    pub(super) fn rest_decoded(&self) -> Result<String, GrammarError> {
        let mut ahead = Self { ..*self };
        ahead.text_until(|_| false)
    }

    /// Whether the next characters, decoded, are these; ASCII case does not matter.
    pub(super) fn is_ahead(&self, prefix: &str) -> bool {
        let mut ahead = Self { ..*self };
        prefix.bytes().all(|wanted| match ahead.next() {
            Some(mark) => mark.byte.eq_ignore_ascii_case(&wanted),
            None => false,
        })
    }

    /// Takes an unescaped `/`, if it is there.
    pub(super) fn skip_slash(&mut self) -> bool {
        let found = self.peek().is_some_and(Mark::is_slash);
        if found {
            self.at += 1;
        }
        found
    }

    /// Reads up to the `=` or `/` after a name.
    pub(super) fn name(&mut self) -> Result<String, GrammarError> {
        self.text_until(|mark| mark.byte == b'=' || mark.is_slash())
    }

    /// Reads what stands between a task's name and the end of its segment.
    pub(super) fn args(&mut self) -> Result<Args, GrammarError> {
        if !self.skip(b'=') {
            return Ok(Args::Bare);
        }
        if self.sees(b'[') || self.sees(b'"') {
            return Ok(Args::Whole(self.value(0)?));
        }
        let mut pairs = Vec::new();
        loop {
            let key = self.text_until(|mark| matches!(mark.byte, b':' | b',') || mark.is_slash())?;
            if self.skip(b':') {
                pairs.push((key, self.value(0)?));
            } else if pairs.is_empty() && !self.sees(b',') {
                return Ok(Args::Whole(Value::plain(key)));
            } else {
                return Err(GrammarError::Syntax("a parameter has no `:` and no value"));
            }
            if !self.skip(b',') {
                return Ok(Args::Pairs(pairs));
            }
        }
    }

    /// Reads one value: quoted text, a list, or plain text up to the next mark. `depth` counts the lists around it.
    pub(super) fn value(&mut self, depth: usize) -> Result<Value, GrammarError> {
        if self.sees(b'[') {
            return self.list(depth + 1);
        }
        let quoted = self.skip(b'"');
        let start = self.at;
        let text = self.text_until(|mark| match mark.byte {
            b'"' => quoted,
            b',' => !quoted,
            b']' => !quoted && depth > 0,
            _ => !quoted && depth == 0 && mark.is_slash(),
        })?;
        let sent = self.raw.get(start..self.at).unwrap_or_default().to_owned();
        if quoted {
            if !self.skip(b'"') {
                return Err(GrammarError::Syntax("a double quote is not closed"));
            }
            if let Some(mark) = self.peek()
                && !(mark.byte == b',' || mark.is_slash() || (depth > 0 && mark.byte == b']'))
            {
                return Err(GrammarError::Syntax(
                    "a closing double quote is followed by more text",
                ));
            }
        }
        Ok(Value::Text { text, sent })
    }

    fn list(&mut self, depth: usize) -> Result<Value, GrammarError> {
        if depth > MAX_DEPTH {
            return Err(GrammarError::TooMuch {
                what: "deep",
                limit: MAX_DEPTH,
                unit: "lists in one another",
            });
        }
        self.skip(b'[');
        let mut values = Vec::new();
        if self.skip(b']') {
            return Ok(Value::List(values));
        }
        loop {
            values.push(self.value(depth)?);
            if self.skip(b']') {
                return Ok(Value::List(values));
            }
            if !self.skip(b',') {
                return Err(GrammarError::Syntax("a list is not closed by `]`"));
            }
        }
    }

    /// Decodes up to the first character that `stops`, which is left unread.
    fn text_until(&mut self, stops: impl Fn(Mark) -> bool) -> Result<String, GrammarError> {
        let mut bytes = Vec::new();
        while let Some(mark) = self.peek() {
            if stops(mark) {
                break;
            }
            bytes.push(mark.byte);
            self.at += mark.length;
        }
        String::from_utf8(bytes).map_err(|_| GrammarError::Syntax("the text is not UTF-8"))
    }

    fn sees(&self, byte: u8) -> bool {
        self.peek().is_some_and(|mark| mark.byte == byte)
    }

    fn skip(&mut self, byte: u8) -> bool {
        let found = self.peek().filter(|mark| mark.byte == byte);
        self.at += found.map_or(0, |mark| mark.length);
        found.is_some()
    }

    fn next(&mut self) -> Option<Mark> {
        let mark = self.peek()?;
        self.at += mark.length;
        Some(mark)
    }

    /// The next byte; a `%` that starts no escape stands for itself, as in browsers.
    fn peek(&self) -> Option<Mark> {
        let bytes = self.raw.as_bytes();
        let byte = *bytes.get(self.at)?;
        if byte == b'%' && self.escapes {
            let digit = |offset: usize| {
                bytes
                    .get(self.at + offset)
                    .and_then(|b| char::from(*b).to_digit(16))
            };
            if let (Some(high), Some(low)) = (digit(1), digit(2)) {
                return Some(Mark {
                    byte: (high * 16 + low) as u8,
                    length: 3,
                });
            }
        }
        Some(Mark { byte, length: 1 })
    }
}
