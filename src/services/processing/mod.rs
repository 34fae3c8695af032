//! Processing: what is done with a document's file after it was stored, a step at a time, while nobody waits.
//!
//! Each step is a job; `jobs/` has a file for each that calls one function here. A step asks Filestack and says what it found as an
//! [`Outcome`]: a sentence for the document's page and what is to be written, which the worker does in the transaction that ends the
//! job. [`chain`] decides which steps a document gets.

pub mod chain;
mod file;
mod outcome;
mod picture;
mod scan;
mod video;

use std::time::Duration;

pub use file::{read_metadata, verify};
pub use outcome::{Effects, Outcome};
pub use picture::{prepare_thumbnail, rate, read_text, tag};
pub use scan::{scan, unlooked};
pub use video::transcode;

use crate::clock::UtcTime;
use crate::db::models::documents::{self, Document};
use crate::db::models::findings::{self, Finding};
use crate::db::{DbConn, DbError};
use crate::error::AppError;
use crate::filestack::{Grant, Handle, Purpose};
use crate::ids::DocumentId;
use crate::services::Services;

/// Kind of the finding that has what Filestack knows about a file.
pub const METADATA: &str = "metadata";
/// Kind of the finding that says whether Filestack has the bytes that were seen at the upload.
pub const CHECK: &str = "check";
/// Kind of the finding that has the text on a picture.
pub const TEXT: &str = findings::TEXT;

/// How long a policy for one call of a step lives.
const GRANT: Duration = Duration::from_secs(120);

/// The document, unless it was deleted: then a step has nothing to do.
async fn load(services: &Services, id: DocumentId) -> Result<Option<Document>, AppError> {
    Ok(services.db.run(move |c| documents::find(c, id)).await?)
}

/// The file of a document.
fn documents_handle(document: &Document) -> Result<Handle, AppError> {
    crate::services::documents::handle(document)
}

fn grant(services: &Services, purpose: Purpose<'_>) -> Grant {
    services
        .filestack
        .grant(purpose, services.clock.now().system(), GRANT)
}

/// Keeps a finding if its document is still there.
fn keep(
    c: &mut DbConn,
    document_id: DocumentId,
    kind: &str,
    value: &serde_json::Value,
    found_at: UtcTime,
) -> Result<(), DbError> {
    if documents::find(c, document_id)?.is_none() {
        return Ok(());
    }
    findings::put(
        c,
        &Finding {
            document_id,
            kind: kind.to_owned(),
            // PostgreSQL takes no such character in a text.
            value: value.to_string().replace("\\u0000", ""),
            found_at,
        },
    )
}
