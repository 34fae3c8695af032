//! `fp.delete`: the document's file is gone, on the event's word.

use super::action::{Case, Outcome, applied, document_of};
use crate::db::DbConn;
use crate::db::models::results;
use crate::filestack::Handle;
use crate::services::audit::Actor;
use crate::services::verdicts;

pub(super) fn act(c: &mut DbConn, case: &Case<'_>) -> Outcome {
    let handle = case.handle().map(Handle::as_str);
    if let Some(handle) = handle
        && let Some(made) = results::find_by_handle(c, handle)?
    {
        let document = made.document_id;
        let gone = results::DocumentResult {
            state: results::FAILED.to_owned(),
            updated_at: case.now,
            ..made
        };
        results::update(c, &gone)?;
        return applied(document, "A file that was made of the document is gone.");
    }
    match document_of(c, case.handle())? {
        Err(settlement) => Ok(settlement),
        Ok(document) => {
            let is_new = verdicts::mark_gone(c, &Actor::filestack(), document.id, case.now)?;
            let said = if is_new {
                "The document's file is gone."
            } else {
                "The document's file was known to be gone."
            };
            applied(document.id, said)
        }
    }
}
