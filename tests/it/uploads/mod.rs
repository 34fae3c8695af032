//! Uploads over HTTP: what is taken, what is refused, and that nothing is left of what did not end well.

mod bad_input;
mod bounds;
mod broken_off;
mod claimed;
mod filestack_fails;
pub mod import;
mod in_flight;
mod limits;
mod multipart;
mod names;
mod overtaken;
mod pages;
pub mod picker;
mod policies;
mod sizes;
mod slow;

const MIB: usize = 1_024 * 1_024;
/// Bytes of a part on its way to Filestack, and how far a file is read before its way there is chosen.
const PART: usize = 8 * MIB;
