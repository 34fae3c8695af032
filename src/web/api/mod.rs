//! The JSON API: a file for each resource.

pub mod documents;
pub mod import;
pub mod picker;
pub mod trash;
pub mod uploads;
