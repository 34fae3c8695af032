//! Webhooks from Filestack: what is taken, what is refused, what it changes.

mod accepted;
mod applied;
mod embedded;
mod history;
mod inbox;
mod meanwhile;
mod reconciled;
mod refused;
pub mod sender;
