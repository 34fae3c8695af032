//! The program itself: started, asked, signalled and killed as a person or a service manager would.

mod accounts;
mod beside;
mod demo;
mod doctor;
mod emulator;
mod help;
mod jobs;
mod leaks;
pub mod process;
mod settings;
mod start;
mod stopping;
mod webhooks;
