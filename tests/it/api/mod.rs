//! The JSON API as programs meet it: its description, conditions on edits, requests that are to be done once, and what watches it.

mod conditions;
mod crash;
mod description;
mod metrics;
mod objects;
mod once;
mod schemathesis;
