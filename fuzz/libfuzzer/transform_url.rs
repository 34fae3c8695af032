//! The target `transform_url` for cargo-fuzz.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| satchel_fuzz::transform_url(data));
