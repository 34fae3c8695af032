//! Webhooks from Filestack: what is taken, what is refused, what it changes.

mod accepted;
mod applied;
mod history;
mod inbox;
mod refused;
pub mod sender;
