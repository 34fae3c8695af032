//! The integration tests, all in one binary so that they link once and share one throw-away PostgreSQL.
//!
//! `architecture`, `dependencies` and `readme` check the project itself; the others ask the application over HTTP. `support` is what
//! tests stand on.

mod accounts;
mod architecture;
mod cli;
mod db;
mod dependencies;
mod documents;
mod journey;
mod readme;
mod security;
mod support;
mod uploads;
