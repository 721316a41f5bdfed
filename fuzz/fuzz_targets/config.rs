//! `cargo fuzz run config`: the body is `mngntime_fuzzed::config`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mngntime_fuzzed::config::run(data));
