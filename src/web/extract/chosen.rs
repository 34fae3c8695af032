//! The documents that a form or a body names: ids as they were sent, the readable apart from the others.

use crate::error::AppError;
use crate::ids::DocumentId;
use crate::services::trash::MOST;

/// Documents to do something to.
#[derive(Debug)]
pub struct Chosen {
    /// Those that could be there.
    pub ids: Vec<DocumentId>,
    /// What is no id: not there, whatever it was meant to be (I8).
    pub unknown: Vec<String>,
}

impl Chosen {
    /// Reads texts as ids.
    ///
    /// # Errors
    ///
    /// [`AppError::Invalid`] when there are none, or more than can be worked on at once.
    pub fn read(texts: impl IntoIterator<Item = String>) -> Result<Self, AppError> {
        let mut texts: Vec<String> = texts.into_iter().collect();
        texts.sort();
        texts.dedup();
        if texts.is_empty() {
            return Err(AppError::invalid(
                "nothing-chosen",
                "No document was chosen. Choose at least one, then try again.",
            ));
        }
        if texts.len() > MOST {
            return Err(AppError::invalid(
                "too-many-documents",
                format!(
                    "{} documents were chosen, and {MOST} can be worked on at once. Choose fewer, then go on with the rest.",
                    texts.len()
                ),
            ));
        }
        let (mut ids, mut unknown) = (Vec::new(), Vec::new());
        for text in texts {
            match text.parse() {
                Ok(id) => ids.push(id),
                Err(_) => unknown.push(text),
            }
        }
        Ok(Chosen { ids, unknown })
    }

    /// Reads the fields `id` of a form.
    ///
    /// # Errors
    ///
    /// See [`Chosen::read`].
    pub fn of_form(fields: &[(String, String)]) -> Result<Self, AppError> {
        Self::read(
            fields
                .iter()
                .filter(|(name, _)| name == "id")
                .map(|(_, value)| value.clone()),
        )
    }
}

/// The first field of this name, or nothing.
pub fn field<'a>(fields: &'a [(String, String)], name: &str) -> &'a str {
    fields
        .iter()
        .find(|(known, _)| known == name)
        .map_or("", |(_, value)| value)
}
