//! How parameters are described and checked (§6.1, §6.2–6.8); the descriptions themselves are in `pictures` and `files`.

use std::collections::BTreeMap;

use super::color::Color;
use super::error::GrammarError;
use super::scan::{Args, RawTask, Value};

mod files;
mod kinds;
mod needs;
mod pictures;

/// What a task is called and takes.
pub(super) struct TaskSpec {
    pub(super) name: &'static str,
    /// Another spelling that some SDK sends.
    pub(super) other_name: &'static str,
    pub(super) params: &'static [ParamSpec],
    /// The parameter that a value without a name stands for, as in `cache=false`; empty when there is none.
    pub(super) whole: &'static str,
}

/// What a parameter is called and takes.
pub(super) struct ParamSpec {
    pub(super) name: &'static str,
    /// Its one-letter or other spelling; empty when there is none.
    pub(super) alias: &'static str,
    pub(super) kind: Kind,
}

/// What values a parameter takes.
pub(super) enum Kind {
    /// A whole number in a range.
    Whole(u32, u32),
    /// A whole number in a range, or one of some words.
    WholeOr(u32, u32, &'static [&'static str]),
    /// `true` or `false`.
    Flag,
    /// One of some words.
    Word(&'static [&'static str]),
    /// One of some words, or a pair of them.
    Words(&'static [&'static str]),
    /// A list of whole numbers, each with its range.
    Wholes(&'static [(u32, u32)]),
    /// A colour.
    Color,
    /// Any text.
    Text,
    /// A list of texts, or one alone.
    Texts,
    /// A list of some words, or one alone.
    List(&'static [&'static str]),
    /// A number in a range, perhaps with a fraction.
    Number(f64, f64),
    /// A list of whole numbers that may be negative, each with its range.
    Signed(&'static [(i32, i32)]),
    /// `all`, the number of a face, or a list of those.
    Faces,
    /// A list of areas, each `[x,y,width,height]`.
    Areas,
    /// Pages: `[1,3,5-7,-2,9-]`, or one of those.
    Pages,
    /// Hours, minutes and seconds: `hh[:mm[:ss]]`.
    Time,
    /// Anything: not used here, so not judged here.
    Any,
}

/// A value that fits its description.
#[derive(Debug, Clone, PartialEq)]
enum Checked {
    Whole(u32),
    Flag(bool),
    Words(Vec<&'static str>),
    Wholes(Vec<u32>),
    Color(Color),
    Text(String),
    Texts(Vec<String>),
    Any,
}

const fn param(name: &'static str, alias: &'static str, kind: Kind) -> ParamSpec {
    ParamSpec { name, alias, kind }
}

const fn task(name: &'static str, params: &'static [ParamSpec]) -> TaskSpec {
    TaskSpec {
        name,
        other_name: "",
        params,
        whole: "",
    }
}

/// The values of one task, by full names.
#[derive(Debug)]
pub(super) struct CheckedArgs {
    pub(super) task: &'static str,
    values: BTreeMap<&'static str, Checked>,
}

impl CheckedArgs {
    fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    pub(super) fn whole(&self, name: &str) -> Option<u32> {
        match self.values.get(name) {
            Some(Checked::Whole(number)) => Some(*number),
            _ => None,
        }
    }

    pub(super) fn wholes<const N: usize>(&self, name: &str) -> Option<[u32; N]> {
        match self.values.get(name) {
            Some(Checked::Wholes(numbers)) => numbers.as_slice().try_into().ok(),
            _ => None,
        }
    }

    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        match self.values.get(name) {
            Some(Checked::Flag(flag)) => Some(*flag),
            _ => None,
        }
    }

