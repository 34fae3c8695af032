//! Paths as the SDKs spell them, and pictures made to show what each task does.

mod grammar;
mod hostile;
mod pictures;
mod support;
