//! Satchel: a document service on top of Filestack.
//!
//! The map, from the outside in. `cli` has a file per command and starts everything; `app` assembles the server; `web` is
//! all that knows HTTP; `services` are the verbs; `db` holds rows and queries; `filestack` is a client for Filestack's API and
//! `emulator` a Filestack of our own: both are written so that they could be published by themselves.
//!
//! Who may import whom (`tests/it/architecture.rs` checks it; arrows are "may use"):
//!
//! ```text
//! cli      → app, services, db, emulator, filestack
//! app      → web, services, db, filestack, emulator
//! web      → services, db, filestack
//! services → db, filestack
//! db ↛ filestack, filestack ↛ db
//! cli, app, web, services → also error;  error → db, filestack
//! all      → config, clock, ids, crypto, telemetry, failpoints → nothing of ours but each other
//! emulator, filestack → nothing of ours
//! ```

pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod crypto;
pub mod db;
pub mod emulator;
pub mod error;
pub mod failpoints;
pub mod filestack;
pub mod ids;
pub mod services;
pub mod telemetry;
pub mod web;
