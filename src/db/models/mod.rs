//! A file for each table: its rows and every query on them.
//!
//! Functions take a connection and give a [`DbError`](super::DbError); what must happen together is put into one
//! [`Db::write`](super::Db::write) by the services.
//!
//! A row by its unique key is read with `get_result`. Diesel's `first` adds `LIMIT ?`, and SQLite plans a statement anew each time its
//! limit is bound, which takes longer than to find the row.

pub mod api_tokens;
pub mod audit_entries;
pub mod claims;
pub mod documents;
pub mod events;
pub mod file_removals;
pub mod findings;
pub mod idempotency_keys;
pub mod jobs;
pub mod password_links;
pub mod results;
pub mod search;
pub mod sessions;
pub mod setup;
pub mod sign_in_attempts;
pub mod statistics;
pub mod uploads;
pub mod users;
