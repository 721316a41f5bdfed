//! `cargo fuzz run envelope`: the body is `mngntime_fuzzed::envelope`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mngntime_fuzzed::envelope::run(data));
