//! Satchel: a document service on top of Filestack.
//!
//! The map, from the outside in. `cli` has a file per command and starts everything; `app` assembles the server; `web` is
//! all that knows HTTP; `services` are the verbs; `jobs` are the workers that do the verbs nobody waits for, `queue` is what they take
//! their work from; `db` holds rows and queries; `filestack` is a client for Filestack's API and
//! `emulator` a Filestack of our own: both are written so that they could be published by themselves.
//!
//! Who may import whom (`tests/it/architecture.rs` checks it; arrows are "may use"):
//!
//! ```text
//! cli      → app, jobs, services, queue, db, emulator, filestack
//! app      → web, jobs, services, queue, db, filestack, emulator
//! web      → services, queue, db, filestack
//! jobs     → services, queue, db, filestack
//! services → queue, db, filestack
//! queue    → db
//! db ↛ filestack, filestack ↛ db
//! cli, app, web, jobs, services → also error;  error → db, filestack
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
pub mod jobs;
pub mod queue;
pub mod services;
pub mod telemetry;
pub mod web;
