//! The modules of the emulator that have parsers, by path, with the targets where they can reach them.

#[path = "../../../src/emulator/apps.rs"]
mod apps;
#[path = "../../../src/emulator/ids.rs"]
mod ids;
#[path = "../../../src/emulator/policy.rs"]
mod policy;
#[path = "../../targets/policy.rs"]
pub mod policy_target;

pub mod http;
pub mod transform;
