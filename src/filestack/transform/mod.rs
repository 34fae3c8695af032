//! Transformations, built from types: there is no way to put raw text into a task.
//!
//! A [`Transform`] is a list of [`Task`]s, done from left to right. Each task is a struct of its own that turns into a
//! [`Task`]; to add one, write such a struct and a line here. Numbers are checked against Filestack's ranges when they are
//! given, so that a bad one fails here and not as a broken image in somebody's browser.

mod adjust;
mod geometry;
mod output;

use std::borrow::Cow;
use std::fmt;
use std::ops::RangeInclusive;

pub use adjust::{Color, Enhance};
pub use geometry::{Align, Crop, Fit, Resize, Rotate};
pub use output::{Colorspace, Format, Output, PageFormat, PageOrientation};

use super::error::FilestackError;

/// Tasks to do to a file, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transform {
    tasks: Vec<Task>,
}

impl Transform {
    /// Nothing to do yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds any task.
    #[must_use]
    pub fn then(mut self, task: impl Into<Task>) -> Self {
        self.tasks.push(task.into());
        self
    }

    /// Changes the size.
    #[must_use]
    pub fn resize(self, resize: Resize) -> Self {
        self.then(resize)
    }

    /// Cuts a rectangle out.
    #[must_use]
    pub fn crop(self, crop: Crop) -> Self {
        self.then(crop)
    }

    /// Turns it.
    #[must_use]
    pub fn rotate(self, rotate: Rotate) -> Self {
        self.then(rotate)
    }

    /// Improves a photograph.
    #[must_use]
    pub fn enhance(self, enhance: Enhance) -> Self {
        self.then(enhance)
    }

    /// Changes the format.
    #[must_use]
    pub fn output(self, output: Output) -> Self {
        self.then(output)
    }

    pub(super) fn tasks(&self) -> &[Task] {
        &self.tasks
    }
}

/// One task, as it stands in a URL: `name=key:value,key:value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    name: &'static str,
    params: Vec<(&'static str, Value)>,
}

impl Task {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            params: Vec::new(),
        }
    }

    fn with(mut self, key: &'static str, value: impl Into<Value>) -> Self {
        self.params.push((key, value.into()));
        self
    }

    fn with_some<V: Into<Value>>(self, key: &'static str, value: Option<V>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        for (i, (key, value)) in self.params.iter().enumerate() {
            write!(f, "{}{key}:{value}", if i == 0 { '=' } else { ',' })?;
        }
        Ok(())
    }
}

/// A parameter's value. Words come from our own constants, or from types that let nothing but letters and digits in.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    Number(u32),
    Word(Cow<'static, str>),
    List(Vec<Value>),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Word(word) => f.write_str(word),
            Self::List(values) => {
                f.write_str("[")?;
                for (i, value) in values.iter().enumerate() {
                    write!(f, "{}{value}", if i == 0 { "" } else { "," })?;
                }
                f.write_str("]")
            }
        }
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Number(number)
    }
}

impl From<&'static str> for Value {
    fn from(word: &'static str) -> Self {
        Self::Word(word.into())
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        if flag { "true" } else { "false" }.into()
    }
}

impl<const N: usize, T: Into<Value>> From<[T; N]> for Value {
    fn from(values: [T; N]) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }
}

fn within(what: &str, number: u32, range: RangeInclusive<u32>) -> Result<u32, FilestackError> {
    if range.contains(&number) {
        return Ok(number);
    }
    let (first, last) = range.into_inner();
    Err(FilestackError::invalid(format!(
        "{what} must be from {first} to {last}, not {number}"
    )))
}
