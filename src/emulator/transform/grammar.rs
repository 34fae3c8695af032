//! The path of a delivery URL: API key, tasks, security and source.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;

use super::error::GrammarError;
use super::scan::{Args, RawTask, Scanner, Value};
use super::spec;
use super::task::Task;

/// The longest path that is read; twice what common proxies let through.
pub const MAX_PATH_BYTES: usize = 16 * 1024;
/// The most tasks in one path, security included.
pub const MAX_TASKS: usize = 50;
/// The most sources in one list, as `zip` takes them.
pub const MAX_SOURCES: usize = 100;

const MAX_HANDLE_BYTES: usize = 128;

/// URL-safe base64 that takes padding or none: the SDKs pad, hand-written URLs often do not.
const BASE64_URL: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A delivery path, taken apart.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    /// The API key, when the path begins with one that is known.
    pub api_key: Option<String>,
    /// What to do, in order; without `security`.
    pub tasks: Vec<Task>,
    /// Policy and signature as sent; one that is missing is empty, so that checking them fails.
    pub security: Option<(String, String)>,
    /// What to do it to.
    pub source: Source,
    /// Whether `/metadata` follows the handle.
    pub metadata_suffix: bool,
}

/// What the tasks are applied to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A stored file.
    Handle(String),
    /// An address somewhere else; `http` or `https`, otherwise unchecked.
    Url(String),
    /// `ALIAS/path/file` of a storage alias.
    Alias(String),
    /// What a step of a workflow made (§8).
    Result {
        /// The workflow's id.
        workflow: String,
        /// The id of its run.
        job: String,
        /// Which of the run's results.
        hash: String,
    },
    /// Several of the above, in order.
    Many(Vec<Source>),
    /// Nothing: the tasks bring their own input.
    None,
}

/// Takes apart the path of a delivery URL, still percent-encoded and without its leading slash.
///
/// `is_key` says whether a first segment is an API key. An external source may have a query of its own: pass the
/// request's query along, after its `?`, if that is wanted.
///
/// # Errors
/// A [`GrammarError`] knows the status and the text to answer with.
pub fn parse_path(raw_path: &str, is_key: &dyn Fn(&str) -> bool) -> Result<Parsed, GrammarError> {
    if raw_path.len() > MAX_PATH_BYTES {
        return Err(GrammarError::TooMuch {
            what: "long",
            limit: MAX_PATH_BYTES,
            unit: "bytes",
        });
    }
    let mut parser = Parser {
        scanner: Scanner::of_path(raw_path),
        tasks: Vec::new(),
        security: None,
        count: 0,
    };
    let api_key = parser.api_key(is_key)?;
    let (source, metadata_suffix) = parser.body()?;
    let sourceless = parser.tasks.iter().any(Task::needs_no_source);
    if source == Source::None && !sourceless {
        return Err(GrammarError::NoSource);
    }
    Ok(Parsed {
        api_key,
        tasks: parser.tasks,
        security: parser.security,
        source,
        metadata_suffix,
    })
}

/// Reads a list of sources and a JSON list of tasks, as `POST /process` has them (§3.11).
///
/// # Errors
/// As [`parse_path`]; a call without source is refused too.
pub fn parse_json(sources: &[&str], tasks: serde_json::Value) -> Result<Parsed, GrammarError> {
    if sources.len() > MAX_SOURCES {
        return Err(GrammarError::TooMuch {
            what: "long",
            limit: MAX_SOURCES,
            unit: "sources",
        });
    }
    let named = sources.iter().map(|source| source_named(source, source));
    let mut named: Vec<Source> = named.collect::<Result<_, _>>()?;
    let source = match named.len() {
        0 => return Err(GrammarError::NoSource),
        1 => named.remove(0),
        _ => Source::Many(named),
    };
    let mut parser = Parser {
        scanner: Scanner::of_text(""),
        tasks: Vec::new(),
        security: None,
        count: 0,
    };
    for task in tasks_of_json(tasks)? {
        parser.push(task)?;
    }
    Ok(Parsed {
        api_key: None,
        tasks: parser.tasks,
        security: parser.security,
        source,
        metadata_suffix: false,
    })
}

struct Parser<'a> {
    scanner: Scanner<'a>,
    tasks: Vec<Task>,
    security: Option<(String, String)>,
    count: usize,
}

