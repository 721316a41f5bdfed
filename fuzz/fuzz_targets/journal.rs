//! `cargo fuzz run journal`: the body is `mngntime_fuzzed::journal`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mngntime_fuzzed::journal::run(data));
