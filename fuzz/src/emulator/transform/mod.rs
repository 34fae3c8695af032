//! Of `transform`, the grammar and what it names; no picture is touched.

#[path = "../../../../src/emulator/transform/color.rs"]
mod color;
#[path = "../../../../src/emulator/transform/error.rs"]
mod error;
#[path = "../../../../src/emulator/transform/format.rs"]
mod format;
#[path = "../../../../src/emulator/transform/grammar.rs"]
mod grammar;
mod intelligence;
#[path = "../../../../src/emulator/transform/scan.rs"]
mod scan;
#[path = "../../../../src/emulator/transform/spec/mod.rs"]
mod spec;
#[path = "../../../../src/emulator/transform/task/mod.rs"]
mod task;
#[path = "../../../targets/transform_url.rs"]
pub mod url_target;
