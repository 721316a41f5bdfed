//! `cargo fuzz run seal`: the body is `mngntime_fuzzed::seal`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mngntime_fuzzed::seal::run(data));
