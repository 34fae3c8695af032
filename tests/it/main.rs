//! The integration tests, all in one binary so that they link once and share one throw-away PostgreSQL.
//!
//! `architecture`, `dependencies` and `readme` check the project itself, `sdk` holds the emulator to Filestack's own SDKs, `browser`
//! looks at the pages as Chromium does, the others ask the application over HTTP. `support` is what tests stand on.

mod accounts;
mod api;
mod architecture;
mod audit;
mod browser;
mod cli;
mod contract;
mod crashes;
mod db;
mod dependencies;
mod docs;
mod documents;
mod emulator_webhooks;
mod forms;
mod hooks;
mod jobs;
mod journey;
mod outage;
mod quotas;
mod readme;
mod sdk;
mod security;
mod support;
mod uploads;
