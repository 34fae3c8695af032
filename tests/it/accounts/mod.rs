//! Accounts over HTTP: set-up, signing in and out, sessions, form tokens, API tokens, and what guessing costs.

mod administered;
mod backoff;
mod csrf;
mod ended;
mod hashing;
mod limits;
mod listed;
mod mine;
mod sessions;
mod setup;
mod tokens;

pub mod people;
