//! Extractors: each carries a rule about who may ask and how, and fails with our own error.

mod address;
mod chosen;
mod conditions;
mod form;
mod idempotency;
mod identity;
mod ids;
mod json;
mod multipart;
mod query;

pub use address::ClientAddress;
pub use chosen::{Chosen, field};
pub use conditions::{IfMatch, IfNoneMatch};
pub use form::{ConfirmedForm, CsrfForm, csrf_token, csrf_token_of, token_is_valid};
pub use idempotency::IdempotencyKey;
pub use identity::{Admin, ApiCaller, Reader, SESSION_COOKIE, Viewer, fingerprint, session_token};
pub use ids::{DocumentPath, EventPath, JobPath, ResultPath};
pub use json::Json;
pub use multipart::{FilePart, Item, UploadForm, parser as upload_parser};
pub use query::Query;
