//! The workers: they take jobs out of the queue and do them, a file for each kind, each a few lines that call a service.
//!
//! May use `services`, `queue`, `db` and `filestack`. [`Workers`] are threads, each with a small runtime of its own, so that what keeps a
//! processor busy holds up neither requests nor other jobs. [`step`] takes one job to its end or its next attempt: the thread's loop
//! and the tests both call it.
//!
//! A job may be run twice: a worker may die after Filestack has done what was asked, and before that was written down. So
//! each kind says in its file why a second time does no harm.

mod kinds;
mod run;
mod threads;
mod verdict;

pub use run::{Ended, Step, reclaim, step};
pub use threads::Workers;
