//! See `fuzz::config_merge`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::config_merge(data));
