//! See `fuzz::source_ignore`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::source_ignore(data));
