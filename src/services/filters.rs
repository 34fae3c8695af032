//! What a list of documents is narrowed to: text, a tag, a type, a state. A cursor of one such list is none of another.

use sha2::{Digest, Sha256};

use crate::crypto::hex;
use crate::db::models::documents::overseen::STATUSES;
use crate::db::models::documents::{Family, GONE, INFECTED, QUARANTINED};
use crate::db::models::search::{MAX_PARTS, MAX_QUERY_CHARS, Wanted, name_key};
use crate::error::AppError;
use crate::services::labels::Tags;

/// What a list is narrowed to; the default is everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter(Wanted);

/// A part of a filter that is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// Its name in the address.
    pub field: &'static str,
    /// What is wrong with it, and what to do.
    pub sentence: String,
    code: &'static str,
}

impl From<Wrong> for AppError {
    fn from(wrong: Wrong) -> Self {
        AppError::invalid(wrong.code, wrong.sentence)
    }
}

impl Filter {
    /// Reads a filter as it stands in an address: texts that are empty narrow nothing.
    ///
    /// # Errors
    ///
    /// The first of them that is none.
    pub fn read(text: &str, tag: &str, family: &str, status: &str) -> Result<Self, Wrong> {
        let text = text.trim();
        if text.chars().count() > MAX_QUERY_CHARS || text.split_whitespace().count() > MAX_PARTS {
            return Err(Wrong {
                field: "q",
                sentence: format!(
                    "Up to {MAX_PARTS} words are searched for, and up to {MAX_QUERY_CHARS} characters. Search for less."
                ),
                code: "invalid-search",
            });
        }
        let tag = match Tags::read([tag]) {
            Ok(tags) => tags.iter().next().map(str::to_owned),
            Err(_) => {
                return Err(wrong(
                    "tag",
                    "The filter names a tag that no document can have. Take it away.",
                ));
            }
        };
        let family = match family {
            "" => None,
            word => Some(Family::parse(word).ok_or_else(|| {
                let all: Vec<_> = Family::ALL.iter().map(|family| family.as_str()).collect();
                wrong(
                    "type",
                    &format!("A type is one of {}. Choose one of them.", all.join(", ")),
                )
            })?),
        };
        let status = match status {
            "" => None,
            word => Some(STATUSES.into_iter().find(|known| *known == word).ok_or_else(|| {
                wrong(
                    "status",
                    &format!("A status is one of {}. Choose one of them.", STATUSES.join(", ")),
                )
            })?),
        };
        Ok(Filter(Wanted {
            text: name_key(text),
            tag,
            family,
            status,
        }))
    }

    /// Whether nothing is narrowed.
    pub fn is_empty(&self) -> bool {
        self.0 == Wanted::default()
    }

    /// What the search index is asked.
    pub fn wanted(&self) -> &Wanted {
        &self.0
    }

    /// What tells places of this list from those of another: nothing for the whole list.
    pub fn mark(&self) -> Option<String> {
        if self.is_empty() {
            return None;
        }
        let Wanted {
            text,
            tag,
            family,
            status,
        } = &self.0;
        let all = serde_json::json!([text, tag, family.map(Family::as_str), status]);
        Some(hex(&Sha256::digest(all.to_string()))[..12].to_owned())
    }
}

/// The types to choose from, with what people call them.
pub fn types() -> impl Iterator<Item = (&'static str, &'static str)> {
    Family::ALL
        .into_iter()
        .map(|family| (family.as_str(), family.label()))
}

/// The states to choose from, with what people call them.
pub fn statuses() -> impl Iterator<Item = (&'static str, &'static str)> {
    STATUSES.into_iter().map(|status| {
        let label = match status {
            QUARANTINED => "Being checked",
            INFECTED => "Infected",
            GONE => "File gone",
            _ => "Ready",
        };
        (status, label)
    })
}

fn wrong(field: &'static str, sentence: &str) -> Wrong {
    Wrong {
        field,
        sentence: sentence.to_owned(),
        code: "invalid-filter",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_filters_that_differ_have_different_marks() {
        let of =
            |text, tag, family, status| Filter::read(text, tag, family, status).expect("a filter").mark();
        assert_eq!(of("", "", "", ""), None);
        assert_eq!(of(" ", " ", "", ""), None);
        assert_eq!(of("A b", "TAX ", "", ""), of("a b", "tax", "", ""));
        let marks = [
            of("a", "", "", ""),
            of("", "a", "", ""),
            of("", "", "pdf", ""),
            of("", "", "", "gone"),
            of("pdf", "", "", ""),
        ];
        let unique: std::collections::BTreeSet<_> = marks.iter().collect();
        assert_eq!(unique.len(), marks.len());
    }

    #[test]
    fn x5_what_is_no_filter_is_refused_with_what_there_is() {
        for (text, tag, family, status) in [
            ("", "", "image/*", ""),
            ("", "", "", "stored' OR 1=1"),
            ("", "a,b", "", ""),
            ("", "x".repeat(41).as_str(), "", ""),
            ("x".repeat(101).as_str(), "", "", ""),
            ("a ".repeat(13).as_str(), "", "", ""),
        ] {
            let wrong = Filter::read(text, tag, family, status).expect_err("no filter");
            let given = [("q", text), ("tag", tag), ("type", family), ("status", status)];
            let field = given.iter().find(|(_, value)| !value.is_empty());
            assert_eq!(Some(wrong.field), field.map(|(name, _)| *name));
        }
    }
}
