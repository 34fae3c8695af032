//! What the integration tests stand on. Nothing here knows a rule of the application.

pub mod postgres;
pub mod wire;
