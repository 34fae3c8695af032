//! What an owner says about a document besides its name: tags and a note. Here they get their form, or a sentence about what is wrong.

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization as _;

use super::names;

/// The most tags of one document.
pub const MOST_TAGS: usize = 20;
/// The longest tag, characters.
pub const TAG_CHARS: usize = 40;
/// The longest note, characters.
pub const NOTE_CHARS: usize = 2_000;

/// Tags in their form: composed, in lower case, without characters that show nothing, each once, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tags(BTreeSet<String>);

impl Tags {
    /// Reads tags.
    ///
    /// # Errors
    ///
    /// A sentence, when one is too long or has a comma in it.
    pub fn read<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let mut tags = BTreeSet::new();
        for text in texts {
            let tag = form(text);
            if tag.is_empty() {
                continue;
            }
            if tag.contains(',') {
                return Err(format!(
                    "A tag has no comma in it. Make two tags of “{}”.",
                    names::beginning(&tag)
                ));
            }
            let length = tag.chars().count();
            if length > TAG_CHARS {
                return Err(format!(
                    "A tag has at most {TAG_CHARS} characters, and “{}” has {length}. Shorten it.",
                    names::beginning(&tag)
                ));
            }
            tags.insert(tag);
        }
        Tags(tags).checked()
    }

    /// Reads tags with commas between them.
    ///
    /// # Errors
    ///
    /// See [`Tags::read`].
    pub fn of_text(text: &str) -> Result<Self, String> {
        Self::read(split(text).iter().map(String::as_str))
    }

    /// The tags that a row has.
    pub fn of_row<'a>(tags: impl Iterator<Item = &'a str>) -> Self {
        Tags(tags.map(str::to_owned).collect())
    }

    /// These with others added and others taken away.
    ///
    /// # Errors
    ///
    /// A sentence, when that makes too many.
    pub fn changed(mut self, add: &Tags, remove: &Tags) -> Result<Self, String> {
        self.0.extend(add.0.iter().cloned());
        self.0.retain(|tag| !remove.0.contains(tag));
        self.checked()
    }

    /// Each.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As a row has them: between commas.
    pub fn row(&self) -> String {
        if self.is_empty() {
            return String::new();
        }
        let all: Vec<_> = self.iter().collect();
        format!(",{},", all.join(","))
    }

    fn checked(self) -> Result<Self, String> {
        if self.0.len() > MOST_TAGS {
            return Err(format!(
                "A document has at most {MOST_TAGS} tags, and these are {}. Take some away.",
                self.0.len()
            ));
        }
        Ok(self)
    }
}

/// Tags as they are typed into one field, with commas of any script between them.
pub fn split(text: &str) -> Vec<String> {
    text.split([',', '\u{ff0c}', '\u{3001}'])
        .map(str::to_owned)
        .collect()
}

/// A note in its form: composed, without characters that show nothing but for ends of lines, and without blanks at its end.
///
/// # Errors
///
/// A sentence, when it is too long.
pub fn note(text: &str) -> Result<String, String> {
    let composed: String = text
        .replace("\r\n", "\n")
        .nfc()
        .filter(|c| matches!(c, '\n' | '\t') || !is_nothing(*c))
        .collect();
    let note = composed.trim_end().to_owned();
    let length = note.chars().count();
    if length > NOTE_CHARS {
        return Err(format!(
            "A note has at most {NOTE_CHARS} characters, and this one has {length}. Shorten it."
        ));
    }
    Ok(note)
}

/// One tag's form: blanks within it are one blank.
fn form(text: &str) -> String {
    let shown: String = text
        .chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .filter(|c| !is_nothing(*c))
        .collect();
    let composed: String = shown.nfc().collect::<String>().to_lowercase().nfc().collect();
    composed.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Characters that show nothing, but for the joiners that some scripts and emoji are written with.
fn is_nothing(c: char) -> bool {
    names::is_hidden(c) && !matches!(c, '\u{200c}' | '\u{200d}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_get_one_form_whoever_writes_them() {
        let tags = Tags::of_text("  Invoice,invoice ,TAX   2026,,cafe\u{301}, Z\u{0}\u{202e}z,\u{200b}")
            .expect("tags");
        assert_eq!(
            tags.iter().collect::<Vec<_>>(),
            ["café", "invoice", "tax 2026", "zz"]
        );
        assert_eq!(tags.row(), ",café,invoice,tax 2026,zz,");
        assert_eq!(
            Tags::of_row(tags.row().split(',').filter(|tag| !tag.is_empty())),
            tags
        );
        assert_eq!(Tags::of_text(" , ").expect("none").row(), "");
    }

    #[test]
    fn tags_have_bounds_that_are_said() {
        let longest = "ä".repeat(TAG_CHARS);
        assert!(Tags::of_text(&longest).is_ok());
        let wrong = Tags::of_text(&format!("{longest}b")).expect_err("too long");
        assert!(
            wrong.starts_with("A tag has at most 40 characters") && wrong.contains("has 41"),
            "{wrong}"
        );
        let many: Vec<String> = (0..=MOST_TAGS).map(|n| n.to_string()).collect();
        assert!(Tags::of_text(&many[1..].join(",")).is_ok());
        let wrong = Tags::of_text(&many.join(",")).expect_err("too many");
        assert!(wrong.contains("at most 20 tags, and these are 21"), "{wrong}");
        assert!(Tags::read(["a,b"]).is_err());
        let full = Tags::of_text(&many[1..].join(",")).expect("twenty");
        let (one, none) = (Tags::of_text("new").expect("one"), Tags::default());
        assert!(full.clone().changed(&one, &none).is_err());
        let other = Tags::of_text("5").expect("one");
        assert!(full.changed(&one, &other).is_ok());
    }

    #[test]
    fn a_note_keeps_its_lines_and_nothing_that_is_not_seen() {
        assert_eq!(note("a\r\nb\u{0}\u{202e}c  \n\n").expect("a note"), "a\nbc");
        assert_eq!(note("  \n").expect("nothing"), "");
        assert!(note(&"x".repeat(NOTE_CHARS)).is_ok());
        let wrong = note(&"x".repeat(NOTE_CHARS + 1)).expect_err("too long");
        assert!(
            wrong.contains("at most 2000 characters, and this one has 2001"),
            "{wrong}"
        );
    }
}
