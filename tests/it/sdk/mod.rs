//! The emulator held to Filestack's own SDKs: they run unmodified but for host names and the two shims of §1.2 and §1.3 (the
//! emulator has no TLS, and Node does not resolve a host with its port), which are in `drivers/*/rig.*`.
//!
//! A driver does one thing after another with an SDK and prints a line of JSON for each; the tests here say what those lines
//! and the emulator's files have to be. Sections are those of Filestack's protocol as this project wrote it down.

pub mod bench;
pub mod browser;
mod files;
mod gaps;
mod intelligence;
pub mod parity;
mod refusals;
mod report;
mod tasks;
mod troubles;
mod uploads;
mod webhooks;
