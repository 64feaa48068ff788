//! See `fuzz::go_template`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::go_template(data));
