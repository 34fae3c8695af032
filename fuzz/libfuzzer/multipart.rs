//! The target `multipart` for cargo-fuzz.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| satchel_fuzz::multipart(data));
