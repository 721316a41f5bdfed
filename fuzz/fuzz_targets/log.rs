//! `cargo fuzz run log`: the body is `mngntime_fuzzed::log`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mngntime_fuzzed::log::run(data));
