//! The audit trail: what is written into it, and that nothing in it can be changed.

mod opened;
mod overview;
mod page;
mod plans;
mod queries;
mod recorded;
mod sorts;
mod system;
mod trail;