impl Parser<'_> {
    fn api_key(&mut self, is_key: &dyn Fn(&str) -> bool) -> Result<Option<String>, GrammarError> {
        let first = self.scanner.rest().split('/').next().unwrap_or_default();
        if first.is_empty() || !is_key(first) {
            return Ok(None);
        }
        let key = self.scanner.name()?;
        self.scanner.skip_slash();
        Ok(Some(key))
    }

    /// Everything after the API key: tasks until something is a source.
    fn body(&mut self) -> Result<(Source, bool), GrammarError> {
        while !self.scanner.is_at_end() {
            if let Some(source) = self.marked_source()? {
                return Ok((source, false));
            }
            let name = self.scanner.name()?;
            let args = self.scanner.args()?;
            let is_last = !self.scanner.skip_slash() || self.scanner.is_at_end();
            if name == "b64" && args == Args::Bare && !is_last {
                return Ok((self.base64_form()?, false));
            }
            if spec::find(&name).is_some() {
                self.push(RawTask { name, args })?;
                continue;
            }
            let suffix = !is_last && self.scanner.rest().trim_end_matches('/') == "metadata";
            if args != Args::Bare || (!is_last && !suffix) {
                return Err(GrammarError::UnknownTask(shortened(&name)));
            }
            return match source_named(&name, &name) {
                Ok(source) => Ok((source, suffix)),
                Err(_) => Err(GrammarError::NotFound(shortened(&name))),
            };
        }
        Ok((Source::None, false))
    }

    /// A source that shows by its first characters that it is one.
    fn marked_source(&mut self) -> Result<Option<Source>, GrammarError> {
        if self.scanner.is_ahead("\"") || self.scanner.is_ahead("[") {
            let value = self.scanner.value(0)?;
            self.scanner.skip_slash();
            if !self.scanner.is_at_end() {
                return Err(GrammarError::Syntax("more text follows the source"));
            }
            return source_of(&value, true).map(Some);
        }
        let schemes = ["http://", "https://", "src://", "wf://"];
        if schemes.iter().any(|scheme| self.scanner.is_ahead(scheme)) {
            return source_named(&self.scanner.rest_decoded()?, self.scanner.rest()).map(Some);
        }
        Ok(None)
    }

    /// `X/b64://Y`: the tasks as base64 of JSON, the source as base64 of its text.
    fn base64_form(&mut self) -> Result<Source, GrammarError> {
        let (tasks, source) = self
            .scanner
            .rest()
            .split_once('/')
            .unwrap_or((self.scanner.rest(), ""));
        let decoded = |raw: &str| Scanner::of_path(raw).rest_decoded();
        let tasks = serde_json::from_str(&decode_base64(&decoded(tasks)?)?).map_err(|_| NOT_TASKS)?;
        for task in tasks_of_json(tasks)? {
            self.push(task)?;
        }
        let source = decoded(source.trim_end_matches('/'))?;
        if source.is_empty() {
            return Ok(Source::None);
        }
        let encoded = source.strip_prefix("b64://").ok_or(GrammarError::Syntax(
            "the source of the b64 form must begin with `b64://`",
        ))?;
        let source = decode_base64(encoded)?;
        let mut scanner = Scanner::of_text(&source);
        match source.as_bytes().first() {
            Some(b'[' | b'"') => source_of(&scanner.value(0)?, true),
            _ => source_named(&source, &source),
        }
    }

    fn push(&mut self, raw: RawTask) -> Result<(), GrammarError> {
        self.count += 1;
        if self.count > MAX_TASKS {
            return Err(GrammarError::TooMuch {
                what: "long",
                limit: MAX_TASKS,
                unit: "tasks",
            });
        }
        if raw.name != "security" {
            self.tasks.push(Task::from_raw(raw)?);
            return Ok(());
        }
        if self.security.is_some() {
            return Err(GrammarError::InvalidTask {
                task: "security",
                reason: "it is given twice",
            });
        }
        let args = spec::check(raw)?;
        let text = |name: &str| args.text(name).unwrap_or_default().to_owned();
        self.security = Some((text("policy"), text("signature")));
        Ok(())
    }
}

fn source_of(value: &Value, lists: bool) -> Result<Source, GrammarError> {
    match value {
        Value::Text { text, sent } => source_named(text, sent),
        Value::List(values) if lists && values.len() > MAX_SOURCES => Err(GrammarError::TooMuch {
            what: "long",
            limit: MAX_SOURCES,
            unit: "sources",
        }),
        Value::List(values) if lists && !values.is_empty() => {
            let sources: Result<Vec<_>, _> = values.iter().map(|value| source_of(value, false)).collect();
            Ok(Source::Many(sources?))
        }
        Value::List(_) => Err(GrammarError::InvalidSource(value.shown())),
    }
}

