//! All that knows HTTP: pages, the JSON API, static files.
//!
//! It may use `services` for verbs and nothing below them.

pub mod assets;
pub mod views;
