//! Background work: the queue with several workers on both databases, the chain after an upload, and how failures are met.

mod admin;
mod chain;
mod deleted;
mod events;
mod failures;
mod mail;
mod media;
mod queue;
mod scan;
