//! `/admin`: what administrators see and steer.

pub mod audit;
pub mod documents;
pub mod jobs;
pub mod overview;
pub mod system;
pub(in crate::web) mod table;
pub mod users;
pub mod webhooks;
