//! The integration tests, all in one binary so that they link once and share one throw-away PostgreSQL.
//!
//! `architecture`, `dependencies` and `readme` check the project itself. `support` is what tests stand on.

mod architecture;
mod cli;
mod dependencies;
mod readme;
mod support;
