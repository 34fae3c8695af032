//! What the integration tests stand on. Nothing here knows a rule of the application.

pub mod answer;
pub mod app;
pub mod client;
pub mod form;
pub mod postgres;
pub mod wire;
