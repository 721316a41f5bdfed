//! `cargo fuzz run evidence`: the body is `mngntime_fuzzed::evidence`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mngntime_fuzzed::evidence::run(data));
