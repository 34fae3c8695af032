//! The emulator's parsers, each with a function that takes any bytes and panics when something is not as it must be.
//!
//! The modules are those of the emulator, by path and alone: what parses here is what parses there.

mod emulator;

pub use emulator::http::multipart_target::run as multipart;
pub use emulator::policy_target::run as policy;
pub use emulator::transform::url_target::run as transform_url;

/// A target's name and function.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: [Target; 3] = [
    ("transform_url", transform_url),
    ("policy", policy),
    ("multipart", multipart),
];