/// What decoded text names. An address that was sent with its `://` unescaped keeps the escapes it was sent with: they are
/// its own, and decoding them would change what it asks for.
fn source_named(text: &str, sent: &str) -> Result<Source, GrammarError> {
    let starts = |text: &str, scheme: &str| {
        text.get(..scheme.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    if starts(text, "http://") || starts(text, "https://") {
        let kept = starts(sent, "http://") || starts(sent, "https://");
        return Ok(Source::Url(if kept { sent } else { text }.to_owned()));
    }
    if starts(text, "src://") && text.len() > "src://".len() {
        return Ok(Source::Alias(text["src://".len()..].to_owned()));
    }
    if starts(text, "wf://") {
        return result_named(&text["wf://".len()..]);
    }
    let is_handle = (1..=MAX_HANDLE_BYTES).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    if is_handle {
        Ok(Source::Handle(text.to_owned()))
    } else {
        Err(GrammarError::InvalidSource(shortened(text)))
    }
}

/// `WORKFLOW/JOB/HASH`; whether there is such a result, the routes say.
fn result_named(text: &str) -> Result<Source, GrammarError> {
    let is_name = |part: &&str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        (1..=MAX_HANDLE_BYTES).contains(&part.len()) && part.bytes().all(plain)
    };
    let parts: Vec<&str> = text.trim_end_matches('/').split('/').collect();
    match parts.as_slice() {
        [workflow, job, hash] if parts.iter().all(is_name) => Ok(Source::Result {
            workflow: (*workflow).to_owned(),
            job: (*job).to_owned(),
            hash: (*hash).to_owned(),
        }),
        _ => Err(GrammarError::InvalidSource(shortened(text))),
    }
}

fn decode_base64(text: &str) -> Result<String, GrammarError> {
    let bytes = BASE64_URL
        .decode(text)
        .map_err(|_| GrammarError::Syntax("the b64 form is not url-safe base64"))?;
    String::from_utf8(bytes).map_err(|_| GrammarError::Syntax("the b64 form is not UTF-8"))
}

/// A task as the b64 form spells it.
#[derive(Deserialize)]
struct JsonTask {
    name: String,
    #[serde(default)]
    params: serde_json::Value,
}

const NOT_TASKS: GrammarError = GrammarError::Syntax("the tasks are not a JSON list of tasks");

fn tasks_of_json(tasks: serde_json::Value) -> Result<Vec<RawTask>, GrammarError> {
    let tasks: Vec<JsonTask> = serde_json::from_value(tasks).map_err(|_| NOT_TASKS)?;
    tasks.into_iter().map(raw_of_json).collect()
}

fn raw_of_json(task: JsonTask) -> Result<RawTask, GrammarError> {
    let args = match task.params {
        serde_json::Value::Null | serde_json::Value::Bool(true) => Args::Bare,
        serde_json::Value::Object(map) if map.is_empty() => Args::Bare,
        serde_json::Value::Object(map) => {
            let pairs = map.into_iter().filter(|(_, value)| !value.is_null());
            Args::Pairs(
                pairs
                    .map(|(key, value)| Ok((key, value_of_json(value)?)))
                    .collect::<Result<_, _>>()?,
            )
        }
        other => Args::Whole(value_of_json(other)?),
    };
    Ok(RawTask {
        name: task.name,
        args,
    })
}

/// The depth is bounded by the JSON reader, which stops at 128.
fn value_of_json(value: serde_json::Value) -> Result<Value, GrammarError> {
    match value {
        serde_json::Value::String(text) => Ok(Value::plain(text)),
        serde_json::Value::Array(values) => values
            .into_iter()
            .map(value_of_json)
            .collect::<Result<_, _>>()
            .map(Value::List),
        // §8: a workflow may be an object with its id.
        serde_json::Value::Object(mut map) => match map.remove("id") {
            Some(serde_json::Value::String(id)) if map.is_empty() => Ok(Value::plain(id)),
            _ => Err(GrammarError::Syntax("a parameter of a task is an object")),
        },
        plain => Ok(Value::plain(plain.to_string())),
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(60).collect()
}