    pub(super) fn word(&self, name: &str) -> Option<&'static str> {
        self.words(name).first().copied()
    }

    pub(super) fn words(&self, name: &str) -> &[&'static str] {
        match self.values.get(name) {
            Some(Checked::Words(words)) => words,
            _ => &[],
        }
    }

    pub(super) fn color(&self, name: &str) -> Option<Color> {
        match self.values.get(name) {
            Some(Checked::Color(color)) => Some(*color),
            _ => None,
        }
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        match self.values.get(name) {
            Some(Checked::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// A plain value as text.
    pub(super) fn shown(&self, name: &str) -> Option<String> {
        match self.values.get(name)? {
            Checked::Whole(number) => Some(number.to_string()),
            Checked::Flag(flag) => Some(flag.to_string()),
            Checked::Words(words) => Some(words.join(",")),
            Checked::Text(text) => Some(text.clone()),
            _ => None,
        }
    }

    pub(super) fn texts(&self, name: &str) -> &[String] {
        match self.values.get(name) {
            Some(Checked::Texts(texts)) => texts,
            _ => &[],
        }
    }
}

/// The description of the task with this name.
pub(super) fn find(name: &str) -> Option<&'static TaskSpec> {
    let is_named = |spec: &&TaskSpec| !name.is_empty() && (spec.name == name || spec.other_name == name);
    pictures::TASKS.iter().chain(files::TASKS).find(is_named)
}

/// Checks a task's parameters against its description.
pub(super) fn check(raw: RawTask) -> Result<CheckedArgs, GrammarError> {
    let spec =
        find(&raw.name).ok_or_else(|| GrammarError::UnknownTask(raw.name.chars().take(60).collect()))?;
    let pairs = match raw.args {
        Args::Bare => Vec::new(),
        Args::Pairs(pairs) => pairs,
        Args::Whole(value) if spec.whole.is_empty() => {
            return Err(GrammarError::UnknownParameter {
                task: raw.name,
                parameter: value.shown(),
            });
        }
        Args::Whole(value) => vec![(spec.whole.to_owned(), value)],
    };
    let mut values = BTreeMap::new();
    for (key, value) in pairs {
        let is_named = |param: &&ParamSpec| !key.is_empty() && (param.name == key || param.alias == key);
        let param = spec
            .params
            .iter()
            .find(is_named)
            .ok_or_else(|| GrammarError::UnknownParameter {
                task: raw.name.clone(),
                parameter: key.chars().take(60).collect(),
            })?;
        let checked = param.check(spec.name, &value)?;
        if values.insert(param.name, checked).is_some() {
            return Err(GrammarError::Repeated {
                task: spec.name,
                parameter: param.name.to_owned(),
            });
        }
    }
    let args = CheckedArgs {
        task: spec.name,
        values,
    };
    needs::check(&args)?;
    Ok(args)
}

impl ParamSpec {
    fn check(&self, task: &'static str, value: &Value) -> Result<Checked, GrammarError> {
        self.kind.read(value).ok_or_else(|| GrammarError::InvalidValue {
            task,
            parameter: self.name,
            value: value.shown(),
            expected: self.kind.describe(),
        })
    }
}

impl Kind {
    fn read(&self, value: &Value) -> Option<Checked> {
        match (self, value) {
            (Self::Any, _) => Some(Checked::Any),
            (Self::Words(words), Value::List(values)) => {
                let both: Option<Vec<_>> = values.iter().map(|value| word(words, plain(value)?)).collect();
                both.filter(|words| words.len() == 2).map(Checked::Words)
            }
            (Self::Wholes(ranges), Value::List(values)) if values.len() == ranges.len() => {
                let numbers = values.iter().zip(*ranges);
                let read = numbers.map(|(value, (least, most))| whole(plain(value)?, *least, *most));
                read.collect::<Option<_>>().map(Checked::Wholes)
            }
            (Self::Texts, Value::List(values)) => {
                let texts = values.iter().map(|value| plain(value).map(str::to_owned));
                texts.collect::<Option<_>>().map(Checked::Texts)
            }
            (Self::List(words), Value::List(values)) => {
                let named = values.iter().map(|value| word(words, plain(value)?));
                named.collect::<Option<_>>().map(Checked::Words)
            }
            (Self::Signed(_) | Self::Faces | Self::Areas | Self::Pages, value) => {
                kinds::fits(self, value).then_some(Checked::Any)
            }
            (_, Value::List(_)) => None,
            (_, Value::Text { text, .. }) => self.read_text(text),
        }
    }

    fn read_text(&self, text: &str) -> Option<Checked> {
        match self {
            Self::Whole(least, most) => whole(text, *least, *most).map(Checked::Whole),
            Self::WholeOr(least, most, words) => whole(text, *least, *most)
                .map(Checked::Whole)
                .or_else(|| word(words, text).map(|word| Checked::Words(vec![word]))),
            Self::Flag if text == "true" => Some(Checked::Flag(true)),
            Self::Flag if text == "false" => Some(Checked::Flag(false)),
            Self::Flag | Self::Wholes(_) | Self::Signed(_) | Self::Faces | Self::Areas | Self::Pages => None,
            Self::Number(least, most) => kinds::is_number(text, *least, *most).then_some(Checked::Any),
            Self::Time => kinds::is_time(text).then(|| Checked::Text(text.to_owned())),
            Self::Word(words) | Self::Words(words) | Self::List(words) => {
                word(words, text).map(|word| Checked::Words(vec![word]))
            }
            Self::Color => Color::parse(text).map(Checked::Color),
            Self::Text => Some(Checked::Text(text.to_owned())),
            Self::Texts => Some(Checked::Texts(vec![text.to_owned()])),
            Self::Any => Some(Checked::Any),
        }
    }

    /// What the values are, to end the sentence "it must be …".
    fn describe(&self) -> String {
        match self {
            Self::Whole(least, most) => format!("a whole number from {least} to {most}"),
            Self::WholeOr(least, most, words) => {
                format!("a whole number from {least} to {most}, or {}", words.join(", "))
            }
            Self::Flag => "true or false".to_owned(),
            Self::Word(words) => format!("one of {}", words.join(", ")),
            Self::List(words) => format!("a list of {}", words.join(", ")),
            Self::Texts => "a list of texts".to_owned(),
            Self::Words(words) => format!("one of {}, or a pair of them in brackets", words.join(", ")),
            Self::Wholes(ranges) => {
                let each: Vec<_> = ranges
                    .iter()
                    .map(|(least, most)| format!("{least} to {most}"))
                    .collect();
                format!(
                    "{} whole numbers in brackets, from {}",
                    ranges.len(),
                    each.join(", ")
                )
            }
            Self::Number(least, most) => format!("a number from {least} to {most}"),
            Self::Signed(ranges) => {
                let each: Vec<_> = ranges
                    .iter()
                    .map(|(least, most)| format!("{least} to {most}"))
                    .collect();
                format!(
                    "{} whole numbers in brackets, from {}",
                    ranges.len(),
                    each.join(", ")
                )
            }
            Self::Faces => "all, a whole number from 1 to 1000, or a list of those".to_owned(),
            Self::Areas => "1 to 50 areas, each as [x,y,width,height] from 0 to 10000".to_owned(),
            Self::Pages => "pages as in [1,3,5-7,-2,9-]".to_owned(),
            Self::Time => "a time as hh:mm:ss".to_owned(),
            Self::Color => "a colour: 3, 6 or 8 hex digits, or a name".to_owned(),
            Self::Text | Self::Any => "a text".to_owned(),
        }
    }
}

fn plain(value: &Value) -> Option<&str> {
    match value {
        Value::Text { text, .. } => Some(text),
        Value::List(_) => None,
    }
}

/// Digits only: no sign, no fraction, no exponent.
fn whole(text: &str, least: u32, most: u32) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|_| digits)?;
    (least..=most).contains(&number).then_some(number)
}

fn word(words: &[&'static str], text: &str) -> Option<&'static str> {
    words.iter().find(|word| **word == text).copied()
}
