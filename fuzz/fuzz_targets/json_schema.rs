//! See `fuzz::json_schema`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::json_schema(data));
