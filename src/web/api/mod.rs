//! The JSON API: a file for each resource.

pub mod account;
pub mod archive;
pub mod documents;
pub mod import;
pub mod picker;
pub mod trash;
pub mod uploads;
