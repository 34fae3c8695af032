//! What holds for every route: who may do what, what every answer carries, and what no spelling of a request gets round.

mod along;
mod busy;
mod embedding;
mod emulator;
mod errors;
mod headers;
mod hostile;
mod matrix;
mod panics;
mod pattern;
mod redirects;
mod routing;
mod scopes;
mod secrets;
mod smuggling;
mod spoofing;
pub mod table;
