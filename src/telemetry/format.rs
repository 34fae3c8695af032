//! One log line in its two forms. Both escape control characters and those that reorder or break text (catalogue X4).

use std::borrow::Cow;
use std::fmt::Write;

use log::kv::{Error, Key, Value, VisitSource};
use log::{Level, Record};
use serde_json::{Map, Value as Json};
use time::OffsetDateTime;
use time::format_description::StaticFormatDescription;
use time::macros::format_description;

/// RFC 3339 with a fixed width, so that lines sort as text.
const TIME: StaticFormatDescription =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z");
const TIME_FOR_PEOPLE: StaticFormatDescription = format_description!("[hour]:[minute]:[second]");

use super::redact;

const OWN_KEYS: [&str; 5] = ["time", "level", "target", "message", "request_id"];

/// What a line says, before it has a form.
pub(super) struct Line {
    time: OffsetDateTime,
    level: Level,
    target: String,
    message: String,
    request_id: Option<String>,
    fields: Map<String, Json>,
}

impl Line {
    pub(super) fn of(record: &Record<'_>, time: OffsetDateTime, request_id: Option<String>) -> Self {
        let mut fields = Fields(Map::new());
        // A value that cannot be read is left out: a log line must not fail.
        let _ = record.key_values().visit(&mut fields);
        Self {
            time: time.to_offset(time::UtcOffset::UTC),
            level: record.level(),
            target: record.target().to_owned(),
            message: redact::text(&record.args().to_string()).into_owned(),
            request_id,
            fields: fields.0,
        }
    }

    /// One JSON object, its own keys first.
    pub(super) fn to_json(&self) -> String {
        let own = [
            ("time", Some(self.time.format(TIME).unwrap_or_default())),
            ("level", Some(self.level.as_str().to_lowercase())),
            ("target", Some(self.target.clone())),
            ("message", Some(self.message.clone())),
            ("request_id", self.request_id.clone()),
        ];
        let own = own
            .into_iter()
            .filter_map(|(key, value)| Some((key.to_owned(), Json::String(value?))));
        let fields = self.fields.iter().map(|(key, value)| {
            let taken = OWN_KEYS.contains(&key.as_str());
            (
                if taken {
                    format!("field_{key}")
                } else {
                    key.clone()
                },
                value.clone(),
            )
        });
        let mut line = String::from("{");
        for (key, value) in own.chain(fields) {
            let comma = if line.len() == 1 { "" } else { "," };
            let _ = write!(line, "{comma}{}:{value}", Json::String(key));
        }
        line.push('}');
        // serde_json escapes what JSON asks for; the rest can only be inside strings, where \u is understood.
        escape(&line, |text, unit| write!(text, "\\u{unit:04x}")).into_owned()
    }

    /// The line for a terminal: time of day, level, message, `key=value`s, and where it comes from unless from us.
    pub(super) fn to_text(&self) -> String {
        let mut line = format!(
            "{} {:5} ",
            self.time.format(TIME_FOR_PEOPLE).unwrap_or_default(),
            self.level
        );
        if self.target != "satchel" && !self.target.starts_with("satchel::") {
            let _ = write!(line, "{}: ", self.target);
        }
        line.push_str(&self.message);
        for (key, value) in &self.fields {
            let _ = match value {
                Json::String(text) if !text.is_empty() && !text.contains([' ', '"', '=']) => {
                    write!(line, " {key}={text}")
                }
                value => write!(line, " {key}={value}"),
            };
        }
        if let Some(id) = &self.request_id {
            let _ = write!(line, " request_id={id}");
        }
        escape(&line, |text, unit| write!(text, "\\u{{{unit:x}}}")).into_owned()
    }
}

struct Fields(Map<String, Json>);

impl<'kvs> VisitSource<'kvs> for Fields {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), Error> {
        let mut json = serde_json::to_value(&value).unwrap_or_else(|_| Json::String(value.to_string()));
        redact::value(&mut json);
        self.0.insert(key.as_str().to_owned(), json);
        Ok(())
    }
}

/// `text` with every unsafe character written by `write_escape`, which is given its UTF-16 code unit.
///
/// All of them are below U+10000, so one unit is the whole character.
fn escape(text: &str, write_escape: impl Fn(&mut String, u32) -> std::fmt::Result) -> Cow<'_, str> {
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_unsafe(c) {
            let _ = write_escape(&mut escaped, u32::from(c));
        } else {
            escaped.push(c);
        }
    }
    Cow::Owned(escaped)
}

/// C0, DEL and C1 controls, line and paragraph separators, and the marks that reverse the direction of text.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}
