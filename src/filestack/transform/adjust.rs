//! Colours, and corrections of photographs.

use super::{Task, Value};
use crate::filestack::error::FilestackError;

const LONGEST_NAME: usize = 24;

/// A colour: 3, 6 or 8 hex digits, or a name such as `transparent`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Color(String);

impl Color {
    /// Takes hex digits without `#`, or a name of letters and digits that starts with a letter (`white`, `gray50`).
    ///
    /// # Errors
    /// [`FilestackError::Invalid`] for anything else.
    pub fn new(text: &str) -> Result<Self, FilestackError> {
        let is_hex = matches!(text.len(), 3 | 6 | 8) && text.bytes().all(|b| b.is_ascii_hexdigit());
        let is_name = text.len() <= LONGEST_NAME
            && text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text.bytes().all(|b| b.is_ascii_alphanumeric());
        if is_hex || is_name {
            return Ok(Self(text.to_ascii_lowercase()));
        }
        Err(FilestackError::invalid(
            "a colour is 3, 6 or 8 hex digits, or a name",
        ))
    }
}

impl From<Color> for Value {
    fn from(color: Color) -> Self {
        Self::Word(color.0.into())
    }
}

/// An automatic correction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enhance {
    /// Whatever Filestack thinks best when nothing is said.
    Plain,
    /// Chosen by what is in the picture.
    Auto,
    /// Stronger colours.
    Vivid,
    /// Portraits.
    Beautify,
    /// Portraits, stronger.
    BeautifyPlus,
    /// Too dark.
    FixDark,
    /// Too noisy.
    FixNoise,
    /// Tinted.
    FixTint,
    /// Landscapes.
    Outdoor,
    /// Fireworks.
    Fireworks,
}

impl Enhance {
    fn preset(self) -> Option<&'static str> {
        Some(match self {
            Self::Plain => return None,
            Self::Auto => "auto",
            Self::Vivid => "vivid",
            Self::Beautify => "beautify",
            Self::BeautifyPlus => "beautify_plus",
            Self::FixDark => "fix_dark",
            Self::FixNoise => "fix_noise",
            Self::FixTint => "fix_tint",
            Self::Outdoor => "outdoor",
            Self::Fireworks => "fireworks",
        })
    }
}

impl From<Enhance> for Task {
    fn from(enhance: Enhance) -> Self {
        Self::new("enhance").with_some("preset", enhance.preset())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn u17_a_colour_is_nothing_but_letters_and_digits() {
        for good in ["fff", "FF00aa", "ff00aa80", "transparent", "gray50"] {
            assert!(Color::new(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "#fff",
            "12",
            "1234567",
            "a,b",
            "a/b",
            "a:b",
            "a]b",
            "a%2fb",
            "é",
            "x".repeat(25).as_str(),
        ] {
            assert!(Color::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn enhance_with_and_without_a_preset() {
        assert_eq!(Task::from(Enhance::Plain).to_string(), "enhance");
        assert_eq!(
            Task::from(Enhance::BeautifyPlus).to_string(),
            "enhance=preset:beautify_plus"
        );
    }
}
