//! See `fuzz::jinja_template`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::jinja_template(data));
