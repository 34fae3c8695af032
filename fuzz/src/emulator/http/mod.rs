//! Of `http`, the reader of forms.

#[path = "../../../../src/emulator/http/form_data.rs"]
mod form_data;
#[path = "../../../targets/multipart.rs"]
pub mod multipart_target;
