//! All that knows HTTP: pages, the JSON API, static files, and what every request passes through.
//!
//! `routes` is the table of everything that is answered. Handlers extract, call one verb of `services` and answer; `extract` holds the
//! rules about who may ask and how, `middleware` what holds for every answer.

#[expect(unused_qualifications, reason = "utoipa's macros write types in full")]
mod api;
pub mod assets;
mod errors;
mod extract;
mod health;
pub mod hooks;
mod limits;
mod meter;
mod metrics;
mod middleware;
pub mod openapi;
mod pages;
mod picker;
pub mod reports;
mod routes;
mod server;
mod state;
mod streams;
pub mod views;

pub use picker::{CLIENT_INTEGRITY, CLIENT_VERSION, PICKER_URL, PickerSettings};
pub use server::{serve, serve_of};
pub use state::{AppState, WebSettings};

pub use middleware::application_of;
pub use routes::enter;
